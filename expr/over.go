package expr

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Over is a function of the rows around each row: fn(args) OVER (PARTITION BY … ORDER BY … frame). Fn is the UnresolvedCall as
// written, then an Agg or a Call of a window function. Its operands are Fn's, so that an aggregate under OVER is not taken for
// one of a group.
type Over struct {
	Fn        Expr
	Partition []Expr
	Order     []*SortOrder
	Frame     *Frame // nil: not written
	Pos       Pos
}

// Frame is which rows of its partition a row's function sees. Rows counts rows; otherwise the distance is measured in the one
// key of ORDER BY, and rows of equal keys belong together.
type Frame struct {
	Rows       bool
	Start, End Bound
}

// BoundKind is the kind of a frame's border.
type BoundKind uint8

const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// Bound is one border of a frame. Offset is its distance for Preceding and Following.
type Bound struct {
	Kind   BoundKind
	Offset Expr
}

func (b Bound) String() string {
	switch b.Kind {
	case UnboundedPreceding:
		return "UNBOUNDED PRECEDING"
	case Preceding:
		return b.Offset.String() + " PRECEDING"
	case CurrentRow:
		return "CURRENT ROW"
	case Following:
		return b.Offset.String() + " FOLLOWING"
	}
	return "UNBOUNDED FOLLOWING"
}

func (f *Frame) String() string {
	unit := "RANGE"
	if f.Rows {
		unit = "ROWS"
	}
	return unit + " BETWEEN " + f.Start.String() + " AND " + f.End.String()
}

// WholePartition is the frame without ORDER BY; ToCurrentRow the one with it.
func WholePartition() *Frame { return &Frame{Rows: true, End: Bound{Kind: UnboundedFollowing}} }

// ToCurrentRow is from the partition's start to the row, or to the last row of an equal key.
func ToCurrentRow(rows bool) *Frame { return &Frame{Rows: rows, End: Bound{Kind: CurrentRow}} }

func (e *Over) DataType() column.Type { return e.Fn.DataType() }
func (e *Over) Nullable() bool        { return e.Fn.Nullable() }

// Children are the function's operands, PARTITION BY and ORDER BY, in that order.
func (e *Over) Children() []Expr {
	kids := append(append([]Expr{}, e.Fn.Children()...), e.Partition...)
	for _, o := range e.Order {
		kids = append(kids, o.Child)
	}
	return kids
}

func (e *Over) WithChildren(k []Expr) Expr {
	n := len(e.Fn.Children())
	p := n + len(e.Partition)
	c := &Over{Fn: e.Fn, Partition: k[n:p:p], Frame: e.Frame, Pos: e.Pos}
	if n > 0 {
		c.Fn = e.Fn.WithChildren(k[:n:n])
	}
	for i, o := range e.Order {
		c.Order = append(c.Order, &SortOrder{Child: k[p+i], Desc: o.Desc, NullsFirst: o.NullsFirst})
	}
	return c
}

func (e *Over) Resolved() bool { return e.Fn.Resolved() && allResolved(e.Children()) }

func (e *Over) String() string {
	return e.Fn.String() + " OVER (" + e.Spec(func(x Expr) string { return x.String() }) + ")"
}

// Spec is the text between the brackets of OVER, with expressions named by name.
func (e *Over) Spec(name func(Expr) string) string {
	var parts []string
	if len(e.Partition) > 0 {
		names := make([]string, len(e.Partition))
		for i, x := range e.Partition {
			names[i] = name(x)
		}
		parts = append(parts, "PARTITION BY "+strings.Join(names, ", "))
	}
	if len(e.Order) > 0 {
		keys := make([]string, len(e.Order))
		for i, o := range e.Order {
			keys[i] = name(o.Child) + direction(o)
		}
		parts = append(parts, "ORDER BY "+strings.Join(keys, ", "))
	}
	frame := e.Frame
	switch {
	case frame == nil && len(e.Order) > 0:
		frame = ToCurrentRow(false)
	case frame == nil:
		frame = WholePartition()
	}
	return strings.Join(append(parts, frame.String()), " ")
}

func direction(o *SortOrder) string {
	s := " ASC"
	if o.Desc {
		s = " DESC"
	}
	if o.NullsFirst {
		return s + " NULLS FIRST"
	}
	return s + " NULLS LAST"
}

