package physical

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// processInitial plans the table from which a function fills state.
func (p *planner) processInitial(l *logical.Process, n *Node) (*InitialRows, *Node, error) {
	in := l.Initial
	if in == nil {
		return nil, nil, nil
	}
	if hasStream(in.Child) {
		return nil, nil, usererr.New("INVALID_PROCESS_FUNCTION", "42K0E", "An INITIAL TABLE is read when the query begins, and a stream does not end.").At(l.Pos.Line, l.Pos.Col).
			WithFix("Name the table without STREAM.")
	}
	fixed := &planner{ctx: p.ctx, opt: p.opt, parts: 1, static: true, env: p.env, est: p.est, logged: map[*logical.Scan]bool{}}
	table, err := fixed.plan(in.Child)
	if err != nil {
		return nil, nil, err
	}
	number(table, "initial.")
	out := &InitialRows{Table: staticOf(table)}
	if out.Keys, err = placesOf(table, in.Keys); err == nil {
		out.Args, err = placesOf(table, in.Args)
	}
	return out, table, err
}

// processBroadcast plans the rows that come to every task. ordered says that keyed rows come in the order of event time.
func (p *planner) processBroadcast(l *logical.Process, keyed *Node, ordered bool) (*BroadcastRows, *Node, error) {
	in := l.Broadcast
	if in == nil {
		return nil, nil, nil
	}
	n, err := p.plan(in.Child)
	if err != nil {
		return nil, nil, err
	}
	if err := p.appendOnly(n, "A BROADCAST TABLE"); err != nil {
		return nil, nil, err
	}
	bad := func(fix, text string) error {
		return usererr.New("INVALID_PROCESS_FUNCTION", "42K0E", "%s", text).At(l.Pos.Line, l.Pos.Col).WithFix("%s", fix)
	}
	if n.props.stream != keyed.props.stream {
		return nil, nil, bad("Read both as streams, or neither; rows of a table can be joined to the stream, or be an INITIAL TABLE.", "One of a function's tables is a stream, and its BROADCAST TABLE is not, or the other way round.")
	}
	if ordered != (len(in.Order) > 0 && isTime(in.Order[0])) {
		return nil, nil, bad("Write ORDER BY a time for both, or for neither.", "The rows of keys and the BROADCAST TABLE do not come in the same order.")
	}
	if ordered && n.props.stream && (n.props.mark == nil || n.props.event == nil || !isAttr(in.Order[0].Child, n.props.event.ID)) {
		return nil, nil, bad("Let ORDER BY name a column that has a watermark.", "The rows of a BROADCAST TABLE come in the order of event time or as they arrive.")
	}
	if e := n.props.event; ordered && e != nil && n.props.mark != nil {
		n = p.dropLate(n, e, 0)
	}
	out := &BroadcastRows{Time: -1, Rows: schemaOf(n.Output)}
	if out.Args, err = placesOf(n, in.Args); err != nil {
		return nil, nil, err
	}
	if ordered {
		at, err := placesOf(n, []expr.Expr{in.Order[0].Child})
		if err != nil {
			return nil, nil, err
		}
		out.Time = at[0]
	}
	return out, p.broadcast(n), nil
}
