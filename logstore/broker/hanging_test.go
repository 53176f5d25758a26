package broker

import (
	"context"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

// TestHangingTransactionsAreAborted writes transactional batches past the coordinator, and wants those aborted that nobody will
// end, and only those.
func TestHangingTransactionsAreAborted(t *testing.T) {
	b, err := Open(Options{
		Dir: t.TempDir(), HangingInterval: time.Hour, TxnMaxTimeout: time.Millisecond,
		ProducerOwner: func(pid int64) (string, bool) { return "a query", pid == 900 },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx := context.Background()
	if _, err := b.CreateTopic(ctx, "t", 4, nil); err != nil {
		t.Fatal(err)
	}
	open := func(partition int32, pid int64) *logstore.Partition {
		t.Helper()
		p, err := b.Partition("t", partition)
		if err != nil {
			t.Fatal(err)
		}
		batch := record.NewBuilder(record.None)
		batch.SetProducer(record.Producer{ID: pid, Sequence: -1})
		batch.SetTransactional(true)
		batch.Add(1, nil, []byte("x"))
		data, err := batch.Finish()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Append(logstore.AppendRequest{Data: data, Internal: true}).Wait(ctx); err != nil {
			t.Fatal(err)
		}
		return p
	}
	txn, err := b.InitTxn(ctx, "orders", 60_000, -1, -1)
	if err != nil {
		t.Fatal(err)
	}
	unknown, query := open(0, 800), open(1, 900)
	if err := b.AddToTxn(ctx, "orders", txn.ProducerID, txn.Epoch, []TxnPlace{{"t", 2}}); err != nil {
		t.Fatal(err)
	}
	known, outside := open(2, txn.ProducerID), open(3, txn.ProducerID)
	if got := b.HangingTxns(); len(got) != 0 {
		t.Errorf("all have written just now: %+v", got)
	}
	b.opts.Now = func() time.Time { return time.Now().Add(time.Hour) }
	if got := b.HangingTxns(); len(got) != 2 {
		t.Errorf("%+v, want two", got)
	}
	if err := b.abortHanging(ctx); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		p    *logstore.Partition
		open int
	}{"no coordinator": {unknown, 0}, "a query's": {query, 1}, "open": {known, 1}, "not in the transaction": {outside, 0}} {
		if got := len(c.p.OpenTxns()); got != c.open {
			t.Errorf("%s: %d open transactions, want %d", what, got, c.open)
		}
		if o := c.p.Offsets(); c.open == 0 && o.LastStable != o.HighWatermark {
			t.Errorf("%s: last stable %d, high watermark %d", what, o.LastStable, o.HighWatermark)
		}
	}
}
