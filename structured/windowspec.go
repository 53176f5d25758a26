package structured

import (
	"fmt"
	"math"

	"github.com/streamflow/streamflow/expr"
)

// WindowSpec says which rows a window function sees: those of equal PartitionBy columns, in an order, within a frame.
//
//	w := structured.PartitionBy("dept").OrderBy(structured.Col("pay").Desc())
//	df.WithColumn("rank", structured.Rank().Over(w))
type WindowSpec struct {
	partition []Column
	order     []Column
	frame     *expr.Frame
	err       error
}

// Borders of frames beside numbers of rows or distances.
const (
	UnboundedPreceding = math.MinInt64
	UnboundedFollowing = math.MaxInt64
	CurrentRow         = 0
)

// PartitionBy begins a window over the rows that have equal values in columns, given by name or as Columns.
func PartitionBy(cols ...any) WindowSpec { return WindowSpec{}.PartitionBy(cols...) }

// WindowOrderBy begins a window over all rows in an order.
func WindowOrderBy(cols ...any) WindowSpec { return WindowSpec{}.OrderBy(cols...) }

// PartitionBy sets the columns whose equal values make a partition.
func (w WindowSpec) PartitionBy(cols ...any) WindowSpec {
	w.partition = columnsOf(cols)
	return w
}

// OrderBy sets the order of rows within a partition.
func (w WindowSpec) OrderBy(cols ...any) WindowSpec {
	w.order = columnsOf(cols)
	return w
}

func columnsOf(cols []any) []Column {
	out := make([]Column, len(cols))
	for i, c := range allNamed(cols) {
		out[i] = Lit(c)
	}
	return out
}

// RowsBetween makes the frame from start to end rows after the row; negative is before it.
func (w WindowSpec) RowsBetween(start, end int64) WindowSpec { return w.between(true, start, end) }

// RangeBetween makes the frame of the rows whose order key is from start to end greater than the row's: numbers, or
// time.Durations over a timestamp.
func (w WindowSpec) RangeBetween(start, end any) WindowSpec { return w.between(false, start, end) }

func (w WindowSpec) between(rows bool, start, end any) WindowSpec {
	f := &expr.Frame{Rows: rows}
	if f.Start, w.err = border(start, expr.UnboundedPreceding); w.err == nil {
		f.End, w.err = border(end, expr.UnboundedFollowing)
	}
	w.frame = f
	return w
}

func border(v any, unbounded expr.BoundKind) (expr.Bound, error) {
	c := Lit(v)
	if c.err != nil {
		return expr.Bound{}, c.err
	}
	l, ok := c.e.(*expr.Literal)
	if !ok {
		return expr.Bound{}, fmt.Errorf("structured: a frame's border is %s, which is no constant", c)
	}
	switch n := l.Value.(type) {
	case int64:
		switch {
		case n == UnboundedPreceding || n == UnboundedFollowing:
			return expr.Bound{Kind: unbounded}, nil
		case n == CurrentRow:
			return expr.Bound{Kind: expr.CurrentRow}, nil
		case n < 0:
			return expr.Bound{Kind: expr.Preceding, Offset: &expr.Literal{Value: -n, Typ: l.Typ}}, nil
		}
	case float64:
		if n < 0 {
			return expr.Bound{Kind: expr.Preceding, Offset: &expr.Literal{Value: -n, Typ: l.Typ}}, nil
		}
	}
	return expr.Bound{Kind: expr.Following, Offset: l}, nil
}

// Over makes an aggregate or a window function one of the rows around each row.
func (c Column) Over(w WindowSpec) Column {
	if c.err != nil {
		return c
	}
	if w.err != nil {
		return Column{err: w.err}
	}
	o := &expr.Over{Fn: c.e, Frame: w.frame}
	for _, p := range w.partition {
		if p.err != nil {
			return p
		}
		o.Partition = append(o.Partition, p.e)
	}
	for _, k := range w.order {
		if k.err != nil {
			return k
		}
		s, ok := k.e.(*expr.SortOrder)
		if !ok {
			s = &expr.SortOrder{Child: k.e, NullsFirst: true}
		}
		o.Order = append(o.Order, s)
	}
	return Column{e: o}
}

// RowNumber counts the rows of the partition from 1; Rank and DenseRank give rows of an equal key the same number, with and
// without gaps after them.
func RowNumber() Column   { return Call("row_number") }
func Rank() Column        { return Call("rank") }
func DenseRank() Column   { return Call("dense_rank") }
func PercentRank() Column { return Call("percent_rank") }
func CumeDist() Column    { return Call("cume_dist") }

// Ntile cuts the partition into n parts.
func Ntile(n int) Column { return Call("ntile", n) }

// Lag and Lead are the column's value offset rows before and behind, or the default; nil is null.
func Lag(c any, offset int, def any) Column  { return Call("lag", named(c), offset, def) }
func Lead(c any, offset int, def any) Column { return Call("lead", named(c), offset, def) }

// NthValue is the column's value in the n-th row of the frame, from 1.
func NthValue(c any, n int) Column { return Call("nth_value", named(c), n) }
