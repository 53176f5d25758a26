package expr

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

func windowType(ts column.Type) column.Type {
	return column.StructOf(column.Field{Name: "start", Type: ts, Nullable: true}, column.Field{Name: "end", Type: ts, Nullable: true})
}

func init() {
	register("window",
		&Function{Name: "window", Kind: Windowing, in: params("a:ts a:size a:slide? a:start?"), Doc: "The event-time window (struct of start and end) that ts falls in; with a slide below the size a row falls in several.", Example: "window(TIMESTAMP'2026-01-01 00:07:00', '5 minutes') -> {2026-01-01 00:05:00, 2026-01-01 00:10:00}", rewrite: rewriteWindow, cost: 5, kernel: windowKernel},
		&Function{Name: "session_window", Kind: Windowing, in: params("a:ts a:gap"), Doc: "The session of rows whose gaps are less than gap; only in GROUP BY.", Example: "session_window(ts, '5 minutes') -> the session", rewrite: rewriteSession},
		&Function{Name: "cumulate_window", Kind: Windowing, in: params("a:ts a:step a:size a:start?"), Doc: "The windows that ts falls in, of those that begin together at each multiple of size and end one after the other, a step apart.", Example: "cumulate_window(ts, '2 minutes', '10 minutes') -> the windows", rewrite: rewriteCumulate},
		&Function{Name: "count_window", Kind: Windowing, in: params("a:ts a:rows? a:slide?"), Doc: "The windows of so many rows of a key that a row falls in, each slide rows after the one before: in the order of ts, or without it in the order of the log; only in GROUP BY.", Example: "count_window(ts, 100) -> the window of rows", rewrite: rewriteCount},
		&Function{Name: "window_time", in: params("S:window"), Doc: "The last microsecond of a window, to be used as its event time.", Example: "window_time(window(TIMESTAMP'2026-01-01 00:07:00', '5 minutes')) -> 2026-01-01 00:09:59.999999", rewrite: func(a []Expr) (Expr, error) {
			end, err := GetField(a[0], "end")
			if err != nil {
				return nil, err
			}
			return call("-", end, &Literal{int64(1), column.Of(column.IntervalDT)})
		}},
	)
}

// duration is a constant argument as a length of time without months.
func duration(fn string, at int, e Expr) (*Literal, error) {
	bad := func() error {
		return usererr.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", "The %s of %s must be a constant length of time without months, but it is %s.", argument(fn, at), fn, e).
			WithFix("Write it as '10 minutes' or INTERVAL '1' HOUR.")
	}
	l, ok := Transform(e, Fold).(*Literal)
	if !ok {
		return nil, bad()
	}
	switch v := l.Value.(type) {
	case string:
		iv, ok := ParseInterval(v)
		if !ok || iv.Months != 0 {
			return nil, bad()
		}
		return &Literal{iv.Micros, column.Of(column.IntervalDT)}, nil
	case int64:
		if l.Typ.Kind == column.IntervalDT {
			return l, nil
		}
	}
	return nil, bad()
}

// argument names an argument of a window function.
func argument(fn string, at int) string {
	switch fn {
	case "session_window":
		return "gap"
	case "cumulate_window":
		return [...]string{"", "step", "size", "start"}[at]
	}
	return [...]string{"", "size", "slide", "start"}[at]
}

func eventTime(fn string, e Expr) (Expr, error) {
	t, ok := param{class: 'T'}.fit(e)
	if !ok {
		return nil, unexpectedType(fn, 0, e, `"TIMESTAMP"`)
	}
	if t.DataType().Kind == column.Date {
		t = Coerce(t, column.Of(column.Timestamp))
	}
	return t, nil
}

func rewriteWindow(args []Expr) (Expr, error) {
	ts, err := eventTime("window", args[0])
	if err != nil {
		return nil, err
	}
	out := &Call{Fn: "window", Args: []Expr{ts}, Typ: windowType(ts.DataType()), Null: ts.Nullable()}
	for i := 1; i < 4; i++ {
		l := &Literal{int64(0), column.Of(column.IntervalDT)}
		switch {
		case i < len(args):
			if l, err = duration("window", i, args[i]); err != nil {
				return nil, err
			}
		case i == 2:
			l = out.Args[1].(*Literal)
		}
		out.Args = append(out.Args, l)
	}
	size, slide := out.Args[1].(*Literal).Value.(int64), out.Args[2].(*Literal).Value.(int64)
	if size <= 0 || slide <= 0 || slide > size {
		return nil, usererr.New("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", "42K09", "A window needs a positive size and a slide between 0 and the size, but they are %d and %d microseconds.", size, slide)
	}
	return out, nil
}

