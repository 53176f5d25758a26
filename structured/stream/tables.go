package stream

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/streamflow/streamflow/rdd"
)

// TablesParam is the binding parameter that changes when a table that is joined to the stream has been read again.
const TablesParam = "tables"

// Refresh is a table that is joined to the stream and read again while the query runs: its splits are planned anew before a
// batch when those at hand are older than Every.
type Refresh struct {
	ID    string // of the operator that scans it
	Every time.Duration
	Read  func(context.Context) ([][]rdd.Split, error)
}

// tables are the splits of refreshed tables.
type tables struct {
	splits  map[string][][]rdd.Split
	read    map[string]time.Time
	version int
}

// bind plans anew what is too old, and gives the batch the splits.
func (t *tables) bind(ctx context.Context, list []Refresh, now time.Time, b *rdd.Binding) error {
	if len(list) == 0 {
		return nil
	}
	if t.splits == nil {
		t.splits, t.read = map[string][][]rdd.Split{}, map[string]time.Time{}
	}
	again := false
	for _, r := range list {
		if at, ok := t.read[r.ID]; !ok || now.Sub(at) >= r.Every {
			splits, err := r.Read(ctx)
			if err != nil {
				return fmt.Errorf("stream: table of %s: %w", r.ID, err)
			}
			t.splits[r.ID], t.read[r.ID], again = splits, now, true
		}
		b.Splits[r.ID] = t.splits[r.ID]
	}
	if again {
		t.version++
	}
	b.Params[TablesParam] = strconv.Itoa(t.version)
	return nil
}
