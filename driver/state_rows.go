package driver

import (
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/physical"
)

// stateRows makes rows of an operator's entries: the key's columns, the value as people are to see it, and where the entry
// lies: _bucket (of windows the end, microseconds), _key_group, _expires of state with a TTL. Rows of a change feed begin with
// batch_id and change_type, as Spark's do; a deletion has no value.
type stateRows struct {
	layout *physical.StateLayout
	change []*column.Builder // nil when the rows are of one version
	gone   []bool            // of a change feed: rows that are deletions
	key    []*column.Builder
	values []*column.Builder
	where  []*column.Builder
	n      int
}

// stateSchema is the schema of those rows.
func stateSchema(l *physical.StateLayout, changes bool) *column.Schema {
	s := &column.Schema{}
	add := func(name string, t column.Kind) {
		s.Fields = append(s.Fields, column.Field{Name: name, Type: column.Of(t), Nullable: true})
	}
	if changes {
		add("batch_id", column.Int64)
		add("change_type", column.String)
	}
	if l.Key != nil {
		s.Fields = append(s.Fields, l.Key.Fields...)
	} else {
		add("key", column.Binary)
	}
	if l.Shown != nil {
		for _, f := range l.Shown.Fields {
			f.Nullable = f.Nullable || changes
			s.Fields = append(s.Fields, f)
		}
	} else {
		add("value", column.Binary)
	}
	add("_bucket", column.Int64)
	add("_key_group", column.Int32)
	add("_expires", column.Timestamp)
	return s
}

func newStateRows(l *physical.StateLayout, changes bool) *stateRows {
	r := &stateRows{layout: l}
	if changes {
		r.change = []*column.Builder{column.NewBuilder(column.Of(column.Int64)), column.NewBuilder(column.Of(column.String))}
	}
	fields := func(s *column.Schema) []*column.Builder {
		if s == nil {
			return []*column.Builder{column.NewBuilder(column.Of(column.Binary))}
		}
		out := make([]*column.Builder, len(s.Fields))
		for i, f := range s.Fields {
			out[i] = column.NewBuilder(f.Type)
		}
		return out
	}
	r.key, r.values = fields(l.Key), fields(l.Value)
	for _, k := range []column.Kind{column.Int64, column.Int32, column.Timestamp} {
		r.where = append(r.where, column.NewBuilder(column.Of(k)))
	}
	return r
}

// add appends an entry.
func (r *stateRows) add(e *entry) error {
	if err := decoded(r.layout.Key != nil, e.key, r.key, column.DecodeKey); err != nil {
		return fmt.Errorf("driver: key of a state entry: %w", err)
	}
	if err := decoded(r.layout.Value != nil, e.value, r.values, column.DecodeRow); err != nil {
		return fmt.Errorf("driver: value of a state entry: %w", err)
	}
	if r.change != nil {
		r.change[0].AppendI64(e.batch)
		kind := "update"
		if e.deleted {
			kind = "delete"
		}
		r.change[1].AppendString(kind)
		r.gone = append(r.gone, e.deleted)
	}
	r.where[0].AppendI64(e.bucket)
	r.where[1].AppendI64(int64(e.group))
	if e.expires > 0 {
		r.where[2].AppendI64(e.expires)
	} else {
		r.where[2].AppendNull()
	}
	r.n++
	return nil
}

func decoded(columns bool, b []byte, to []*column.Builder, decode func([]byte, []*column.Builder) error) error {
	if columns {
		return decode(b, to)
	}
	to[0].AppendBytes(b)
	return nil
}

// batch is what was added since the last call.
func (r *stateRows) batch() (*column.Batch, error) {
	out := &column.Batch{Schema: stateSchema(r.layout, r.change != nil), N: r.n}
	out.Cols = append(append(out.Cols, finished(r.change)...), finished(r.key)...)
	values := finished(r.values)
	if r.layout.Show != nil {
		shown, err := r.layout.Show(&column.Batch{Schema: r.layout.Value, N: r.n, Cols: values})
		if err != nil {
			return nil, err
		}
		values = shown.Cols
	}
	out.Cols = append(append(out.Cols, without(values, r.gone)...), finished(r.where)...)
	r.n, r.gone = 0, r.gone[:0]
	out = out.Clone()
	for _, list := range [][]*column.Builder{r.change, r.key, r.values, r.where} {
		for _, b := range list {
			b.Reset()
		}
	}
	return out, nil
}

// without are columns whose rows are null where gone is true.
func without(cols []*column.Vector, gone []bool) []*column.Vector {
	if !slices.Contains(gone, true) {
		return cols
	}
	out := make([]*column.Vector, len(cols))
	for i, v := range cols {
		b := column.NewBuilder(v.Type)
		for row, no := range gone {
			if no {
				b.AppendNull()
			} else {
				b.AppendFrom(v, row)
			}
		}
		out[i] = b.Finish()
	}
	return out
}

func finished(list []*column.Builder) []*column.Vector {
	out := make([]*column.Vector, len(list))
	for i, b := range list {
		out[i] = b.Finish()
	}
	return out
}
