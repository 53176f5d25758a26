package physical

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/cost"
	"github.com/streamflow/streamflow/structured/logical"
)

// Plan turns an optimised logical plan into operators. What cannot run is refused here, with what to do about it.
func Plan(ctx context.Context, plan logical.Plan, opt Options) (*Physical, error) {
	p := &planner{ctx: ctx, opt: opt, parts: max(opt.Parts, 1), est: cost.NewEstimator()}
	p.env = Env{Loc: opt.Location, Now: opt.Now, ANSI: opt.ANSI}
	if opt.Streaming {
		p.env.Now = 0
	}
	p.logged = logged(plan)
	if err := errors.Join(p.setTTL(), p.setLateness()); err != nil {
		return nil, err
	}
	if v := opt.Conf[LookupRefresh]; v != "" && v != "0" {
		var err error
		if p.refresh, err = logical.ParseTTL(v); err != nil {
			return nil, err
		}
	}
	p.last = lastAggregate(plan)
	root, err := p.plan(plan)
	if err != nil {
		return nil, err
	}
	root, policy, err := p.policy(root, plan.Output())
	if err != nil {
		return nil, err
	}
	if err := p.checkChanges(root); err != nil {
		return nil, err
	}
	phys := &Physical{Output: root.Output, Streaming: opt.Streaming, Upsert: root.props.upsert, Refreshes: p.refreshes, adaptive: p.adaptiveConf()}
	if policy.deletes {
		phys.Output = root.Output[:len(root.Output)-1]
	}
	if opt.Sink != nil {
		if root, err = p.sink(root, policy, phys); err != nil {
			return nil, err
		}
	}
	phys.Root = p.share(root, plan)
	if !opt.Streaming {
		reuse(phys.Root)
		p.filterKeys(phys.Root)
	}
	p.finish(phys)
	return phys, nil
}

// planner holds what planning one query needs. A static subplan has a planner of its own.
type planner struct {
	ctx       context.Context
	opt       Options
	parts     int
	static    bool // everything in one partition, no exchanges
	env       Env
	logged    map[*logical.Scan]bool
	est       *cost.Estimator
	keys      int   // key filters made so far
	ttl       int64 // of state that nothing else bounds, microseconds; 0 for none
	tables    int   // joined to the stream so far
	refresh   int64 // how old they may become, microseconds; 0: for ever
	refreshes []Refresh
	label     logical.Label      // of the operator that is being planned
	inside    logical.Labelled   // whose label that is
	late      int64              // how long after a window's end late rows still count
	last      *logical.Aggregate // above which rows of output mode complete are only sorted, filtered and projected
	top       *logical.Over      // whose first rows are wanted: rows that come late can be one of them
}

// props are the properties of a node's rows that decide what may stand above it.
type props struct {
	stream   bool
	single   bool       // complete: all rows of the result are put out by each batch
	stateful bool       // a stateful operator is below
	hash     []int64    // attributes that the partitions are made by, nil when unknown
	ordered  bool       // rows come in the order of their source's partition
	sorted   []sortedBy // the columns that the rows of each partition are sorted by

	origins []Origin
	offset  *expr.Attr // hidden: the row's offset
	mark    *expr.Attr // hidden: _watermark
	event   *expr.Attr // the watermark's event time column
	delay   int64
	marks   []*Node // the watermark operators below
	window  *windowAttr

	changes *expr.Attr   // the weight of a row, Int64; nil when rows are append-only
	kept    []*expr.Attr // columns by which no row is ever taken away without another that has the same values in them
	upsert  []*expr.Attr // columns that identify a row of the result, nil when none are known
	times   []timeAttr   // the columns by which event time can be followed
	staged  bool         // an exchange stands between the watermarks and here
}

// windowAttr says that a column is a window's start, from which the struct that programs see has not been made yet.
type windowAttr struct {
	attr  *expr.Attr // the struct
	start *expr.Attr
	end   *expr.Attr // sessions: the end is a column too
	size  int64
	// Of windows that cumulate: after how long they begin anew, counted from offset. Their start column is size before their
	// end: what tells them apart.
	cumulate, offset int64

	time   timeAttr // what the windows are of, when that is event time
	isTime bool
	rows   bool // they are of rows: start and size count them
}

// plan plans p and makes window structs where the child left them as starts.
func (p *planner) plan(l logical.Plan) (*Node, error) {
	n, err := p.compact(l)
	if err != nil {
		return nil, err
	}
	return p.materialise(n), nil
}

// compact plans l; the result may carry a window as its start only.
func (p *planner) compact(l logical.Plan) (*Node, error) {
	n, err := p.operator(l)
	if err == nil {
		p.sized(n, l)
	}
	return n, err
}

// operator plans l, whatever its size.
func (p *planner) operator(l logical.Plan) (*Node, error) {
	if x, ok := l.(logical.Labelled); ok && p.inside != x {
		return p.labelled(x)
	}
	switch l := l.(type) {
	case *logical.PlanID:
		return p.compact(l.Child)
	case *logical.SubqueryAlias:
		return p.compact(l.Child)
	case *logical.Hint:
		return p.compact(l.Child)
	case *logical.Run:
		return p.compact(l.Child)
	case *logical.Scan:
		return p.scan(l)
	case *logical.Local:
		return p.local(l)
	case *logical.Range:
		return p.rangeOf(l)
	case *logical.Project:
		return p.project(l)
	case *logical.Filter:
		return p.filter(l)
	case *logical.Aggregate:
		return p.aggregate(l)
	case *logical.Sort:
		return p.sort(l, nil)
	case *logical.Limit:
		return p.limit(l)
	case *logical.Tail:
		return p.tail(l)
	case *logical.Join:
		return p.join(l)
	case *logical.AsofJoin:
		return p.asof(l)
	case *logical.Union:
		return p.union(l)
	case *logical.Dedup:
		return p.dedup(l)
	case *logical.Watermark:
		return p.watermark(l)
	case *logical.Window:
		return p.window(l)
	case *logical.Generate:
		return p.generate(l)
	case *logical.Expand:
		return p.expand(l)
	case *logical.Over:
		return p.over(l)
	case *logical.MatchRecognize:
		return p.matchRecognize(l)
	case *logical.Process:
		return p.process(l)
	case *logical.Repartition:
		return p.repartition(l)
	case *logical.Sample:
		return p.sample(l)
	}
	return nil, fmt.Errorf("physical: %T cannot be planned: %s", l, l)
}