// ResolveOver checks a window function whose operands are resolved, and gives it its frame. e.Fn is still an UnresolvedCall.
func ResolveOver(e *Over) (*Over, error) {
	c := e.Fn.(*UnresolvedCall)
	f, known := Lookup(c.Name)
	if known && f.Kind != Aggregate && f.Kind != WindowFunction {
		return nil, placed(usererr.New("UNSUPPORTED_EXPR_FOR_WINDOW", "42P20", "%s may not stand before OVER: it is neither an aggregate nor a window function.", f.Name).
			WithFix("Leave OVER out, or use an aggregate such as sum, or a window function such as row_number."), e.Pos)
	}
	fn, err := resolveWindowed(c)
	if err != nil {
		return nil, placed(err, c.Pos)
	}
	out := &Over{Fn: fn, Partition: e.Partition, Order: e.Order, Frame: e.Frame, Pos: e.Pos}
	if g, ok := fn.(*Agg); ok && g.Distinct {
		return nil, placed(usererr.New("DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "0A000", "DISTINCT may not stand in a window function: %s.", g.Fn).
			WithFix("Use size(collect_set(…) OVER (…)), or count in a subquery."), e.Pos)
	}
	if err := out.fixFrame(f); err != nil {
		return nil, placed(err, e.Pos)
	}
	return out, nil
}

func resolveWindowed(c *UnresolvedCall) (Expr, error) {
	f, known := Lookup(c.Name)
	if known && f.Kind == WindowFunction {
		if c.Distinct || c.Filter != nil {
			return nil, usererr.New("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000", "The function %s supports neither DISTINCT nor FILTER.", f.Name)
		}
		return f.apply(c.Args)
	}
	return resolveCall(c)
}

func placed(err error, pos Pos) error {
	if u, ok := usererr.As(err); ok && u.Line == 0 {
		u.At(pos.Line, pos.Col)
	}
	return err
}

// fixFrame gives the function its frame: the one written, checked, or the one that SQL says.
func (e *Over) fixFrame(f *Function) error {
	if f.Kind == WindowFunction && f.ordered && len(e.Order) == 0 {
		return usererr.New("WINDOW_FUNCTION_WITHOUT_ORDER_BY", "42P20", "%s needs an order: the window has no ORDER BY.", f.Name).
			WithFix("Write %s OVER (… ORDER BY column).", f.Usage)
	}
	if f.Kind == WindowFunction && f.Name != "nth_value" {
		if e.Frame != nil && (!e.Frame.Rows || e.Frame.Start.Kind != UnboundedPreceding || e.Frame.End.Kind != CurrentRow) {
			return usererr.New("WINDOW_FUNCTION_AND_FRAME_MISMATCH", "42P20", "%s sees the whole partition and takes no frame, but it has %s.", f.Name, e.Frame).WithFix("Leave the frame out.")
		}
		e.Frame = ToCurrentRow(true)
		return nil
	}
	switch {
	case e.Frame == nil && len(e.Order) > 0:
		e.Frame = ToCurrentRow(false)
	case e.Frame == nil:
		e.Frame = WholePartition()
	default:
		fixed, err := e.checkedFrame()
		if err != nil {
			return err
		}
		e.Frame = fixed
	}
	return nil
}

func frameError(code, format string, args ...any) *usererr.Error {
	return usererr.New("DATATYPE_MISMATCH."+code, "42K09", format, args...)
}

// checkedFrame is the written frame with constant offsets: whole numbers for ROWS, what may be added to the order's key for RANGE.
func (e *Over) checkedFrame() (*Frame, error) {
	f := *e.Frame
	if f.Start.Kind > f.End.Kind || f.Start.Kind == UnboundedFollowing || f.End.Kind == UnboundedPreceding {
		return nil, frameError("SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "The frame %s ends before it begins.", &f).WithFix("Write the earlier border first.")
	}
	measured := f.Start.Offset != nil || f.End.Offset != nil
	if !f.Rows && len(e.Order) == 0 && (measured || f.Start.Kind == CurrentRow || f.End.Kind == CurrentRow) {
		return nil, frameError("RANGE_FRAME_WITHOUT_ORDER", "A range frame needs ORDER BY: it measures distances in the key of the order.").WithFix("Add ORDER BY, or use ROWS.")
	}
	if !f.Rows && measured && len(e.Order) != 1 {
		return nil, frameError("RANGE_FRAME_MULTI_ORDER", "A range frame with a distance needs exactly one key in ORDER BY, not %d.", len(e.Order)).WithFix("Order by one key, or use ROWS.")
	}
	for _, b := range []*Bound{&f.Start, &f.End} {
		if b.Offset == nil {
			continue
		}
		l, err := e.offset(b.Offset, f.Rows)
		if err != nil {
			return nil, err
		}
		b.Offset = l
	}
	if f.Rows {
		from, to := f.rowBorder(f.Start), f.rowBorder(f.End)
		if f.Start.Kind != UnboundedPreceding && f.End.Kind != UnboundedFollowing && from > to {
			return nil, frameError("SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "The frame %s ends before it begins.", &f).WithFix("Write the earlier border first.")
		}
	}
	return &f, nil
}

func (f *Frame) rowBorder(b Bound) int64 {
	switch b.Kind {
	case Preceding:
		return -b.Offset.(*Literal).Value.(int64)
	case Following:
		return b.Offset.(*Literal).Value.(int64)
	}
	return 0
}

// offset is a border's distance as a constant that is not negative.
func (e *Over) offset(x Expr, rows bool) (*Literal, error) {
	bad := func(want string) error {
		return frameError("SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "The distance of a frame must be %s, but it is %s.", want, x).WithFix("Write a constant such as 3, or INTERVAL '1' HOUR over a time.")
	}
	want, what := column.Of(column.Int64), "a whole number of rows, not negative"
	if !rows {
		key := e.Order[0].Child.DataType()
		what = "a constant, not negative, of a type that can be added to the order's key " + key.String()
		switch {
		case key.Kind == column.Timestamp || key.Kind == column.TimestampNTZ:
			want = column.Of(column.IntervalDT)
		case key.Kind == column.Date && x.DataType().Kind == column.IntervalDT:
			want = column.Of(column.IntervalDT)
		case key.Kind == column.Date, key.IsInteger():
		case key.IsNumeric():
			want = column.Of(column.Float64)
		default:
			return nil, bad(what)
		}
	}
	if from := x.DataType(); !implicit(from, want) && from.Kind != want.Kind && !(from.IsNumeric() && want.IsNumeric()) {
		return nil, bad(what)
	}
	l, ok := Transform(Coerce(x, want), Fold).(*Literal)
	if !ok || l.Value == nil {
		return nil, bad(what)
	}
	switch v := l.Value.(type) {
	case int64:
		ok = v >= 0
	case float64:
		ok = v >= 0
	default:
		ok = false
	}
	if !ok {
		return nil, bad(what)
	}
	return l, nil
}
