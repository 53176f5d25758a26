package physical

import (
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// timeAttr is a column by which event time can be followed above the watermark: in every row that is still to come and is
// not late, column + lag is after the query's watermark. An operator that closes what it holds by the column may do so when
// it is lag before the watermark.
//
//	ts of a source                       lag 0
//	window's end, start                  lag 0, the window's length: a group is put out when its end is passed
//	a.ts of a JOIN b ON a.ts >= b.ts-10  lag 10: a pair comes with the later of its rows
type timeAttr struct {
	attr  *expr.Attr
	lag   int64
	size  int64 // of a window as a struct: its length, openEnded for a session; 0 for a plain column
	event int64 // columns of the same event move together
	exact bool  // few values, many rows each: a window's bounds
}

// openEnded is the size of sessions: their start says nothing about their end.
const openEnded = -1

// timeOf is an expression as event time: a column, a window's start or end, or one of these moved by a constant.
func timeOf(e expr.Expr, times []timeAttr) (timeAttr, bool) {
	var s sum
	s.add(unalias(e), 1)
	if len(s.terms) != 1 || s.terms[0].sign < 0 {
		return timeAttr{}, false
	}
	t, ok := plainTime(s.terms[0].e, times)
	t.lag -= s.c
	return t, ok && (t.size == 0 || s.c == 0)
}

// delayTimes makes a declaration above operators that follow event time, such as aggregations of windows, wait longer for rows of
// the column: their rows come in time, so it says only how much later what is above closes. False when the column is not
// followed, or rows have not been through such an operator.
func (n *Node) delayTimes(e expr.Expr, delay int64) bool {
	t, ok := timeOf(e, n.props.times)
	if !ok || !n.props.stateful || n.props.mark != nil {
		return false
	}
	times := slices.Clone(n.props.times)
	for i := range times {
		if times[i].event == t.event {
			times[i].lag += delay
		}
	}
	n.props.times = times
	return true
}

// plainTime is a column, or a member of a window, as event time.
func plainTime(e expr.Expr, times []timeAttr) (timeAttr, bool) {
	switch x := e.(type) {
	case *expr.Attr:
		for _, t := range times {
			if t.attr.ID == x.ID {
				return t, true
			}
		}
	case *expr.Call:
		if x.Fn != "get_field" || len(x.Args) != 2 {
			return timeAttr{}, false
		}
		t, ok := plainTime(x.Args[0], times)
		l, lit := x.Args[1].(*expr.Literal)
		if !ok || !lit || t.size == 0 {
			return timeAttr{}, false
		}
		switch {
		case l.Value == "end":
		case l.Value == "start" && t.size != openEnded:
			t.lag += t.size
		default:
			return timeAttr{}, false
		}
		t.size = 0
		return t, true
	}
	return timeAttr{}, false
}

// renamedTimes are the event times of rows that a projection makes: those that it hands on or moves by a constant.
func renamedTimes(times []timeAttr, list []expr.Expr) []timeAttr {
	var out []timeAttr
	for _, e := range list {
		a := logical.AttrOf(e)
		if a == nil {
			continue
		}
		if t, ok := timeOf(e, times); ok && t.lag >= 0 {
			t.attr = a
			out = append(out, t)
		}
	}
	return out
}

// keepTimes are those of times whose columns are among attrs.
func keepTimes(times []timeAttr, attrs []*expr.Attr) []timeAttr {
	var out []timeAttr
	for _, t := range times {
		if indexOf(attrs, t.attr.ID) >= 0 {
			out = append(out, t)
		}
	}
	return out
}

// unionTimes are the columns of a union that are event time on every side.
func unionTimes(attrs []*expr.Attr, kids []*Node, l *logical.Union) []timeAttr {
	var out []timeAttr
	event := expr.NewID()
	for i, a := range attrs {
		t := timeAttr{attr: a, event: event, exact: true}
		all := true
		for k, kid := range kids {
			own, ok := plainTime(l.Kids[k].Output()[i], kid.props.times)
			all = all && ok && (k == 0 || own.size == t.size)
			t.lag, t.size, t.exact = max(t.lag, own.lag), own.size, t.exact && own.exact
		}
		if all {
			out = append(out, t)
		}
	}
	return out
}

// sum is an expression taken apart at + and -: its terms, and a constant in microseconds.
type sum struct {
	terms []term
	c     int64
}

type term struct {
	e    expr.Expr
	sign int64
}

func (s *sum) add(e expr.Expr, sign int64) {
	switch x := e.(type) {
	case *expr.Literal:
		if us, ok := x.Value.(int64); ok && x.Typ.Kind == column.IntervalDT {
			s.c += sign * us
			return
		}
	case *expr.Call:
		if op := timeSums[x.Fn]; op != 0 && len(x.Args) == 2 && isTimeSum(x) {
			s.add(x.Args[0], sign)
			s.add(x.Args[1], sign*op)
			return
		}
	}
	s.terms = append(s.terms, term{e, sign})
}

// timeSums are the functions that add and subtract times: the sign of the second operand.
var timeSums = map[string]int64{"+": 1, "add_interval": 1, "-": -1, "subtract_timestamps": -1}

// isTimeSum reports whether a sum is one of timestamps and lengths of time, which microseconds express.
func isTimeSum(c *expr.Call) bool {
	for _, a := range c.Args {
		switch a.DataType().Kind {
		case column.Timestamp, column.TimestampNTZ, column.IntervalDT:
		default:
			return false
		}
	}
	return true
}
