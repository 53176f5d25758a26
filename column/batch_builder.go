package column

import "unsafe"

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// BatchBuilder makes batches row by row; see Builder for how long a finished batch lives.
type BatchBuilder struct {
	Cols   []*Builder
	schema *Schema
	rows   int // rows of a batch without columns
}

// NewBatchBuilder returns a builder of batches of the schema.
func NewBatchBuilder(s *Schema) *BatchBuilder {
	b := &BatchBuilder{schema: s}
	for _, f := range s.Fields {
		b.Cols = append(b.Cols, NewBuilder(f.Type))
	}
	return b
}

// Len is the number of complete rows.
func (b *BatchBuilder) Len() int {
	if len(b.Cols) == 0 {
		return b.rows
	}
	return b.Cols[len(b.Cols)-1].Len()
}

// AppendRowFrom appends row i of a batch with the same column types.
func (b *BatchBuilder) AppendRowFrom(src *Batch, i int) {
	for c, col := range b.Cols {
		col.AppendFrom(src.Cols[c], i)
	}
	b.rows++
}

// AppendRow appends boxed values, one for each column; on an error the row is left out.
func (b *BatchBuilder) AppendRow(row ...any) error {
	n := b.Len()
	for c, col := range b.Cols {
		if err := col.AppendValue(row[c]); err != nil {
			b.Truncate(n)
			return err
		}
	}
	b.rows++
	return nil
}

// Truncate drops the rows after the first n.
func (b *BatchBuilder) Truncate(n int) {
	for _, col := range b.Cols {
		col.Truncate(n)
	}
	b.rows = n
}

// Finish returns the batch built so far.
func (b *BatchBuilder) Finish() *Batch {
	out := &Batch{Schema: b.schema, N: b.Len(), Cols: make([]*Vector, len(b.Cols))}
	for i, c := range b.Cols {
		out.Cols[i] = c.Finish()
	}
	b.rows = 0
	return out
}

// Reset empties the builder and reuses the memory of the last finished batch.
func (b *BatchBuilder) Reset() {
	for _, c := range b.Cols {
		c.Reset()
	}
	b.rows = 0
}

// FromRows builds a batch of boxed rows.
func FromRows(s *Schema, rows ...[]any) (*Batch, error) {
	b := NewBatchBuilder(s)
	for _, r := range rows {
		if err := b.AppendRow(r...); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}
