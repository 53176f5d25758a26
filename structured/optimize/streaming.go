package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// CheckStreaming refuses plans that have no meaning, or no bound, over a stream in an output mode: "append", "update" or
// "complete". Plans without a stream are fine.
func CheckStreaming(p logical.Plan, mode string) error {
	if !logical.IsStreaming(p) {
		return nil
	}
	c := &streamCheck{mode: mode}
	if err := c.node(p); err != nil {
		return err
	}
	if mode == "complete" && !c.changes {
		return usererr.New("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "42KDE", "Output mode complete needs an aggregation: without one the result would be the whole stream.").
			WithFix("Use output mode append.")
	}
	return nil
}

type streamCheck struct {
	mode    string
	changes bool // an operator below has a result whose rows change
}

// node checks p and below, leaves first, so that the first cause is reported.
func (c *streamCheck) node(p logical.Plan) error {
	for _, k := range p.Children() {
		if err := c.node(k); err != nil {
			return err
		}
	}
	if !logical.IsStreaming(p) {
		return nil
	}
	switch p := p.(type) {
	case *logical.Aggregate:
		return c.aggregate(p)
	case *logical.Sort:
		if c.mode == "complete" && c.changes {
			return nil
		}
		return unsupportedStream("sorting a stream", "Leave out ORDER BY and sort where the result is read, or aggregate and use output mode complete.")
	case *logical.Expand:
		if c.mode == "append" {
			return unsupportedStream("GROUPING SETS, CUBE and ROLLUP of a stream in output mode append", "Use output mode update or complete, or start one query for each grouping.")
		}
	case *logical.Over:
		c.changes = true
	case *logical.Tail:
		if c.mode == "complete" && c.changes {
			return nil
		}
		return unsupportedStream("the last rows of a stream", "Use LIMIT, or read the result's table.")
	case *logical.Limit:
		if p.Offset > 0 && !(c.mode == "complete" && c.changes) {
			return unsupportedStream("OFFSET on a stream", "Use LIMIT alone.")
		}
	case *logical.Join:
		return c.join(p)
	case *logical.Dedup:
		if p.WithinWatermark && len(eventTimes(p.Child)) == 0 {
			return noWatermark("dropDuplicatesWithinWatermark")
		}
	}
	return nil
}

func (c *streamCheck) aggregate(p *logical.Aggregate) error {
	c.changes = true
	if c.mode != "append" {
		return nil
	}
	times := eventTimes(p.Child)
	for _, k := range p.Keys {
		for _, at := range attrsOf(k) {
			if times[at.ID] {
				return nil // the planner follows event time through expressions
			}
		}
	}
	windowed, counted := false, false
	logical.Walk(p.Child, func(n logical.Plan) bool {
		if w, ok := n.(*logical.Window); ok {
			windowed, counted = true, counted || w.Rows != "" && n == p.Child
		}
		return true
	})
	if counted {
		return nil // such windows end by themselves
	}
	if windowed {
		return noWatermark("output mode append with a window")
	}
	return usererr.New("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "42KDE", "Output mode append needs groups that end, but none of the keys is an event-time window.").
		With("outputMode", "append").WithFix("Group by window(ts, '10 minutes') of a column with a watermark, or use output mode update or complete.")
}

func noWatermark(what string) error {
	return usererr.New("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "42KDE", "There is no watermark, which %s needs to know when rows are complete.", what).
		WithFix("Declare one: CREATE TABLE … (…, WATERMARK FOR ts AS ts - INTERVAL 30 MINUTES), FROM t WATERMARK ts DELAY INTERVAL 30 MINUTES, or withWatermark.")
}

func unsupportedStream(what, fix string) error {
	return usererr.New("UNSUPPORTED_STREAMING_OPERATION", "0A000", "The operation is not supported over a stream: %s.", what).WithFix("%s", fix)
}

// join allows a stream to be joined with a static side that is not the kept one of an outer join.
func (c *streamCheck) join(p *logical.Join) error {
	left, right := logical.IsStreaming(p.Left), logical.IsStreaming(p.Right)
	c.changes = c.changes || left && right
	if left && right {
		return nil // the planner states what bounds the state, or refuses
	}
	bad := p.Kind == logical.FullOuter ||
		right && (p.Kind == logical.LeftOuter || p.Kind == logical.LeftSemi || p.Kind == logical.LeftAnti) ||
		left && p.Kind == logical.RightOuter
	if bad {
		return unsupportedStream(p.Kind.String()+" join of a stream with a static table that is the kept side", "Let the stream be the kept side.")
	}
	return nil
}

// eventTimes are the attributes of p that carry event time under a watermark: its column, and windows over it.
func eventTimes(p logical.Plan) map[int64]bool {
	out := map[int64]bool{}
	switch p.(type) {
	case *logical.MatchRecognize, *logical.Process:
		return out // a match is known later than its rows: their times are no event time above
	}
	for _, k := range p.Children() {
		for id := range eventTimes(k) {
			out[id] = true
		}
	}
	switch p := p.(type) {
	case *logical.Watermark:
		if at, ok := p.Col.(*expr.Attr); ok {
			out[at.ID] = true
		}
	case *logical.Window:
		for _, at := range attrsOf(p.Time) {
			if out[at.ID] {
				out[p.Attr.ID] = true
			}
		}
	case *logical.Project:
		renameTimes(out, p.List)
	case *logical.Aggregate:
		renameTimes(out, p.List)
	case *logical.Union:
		unionTimes(out, p)
	}
	return out
}

func renameTimes(times map[int64]bool, list []expr.Expr) {
	for _, e := range list {
		l, ok := e.(*expr.Alias)
		if !ok {
			continue
		}
		if c, ok := l.Child.(*expr.Call); ok && c.Fn == "get_field" {
			if at, ok := c.Args[0].(*expr.Attr); ok && times[at.ID] {
				times[l.ID] = true
			}
		}
		if at, ok := l.Child.(*expr.Attr); ok && times[at.ID] {
			times[l.ID] = true
		}
	}
}

// unionTimes marks a column of a union that is event time on every side.
func unionTimes(times map[int64]bool, p *logical.Union) {
	for i, at := range p.Attrs {
		all := true
		for _, k := range p.Kids {
			all = all && times[k.Output()[i].ID]
		}
		if all {
			times[at.ID] = true
		}
	}
}
