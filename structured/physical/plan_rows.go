package physical

import (
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// project plans a projection. A window that is only passed on stays its start.
func (p *planner) project(l *logical.Project) (*Node, error) {
	n, err := p.projected(l)
	if err != nil {
		return nil, err
	}
	if !passesOn(l.List, n.props.window) {
		n = p.materialise(n)
	}
	var list []expr.Expr
	var attrs []*expr.Attr
	for _, e := range l.List {
		if w := n.props.window; w != nil && isAttr(e, w.attr.ID) {
			continue
		}
		list, attrs = append(list, e), append(attrs, logical.AttrOf(e))
	}
	for _, a := range n.carried() {
		if indexOf(attrs, a.ID) < 0 {
			list, attrs = append(list, a), append(attrs, a)
		}
	}
	if sameAttrs(attrs, n.Output) {
		return n, nil
	}
	out, err := p.compute(n, list, attrs)
	if err != nil {
		return nil, err
	}
	out.props.upsert = renamedKey(n.props.upsert, l.List)
	out.props.kept = renamedKept(n.props.kept, l.List)
	out.props.hash = renamed(n.props.hash, l.List)
	if len(out.props.hash) < len(n.props.hash) {
		out.props.hash = nil
	}
	out.props.times = append(renamedTimes(n.props.times, l.List), keepTimes(n.props.times, n.carried())...)
	if n.props.event != nil {
		out.props.event = renamedEvent(n.props.event, l.List)
	}
	return out, nil
}

// projected plans what is below a projection. Of the first rows of partitions the rank is left out when nobody reads it.
func (p *planner) projected(l *logical.Project) (*Node, error) {
	f, ok := l.Child.(*logical.Filter)
	if !ok || !p.opt.Streaming || !hasStream(f) {
		return p.compact(l.Child)
	}
	t, ok := topOf(f)
	if !ok {
		return p.compact(l.Child)
	}
	for _, e := range append(slices.Clone(l.List), t.rest...) {
		if refers(e, t.attr.ID) {
			return p.compact(l.Child)
		}
	}
	return p.rank(t, true)
}

// passesOn reports whether the list reads the window only to hand it on as it is.
func passesOn(list []expr.Expr, w *windowAttr) bool {
	if w == nil {
		return true
	}
	for _, e := range list {
		if !isAttr(e, w.attr.ID) && refers(e, w.attr.ID) {
			return false
		}
	}
	return true
}

func isAttr(e expr.Expr, id int64) bool {
	a, ok := e.(*expr.Attr)
	return ok && a.ID == id
}

func refers(e expr.Expr, id int64) bool {
	found := false
	expr.Walk(e, func(x expr.Expr) bool {
		found = found || isAttr(x, id)
		return !found
	})
	return found
}

// renamed are the ids under which attributes are known above a projection.
func renamed(ids []int64, list []expr.Expr) []int64 {
	var out []int64
	for _, id := range ids {
		for _, e := range list {
			if isAttr(unalias(e), id) {
				out = append(out, logical.AttrOf(e).ID)
				break
			}
		}
	}
	return out
}

// renamedAttr is the column above a projection that tells the values of an attribute apart: itself, or of a window its
// start or end.
func renamedAttr(attr *expr.Attr, list []expr.Expr) *expr.Attr {
	for _, e := range list {
		if isAttr(unalias(e), attr.ID) {
			return logical.AttrOf(e)
		}
	}
	for _, e := range list {
		if attr.Typ.Kind == column.Struct && isField(unalias(e), attr.ID) {
			return logical.AttrOf(e)
		}
	}
	return nil
}

func renamedEvent(event *expr.Attr, list []expr.Expr) *expr.Attr {
	for _, e := range list {
		if isAttr(unalias(e), event.ID) {
			return logical.AttrOf(e)
		}
	}
	return nil
}

// isField reports whether e is a member of the struct attribute id.
func isField(e expr.Expr, id int64) bool {
	c, ok := e.(*expr.Call)
	return ok && c.Fn == "get_field" && len(c.Args) == 2 && isAttr(c.Args[0], id)
}

func (p *planner) filter(l *logical.Filter) (*Node, error) {
	if t, ok := topOf(l); ok {
		if p.opt.Streaming && hasStream(l) {
			return p.rank(t, false)
		}
		p.top = t.over
	}
	n, err := p.compact(l.Child)
	if err != nil {
		return nil, err
	}
	return p.filterBy(n, l.Cond)
}

// filterBy is a filter over n.
func (p *planner) filterBy(n *Node, by expr.Expr) (*Node, error) {
	if w := n.props.window; w != nil && refers(by, w.attr.ID) {
		n = p.materialise(n)
	}
	if err := p.stable(n, by); err != nil {
		return nil, err
	}
	cond, err := expr.Bind(by, n.Output)
	if err != nil {
		return nil, err
	}
	out := p.node("Filter", plain(by), n.Output, n)
	out.Op = &Filter{Cond: cond, Env: p.env, From: n.provenance()}
	out.props.kept = keptUnder(n.props.kept, by)
	out.halve()
	return out, nil
}

// halve is the guess that a filter passes half of its rows.
func (n *Node) halve() {
	if n.Rows > 0 {
		n.Rows /= 2
	}
	if n.Bytes > 0 {
		n.Bytes /= 2
	}
}

func (p *planner) generate(l *logical.Generate) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	if err := p.stable(n, l.Gen); err != nil {
		return nil, err
	}
	gen, err := expr.Bind(l.Gen, n.Output)
	if err != nil {
		return nil, err
	}
	own, carried := n.own(), n.carried()
	attrs := append(append([]*expr.Attr{}, own...), carried...)
	keep := positions(n.Output, attrs)
	out := p.node("Generate", plain(l.Gen), append(attrs, l.Attrs...), n)
	out.props.kept = keptUnder(n.props.kept, l.Gen)
	out.Op = &Generate{Gen: gen.(*expr.Generate), Keep: keep, Out: schemaOf(out.Output), Env: p.env, From: n.provenance()}
	return out, nil
}

