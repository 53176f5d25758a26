package broker

import (
	"context"
	"testing"

	"github.com/streamflow/streamflow/internal/usererr"
)

func TestFeatureLevels(t *testing.T) {
	m := newFeaturesMachine()
	b := &Broker{features: m}
	if got := b.FeatureLevel(FeatureTransactions); got != 2 {
		t.Errorf("level %d, want the highest where nobody said otherwise", got)
	}
	update := func(want string, u FeatureUpdate) {
		t.Helper()
		err := b.UpdateFeatures(context.Background(), []FeatureUpdate{u}, true)
		got := ""
		if ue, ok := usererr.As(err); ok {
			got = ue.Code
		}
		if got != want {
			t.Errorf("%+v: %v, want %s", u, err, want)
		}
	}
	update(CodeUnknownFeature, FeatureUpdate{Name: "transaction.versoin", Level: 1})
	update(CodeFeatureLevel, FeatureUpdate{Name: FeatureTransactions, Level: 3})
	update(CodeFeatureLevel, FeatureUpdate{Name: FeatureTransactions, Level: 1})
	update("", FeatureUpdate{Name: FeatureTransactions, Level: 1, Downgrade: true})
	if _, err := m.Apply([]byte(`[{"Name":"transaction.version","Level":0,"Downgrade":true}]`)); err != nil {
		t.Fatal(err)
	}
	again := newFeaturesMachine()
	if err := again.Restore(m.Snapshot()); err != nil {
		t.Fatal(err)
	}
	all, epoch := again.list()
	if epoch != 1 || all[2].Name != FeatureTransactions || all[2].Level != 0 || all[0].Level != 1 {
		t.Errorf("%+v at %d", all, epoch)
	}
}
