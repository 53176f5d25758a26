package chaoslog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The topics of a run: producers append to input; loops move input to output in transactions; writers append to ledger in
// transactions over several partitions, and abort some on purpose.
const (
	topicInput  = "input"
	topicOutput = "output"
	topicLedger = "ledger"
	groupMovers = "movers"
)

// workload is the clients of one run.
type workload struct {
	h          *History
	seeds      []string
	partitions int32
}

func (w *workload) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(w.seeds...), kgo.MetadataMinAge(200 * time.Millisecond), kgo.MetadataMaxAge(5 * time.Second),
		kgo.DialTimeout(2 * time.Second), kgo.RequestTimeoutOverhead(4 * time.Second), kgo.RetryTimeout(20 * time.Second),
	}, opts...)...)
}

func producing() []kgo.Opt {
	return []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0),
		kgo.RecordDeliveryTimeout(15 * time.Second), kgo.ProduceRequestTimeout(5 * time.Second),
	}
}

// outcome is what an answer to a produce says for certain.
func outcome(err error) Outcome {
	switch {
	case err == nil:
		return OK
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.InvalidRecord), errors.Is(err, kerr.TopicAuthorizationFailed):
		return Failed
	}
	return Unknown
}

// produce appends values to input until ctx ends, some at once, and waits for what is under way.
func (w *workload) produce(ctx context.Context, name string, rng *rand.Rand) error {
	cl, err := w.client(producing()...)
	if err != nil {
		return err
	}
	defer cl.Close()
	var flying sync.WaitGroup
	room := make(chan struct{}, 8)
	for seq := 0; sleep(ctx, time.Duration(rng.IntN(6))*time.Millisecond); seq++ {
		place := Place{topicInput, rng.Int32N(w.partitions)}
		value := fmt.Sprintf("%s.%d", name, seq)
		room <- struct{}{}
		flying.Add(1)
		cl.Produce(context.WithoutCancel(ctx), record(place, value), func(r *kgo.Record, err error) {
			w.h.AddSend(Send{Producer: name, Seq: seq, Place: place, Value: value, Offset: r.Offset, Outcome: outcome(err)})
			<-room
			flying.Done()
		})
	}
	landed := make(chan struct{})
	go func() { flying.Wait(); close(landed) }()
	select {
	case <-landed:
	case <-time.After(45 * time.Second):
		cl.Close() // fails the rest: nobody knows what became of it
		<-landed
	}
	return nil
}

// write appends transactions to the ledger: two to five values in several partitions, a third of them aborted.
func (w *workload) write(ctx context.Context, name string, rng *rand.Rand) error {
	for life := 0; ctx.Err() == nil; life++ {
		cl, err := w.client(append(producing(), kgo.TransactionalID("writer-"+name), kgo.TransactionTimeout(20*time.Second))...)
		if err != nil {
			return err
		}
		fence(ctx, cl)
		for n := 0; ctx.Err() == nil; n++ {
			if !w.writeTxn(ctx, cl, fmt.Sprintf("%s.%d.%d", name, life, n), rng) {
				break // its state is not known: a new client fences the old one
			}
			sleep(ctx, time.Duration(rng.IntN(30))*time.Millisecond)
		}
		cl.Close()
	}
	return nil
}

// fence takes the transactional id over now, not with the first record: what an earlier life left open would hold up everybody who
// waits for stable offsets, this life too.
func fence(ctx context.Context, cl *kgo.Client) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, _, _ = cl.ProducerID(ctx) // without an answer, the first record asks again
}

