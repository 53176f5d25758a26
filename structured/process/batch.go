package process

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/column"
)

// Batch is what one micro-batch of a query puts out.
type Batch struct {
	Query  string
	ID     int64 // of the batch: the same rows come under the same one
	Schema *column.Schema
	Rows   []*column.Batch
}

// BatchFunction takes the rows of each micro-batch, after the batch is committed. When the node dies before a call has
// returned, it is called again with the same rows and the same ID: a function that remembers the last ID it has done, or that
// writes under the ID, has an exactly-once effect. Calls of a query come in order, one at a time. An error is tried again as
// any failure of a batch is.
type BatchFunction func(ctx context.Context, b *Batch) error

var batchFunctions sync.Map // name in lower case -> BatchFunction

// RegisterBatch makes a function known for writeStream.foreachBatch. A name twice is a mistake of the program and panics.
func RegisterBatch(name string, f BatchFunction) {
	if _, taken := batchFunctions.LoadOrStore(strings.ToLower(name), f); taken {
		panic(fmt.Sprintf("BUG: process: the batch function %s is registered twice", name))
	}
}

// LookupBatch finds a function by name, whatever its case.
func LookupBatch(name string) (BatchFunction, bool) {
	f, ok := batchFunctions.Load(strings.ToLower(name))
	if !ok {
		return nil, false
	}
	return f.(BatchFunction), true
}

// RowsOf are the rows of a batch as values of T, whose fields are found among the columns by name.
func RowsOf[T any](b *Batch) ([]T, error) {
	want, err := fieldsFor[T]()
	if err != nil {
		return nil, err
	}
	at := make([]int, len(want))
	for i, f := range want {
		if at[i] = b.Schema.Index(f.Name); at[i] < 0 {
			return nil, fmt.Errorf("process: the batch has no column %s", f.Name)
		}
		if have := b.Schema.Fields[at[i]].Type; !have.Equal(f.Type) {
			return nil, fmt.Errorf("process: column %s is %s, not %s", f.Name, have, f.Type)
		}
	}
	r := newRowReader[T]()
	cols := make([]*column.Vector, len(want))
	var out []T
	for _, rows := range b.Rows {
		for i, c := range at {
			cols[i] = rows.Cols[c]
		}
		for i := range rows.N {
			out = append(out, r.read(cols, i))
		}
	}
	return out, nil
}
