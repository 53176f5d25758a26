package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// project resolves SELECT without GROUP BY. With an aggregate in its list it is one group; order, when not nil, is the
// Sort directly above.
func (a *analyzer) project(p *logical.Project, order *logical.Sort) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	var items []expr.Expr
	wider, err := a.withScalars(child, func() (err error) {
		items, err = a.list(p.List, over(child))
		return err
	})
	if err != nil {
		return nil, err
	}
	if findAgg(items) != nil {
		return a.group(&logical.Aggregate{List: p.List}, child, order)
	}
	if err := groupingOutside(items); err != nil {
		return nil, err
	}
	child = wider
	if items, child, err = a.generators(items, child); err != nil {
		return nil, err
	}
	if items, child, err = a.windows(items, child); err != nil {
		return nil, err
	}
	if w, ok := child.(*logical.Window); ok && w.Gap != nil && findAttr(items, w.Attr) {
		return nil, at(usererr.New("INVALID_SESSION_WINDOW", "42K0E", "session_window may only stand in GROUP BY: a session is known once its rows are together.").
			WithFix("Group by session_window(…)."), a.place(w.Time))
	}
	items, child = overs(items, child)
	out := &logical.Project{List: items, Child: child}
	if order == nil {
		return out, nil
	}
	return a.sortOver(order, out)
}

// list resolves the items of a SELECT list: stars are spread, every item gets a name, and an item may use the aliases
// before it.
func (a *analyzer) list(items []expr.Expr, s *scope) ([]expr.Expr, error) {
	in := *s
	var out []expr.Expr
	for _, e := range items {
		if star, ok := e.(*expr.Star); ok {
			attrs, err := star2attrs(star, s)
			if err != nil {
				return nil, err
			}
			out = append(out, attrExprs(attrs)...)
			continue
		}
		r, err := a.item(e, &in)
		if err != nil {
			return nil, err
		}
		if l, ok := r.(*expr.Alias); ok && expr.Deterministic(l.Child) && !isGenerator(l.Child) {
			in.lateral = append(in.lateral, l)
		}
		out = append(out, r)
	}
	return out, nil
}

// item resolves one expression of a list and names it.
func (a *analyzer) item(e expr.Expr, s *scope) (expr.Expr, error) {
	r, err := a.expr(e, s)
	if err != nil {
		return nil, err
	}
	switch r := r.(type) {
	case *expr.Attr:
		return shown(r), nil
	case *expr.Alias, *expr.Generate:
		return r, nil
	}
	return &expr.Alias{Child: r, Name: itemName(e, r), ID: expr.NewID()}, nil
}

// shown is a as it stands in a list: a hidden column that is named there is hidden no longer.
func shown(a *expr.Attr) *expr.Attr {
	if !a.Hidden {
		return a
	}
	c := *a
	c.Hidden = false
	return &c
}

// sort resolves ORDER BY: against what the query puts out, then against what it reads.
func (a *analyzer) sort(p *logical.Sort) (logical.Plan, error) {
	switch child := p.Child.(type) {
	case *logical.Project:
		return a.project(child, p)
	case *logical.Aggregate:
		return a.aggregate(child, p)
	}
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	return a.sortOver(p, child)
}

// sortOver resolves the orders of p over a resolved child.
func (a *analyzer) sortOver(p *logical.Sort, child logical.Plan) (logical.Plan, error) {
	shown := child.Output()
	p = allOrders(p, shown)
	exprs := make([]expr.Expr, len(p.Orders))
	for i, o := range p.Orders {
		exprs[i] = o.Child
	}
	keys, wider, err := a.missing(exprs, child, shown)
	if err != nil {
		return nil, err
	}
	keys, wider = overs(keys, wider)
	orders := make([]*expr.SortOrder, len(keys))
	for i, k := range keys {
		orders[i] = &expr.SortOrder{Child: k, Desc: p.Orders[i].Desc, NullsFirst: p.Orders[i].NullsFirst}
	}
	out := logical.Plan(&logical.Sort{Orders: orders, Global: p.Global, Child: wider})
	if wider != child {
		out = &logical.Project{List: attrExprs(shown), Child: out}
	}
	return out, nil
}

// allOrders spreads ORDER BY ALL over the columns of the output.
func allOrders(p *logical.Sort, shown []*expr.Attr) *logical.Sort {
	if len(p.Orders) != 1 {
		return p
	}
	o := p.Orders[0]
	star, ok := o.Child.(*expr.Star)
	if !ok || len(star.Qualifier) > 0 {
		return p
	}
	all := &logical.Sort{Global: p.Global, Child: p.Child}
	for i := range logical.Visible(shown) {
		all.Orders = append(all.Orders, &expr.SortOrder{Child: expr.Lit(i + 1), Desc: o.Desc, NullsFirst: o.NullsFirst})
	}
	return all
}