func rewriteCumulate(args []Expr) (Expr, error) {
	ts, err := eventTime("cumulate_window", args[0])
	if err != nil {
		return nil, err
	}
	out := &Call{Fn: "cumulate_window", Args: []Expr{ts}, Typ: windowType(ts.DataType()), Null: ts.Nullable()}
	for i := 1; i < 4; i++ {
		l := &Literal{int64(0), column.Of(column.IntervalDT)}
		if i < len(args) {
			if l, err = duration("cumulate_window", i, args[i]); err != nil {
				return nil, err
			}
		}
		out.Args = append(out.Args, l)
	}
	step, size := out.Args[1].(*Literal).Value.(int64), out.Args[2].(*Literal).Value.(int64)
	if step <= 0 || size <= 0 || size%step != 0 {
		return nil, usererr.New("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", "42K09", "Windows that cumulate need a size that is a multiple of the step, but they are %d and %d microseconds.", size, step)
	}
	return out, nil
}

func rewriteSession(args []Expr) (Expr, error) {
	ts, err := eventTime("session_window", args[0])
	if err != nil {
		return nil, err
	}
	gap := args[1]
	if l, err := duration("session_window", 1, gap); err == nil {
		gap = l
	} else if isConstant(gap) && gap.DataType().Kind != column.IntervalDT {
		return nil, err
	} else {
		gap = Coerce(gap, column.Of(column.IntervalDT))
	}
	return &Call{Fn: "session_window", Args: []Expr{ts, gap}, Typ: windowType(ts.DataType()), Null: ts.Nullable()}, nil
}

// windowKernel gives the last window that starts at or before the time: the only one of a tumbling window.
func windowKernel(c *Call) kernel {
	size, slide, start := c.Args[1].(*Literal).Value.(int64), c.Args[2].(*Literal).Value.(int64), c.Args[3].(*Literal).Value.(int64)
	var from, to column.Vector
	return func(k *kctx, a []*column.Vector, out *column.Vector) {
		ts := a[0]
		prep(&from, ts.Type, k.n)
		prep(&to, ts.Type, k.n)
		for i := range from.I64 {
			s := WindowStart(ts.I64[i], slide, start)
			from.I64[i], to.I64[i] = s, s+size
		}
		out.Kids = append(out.Kids[:0], &from, &to)
	}
}

// WindowStart is the start of the latest window that begins at or before ts (microseconds).
func WindowStart(ts, slide, start int64) int64 {
	m := (ts - start) % slide
	if m < 0 {
		m += slide
	}
	return ts - m
}

// rewriteCount makes the four forms of count_window one: the time or null, the rows of a window, and the slide.
func rewriteCount(args []Expr) (Expr, error) {
	out := &Call{Fn: "count_window", Args: []Expr{Lit(nil)}, Typ: countWindowType}
	if ts, err := eventTime("count_window", args[0]); err == nil && !isConstant(args[0]) {
		out.Args[0], args = ts, args[1:]
	}
	if len(args) == 0 || len(args) > 2 {
		return nil, usererr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "count_window takes a time, if rows are to be counted in its order, the number of rows, and a slide.").
			WithFix("Write count_window(ts, 100), count_window(ts, 100, 10) or count_window(100).")
	}
	sizes := []int64{0, 0}
	for i := range sizes {
		l, ok := Transform(args[min(i, len(args)-1)], Fold).(*Literal)
		if ok = ok && CanCast(l.Typ, column.Of(column.Int64)); ok {
			l, ok = Transform(Coerce(l, column.Of(column.Int64)), Fold).(*Literal)
		}
		n, isInt := int64(0), false
		if ok {
			n, isInt = l.Value.(int64)
		}
		if !isInt || n <= 0 || n > sizes[0] && i > 0 {
			return nil, usererr.New("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", "42K09", "A window of rows needs a constant, positive number of rows and a slide that is not above it.")
		}
		sizes[i] = n
		out.Args = append(out.Args, l)
	}
	return out, nil
}

// countWindowType are the number of the window's first row, from 0, and of the first row after it.
var countWindowType = column.StructOf(column.Field{Name: "start", Type: column.Of(column.Int64), Nullable: true},
	column.Field{Name: "end", Type: column.Of(column.Int64), Nullable: true})
