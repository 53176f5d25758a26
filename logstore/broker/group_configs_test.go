package broker

import (
	"context"
	"testing"

	"github.com/streamflow/streamflow/internal/usererr"
)

func TestGroupConfigsMachine(t *testing.T) {
	m := newGroupConfigsMachine()
	b := &Broker{groupConfigs: m}
	for name, c := range map[string]struct {
		set   map[string]string
		unset []string
		fix   string
	}{
		"misspelt": {map[string]string{"consumer.session.timeout": "1"}, nil, `Did you mean "consumer.session.timeout.ms"?`},
		"unset":    {nil, []string{"nothing.like.it"}, "Describe the configs of a group to see which there are."},
		"range":    {map[string]string{"consumer.session.timeout.ms": "1"}, nil, "Give a whole number from 100 to 600000."},
	} {
		err := b.AlterGroupConfigs(context.Background(), "g", c.set, c.unset, true)
		if ue, ok := usererr.As(err); !ok || ue.Code != CodeInvalidGroupConfig || ue.Fix != c.fix {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, cmd := range []string{
		`{"group":"g","set":{"consumer.session.timeout.ms":"200","consumer.heartbeat.interval.ms":"20"}}`,
		`{"group":"g","unset":["consumer.heartbeat.interval.ms"]}`, `{"group":"h","unset":["consumer.heartbeat.interval.ms"]}`,
	} {
		if _, err := m.Apply([]byte(cmd)); err != nil {
			t.Fatal(err)
		}
	}
	again := newGroupConfigsMachine()
	if err := again.Restore(m.Snapshot()); err != nil {
		t.Fatal(err)
	}
	b.groupConfigs = again
	if n, ok := b.GroupConfigInt("g", "consumer.session.timeout.ms"); n != 200 || !ok || len(b.GroupConfigs("g")) != 1 || len(again.groups) != 1 {
		t.Errorf("%d, %v, %v", n, ok, again.groups)
	}
}