// node makes an operator above its first child, whose partitions and properties it takes over.
func (p *planner) node(kind, detail string, out []*expr.Attr, kids ...*Node) *Node {
	n := &Node{Kind: kind, Detail: detail, Output: out, Kids: kids, Parts: 1, Rows: -1, Bytes: -1}
	if len(kids) > 0 {
		k := kids[0]
		n.Parts, n.Rows, n.Bytes, n.props, n.counted = k.Parts, k.Rows, k.Bytes, k.props, k.counted
		if !keepsOrder[kind] {
			n.props.sorted = nil
		}
		n.props.keepOnly(out)
	}
	return n
}

// keepOnly forgets the properties whose columns are not among attrs.
func (r *props) keepOnly(attrs []*expr.Attr) {
	if r.offset != nil && indexOf(attrs, r.offset.ID) < 0 {
		r.offset = nil
	}
	if r.mark != nil && indexOf(attrs, r.mark.ID) < 0 {
		r.mark = nil
	}
	if r.event != nil && indexOf(attrs, r.event.ID) < 0 {
		r.event = nil
	}
	r.times = keepTimes(r.times, attrs)
	r.sorted = stillSorted(r.sorted, attrs)
	for _, id := range r.hash {
		if indexOf(attrs, id) < 0 {
			r.hash = nil
			break
		}
	}
	if r.changes != nil && indexOf(attrs, r.changes.ID) < 0 {
		r.changes = nil
	}
	r.kept = slices.DeleteFunc(slices.Clone(r.kept), func(k *expr.Attr) bool { return indexOf(attrs, k.ID) < 0 })
	for _, k := range r.upsert {
		if indexOf(attrs, k.ID) < 0 {
			r.upsert = nil
			break
		}
	}
}

// carried are the engine's own columns of n, which operators above pass on without being asked to.
func (n *Node) carried() []*expr.Attr {
	var out []*expr.Attr
	for _, a := range []*expr.Attr{n.props.offset, n.props.mark} {
		if a != nil {
			out = append(out, a)
		}
	}
	if w := n.props.window; w != nil {
		out = append(out, w.start)
		if w.end != nil {
			out = append(out, w.end)
		}
	}
	if n.props.changes != nil {
		out = append(out, n.props.changes)
	}
	return out
}

// own are the columns of n that are not the engine's.
func (n *Node) own() []*expr.Attr {
	carried := n.carried()
	var out []*expr.Attr
	for _, a := range n.Output {
		if indexOf(carried, a.ID) < 0 {
			out = append(out, a)
		}
	}
	return out
}

// provenance is what an operator above n needs to set n's rows aside.
func (n *Node) provenance() Provenance {
	from := Provenance{Origins: n.props.origins, Offset: -1, Visible: len(n.Output)}
	carried := n.carried()
	for i, a := range n.Output {
		if indexOf(carried, a.ID) >= 0 {
			from.Visible = i
			break
		}
	}
	if n.props.offset != nil {
		from.Offset = indexOf(n.Output, n.props.offset.ID)
	}
	return from
}

// align returns n with exactly the given columns.
func (p *planner) align(n *Node, attrs []*expr.Attr) (*Node, error) {
	if sameAttrs(n.Output, attrs) {
		return n, nil
	}
	if n.reselect(attrs) {
		return n, nil
	}
	list := make([]expr.Expr, len(attrs))
	for i, a := range attrs {
		list[i] = a
	}
	return p.compute(n, list, attrs)
}

// sameAttrs reports whether two outputs have the same attributes under the same names.
func sameAttrs(a, b []*expr.Attr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].ID != b[i].ID || a[i].Name != b[i].Name {
			return false
		}
	}
	return true
}

// compute is a projection of list, known as attrs, over n.
func (p *planner) compute(n *Node, list []expr.Expr, attrs []*expr.Attr) (*Node, error) {
	if n.narrow(append(read(list, n.Output), n.carried()...)) && sameAttrs(n.Output, attrs) && allAttrs(list) {
		return n, nil
	}
	if err := p.stable(n, list...); err != nil {
		return nil, err
	}
	n, list, err := p.once(n, list)
	if err != nil {
		return nil, err
	}
	bound := make([]expr.Expr, len(list))
	for i, e := range list {
		b, err := expr.Bind(unalias(e), n.Output)
		if err != nil {
			return nil, err
		}
		bound[i] = b
	}
	out := p.node("Project", listOf(list), attrs, n)
	out.Op = &Project{List: bound, Out: schemaOf(attrs), Env: p.env, From: n.provenance()}
	return out, nil
}

func unalias(e expr.Expr) expr.Expr {
	if a, ok := e.(*expr.Alias); ok {
		return a.Child
	}
	return e
}
