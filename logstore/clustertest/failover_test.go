package clustertest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// load produces values 0, 1, 2 … one after another until it is stopped, and returns how many were acknowledged. The longest
// wait for an acknowledgement is kept.
type load struct {
	n       atomic.Int64
	longest time.Duration
	stop    context.CancelFunc
	done    chan error
}

func startLoad(c *Cluster, topic string) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{stop: cancel, done: make(chan error, 1)}
	cl := c.Client()
	go func() {
		for ctx.Err() == nil {
			start := time.Now()
			err := cl.ProduceSync(context.Background(), &kgo.Record{Topic: topic, Value: fmt.Append(nil, l.n.Load())}).FirstErr()
			if err != nil {
				l.done <- err
				return
			}
			l.longest = max(l.longest, time.Since(start))
			l.n.Add(1)
		}
		l.done <- nil
	}()
	return l
}

func (l *load) end(t testing.TB) int {
	t.Helper()
	l.stop()
	if err := <-l.done; err != nil {
		t.Fatal(err)
	}
	return int(l.n.Load())
}

// Each node is killed once, under load: nothing that was acknowledged is lost, and nothing is there twice.
func TestEveryNodeIsKilledUnderLoad(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 3, 3)
	l := startLoad(c, "orders")
	for _, id := range c.IDs() {
		before := l.n.Load()
		c.Kill(id)
		c.Eventually("producing goes on", func() bool { return l.n.Load() > before+20 })
		c.StartNodes(id)
		c.InSync("orders", 3)
	}
	n := l.end(t)
	consume(t, c, "orders", n)
}

// A node that is stopped in good order hands over: clients hardly notice.
func TestStopHandsOver(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 3, 3)
	l := startLoad(c, "orders")
	c.Eventually("some are produced", func() bool { return l.n.Load() > 20 })
	c.Stop(c.State("orders", 0).Leader)
	before := l.n.Load()
	c.Eventually("producing goes on", func() bool { return l.n.Load() > before+50 })
	n := l.end(t)
	// A session lasts a second here: it was not waited for.
	if l.longest > 900*time.Millisecond {
		t.Errorf("a record waited %v for the handover", l.longest)
	}
	consume(t, c, "orders", n)
}

// All nodes lose power at the same moment.
func TestAllNodesAreKilled(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 3, 3)
	produce(t, c.Client(), "orders", 0, 200)
	c.Kill(c.IDs()...)
	c.StartNodes(c.IDs()...)
	c.InSync("orders", 3)
	consume(t, c, "orders", 200)
}

// Below min.insync.replicas nothing is acknowledged, and nothing is lost when the others are back.
func TestMinorityStopsWriting(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 1, 3)
	cl := c.Client()
	produce(t, cl, "orders", 0, 50)
	var followers []int32
	for _, id := range c.IDs() {
		if id != c.State("orders", 0).Leader {
			followers = append(followers, id)
		}
	}
	c.Kill(followers...)
	acked := make(chan error, 1)
	cl.Produce(context.Background(), &kgo.Record{Topic: "orders", Value: []byte("50")}, func(_ *kgo.Record, err error) { acked <- err })
	select {
	case err := <-acked:
		t.Errorf("with one of three: %v", err)
	case <-time.After(2500 * time.Millisecond):
	}
	c.StartNodes(followers...)
	c.InSync("orders", 3)
	if err := <-acked; err != nil {
		t.Errorf("when the others are back: %v", err)
	}
	produce(t, cl, "orders", 51, 60)
	consume(t, c, "orders", 60)
}
