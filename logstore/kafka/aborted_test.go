package kafka

import (
	"testing"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

// TestAbortedTransactionsInAnyOrder: a partition lists aborted transactions by where they ended; the one that began first may
// have ended last.
func TestAbortedTransactionsInAnyOrder(t *testing.T) {
	row := func(producer int64) record.Batch {
		b := record.NewBuilder(record.None)
		b.SetProducer(record.Producer{ID: producer, Epoch: 1, Sequence: -1})
		b.SetTransactional(true)
		b.Add(1, nil, []byte("row"))
		out, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	a := abortedOf([]logstore.AbortedTxn{{ProducerID: 2, FirstOffset: 20}, {ProducerID: 1, FirstOffset: 10}})
	if a.skips(row(3), 5) {
		t.Error("a committed row is skipped")
	}
	if !a.skips(row(1), 10) || !a.skips(row(2), 20) {
		t.Error("an aborted row is not skipped")
	}
	a.skips(record.AppendMarker(nil, record.ControlAbort, 2, 1, 0, 1), 30)
	if a.skips(row(2), 31) || !a.skips(row(1), 32) {
		t.Error("the marker of one transaction ends another")
	}
}
