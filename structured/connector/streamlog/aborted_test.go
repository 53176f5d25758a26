package streamlog

import (
	"testing"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

// TestReadBeginsAtAMarker: what follows an aborted transaction of a producer is read, also when a read begins with the marker
// of that transaction or in the midst of it.
func TestReadBeginsAtAMarker(t *testing.T) {
	b := record.NewBuilder(record.None)
	b.SetProducer(record.Producer{ID: 7, Epoch: 1, Sequence: -1})
	b.SetTransactional(true)
	rows := func(at int64) record.Batch {
		b.Add(1, nil, []byte("row"))
		out, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		out.SetBaseOffset(at)
		return out
	}
	marker := func(typ record.ControlType, at int64) record.Batch {
		m := record.Batch(record.AppendMarker(nil, typ, 7, 1, 0, 1))
		m.SetBaseOffset(at)
		return m
	}
	log := []record.Batch{rows(0), rows(1), marker(record.ControlAbort, 2), rows(3), marker(record.ControlCommit, 4)}
	for from := range log {
		var f abortFilter
		f.reset(nil)
		if from <= 2 { // as a partition tells it of a read from there
			f.reset([]logstore.AbortedTxn{{ProducerID: 7, FirstOffset: 0}})
		}
		for at := from; at < len(log); at++ {
			if got, want := f.skips(log[at]), at < 2; got != want {
				t.Errorf("read from %d: batch at %d skipped: %v", from, at, got)
			}
		}
	}
}
