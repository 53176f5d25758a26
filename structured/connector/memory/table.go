package memory

import (
	"context"
	"fmt"
	"sync"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector"
)

// hidden are the metadata columns that follow a table's own.
var hidden = []column.Field{
	{Name: connector.ColPartition, Type: column.Of(column.Int32)},
	{Name: connector.ColOffset, Type: column.Of(column.Int64)},
}

// Table is a table in memory. Its methods are safe for concurrent use.
type Table struct {
	name    string
	fields  *column.Schema // without hidden columns
	schema  *column.Schema
	options map[string]string

	mu        sync.Mutex
	parts     [][]chunk
	base      []int64 // where each partition begins that has no chunk
	sealed    bool
	changed   chan struct{}    // closed at the next change
	published map[string]int64 // query -> last batch published
}

// chunk is rows that were appended together: [first, first+rows) of their partition.
type chunk struct {
	first, rows int64
	data        []byte
}

// Drop forgets the rows of a partition below an offset; chunks that reach beyond it stay. An empty partition goes on there.
func (t *Table) Drop(partition int, before int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	chunks := t.parts[partition]
	for len(chunks) > 0 && chunks[0].first+chunks[0].rows <= before {
		t.base[partition] = chunks[0].first + chunks[0].rows
		chunks = chunks[1:]
	}
	if t.parts[partition] = chunks; len(chunks) == 0 {
		t.base[partition] = max(t.base[partition], before)
	}
}

// New returns an empty table with a number of partitions.
func New(name string, schema *column.Schema, partitions int) *Table {
	all := &column.Schema{Fields: append(append([]column.Field{}, schema.Fields...), hidden...)}
	return &Table{name: name, fields: schema, schema: all, parts: make([][]chunk, max(partitions, 1)), base: make([]int64, max(partitions, 1)),
		changed: make(chan struct{}), published: map[string]int64{}, options: map[string]string{}}
}

func (t *Table) Name() string               { return t.name }
func (t *Table) Schema() *column.Schema     { return t.schema }
func (t *Table) Hidden() int                { return len(hidden) }
func (t *Table) Provider() string           { return "memory" }
func (t *Table) Options() map[string]string { return t.options }

// Parts is the number of the table's partitions.
func (t *Table) Parts() int { return len(t.parts) }

// Append adds rows to a partition.
func (t *Table) Append(partition int, b *column.Batch) error {
	if got := b.Schema; len(got.Fields) != len(t.fields.Fields) {
		return fmt.Errorf("memory: append to %s: %d columns, want %d", t.name, len(got.Fields), len(t.fields.Fields))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sealed {
		return fmt.Errorf("memory: append to %s: the table is sealed", t.name)
	}
	t.append(partition, b)
	t.wake()
	return nil
}

func (t *Table) append(partition int, b *column.Batch) {
	for from := 0; from < b.N; from += column.BatchRows {
		rows := b.Slice(from, min(from+column.BatchRows, b.N))
		first := t.end(partition)
		t.parts[partition] = append(t.parts[partition], chunk{first, int64(rows.N), encode(partition, first, rows)})
	}
}

// Seal says that nothing will be appended any more.
func (t *Table) Seal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sealed = true
	t.wake()
}

func (t *Table) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// end is one past the last row of a partition. The caller has the lock.
func (t *Table) end(partition int) int64 {
	chunks := t.parts[partition]
	if len(chunks) == 0 {
		return t.base[partition]
	}
	last := chunks[len(chunks)-1]
	return last.first + last.rows
}

// Rows returns a copy of all rows, partition after partition, without the hidden columns.
func (t *Table) Rows() (*column.Batch, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*column.Batch
	for _, chunks := range t.parts {
		for _, c := range chunks {
			_, _, b, err := decode(t.fields, c.data)
			if err != nil {
				return nil, err
			}
			all = append(all, b)
		}
	}
	return column.Concat(t.fields, all).Clone(), nil
}

// Begin is the position that a start mode means; a table in memory has no times, so "time" begins at the beginning.
func (t *Table) Begin(_ context.Context, s connector.Start) (connector.Offsets, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := make(connector.Offsets, len(t.parts))
	if s.Mode == "now" {
		for i := range t.parts {
			at[i] = t.end(i)
		}
	}
	return at, nil
}

// Available is what has been appended.
func (t *Table) Available(context.Context) (connector.Availability, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := connector.Availability{Ended: t.sealed}
	for i := range t.parts {
		a.End = append(a.End, t.end(i))
	}
	return a, nil
}

// Wait returns when a partition has rows past after, or the table is sealed.
func (t *Table) Wait(ctx context.Context, after connector.Offsets) error {
	for {
		t.mu.Lock()
		more, changed := t.sealed, t.changed
		for i := range t.parts {
			more = more || i >= len(after) || t.end(i) > after[i]
		}
		t.mu.Unlock()
		if more {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