// positions are the places of attrs in a node's output.
func positions(output, attrs []*expr.Attr) []int {
	out := make([]int, len(attrs))
	for i, a := range attrs {
		out[i] = indexOf(output, a.ID)
	}
	return out
}

func (p *planner) sample(l *logical.Sample) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil {
		return nil, err
	}
	if err := p.appendOnly(n, "A sample"); err != nil {
		return nil, err
	}
	detail := fmt.Sprintf("[%g, %g) seed %d", l.Lower, l.Upper, l.Seed)
	if l.Replace {
		detail = fmt.Sprintf("%g times on average, seed %d", l.Upper-l.Lower, l.Seed)
	}
	out := p.node("Sample", detail, n.Output, n)
	out.Op = &Sample{Lower: l.Lower, Upper: l.Upper, Seed: l.Seed, Replace: l.Replace}
	return out, nil
}

func (p *planner) repartition(l *logical.Repartition) (*Node, error) {
	n, err := p.plan(l.Child)
	if err != nil || p.static {
		return n, err
	}
	parts := l.N
	if parts <= 0 {
		parts = p.parts
	}
	if len(l.Keys) > 0 {
		n, keys, err := p.columns(n, l.Keys)
		if err != nil {
			return nil, err
		}
		return p.align(p.repartitioned(n, hashBy(n, keys, parts), l), l.Output())
	}
	kind := rdd.RoundRobin
	if parts == 1 {
		kind = rdd.Single
	}
	return p.repartitioned(n, rdd.Partitioner{Kind: kind, N: parts}, l), nil
}

// repartitioned is an exchange that was asked for, perhaps with its number of partitions.
func (p *planner) repartitioned(n *Node, by rdd.Partitioner, l *logical.Repartition) *Node {
	out := p.exchange(n, by)
	out.Exchange.Fixed = l.N > 0
	return out
}

// union places the children's rows side by side. The engine's columns go on only when every child has them.
func (p *planner) union(l *logical.Union) (*Node, error) {
	kids := make([]*Node, len(l.Kids))
	streams := 0
	for i, k := range l.Kids {
		n, err := p.plan(k)
		if err != nil {
			return nil, err
		}
		if n.props.stream {
			streams++
		}
		kids[i] = n
	}
	if streams > 0 && streams < len(kids) {
		return nil, unsupported("A union of a stream and a static table", "Read both sides as streams, or both as tables.")
	}
	attrs := append([]*expr.Attr{}, l.Output()...)
	mark, offset, changes := true, true, false
	for _, k := range kids {
		changes = changes || k.props.changes != nil
	}
	for i := range kids {
		if changes {
			n, err := p.weighed(kids[i])
			if err != nil {
				return nil, err
			}
			kids[i] = n
		}
	}
	for _, k := range kids {
		mark, offset = mark && k.props.mark != nil, offset && k.props.offset != nil
	}
	u := &Node{Kind: "Union", Rows: 0, Bytes: 0, props: props{stream: streams > 0, ordered: true, staged: true}}
	if offset {
		u.props.offset = engineAttr(connector.ColOffset)
		attrs = append(attrs, u.props.offset)
	}
	if mark {
		u.props.mark = engineAttr(WatermarkColumn)
		attrs = append(attrs, u.props.mark)
	}
	if changes {
		u.props.changes = changeAttr()
		attrs = append(attrs, u.props.changes)
	}
	u.Output = attrs
	for i, k := range kids {
		want := append([]*expr.Attr{}, l.Kids[i].Output()[:len(l.Output())]...)
		if offset {
			want = append(want, k.props.offset)
		}
		if mark {
			want = append(want, k.props.mark)
		}
		if changes {
			want = append(want, k.props.changes)
		}
		n, err := p.align(k, want)
		if err != nil {
			return nil, err
		}
		u.adopt(n, p.static)
	}
	if mark {
		u.props.event = unionEvent(u, kids, l)
	}
	u.Op = &Union{Out: schemaOf(attrs)}
	u.props.times = unionTimes(l.Output(), kids, l)
	return u, nil
}

// adopt adds a child to a union.
func (u *Node) adopt(k *Node, static bool) {
	base := u.Parts
	if static {
		base = 0
	}
	u.Kids, u.Bases = append(u.Kids, k), append(u.Bases, base)
	u.Parts = base + k.Parts
	for _, o := range k.props.origins {
		u.props.origins = append(u.props.origins, Origin{Topic: o.Topic, From: base + o.From})
	}
	u.props.marks = append(u.props.marks, k.props.marks...)
	u.props.stateful = u.props.stateful || k.props.stateful
	u.props.staged = u.props.staged && k.props.staged
	u.props.ordered = u.props.ordered && k.props.ordered
	u.Rows, u.Bytes = addKnown(u.Rows, k.Rows), addKnown(u.Bytes, k.Bytes)
}

// unionEvent is the union's event time column when all children have theirs in the same place.
func unionEvent(u *Node, kids []*Node, l *logical.Union) *expr.Attr {
	at := -1
	for i, k := range kids {
		if k.props.event == nil {
			return nil
		}
		j := indexOf(l.Kids[i].Output(), k.props.event.ID)
		if j < 0 || i > 0 && j != at {
			return nil
		}
		at = j
	}
	return u.Output[at]
}

func addKnown(a, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}