// writeTxn is false when the client cannot go on.
func (w *workload) writeTxn(ctx context.Context, cl *kgo.Client, id string, rng *rand.Rand) bool {
	if err := cl.BeginTransaction(); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	commit := rng.IntN(3) > 0
	good := true
	var mu sync.Mutex
	for i := range 2 + rng.IntN(4) {
		place, value := Place{topicLedger, rng.Int32N(w.partitions)}, fmt.Sprintf("%s.%d", id, i)
		cl.Produce(ctx, record(place, value), func(r *kgo.Record, err error) {
			w.h.AddSend(Send{Producer: id, Seq: i, Place: place, Value: value, Offset: r.Offset, Outcome: outcome(err), Txn: id})
			mu.Lock()
			defer mu.Unlock()
			good = good && err == nil
		})
	}
	flushed := cl.Flush(ctx)
	mu.Lock()
	commit = commit && good && flushed == nil
	mu.Unlock()
	err := cl.EndTransaction(ctx, kgo.TransactionEndTry(commit))
	t := Txn{ID: id, Commit: commit, Outcome: OK}
	if err != nil {
		t.Outcome = Unknown
	}
	w.h.AddTxn(t)
	return err == nil && flushed == nil
}

// move is a consume-transform-produce loop: it reads input in a group and writes one output for each, in a transaction with the
// group's offsets. It goes on until ctx ends; a transaction whose end is not known begins a new life of the loop.
func (w *workload) move(ctx context.Context, name string, rng *rand.Rand) error {
	for life := 0; ctx.Err() == nil; life++ {
		if err := w.moveLife(ctx, fmt.Sprintf("%s.%d", name, life), name, rng); err != nil {
			return err
		}
	}
	return nil
}

func (w *workload) moveLife(ctx context.Context, life, name string, rng *rand.Rand) error {
	s, err := kgo.NewGroupTransactSession(append(append(producing(),
		kgo.SeedBrokers(w.seeds...), kgo.MetadataMinAge(200*time.Millisecond), kgo.DialTimeout(2*time.Second), kgo.RetryTimeout(20*time.Second),
		kgo.RequestTimeoutOverhead(4*time.Second)),
		kgo.TransactionalID("mover-"+name), kgo.TransactionTimeout(20*time.Second), kgo.ConsumerGroup(groupMovers), kgo.ConsumeTopics(topicInput),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(), kgo.SessionTimeout(8*time.Second),
		kgo.HeartbeatInterval(500*time.Millisecond), kgo.FetchMaxWait(200*time.Millisecond), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return err
	}
	defer s.Close()
	fence(ctx, s.Client())
	for n := 0; ctx.Err() == nil; n++ {
		polling, cancel := context.WithTimeout(ctx, 2*time.Second)
		records := s.PollRecords(polling, 50).Records()
		cancel()
		if len(records) == 0 {
			continue
		}
		if !w.moveTxn(ctx, s, fmt.Sprintf("%s.%d", life, n), records, rng) {
			return nil
		}
	}
	return nil
}

func (w *workload) moveTxn(ctx context.Context, s *kgo.GroupTransactSession, id string, records []*kgo.Record, rng *rand.Rand) bool {
	if err := s.Begin(); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	commit := rng.IntN(6) > 0
	good := true
	var mu sync.Mutex
	for i, in := range records {
		from := string(in.Key)
		place, value := Place{topicOutput, in.Partition % w.partitions}, fmt.Sprintf("%s.%d<%s", id, i, from)
		s.Produce(ctx, record(place, value), func(r *kgo.Record, err error) {
			w.h.AddSend(Send{Producer: id, Seq: i, Place: place, Value: value, Offset: r.Offset, Outcome: outcome(err), Txn: id, From: from})
			mu.Lock()
			defer mu.Unlock()
			good = good && err == nil
		})
	}
	flushed := s.Client().Flush(ctx)
	mu.Lock()
	commit = commit && good && flushed == nil
	mu.Unlock()
	committed, err := s.End(ctx, kgo.TransactionEndTry(commit))
	t := Txn{ID: id, Commit: committed, Outcome: OK}
	if err != nil {
		t = Txn{ID: id, Commit: commit, Outcome: Unknown}
	}
	w.h.AddTxn(t)
	return err == nil && flushed == nil
}
