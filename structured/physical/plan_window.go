package physical

import (
	"fmt"
	"slices"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// watermark plans the declaration of event time. Over a log, in a stream or in its history, it follows each partition's
// clock; over a table without order nothing can be late, and nothing is done.
func (p *planner) watermark(l *logical.Watermark) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	if n.delayTimes(l.Col, l.Delay) {
		return n, nil
	}
	if err := p.appendOnly(n, "A watermark"); err != nil {
		return nil, err
	}
	if n.props.mark != nil {
		return nil, unsupported("A second watermark", "Declare one watermark for each source.")
	}
	if !n.props.ordered {
		if n.props.stream {
			return nil, unsupported("A watermark on a column that is computed above an exchange, or by an aggregation,", "Compute it of the source's columns, and declare it right above; or declare the column that it is computed from.")
		}
		return n, nil
	}
	n, cols, err := p.columns(n, []expr.Expr{l.Col})
	if err != nil {
		return nil, err
	}
	event := n.Output[cols[0]]
	if k := event.Typ.Kind; k != column.Timestamp && k != column.TimestampNTZ {
		return nil, eventTimeType(event)
	}
	mark := engineAttr(WatermarkColumn)
	out := p.node("Watermark", fmt.Sprintf("%s - %s", event.Name, micros(l.Delay)), append(append([]*expr.Attr{}, n.Output...), mark), n)
	out.Op = &Watermark{Time: cols[0], Delay: l.Delay, Out: schemaOf(out.Output)}
	out.watermark = &WatermarkOp{Column: event.Name, Delay: l.Delay, Parts: n.Parts}
	out.props.mark, out.props.event, out.props.delay = mark, event, l.Delay
	out.props.marks = append(append([]*Node{}, n.props.marks...), out)
	out.props.staged = false
	out.props.times = []timeAttr{{attr: event, event: event.ID}}
	return out, nil
}

func micros(us int64) string { return (time.Duration(us) * time.Microsecond).String() }

// window plans the assignment of windows. The struct that programs see is made later, from the start.
func (p *planner) window(l *logical.Window) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	if l.Rows != "" {
		return p.rowWindow(l, n)
	}
	n, cols, err := p.columns(n, []expr.Expr{l.Time})
	if err != nil {
		return nil, err
	}
	if k := n.Output[cols[0]].Typ.Kind; k != column.Timestamp && k != column.TimestampNTZ {
		return nil, eventTimeType(n.Output[cols[0]])
	}
	start := &expr.Attr{ID: expr.NewID(), Name: l.Attr.Name + "_start", Typ: timestamp, Hidden: true}
	if l.Gap != nil {
		return p.session(l, n, cols[0], start)
	}
	detail := fmt.Sprintf("%s every %s", n.Output[cols[0]].Name, micros(l.Size))
	slide := l.Slide
	if slide == 0 {
		slide = l.Size
	}
	if slide != l.Size {
		detail = fmt.Sprintf("%s over %s every %s", n.Output[cols[0]].Name, micros(l.Size), micros(slide))
	}
	if l.Cumulate != 0 {
		detail = fmt.Sprintf("%s every %s, cumulating over %s", n.Output[cols[0]].Name, micros(l.Size), micros(l.Cumulate))
	}
	out := p.node("WindowTime", detail, append(append([]*expr.Attr{}, n.Output...), start), n)
	out.Op = &WindowTime{Time: cols[0], Size: l.Size, Slide: slide, Start: l.Start, Cumulate: l.Cumulate, Out: schemaOf(out.Output), Env: p.env, From: n.provenance()}
	out.props.window = &windowAttr{attr: l.Attr, start: start, size: l.Size, cumulate: l.Cumulate, offset: l.Start}
	out.props.window.follow(l.Time, n)
	return out, nil
}

// session plans the session that each row would be alone.
func (p *planner) session(l *logical.Window, n *Node, at int, start *expr.Attr) (*Node, error) {
	op := &SessionTime{Time: at, GapCol: -1, Env: p.env}
	lit, err := expr.EvalLiteral(l.Gap)
	if err == nil && lit != nil && lit.Typ.Kind == column.IntervalDT && lit.Value != nil {
		op.Gap = lit.Value.(int64)
	} else {
		var cols []int
		if n, cols, err = p.columns(n, []expr.Expr{l.Gap}); err != nil {
			return nil, err
		}
		op.GapCol, op.GapMax = cols[0], longestInterval(l.Gap)
	}
	end := &expr.Attr{ID: expr.NewID(), Name: l.Attr.Name + "_end", Typ: timestamp, Hidden: true}
	out := p.node("SessionTime", fmt.Sprintf("%s with gap %s", n.Output[at].Name, plain(l.Gap)), append(append([]*expr.Attr{}, n.Output...), start, end), n)
	op.Out, op.From = schemaOf(out.Output), n.provenance()
	out.Op = op
	out.props.window = &windowAttr{attr: l.Attr, start: start, end: end}
	out.props.window.follow(l.Time, n)
	return out, nil
}

// materialise makes the struct of a window that n carries as its start.
func (p *planner) materialise(n *Node) *Node {
	w := n.props.window
	if w == nil {
		return n
	}
	var attrs []*expr.Attr
	for _, a := range n.Output {
		switch {
		case a.ID == w.start.ID:
			attrs = append(attrs, w.attr)
		case w.end != nil && a.ID == w.end.ID:
		default:
			attrs = append(attrs, a)
		}
	}
	op := &WindowStruct{Col: indexOf(n.Output, w.start.ID), End: -1, Size: w.size, Cumulate: w.cumulate, Start: w.offset, Out: schemaOf(attrs)}
	if w.end != nil {
		op.End = indexOf(n.Output, w.end.ID)
	}
	out := p.node("WindowStruct", w.attr.Name, attrs, n)
	out.Op = op
	out.props.window = nil
	out.props.times = append(out.props.times, w.times()...)
	out.props.upsert = slices.Clone(n.props.upsert)
	for i, k := range out.props.upsert {
		if k.ID == w.start.ID {
			out.props.upsert[i] = w.attr
		}
	}
	return out
}

// dropLate sets aside the rows of n that came too late for what they belong to: until the column at, plus add. The
// watermark column, and with it the offset, are not needed above.
func (p *planner) dropLate(n *Node, at *expr.Attr, add int64) *Node {
	if n.props.mark == nil {
		return n
	}
	var attrs []*expr.Attr
	for _, a := range n.Output {
		if a != n.props.mark && a.ID != n.props.mark.ID {
			attrs = append(attrs, a)
		}
	}
	detail := at.Name
	if add > 0 {
		detail += " + " + micros(add)
	}
	out := p.node("DropLate", detail+" <= watermark", attrs, n)
	out.Op = &DropLate{Time: indexOf(n.Output, at.ID), Add: add, Mark: indexOf(n.Output, n.props.mark.ID),
		Keep: positions(n.Output, attrs), Env: p.env, From: n.provenance()}
	return out
}

// follow notes that the windows are of event time, if they are.
func (w *windowAttr) follow(time expr.Expr, n *Node) {
	t, ok := timeOf(time, n.props.times)
	if !ok || t.size != 0 || t.lag < 0 {
		return
	}
	w.time, w.isTime = t, true
}

// times is the window as event time: it is put out, and its rows come, before its end is passed.
func (w *windowAttr) times() []timeAttr {
	if !w.isTime {
		return nil
	}
	size := max(w.size, w.cumulate)
	if w.end != nil {
		size = openEnded
	}
	return []timeAttr{{attr: w.attr, lag: w.time.lag, size: size, event: w.time.event, exact: true}}
}
