package clustertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/logstore"
)

// A bit of one node's disk flips. The node notices, neither leads with it nor shortens its log, and fetches the partition from
// the others again.
func TestDamagedReplicaIsRepaired(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 1, 3)
	l := startLoad(c, "orders")
	c.Eventually("some are produced", func() bool { return l.n.Load() > 200 })
	l.end(t)
	victim := c.Node(c.State("orders", 0).Leader)
	c.Stop(victim.ID)
	files, err := filepath.Glob(filepath.Join(victim.dir(), "log", "topics", "orders", "0", "*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("segments %v, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0x10
	if err := os.WriteFile(files[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(strings.TrimSuffix(files[0], ".log") + ".index"); err != nil {
		t.Fatal(err)
	}
	c.StartNodes(victim.ID)
	c.InSync("orders", 3)
	part, err := victim.Broker.Partition("orders", 0)
	if err != nil || part.Damaged() != nil {
		t.Fatalf("%v, %v", part.Damaged(), err)
	}
	var other *logstore.Partition
	for _, id := range c.IDs() {
		if id != victim.ID {
			if other, err = c.Node(id).Broker.Partition("orders", 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Eventually("the repaired replica has the same bytes", func() bool {
		a, errA := part.Read(0, 1<<24, false)
		b, errB := other.Read(0, 1<<24, false)
		return errA == nil && errB == nil && len(a.Data) > 0 && string(a.Data) == string(b.Data)
	})
	// The same while it runs, as a scrub finds it.
	part.MarkDamaged(os.ErrInvalid)
	c.Eventually("it is repaired again", func() bool {
		s := c.State("orders", 0)
		return part.Damaged() == nil && len(s.ISR) == 3
	})
	n := startLoad(c, "orders")
	c.Eventually("producing goes on", func() bool { return n.n.Load() > 20 })
	n.end(t)
}
