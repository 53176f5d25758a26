package clustertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func timeout(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func create(t testing.TB, c *Cluster, topic string, parts int32, rf int16) {
	t.Helper()
	if _, err := c.Admin().CreateTopic(timeout(t, 20*time.Second), parts, rf, nil, topic); err != nil {
		t.Fatal(err)
	}
	c.InSync(topic, int(rf))
}

// produce sends values from..to-1 and fails unless all are acknowledged.
func produce(t testing.TB, cl *kgo.Client, topic string, from, to int) {
	t.Helper()
	var rs []*kgo.Record
	for i := from; i < to; i++ {
		rs = append(rs, &kgo.Record{Topic: topic, Key: fmt.Append(nil, i%7), Value: fmt.Append(nil, i)})
	}
	if err := cl.ProduceSync(timeout(t, 40*time.Second), rs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// consume reads a topic from the start until it has the values 0 to n-1, each once.
func consume(t testing.TB, c *Cluster, topic string, n int, opts ...kgo.Opt) {
	t.Helper()
	cl := c.Client(append([]kgo.Opt{kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}, opts...)...)
	defer cl.Close()
	ctx, seen := timeout(t, 40*time.Second), map[string]int{}
	for len(seen) < n {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d of %d values came", len(seen), n)
		}
		fs.EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
	}
	for i := range n {
		if seen[fmt.Sprint(i)] != 1 {
			t.Fatalf("value %d came %d times", i, seen[fmt.Sprint(i)])
		}
	}
}

func TestReplicationSurvivesAKill(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 3, 3)
	cl := c.Client()
	produce(t, cl, "orders", 0, 300)

	c.Kill(c.State("orders", 0).Leader)
	produce(t, cl, "orders", 300, 600)
	consume(t, c, "orders", 600)

	for _, id := range c.IDs() {
		if c.Node(id).Broker == nil {
			c.StartNodes(id)
		}
	}
	c.InSync("orders", 3)
	produce(t, cl, "orders", 600, 900)
	consume(t, c, "orders", 900)
}
