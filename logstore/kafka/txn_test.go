package kafka

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// txn runs one transaction that writes values to both partitions of a topic.
func txn(t *testing.T, cl *kgo.Client, topic string, commit kgo.TransactionEndTry, values ...string) {
	t.Helper()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		r := &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: []byte(v)}
		if err := cl.ProduceSync(timeout(t, 10*time.Second), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := cl.EndTransaction(timeout(t, 10*time.Second), commit); err != nil {
		t.Fatal(err)
	}
}

func committedValues(t *testing.T, n *node, topic string, want int) map[string]int {
	t.Helper()
	cl := n.client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	out := map[string]int{}
	for _, r := range poll(t, cl, want) {
		out[string(r.Value)]++
	}
	return out
}

func TestReadCommittedSeesWhatWasCommitted(t *testing.T) {
	n := startNode(t)
	n.create("t", 2, nil)
	producer := n.client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	txn(t, producer, "t", kgo.TryCommit, "a1", "a2")
	txn(t, producer, "t", kgo.TryAbort, "b1", "b2")
	txn(t, producer, "t", kgo.TryCommit, "c1", "c2")

	// An open transaction holds the last stable offset back.
	other := n.client(kgo.TransactionalID("y"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := other.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := other.ProduceSync(timeout(t, 5*time.Second), &kgo.Record{Topic: "t", Partition: 0, Value: []byte("open")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	txn(t, producer, "t", kgo.TryCommit, "d1", "d2")
	if got := committedValues(t, n, "t", 5); fmt.Sprint(got) != "map[a1:1 a2:1 c1:1 c2:1 d2:1]" {
		t.Errorf("committed: %v; d1 is behind an open transaction", got)
	}
	adm := n.admin()
	ends, err := adm.ListEndOffsets(timeout(t, 5*time.Second), "t")
	if err != nil {
		t.Fatal(err)
	}
	stable, err := adm.ListCommittedOffsets(timeout(t, 5*time.Second), "t")
	if err != nil || stable["t"][0].Offset >= ends["t"][0].Offset || stable["t"][1].Offset != ends["t"][1].Offset {
		t.Errorf("last stable %v, ends %v, %v", stable["t"], ends["t"], err)
	}
	if err := other.EndTransaction(timeout(t, 5*time.Second), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	if got := committedValues(t, n, "t", 6); got["d1"] != 1 || got["open"] != 0 {
		t.Errorf("committed: %v", got)
	}
	all := n.client(kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if got := poll(t, all, 9); len(got) != 9 {
		t.Errorf("read-uncommitted sees %d records, want 9", len(got))
	}
}

func TestTransactionsSurviveRestart(t *testing.T) {
	n := startNode(t)
	n.create("t", 2, nil)
	producer := n.client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	txn(t, producer, "t", kgo.TryCommit, "a1", "a2")
	n.restart()
	txn(t, producer, "t", kgo.TryCommit, "b1", "b2")
	if got := committedValues(t, n, "t", 4); len(got) != 4 {
		t.Errorf("%v", got)
	}
}

func TestNewProducerFencesTheOld(t *testing.T) {
	n := startNode(t)
	n.create("t", 2, nil)
	old := n.client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := old.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := old.ProduceSync(timeout(t, 5*time.Second), &kgo.Record{Topic: "t", Value: []byte("old")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	txn(t, n.client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner())), "t", kgo.TryCommit, "new")
	err := old.EndTransaction(timeout(t, 10*time.Second), kgo.TryCommit)
	if !errors.Is(err, kerr.ProducerFenced) && !errors.Is(err, kerr.InvalidProducerEpoch) {
		t.Errorf("the old producer's commit: %v", err)
	}
	if got := committedValues(t, n, "t", 1); got["new"] != 1 {
		t.Errorf("%v", got)
	}
}

func TestExpiredTransactionIsAborted(t *testing.T) {
	n := startNode(t)
	n.create("t", 2, nil)
	slow := n.client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionTimeout(300*time.Millisecond))
	if err := slow.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := slow.ProduceSync(timeout(t, 5*time.Second), &kgo.Record{Topic: "t", Value: []byte("slow")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := n.client(kgo.RecordPartitioner(kgo.ManualPartitioner())).ProduceSync(timeout(t, 5*time.Second), &kgo.Record{Topic: "t", Value: []byte("after")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if got := committedValues(t, n, "t", 1); got["after"] != 1 {
		t.Errorf("%v", got)
	}
	if err := slow.EndTransaction(timeout(t, 5*time.Second), kgo.TryCommit); err == nil {
		t.Error("an expired transaction was committed")
	}
}

// TestConsumeTransformProduce moves records from one topic to another in transactions that carry the offsets, with a member
// that comes in between and a restart of the node, and wants each value exactly once.
func TestConsumeTransformProduce(t *testing.T) {
	n := startNode(t)
	const records = 300
	fillPartitions(t, n, "in", 3, records/3)
	n.create("out", 3, nil)
	run := func(ctx context.Context, id string) {
		s, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(n.addr), kgo.TransactionalID(id), kgo.ConsumerGroup("g"), kgo.ConsumeTopics("in"),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.HeartbeatInterval(50*time.Millisecond),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		for ctx.Err() == nil {
			fs := s.PollRecords(ctx, 20)
			if len(fs.Records()) == 0 {
				continue
			}
			if err := s.Begin(); err != nil {
				t.Error(err)
				return
			}
			fs.EachRecord(func(r *kgo.Record) { s.Produce(ctx, &kgo.Record{Topic: "out", Value: r.Value}, nil) })
			if _, err := s.End(context.WithoutCancel(ctx), kgo.TryCommit); err != nil && ctx.Err() == nil {
				t.Logf("%s: end: %v", id, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	start := func(id string) { go func() { run(ctx, id); done <- struct{}{} }() }
	start("one")
	time.Sleep(200 * time.Millisecond)
	start("two")
	got := committedValues(t, n, "out", records)
	cancel()
	<-done
	<-done
	if len(got) != records {
		t.Errorf("%d different values, want %d", len(got), records)
	}
	for v, c := range got {
		if c != 1 {
			t.Errorf("%s came %d times", v, c)
		}
	}
}

func TestLateTransactionalBatchIsRefused(t *testing.T) {
	n := startNode(t)
	n.create("t", 2, nil)
	producer := n.client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	txn(t, producer, "t", kgo.TryCommit, "a1")
	pid, epoch, err := producer.ProducerID(timeout(t, 5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	// A batch of the ended transaction that was delayed on the network: it must not open another one.
	r := produceRaw(t, n.client(), "t", recordBatch(pid, epoch, 1, attrTxn, "late"))
	if r.ErrorCode != kerr.InvalidTxnState.Code {
		t.Errorf("%v", kerr.ErrorForCode(r.ErrorCode))
	}
}
