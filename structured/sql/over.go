package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
)

// namedOver is an OVER that uses a window of the WINDOW clause, which stands behind the list.
type namedOver struct {
	over *expr.Over
	name token
}

// over is OVER name, or OVER ([name] [PARTITION BY …] [ORDER BY …] [frame]), behind a call.
func (p *parser) over(c *expr.UnresolvedCall) expr.Expr {
	t := p.expect("OVER")
	o := &expr.Over{Fn: c, Pos: t.pos}
	if !p.atSymbol("(") {
		p.named = append(p.named, namedOver{o, p.peek()})
		p.name("window name")
		return o
	}
	p.windowSpec(o)
	return o
}

// windowSpec is what stands between the brackets of OVER and of WINDOW w AS.
func (p *parser) windowSpec(o *expr.Over) {
	open := p.needSymbol("(")
	if t := p.peek(); (t.kind == word || t.kind == quoted) && !p.at("PARTITION", "BY") && !p.at("DISTRIBUTE", "BY") && !p.at("ORDER", "BY") && !p.at("SORT", "BY") && !p.atFrame() {
		p.named = append(p.named, namedOver{o, t})
		p.name("window name")
	}
	if p.accept("PARTITION", "BY") || p.accept("DISTRIBUTE", "BY") {
		o.Partition = p.exprs()
	}
	if p.accept("ORDER", "BY") || p.accept("SORT", "BY") {
		o.Order = p.orders()
	}
	if p.atFrame() {
		o.Frame = p.frame()
	}
	p.closing(")", open)
}

func (p *parser) atFrame() bool {
	next := p.ahead(1)
	return (p.at("ROWS") || p.at("RANGE")) && (next.kind == word || next.kind == number || next.kind == op && next.raw != ")")
}

// frame is ROWS | RANGE followed by BETWEEN border AND border, or by one border: from there to the current row.
func (p *parser) frame() *expr.Frame {
	f := &expr.Frame{Rows: p.at("ROWS"), End: expr.Bound{Kind: expr.CurrentRow}}
	p.take()
	if !p.accept("BETWEEN") {
		f.Start = p.border()
		return f
	}
	f.Start = p.border()
	p.expect("AND")
	f.End = p.border()
	return f
}

func (p *parser) border() expr.Bound {
	switch {
	case p.accept("UNBOUNDED", "PRECEDING"):
		return expr.Bound{Kind: expr.UnboundedPreceding}
	case p.accept("UNBOUNDED", "FOLLOWING"):
		return expr.Bound{Kind: expr.UnboundedFollowing}
	case p.accept("CURRENT", "ROW"):
		return expr.Bound{Kind: expr.CurrentRow}
	}
	b := expr.Bound{Kind: expr.Preceding, Offset: p.binary(powPredicate + 1)}
	if !p.accept("PRECEDING") {
		p.expect("FOLLOWING")
		b.Kind = expr.Following
	}
	return b
}

// windowClause is WINDOW w AS (…), …. It gives the OVERs that were read since before their windows.
func (p *parser) windowClause(before int) {
	windows := map[string]*expr.Over{}
	uses := len(p.named)
	if p.at("WINDOW") && p.ahead(2).is("AS") {
		p.take()
		for {
			at := p.peek()
			name := strings.ToLower(p.name("window name"))
			if windows[name] != nil {
				panic(p.errorAt(at, "DUPLICATED_WINDOW_NAME", "42711", "The window `%s` is defined twice.", name).WithFix("Give each window its own name."))
			}
			p.expect("AS")
			w := &expr.Over{}
			if p.atSymbol("(") {
				p.windowSpec(w)
			} else {
				p.named = append(p.named, namedOver{w, p.peek()})
				p.name("window name")
			}
			windows[name] = w
			if !p.symbol(",") {
				break
			}
		}
	}
	for _, n := range p.named[uses:] { // windows that build on earlier ones
		p.adopt(n, windows)
	}
	for _, n := range p.named[before:uses] {
		p.adopt(n, windows)
	}
	p.named = p.named[:before]
}

// adopt gives an OVER what the window that it names has and itself has not.
func (p *parser) adopt(n namedOver, windows map[string]*expr.Over) {
	w := windows[strings.ToLower(n.name.val)]
	if w == nil {
		panic(p.noWindow(n.name))
	}
	if len(n.over.Partition) == 0 {
		n.over.Partition = w.Partition
	}
	if len(n.over.Order) == 0 {
		n.over.Order = w.Order
	}
	if n.over.Frame == nil {
		n.over.Frame = w.Frame
	}
}

func (p *parser) noWindow(t token) error {
	return p.errorAt(t, "MISSING_WINDOW_SPECIFICATION", "42P20", "There is no window `%s`.", t.val).
		WithFix("Define it behind the query: WINDOW %s AS (PARTITION BY … ORDER BY …).", t.val)
}
