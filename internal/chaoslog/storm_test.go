package chaoslog_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/chaoslog"
	"github.com/streamflow/streamflow/internal/proctest"
)

func TestMain(m *testing.M) { proctest.Main(m) }

// One node, and a cluster of three, are killed, torn, stopped and paused for some seconds; `make chaos-log` does it for longer, and with
// their links and disks.
func TestStorm(t *testing.T) {
	if testing.Short() {
		t.Skip("kills real processes")
	}
	for _, nodes := range []int{1, 3} {
		t.Run(fmt.Sprint(nodes), func(t *testing.T) { storm(t, nodes) })
	}
}

func storm(t *testing.T, nodes int) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	seed := uint64(time.Now().UnixNano() % 10_000)
	t.Logf("seed %d", seed)
	r, err := chaoslog.Run(ctx, chaoslog.RunOptions{Seed: seed, Duration: 5 * time.Second,
		Cluster: chaoslog.ClusterOptions{Program: proctest.Program(t, "streamflow"), Dir: t.TempDir(), Nodes: nodes}})
	if err != nil {
		t.Fatal(err)
	}
	c := r.Counts
	t.Logf("%+v", c)
	if c.Acked == 0 || c.Read == 0 || c.Txns == 0 || c.Faults == 0 {
		t.Errorf("the storm did not blow: %+v", c)
	}
	for _, a := range r.Anomalies {
		t.Error(a)
	}
}
