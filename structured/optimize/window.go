package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

func isWindowCall(c *expr.Call) bool { return isWindowName(c.Fn) }

func isWindowName(fn string) bool {
	return fn == "window" || fn == "session_window" || fn == "cumulate_window" || fn == "count_window"
}

// windows turns window(…), cumulate_window(…) and session_window(…) in the expressions into a Window node above child. Rows can be assigned
// to one kind of window only.
func (a *analyzer) windows(list []expr.Expr, child logical.Plan) ([]expr.Expr, logical.Plan, error) {
	var w *logical.Window
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		out[i], err = expr.TransformErr(e, func(x expr.Expr) (expr.Expr, error) {
			c, ok := x.(*expr.Call)
			if !ok || !isWindowCall(c) {
				return x, nil
			}
			if c.Fn == "count_window" {
				return nil, countWindowPlace(a.place(c))
			}
			if w == nil {
				w = makeWindow(c, child)
			}
			if !isWindow(w, c) {
				return nil, at(usererr.New("UNSUPPORTED_FEATURE.MULTIPLE_TIME_WINDOWS", "0A000", "A query can assign rows to one kind of window only.").
					WithFix("Put the other window into a subquery."), a.place(c))
			}
			return w.Attr, nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	if w == nil {
		return list, child, nil
	}
	return out, w, nil
}

// makeWindow is the node of a resolved call: window(ts, size, slide, start), cumulate_window(ts, step, size, start) or
// session_window(ts, gap).
func makeWindow(c *expr.Call, child logical.Plan) *logical.Window {
	w := &logical.Window{Time: c.Args[0], Child: child}
	w.Attr = &expr.Attr{ID: expr.NewID(), Name: c.Fn, Typ: c.Typ}
	if c.Fn == "session_window" {
		w.Gap = c.Args[1]
		return w
	}
	w.Size, w.Slide, w.Start = micros(c.Args[1]), micros(c.Args[2]), micros(c.Args[3])
	if c.Fn == "cumulate_window" {
		w.Cumulate, w.Slide = w.Slide, w.Size
	}
	return w
}

func micros(e expr.Expr) int64 {
	l, ok := e.(*expr.Literal)
	if !ok || l.Typ.Kind != column.IntervalDT {
		panic("BUG: a window's length was resolved to " + e.String())
	}
	return l.Value.(int64)
}

// isWindow reports whether the call means the window w.
func isWindow(w *logical.Window, c *expr.Call) bool {
	if w.Rows != "" || c.Fn == "count_window" {
		return w.Rows == same(c)
	}
	if same(w.Time) != same(c.Args[0]) {
		return false
	}
	if w.Gap != nil || c.Fn == "session_window" {
		return w.Gap != nil && c.Fn == "session_window" && same(w.Gap) == same(c.Args[1])
	}
	if c.Fn == "cumulate_window" {
		return w.Size == micros(c.Args[1]) && w.Cumulate == micros(c.Args[2]) && w.Start == micros(c.Args[3])
	}
	return w.Cumulate == 0 && w.Size == micros(c.Args[1]) && w.Slide == micros(c.Args[2]) && w.Start == micros(c.Args[3])
}

// findWindow is the Window directly below that the call means.
func findWindow(p logical.Plan, c *expr.Call) *logical.Window {
	if w, ok := p.(*logical.Window); ok && isWindow(w, c) {
		return w
	}
	return nil
}

// wholeWindow replaces a key that is a window's start or end by the window. Windows of one Window node have one length,
// and sessions are told apart by both ends, so the groups are the same. Of windows that cumulate many begin together: a
// start among the keys means the window only if its end is there too.
func wholeWindow(k expr.Expr, child logical.Plan, ends bool) expr.Expr {
	w, member := windowMember(k, child)
	if w == nil || member == "start" && w.Cumulate != 0 && !ends {
		return k
	}
	return w.Attr
}

// tellsWindow reports whether a key is a window or its end.
func tellsWindow(k expr.Expr, child logical.Plan) bool {
	w, member := windowMember(unalias(k), child)
	return w != nil && member != "start"
}

// windowMember is the window below that a key is, "", or a member of, "start" or "end". A member moved by a constant, as
// window_time is, tells as much.
func windowMember(k expr.Expr, child logical.Plan) (w *logical.Window, member string) {
	w, ok := child.(*logical.Window)
	if !ok {
		return nil, ""
	}
	if c, ok := k.(*expr.Call); ok && c.Fn == "add_interval" && len(c.Args) == 2 {
		if _, constant := c.Args[1].(*expr.Literal); constant {
			k = c.Args[0]
		}
	}
	if c, ok := k.(*expr.Call); ok && c.Fn == "get_field" && len(c.Args) == 2 {
		if l, ok := c.Args[1].(*expr.Literal); ok {
			member, _ = l.Value.(string)
			k = c.Args[0]
		}
	}
	if at, ok := k.(*expr.Attr); ok && at.ID == w.Attr.ID {
		return w, member
	}
	return nil, ""
}
