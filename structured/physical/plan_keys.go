package physical

import (
	"fmt"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// The keys of a join's build side say which rows of the probe side can have a partner. They are known when the table is built,
// before the first row of the probe side is asked for, so that they can drop rows where those come from:
//
//	HashJoin ─── build: orders of one day         keys k1 = {17, 42, …}
//	└─ probe: HashJoin, Aggregate, Project, …     which pass the key on
//	   └─ Filter, keys k1 of l_orderkey           drops rows; the scan below skips row groups
//
// Below an exchange another task runs, in a stage that may begin earlier. There the filters come by an input of its own, which
// makes it wait for the build side.

// filterKeys adds key filters to a plan that is complete but for the operators' ids.
func (p *planner) filterKeys(root *Node) {
	var joins []*Node
	root.Walk(func(n *Node) {
		if n.joining != nil {
			joins = append(joins, n)
		}
	})
	for i := len(joins) - 1; i >= 0; i-- { // from the top down: what a join lets through is less then
		p.filterProbe(joins[i])
	}
}

// filterProbe lets the keys of a join's build side filter the rows of its probe side.
func (p *planner) filterProbe(n *Node) {
	j := n.joining
	build, probe := 1, 0
	if j.op.BuildLeft {
		build, probe = 0, 1
	}
	if j.op.Static != nil || !dropsUnmatched(j.op.Kind, j.op.BuildLeft) {
		return
	}
	built, plans := n.Kids[build], []logical.Plan{j.l.Left, j.l.Right}
	if !reduces(plans[build]) {
		return
	}
	keys, _, _ := j.op.buildSide()
	probeKeys, _, _ := j.op.probeSide()
	for i := range keys {
		if i < len(j.op.NullSafe) && j.op.NullSafe[i] {
			continue
		}
		at := n.Kids[probe].Output[probeKeys[i]]
		share := p.est.Passing(plans[probe], plans[build], at, built.Output[keys[i]])
		w := walk{attr: at}
		w.down(n, probe)
		switch {
		case w.spot == nil || !w.useful():
		case !w.crossed():
			ref := p.newKey(keys[i])
			j.op.Publish = append(j.op.Publish, ref)
			n.Notes = append(n.Notes, fmt.Sprintf("keys %s of %s go to the other side", ref.ID, built.Output[keys[i]].Name))
			w.spot.test(p, ref.ID, at)
		case worthWaiting(w.spot.node(), built, share):
			ref := p.newKey(keys[i])
			w.spot.test(p, ref.ID, at)
			w.stage.await(p, built, ref) // above the test, which looks for the keys when its first batch is there
		}
	}
}

// dropsUnmatched reports whether rows of the probe side without a partner are put out in no way.
func dropsUnmatched(kind logical.JoinKind, buildLeft bool) bool {
	switch kind {
	case logical.Inner, logical.LeftSemi:
		return true
	case logical.LeftOuter, logical.LeftAnti:
		return buildLeft
	case logical.RightOuter:
		return !buildLeft
	}
	return false
}

// reduces reports whether a plan leaves rows of its tables out, so that its keys are not all there are.
func reduces(l logical.Plan) bool {
	switch l := l.(type) {
	case *logical.Filter:
		for _, c := range expr.Conjuncts(l.Cond) {
			if call, ok := c.(*expr.Call); !ok || call.Fn != "isnotnull" {
				return true
			}
		}
	case *logical.Scan:
		for _, c := range l.Filters {
			if call, ok := c.(*expr.Call); !ok || call.Fn != "isnotnull" {
				return true
			}
		}
		return l.Limit > 0
	case *logical.Limit, *logical.Tail, *logical.Sample, *logical.Local:
		return true
	case *logical.Join:
		if l.Kind == logical.LeftSemi || l.Kind == logical.LeftAnti {
			return true
		}
	}
	for _, k := range l.Children() {
		if reduces(k) {
			return true
		}
	}
	return false
}

const (
	waitingShare = 0.5    // the most rows that filters from another stage may let through
	waitingRows  = 50_000 // the fewest rows that are worth it
	mostWaitKeys = 8 << 20
)

// worthWaiting reports whether the stage of probe should wait for the keys of another: when they drop many of its rows, and are few
// themselves.
func worthWaiting(probe, built *Node, share float64) bool {
	return built.Exchange != nil && built.counted && probe.counted && share <= waitingShare && probe.Rows >= waitingRows && built.Rows <= mostWaitKeys &&
		built.Rows < 2*probe.Rows
}

func (p *planner) newKey(col int) KeyRef {
	p.keys++
	return KeyRef{ID: fmt.Sprintf("k%d", p.keys), Col: col}
}

// place is a child of a node, where an operator can be put in between.
type place struct {
	parent *Node
	kid    int
}

func (s *place) node() *Node     { return s.parent.Kids[s.kid] }
func (s *place) put(above *Node) { s.parent.Kids[s.kid] = above }

// walk follows a column from a join down to where its values come from.
type walk struct {
	attr  *expr.Attr
	spot  *place // where rows are to be dropped: as far down as the column goes
	scan  bool   // the spot is above a scan
	stage *place // the last operator of the spot's stage, when exchanges lie above it
	saved int    // operators above the spot that have less to do
	depth int    // those on the way
	under *place // as stage, on the way
}

func (w *walk) crossed() bool { return w.stage != nil }

// useful reports whether rows that are dropped at the spot save more than the look-up itself.
func (w *walk) useful() bool { return w.scan || w.crossed() || w.saved > 0 }

// down moves to the i-th child of n, and on.
func (w *walk) down(n *Node, i int) {
	k := n.Kids[i]
	if indexOf(k.Output, w.attr.ID) < 0 {
		return
	}
	if k.Exchange != nil {
		if kind := k.Exchange.Partitioner.Kind; !k.Exchange.Broadcast && kind != rdd.RoundRobin && !k.Kids[0].shared {
			w.under = &place{k, 0}
			w.down(k, 0)
		}
		return
	}
	w.spot, w.saved, w.stage = &place{n, i}, w.depth, w.under
	switch op := k.Op.(type) {
	case *Scan:
		w.scan = true
	case *Filter, *Project, *Sort, *KeyFilterInput:
		w.down(k, 0)
	case *HashAggregate:
		if indexOf(k.Output, w.attr.ID) < len(op.Keys) {
			w.depth++
			w.down(k, 0)
		}
	case *HashJoin:
		w.depth++
		w.join(k, op)
	}
}

// join moves into the side of a join that the column comes from, unless the join pads that side's rows with nulls.
func (w *walk) join(k *Node, op *HashJoin) {
	for i := range k.Kids {
		padded := op.Kind == logical.FullOuter || i == 0 && op.Kind == logical.RightOuter || i == 1 && op.Kind == logical.LeftOuter
		if !padded && (i == 0 || !op.half()) && indexOf(k.Kids[i].Output, w.attr.ID) >= 0 {
			w.down(k, i)
			return
		}
	}
}

// test drops rows at the place: in the filter above it, else in a new one.
func (s *place) test(p *planner, id string, at *expr.Attr) {
	n := s.parent
	f, ok := n.Op.(*Filter)
	if !ok {
		below := s.node()
		n = p.node("Filter", "", below.Output, below)
		f = &Filter{Env: p.env, From: below.provenance()}
		n.Op = f
		s.put(n)
	}
	f.Keys = append(f.Keys, KeyRef{ID: id, Col: indexOf(n.Kids[0].Output, at.ID)})
	if n.Detail != "" {
		n.Detail += ", "
	}
	n.Detail += fmt.Sprintf("keys %s of %s", id, at.Name)
	if src, ok := n.Kids[0].Op.(*Scan); ok {
		if k, ok := src.Source.(connector.KeyFiltered); ok {
			src.Source = k.WithKeyFilter(id, indexOf(n.Kids[0].Output, at.ID))
		}
	}
}

// await makes the stage that ends at the place wait for the keys of a build side that an exchange carries.
func (s *place) await(p *planner, built *Node, ref KeyRef) {
	n := s.node()
	if in, ok := n.Op.(*KeyFilterInput); ok && n.Kids[1].Kids[0].Kids[0] == built {
		in.IDs = append(in.IDs, ref.ID)
		from := n.Kids[1].Kids[0]
		op := from.Op.(*KeyFilterBuild)
		op.Keys = append(op.Keys, ref)
		from.Detail += ", " + keyDetail(built, ref)
		return
	}
	from := p.node("KeyFilterBuild", keyDetail(built, ref), keyFilterAttrs(), built)
	from.Op, from.shares = &KeyFilterBuild{Keys: []KeyRef{ref}}, true
	if built.Exchange.Broadcast {
		from.Parts = 1
	}
	from.Rows, from.Bytes, from.props = 1, -1, props{}
	out := p.node("KeyFilterInput", "", n.Output, n)
	out.Kids = []*Node{n, p.broadcast(from)}
	out.Op = &KeyFilterInput{IDs: []string{ref.ID}, Parts: from.Parts}
	s.put(out)
}

func keyDetail(built *Node, ref KeyRef) string {
	return fmt.Sprintf("%s of %s", ref.ID, built.Output[ref.Col].Name)
}

func keyFilterAttrs() []*expr.Attr {
	out := make([]*expr.Attr, keyFilterSchema.Len())
	for i, f := range keyFilterSchema.Fields {
		out[i] = &expr.Attr{ID: expr.NewID(), Name: f.Name, Typ: f.Type, Hidden: true}
	}
	return out
}