// missing resolves expressions that may read columns which the plan had but no longer puts out: it returns the plan with
// those columns added. Literal positions mean items of the output.
func (a *analyzer) missing(exprs []expr.Expr, p logical.Plan, shown []*expr.Attr) ([]expr.Expr, logical.Plan, error) {
	if g := a.aggs[p]; g != nil {
		return g.extend(exprs)
	}
	out := make([]expr.Expr, len(exprs))
	for i, e := range exprs {
		r, wider, err := a.missingOne(e, p, shown)
		if err != nil {
			return nil, nil, err
		}
		out[i], p = r, wider
	}
	return out, p, nil
}

func (a *analyzer) missingOne(e expr.Expr, p logical.Plan, shown []*expr.Attr) (expr.Expr, logical.Plan, error) {
	if n, ok := ordinal(e); ok {
		at, err := position(n, logical.Visible(shown), "ORDER BY")
		return at, p, err
	}
	r, err := a.expr(e, over(p))
	if err == nil {
		if findAgg([]expr.Expr{r}) != nil {
			return nil, nil, at(aggregateIn("ORDER BY", r), a.place(r))
		}
		return r, p, nil
	}
	pr, ok := p.(*logical.Project)
	if !ok {
		return nil, nil, err
	}
	below := &scope{layers: [][]*expr.Attr{pr.Output(), pr.Child.Output()}}
	r, err2 := a.expr(e, below)
	if err2 != nil {
		return nil, nil, err
	}
	if findAgg([]expr.Expr{r}) != nil {
		return nil, nil, at(aggregateIn("ORDER BY", r), a.place(r))
	}
	return r, widen(pr, r), nil
}

// widen adds to a projection the columns of its child that e reads.
func widen(p *logical.Project, e expr.Expr) logical.Plan {
	have := map[int64]bool{}
	for _, a := range p.Output() {
		have[a.ID] = true
	}
	list := p.List
	for _, a := range attrsOf(e) {
		if !have[a.ID] {
			have[a.ID] = true
			list = append(list[:len(list):len(list)], a)
		}
	}
	if len(list) == len(p.List) {
		return p
	}
	return &logical.Project{List: list, Child: p.Child}
}

// filter resolves WHERE, and conditions above a projection that read what it dropped. IN (SELECT …) and EXISTS become
// joins, scalar subqueries columns.
func (a *analyzer) filter(p *logical.Filter) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	shown := child.Output()
	rest, subs := subqueryConds(p.Cond)
	if _, isProject := child.(*logical.Project); !isProject {
		if child, rest, err = a.plainFirst(child, rest); err != nil {
			return nil, err
		}
	}
	for _, s := range subs {
		if child, err = a.membership(s, child); err != nil {
			return nil, err
		}
	}
	if rest == nil {
		return child, nil
	}
	var cond expr.Expr
	kid := child
	wider, err := a.withScalars(child, func() (err error) {
		cond, kid, err = a.filterCond(rest, child, shown)
		return err
	})
	if err != nil {
		return nil, err
	}
	if wider == child {
		wider = kid
	}
	if err := a.condition(cond, "WHERE"); err != nil {
		return nil, err
	}
	out := logical.Plan(&logical.Filter{Cond: boolean(cond), Child: wider})
	if wider != child {
		out = &logical.Project{List: attrExprs(shown), Child: out}
	}
	return out, nil
}

// filterCond resolves a condition over child, which may have to put out more for it.
func (a *analyzer) filterCond(cond expr.Expr, child logical.Plan, shown []*expr.Attr) (expr.Expr, logical.Plan, error) {
	_, isProject := child.(*logical.Project)
	if _, isOrdinal := ordinal(cond); !isProject || isOrdinal {
		r, err := a.expr(cond, over(child))
		return r, child, err
	}
	list, wider, err := a.missing([]expr.Expr{cond}, child, shown)
	if err != nil {
		return nil, nil, err
	}
	return list[0], wider, nil
}

func (a *analyzer) dedup(p *logical.Dedup) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	cols := p.Cols
	if len(cols) == 0 {
		child = visible(child)
		cols = attrExprs(child.Output())
	}
	if cols, err = a.exprs(cols, over(child)); err != nil {
		return nil, err
	}
	return &logical.Dedup{Cols: cols, WithinWatermark: p.WithinWatermark, Label: p.Label, Child: child}, nil
}

func (a *analyzer) toDF(p *logical.ToDF) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	attrs := logical.Visible(child.Output())
	if len(attrs) != len(p.Names) {
		return nil, assignment(len(p.Names), len(attrs))
	}
	list := make([]expr.Expr, len(attrs))
	for i, at := range attrs {
		list[i] = &expr.Alias{Child: at, Name: p.Names[i], ID: expr.NewID()}
	}
	return &logical.Project{List: list, Child: child}, nil
}
