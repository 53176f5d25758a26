package clustertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func coordinator(t testing.TB, c *Cluster, kind broker.Coordinator, key string) int32 {
	t.Helper()
	var node int32
	c.Eventually("there is a coordinator", func() bool {
		var err error
		node, err = c.Any().CoordinatorOf(kind, key)
		return err == nil
	})
	return node
}

// settledCoordinator is the coordinator of key once the internal topic is where it stays: on a cluster that has just started, topics that
// were placed before all its brokers were in move, and their offices with them.
func settledCoordinator(t testing.TB, c *Cluster, kind broker.Coordinator, key string) int32 {
	t.Helper()
	coordinator(t, c, kind, key) // the topic exists
	c.Eventually("internal topics are settled", func() bool { return settled(c, broker.OffsetsTopic) })
	return coordinator(t, c, kind, key)
}

// settled says that every node leads some partition of an internal topic, and every partition its preferred leader.
func settled(c *Cluster, topic string) bool {
	leaders := map[int32]bool{}
	for p := int32(0); ; p++ {
		st, err := c.Any().PartitionState(topic, p)
		if err != nil {
			break // there are no more
		}
		if len(st.Replicas) != len(c.IDs()) || st.Leader != st.Replicas[0] {
			return false
		}
		leaders[st.Leader] = true
	}
	return len(leaders) == len(c.IDs())
}

// All nodes name the same coordinator, and each coordinates some.
func TestCoordinatorsAreSpread(t *testing.T) {
	c := Start(t, 3)
	c.Eventually("each node coordinates some", func() bool {
		seen := map[int32]int{}
		for i := range 60 {
			seen[coordinator(t, c, broker.GroupCoordinator, fmt.Sprint("group-", i))]++
		}
		return len(seen) == 3
	})
	for i := range 60 {
		key := fmt.Sprint("group-", i)
		node := coordinator(t, c, broker.GroupCoordinator, key)
		for _, id := range c.IDs() {
			b := c.Node(id).Broker
			c.Eventually("all know it", func() bool { n, err := b.CoordinatorOf(broker.GroupCoordinator, key); return err == nil && n == node })
			if _, err := b.Coordinates(broker.GroupCoordinator, key); (err == nil) != (id == node) {
				t.Errorf("node %d says %v of %s, which node %d coordinates", id, err, key, node)
			}
		}
	}
}

func TestGroupSurvivesItsCoordinator(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 3, 3)
	cl := c.Client()
	produce(t, cl, "orders", 0, 100)
	member := c.Client(kgo.ConsumerGroup("readers"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(200*time.Millisecond))
	seen := map[string]int{}
	read := func(n int) {
		t.Helper()
		ctx := timeout(t, 40*time.Second)
		for len(seen) < n {
			fs := member.PollFetches(ctx)
			if ctx.Err() != nil {
				t.Fatalf("%d of %d values came", len(seen), n)
			}
			fs.EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
		}
		// A member that the next coordinator does not know yet joins again, forgets what it has not committed, and reads it once more.
		c.Eventually("what was read is committed", func() bool {
			_ = member.PollFetches(timeout(t, 200*time.Millisecond))
			err := member.CommitUncommittedOffsets(timeout(t, 30*time.Second))
			return err == nil && committed(t, cl, "readers") == int64(n)
		})
	}
	read(100)
	c.Kill(coordinator(t, c, broker.GroupCoordinator, "readers"))
	produce(t, cl, "orders", 100, 200)
	read(200)
	member.Close()

	// Another member goes on where this one has committed.
	produce(t, cl, "orders", 200, 220)
	next := c.Client(kgo.ConsumerGroup("readers"), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx := timeout(t, 40*time.Second)
	for n := 0; n < 20; {
		fs := next.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d of 20 new values came", n)
		}
		fs.EachRecord(func(r *kgo.Record) {
			n++
			if seen[string(r.Value)] > 0 {
				t.Errorf("value %s came again", r.Value)
			}
		})
	}
}

// committed is how many records lie before the offsets that a group has committed.
func committed(t *testing.T, cl *kgo.Client, group string) (n int64) {
	t.Helper()
	offsets, err := kadm.NewClient(cl).FetchOffsets(timeout(t, 30*time.Second), group)
	if err != nil {
		return -1
	}
	offsets.Each(func(o kadm.OffsetResponse) { n += max(o.At, 0) })
	return n
}

// transact produces values in one transaction.
func transact(ctx context.Context, cl *kgo.Client, topic string, from, to int, commit bool) error {
	if err := cl.BeginTransaction(); err != nil {
		return err
	}
	var rs []*kgo.Record
	for i := from; i < to; i++ {
		rs = append(rs, &kgo.Record{Topic: topic, Key: fmt.Append(nil, i), Value: fmt.Append(nil, i)})
	}
	err := cl.ProduceSync(ctx, rs...).FirstErr()
	if err != nil {
		commit = false
	}
	if end := cl.EndTransaction(ctx, kgo.TransactionEndTry(commit)); err == nil {
		err = end
	}
	return err
}

func TestTransactionsSurviveTheirCoordinator(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 3, 3)
	cl := c.Client(kgo.TransactionalID("mover"), kgo.TransactionTimeout(20*time.Second))
	ctx := timeout(t, 80*time.Second)
	n := 0
	step := func(commit bool) {
		t.Helper()
		for try := 0; ; try++ {
			err := transact(ctx, cl, "orders", n, n+10, commit)
			if err == nil {
				break
			}
			if try == 10 {
				t.Fatal(err)
			}
			t.Logf("transaction tried again: %v", err)
			time.Sleep(100 * time.Millisecond)
		}
		if commit {
			n += 10
		}
	}
	step(true)
	step(false)
	c.Kill(coordinator(t, c, broker.TxnCoordinator, "mover"))
	for range 3 {
		step(true)
	}
	step(false)
	for _, id := range c.IDs() {
		if c.Node(id).Broker == nil {
			c.StartNodes(id)
		}
	}
	c.InSync("orders", 3)
	step(true)
	consume(t, c, "orders", n, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
}

// A transaction whose coordinator died after the decision is completed by the next one; one that is left open is aborted when
// its time is over, by whoever coordinates then.
func TestNextCoordinatorCompletesAndExpires(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 3, 3)
	ctx := timeout(t, 60*time.Second)
	coord := coordinator(t, c, broker.TxnCoordinator, "left-open")
	b := c.Node(coord).Broker
	txn, err := b.InitTxn(ctx, "left-open", 2000, -1, -1)
	if err != nil {
		t.Fatal(err)
	}
	place := broker.TxnPlace{Topic: "orders", Partition: 0}
	if err := b.AddToTxn(ctx, "left-open", txn.ProducerID, txn.Epoch, []broker.TxnPlace{place}); err != nil {
		t.Fatal(err)
	}
	c.Kill(coord)
	c.Eventually("the transaction is aborted", func() bool {
		x := c.Any().Txn("left-open")
		return x != nil && x.State == broker.TxnEmpty && x.Epoch > txn.Epoch
	})
}
