package clustertest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/tier"
	"github.com/twmb/franz-go/pkg/kadm"
)

// tiers are the nodes' cold tiers over one store.
type tiers struct {
	t     *testing.T
	c     *Cluster
	store tier.Store
	open  map[int32]*tier.Tier
}

func newTiers(t *testing.T, c *Cluster) *tiers {
	x := &tiers{t: t, c: c, store: tier.NewDir(vfs.OS, t.TempDir()), open: map[int32]*tier.Tier{}}
	t.Cleanup(func() { x.close(c.IDs()...) })
	x.start(c.IDs()...)
	return x
}

func (x *tiers) start(ids ...int32) {
	x.t.Helper()
	for _, id := range ids {
		n := x.c.Node(id)
		cold, err := tier.Open(tier.Options{Store: x.store, Dir: filepath.Join(n.dir(), "tier-local"), Interval: 50 * time.Millisecond, Logger: x.c.log})
		if err != nil {
			x.t.Fatal(err)
		}
		x.open[id] = cold
		n.Broker.UseTier(cold)
	}
}

func (x *tiers) close(ids ...int32) {
	for _, id := range ids {
		if cold := x.open[id]; cold != nil {
			_ = cold.Close()
			delete(x.open, id)
		}
	}
}

func (x *tiers) part(id int32) *logstore.Partition {
	x.t.Helper()
	p, err := x.c.Node(id).Broker.Partition("orders", 0)
	if err != nil {
		x.t.Fatal(err)
	}
	return p
}

// The leader archives and all replicas free their disks; the next leader goes on. A replica that has lost its disk gets the
// old records from the tier, through its leader. Clients see one log all the time.
func TestColdTierOfACluster(t *testing.T) {
	c := Start(t, 3)
	x := newTiers(t, c)
	value := func(s string) *string { return &s }
	configs := map[string]*string{"remote.storage.enable": value("true"), "local.retention.ms": value("0"), "segment.bytes": value("4096")}
	if _, err := c.Admin().CreateTopic(timeout(t, 20*time.Second), 1, 3, configs, "orders"); err != nil {
		t.Fatal(err)
	}
	c.InSync("orders", 3)
	cl := c.Client()
	for i := 0; i < 2000; i += 50 {
		produce(t, cl, "orders", i, i+50)
	}
	freed := func(least int64, ids ...int32) func() bool {
		return func() bool {
			for _, id := range ids {
				if x.part(id).LocalStart() < least {
					return false
				}
			}
			return true
		}
	}
	c.Eventually("every replica frees its disk", freed(1000, 1, 2, 3))
	consume(t, c, "orders", 2000)

	old := c.State("orders", 0).Leader
	x.close(old)
	c.Kill(old)
	for i := 2000; i < 3000; i += 50 {
		produce(t, cl, "orders", i, i+50)
	}
	var rest []int32
	for _, id := range c.IDs() {
		if id != old {
			rest = append(rest, id)
		}
	}
	c.Eventually("the new leader goes on", freed(2500, rest...))
	consume(t, c, "orders", 3000)

	if err := os.RemoveAll(filepath.Join(c.Node(old).dir(), "log")); err != nil {
		t.Fatal(err)
	}
	c.StartNodes(old)
	x.start(old)
	c.InSync("orders", 3)
	c.Eventually("the replica without a disk has all", func() bool { return x.part(old).Offsets().HighWatermark == 3000 })
	consume(t, c, "orders", 3000)

	if _, err := c.Admin().DeleteRecords(timeout(t, 10*time.Second), kadm.Offsets{"orders": {0: {Topic: "orders", At: 1500}}}); err != nil {
		t.Fatal(err)
	}
	c.Eventually("what was deleted leaves the tier", func() bool {
		list, err := tier.Verify(timeout(t, 10*time.Second), x.store)
		return err == nil && len(list) == 1 && list[0].Start >= 1500 && list[0].Garbage == 0 && len(list[0].Damage) == 0
	})
	if _, err := c.Admin().DeleteTopics(timeout(t, 10*time.Second), "orders"); err != nil {
		t.Fatal(err)
	}
	c.Eventually("nothing of a deleted topic is left", func() bool {
		list, err := x.store.List(timeout(t, 10*time.Second), "")
		return err == nil && len(list) == 0
	})
}
