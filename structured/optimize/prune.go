package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// pruneColumns drops from the root down what no node above reads: items of projections, aggregates, columns of scans. The
// result may have columns besides those that are wanted, but never lacks one.
func pruneColumns(p logical.Plan) logical.Plan {
	return exactly(prune(p, idsOf(p.Output())), p.Output())
}

// exactly is p with just the attributes.
func exactly(p logical.Plan, attrs []*expr.Attr) logical.Plan {
	out := p.Output()
	same := len(out) == len(attrs)
	for i := range attrs {
		same = same && out[i].ID == attrs[i].ID
	}
	if same {
		return p
	}
	return &logical.Project{List: attrExprs(attrs), Child: p}
}

// prune is p for a parent that reads the attributes want.
func prune(p logical.Plan, want idSet) logical.Plan {
	switch p := p.(type) {
	case *logical.Project:
		return pruneProject(p, want)
	case *logical.Aggregate:
		return pruneAggregate(p, want)
	case *logical.Over:
		return pruneOver(p, want)
	case *logical.Scan:
		return pruneScan(p, want)
	case *logical.Union:
		return pruneUnion(p, want)
	case *logical.Join:
		need := want.with(p.Exprs()...)
		return p.WithChildren([]logical.Plan{narrow(p.Left, need), narrow(p.Right, need)})
	case *logical.AsofJoin:
		need := want.with(p.Exprs()...)
		return p.WithChildren([]logical.Plan{narrow(p.Left, need), narrow(p.Right, need)})
	case *logical.MatchRecognize:
		need := idSet{}.with(p.Exprs()...)
		for id := range want {
			need[id] = true
		}
		return p.WithChildren([]logical.Plan{narrow(p.Child, need)})
	case *logical.Process:
		need := idSet{}.with(p.Exprs()...)
		kids := p.Children()
		for i, k := range kids {
			kids[i] = narrow(k, need)
		}
		return p.WithChildren(kids)
	case *logical.Sort, *logical.Repartition:
		return p.WithChildren([]logical.Plan{narrow(p.Children()[0], want.with(p.Exprs()...))})
	case *logical.Dedup:
		need := want.with(p.Cols...)
		if p.WithinWatermark {
			for id := range eventTimes(p.Child) {
				need[id] = true
			}
		}
		return p.WithChildren([]logical.Plan{narrow(p.Child, need)})
	}
	kids := p.Children()
	if len(kids) != 1 {
		return p
	}
	kid := prune(kids[0], want.with(p.Exprs()...))
	if kid == kids[0] {
		return p
	}
	return p.WithChildren([]logical.Plan{kid})
}

// narrow prunes p and projects away what is still too much, for a parent that keeps or moves rows. Where nothing is
// wanted, one column stays to count rows by.
func narrow(p logical.Plan, want idSet) logical.Plan {
	p = prune(p, want)
	var keep []*expr.Attr
	out := p.Output()
	for _, a := range out {
		if want[a.ID] {
			keep = append(keep, a)
		}
	}
	if len(keep) == len(out) || len(out) == 0 {
		return p
	}
	if len(keep) == 0 {
		keep = []*expr.Attr{cheapest(out)}
	}
	return exactly(p, keep)
}

func pruneProject(p *logical.Project, want idSet) logical.Plan {
	var list []expr.Expr
	for _, e := range p.List {
		if want[logical.AttrOf(e).ID] || !expr.Deterministic(e) {
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		return prune(p.Child, idSet{})
	}
	kid := prune(p.Child, idSet{}.with(list...))
	if kid == p.Child && len(list) == len(p.List) {
		return p
	}
	return &logical.Project{List: list, Child: kid}
}

// pruneAggregate drops aggregates that are not wanted. Keys stay: they make the groups.
func pruneAggregate(p *logical.Aggregate, want idSet) logical.Plan {
	var list []expr.Expr
	for _, e := range p.List {
		if _, isKey := e.(*expr.Attr); isKey || want[logical.AttrOf(e).ID] {
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		list = p.List[:1]
	}
	need := idSet{}.with(p.Keys...)
	for _, e := range list {
		need.add(unalias(e))
	}
	kid := prune(p.Child, need)
	if kid == p.Child && len(list) == len(p.List) {
		return p
	}
	return &logical.Aggregate{Keys: p.Keys, List: list, Label: p.Label, Child: kid}
}

// pruneOver drops window functions that are not wanted, and what only they read.
func pruneOver(p *logical.Over, want idSet) logical.Plan {
	var list []expr.Expr
	need := want.with()
	for _, e := range p.List {
		if want[logical.AttrOf(e).ID] {
			list = append(list, e)
			need.add(unalias(e))
		}
	}
	if len(list) == 0 {
		return prune(p.Child, want)
	}
	return &logical.Over{List: list, Child: narrow(p.Child, need), Final: p.Final}
}

func pruneScan(p *logical.Scan, want idSet) logical.Plan {
	need := want.with(p.Filters...)
	c := *p
	c.Columns, c.Attrs = nil, nil
	for i, a := range p.Attrs {
		if need[a.ID] {
			c.Columns, c.Attrs = append(c.Columns, p.Columns[i]), append(c.Attrs, a)
		}
	}
	if len(c.Attrs) == 0 && len(p.Attrs) > 0 {
		a := cheapest(p.Attrs)
		for i := range p.Attrs {
			if p.Attrs[i] == a {
				c.Columns, c.Attrs = []int{p.Columns[i]}, []*expr.Attr{a}
			}
		}
	}
	if len(c.Attrs) == len(p.Attrs) {
		return p
	}
	return &c
}

// cheapest is the column that costs least to read, for queries that only count rows: metadata that a log has anyway, then
// what has a fixed width.
func cheapest(attrs []*expr.Attr) *expr.Attr {
	best, cost := attrs[0], 99
	for _, a := range attrs {
		c := 9
		switch {
		case a.Typ.IsNested():
		case a.Hidden && a.Typ.Kind == column.Int32:
			c = 0
		case a.Typ.Kind == column.Bool || a.Typ.IsInteger() || a.Typ.Kind == column.Date:
			c = 1
		case a.Typ.Kind != column.String && a.Typ.Kind != column.Binary:
			c = 2
		default:
			c = 3
		}
		if c < cost {
			best, cost = a, c
		}
	}
	return best
}

// pruneUnion drops the same positions from every child.
func pruneUnion(p *logical.Union, want idSet) logical.Plan {
	var at []int
	var attrs []*expr.Attr
	for i, a := range p.Attrs {
		if want[a.ID] {
			at, attrs = append(at, i), append(attrs, a)
		}
	}
	if len(attrs) == 0 && len(p.Attrs) > 0 {
		at, attrs = []int{0}, p.Attrs[:1]
	}
	kids := make([]logical.Plan, len(p.Kids))
	for k, kid := range p.Kids {
		out := kid.Output()
		keep := make([]*expr.Attr, len(at))
		for i, c := range at {
			keep[i] = out[c]
		}
		kids[k] = exactly(prune(kid, idsOf(keep)), keep)
	}
	return &logical.Union{Kids: kids, Attrs: attrs}
}
