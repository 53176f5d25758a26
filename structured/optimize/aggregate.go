package optimize

import (
	"slices"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// aggregate resolves GROUP BY with its list, HAVING and the ORDER BY directly above.
func (a *analyzer) aggregate(p *logical.Aggregate, order *logical.Sort) (logical.Plan, error) {
	p, order = throughWindowTable(p, order)
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	return a.group(p, child, order)
}

// group builds the normal form
//
//	Project [list]
//	+- Filter having
//	   +- Aggregate keys: attributes, out: keys and aggregates
//	      +- Project [child's columns, computed keys]
//	         +- Window …
//
// of an aggregation over a resolved child.
func (a *analyzer) group(p *logical.Aggregate, child logical.Plan, order *logical.Sort) (logical.Plan, error) {
	keys, err := a.groupKeys(p, child)
	if err != nil {
		return nil, err
	}
	if keys, child, err = a.countWindows(p, keys, child); err != nil {
		return nil, err
	}
	if keys, child, err = a.windows(keys, child); err != nil {
		return nil, err
	}
	g := &grouping{a: a, child: child, keys: map[string]*expr.Attr{}, aggs: map[string]*expr.Attr{}, names: child.Output()}
	if p.Sets != nil {
		g.tag = logical.NewTag()
	}
	g.ends = slices.ContainsFunc(keys, func(k expr.Expr) bool { return tellsWindow(k, child) })
	attrs := make([]*expr.Attr, len(keys))
	for i, k := range keys {
		attrs[i] = g.addKey(k)
	}
	g.setSets(p.Sets, attrs)
	var items []expr.Expr
	g.subs, err = a.scalars(func() (err error) {
		items, err = a.groupList(p, g)
		return err
	})
	if err != nil {
		return nil, err
	}
	if items, err = g.windowed(items); err != nil {
		return nil, err
	}
	for i, e := range items {
		if items[i], err = g.rewriteItem(e); err != nil {
			return nil, err
		}
	}
	if err := g.checkSubs(); err != nil {
		return nil, err
	}
	g.items = items
	if p.Having != nil {
		subs, err := a.scalars(func() error { return g.setHaving(p.Having) })
		if err != nil {
			return nil, err
		}
		g.subs = append(g.subs, subs...)
	}
	out := g.build()
	if order == nil {
		return out, nil
	}
	return a.sortOver(order, out)
}

// groupKeys resolves the keys: positions and aliases of the list, and ALL, are replaced by what they stand for.
func (a *analyzer) groupKeys(p *logical.Aggregate, child logical.Plan) ([]expr.Expr, error) {
	s := over(child)
	var keys []expr.Expr
	for _, k := range p.Keys {
		if _, all := k.(*expr.Star); all {
			list, err := a.groupAll(p.List, s)
			if err != nil {
				return nil, err
			}
			keys = append(keys, list...)
			continue
		}
		r, err := a.groupKey(k, p.List, s)
		if err != nil {
			return nil, err
		}
		keys = append(keys, r)
	}
	return keys, nil
}

// groupAll are the items of the list that hold no aggregate.
func (a *analyzer) groupAll(list []expr.Expr, s *scope) ([]expr.Expr, error) {
	items, err := a.list(list, s)
	if err != nil {
		return nil, err
	}
	var keys []expr.Expr
	for _, e := range items {
		if findAgg([]expr.Expr{e}) == nil {
			keys = append(keys, unalias(e))
		}
	}
	return keys, nil
}

func (a *analyzer) groupKey(k expr.Expr, list []expr.Expr, s *scope) (expr.Expr, error) {
	src, byPosition, label := k, false, ""
	if n, ok := ordinal(k); ok {
		if n < 1 || n > int64(len(list)) {
			return nil, badPosition(n, len(list), "GROUP BY")
		}
		src, byPosition = unalias(list[n-1]), true
		label = columnName(list[n-1])
		if _, star := src.(*expr.Star); star {
			return nil, usererr.New("STAR_GROUP_BY_POS", "0A000", "Star (*) is not allowed in a select list when GROUP BY an ordinal position is used.").WithFix("Name the columns.")
		}
	}
	if u, ok := src.(*expr.UnresolvedAttr); ok && !byPosition {
		if found, _, err := s.lookup(u); found == nil && err == nil {
			if item := aliased(list, u); item != nil {
				src, label = item, u.Parts[0]
			}
		}
	}
	r, err := a.expr(unalias(src), s)
	if err != nil {
		return nil, err
	}
	if g := findAgg([]expr.Expr{r}); g != nil {
		return nil, at(usererr.New("GROUP_BY_AGGREGATE", "42903", "Aggregate functions are not allowed in GROUP BY, but found %s.", plainName(unalias(src))).
			WithFix("Group by columns, and aggregate in the select list."), a.place(g))
	}
	if isGenerator(r) {
		return nil, usererr.New("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "42K0E", "A generator may not stand in GROUP BY: %s.", plainName(src)).WithFix("Use LATERAL VIEW.")
	}
	if l, ok := k.(*expr.Alias); ok {
		label = l.Name
	}
	if _, isAttr := r.(*expr.Attr); isAttr || label == "" {
		return r, nil
	}
	return &expr.Alias{Child: r, Name: label}, nil
}

// aliased is the item of the list that u names by alias.
func aliased(list []expr.Expr, u *expr.UnresolvedAttr) expr.Expr {
	if len(u.Parts) != 1 || u.PlanID != 0 {
		return nil
	}
	for _, e := range list {
		if l, ok := e.(*expr.Alias); ok && equalFold(l.Name, u.Parts[0]) {
			return l.Child
		}
	}
	return nil
}

// groupList resolves the list. Without keys and aggregates in it, HAVING alone made it a group.
func (a *analyzer) groupList(p *logical.Aggregate, g *grouping) ([]expr.Expr, error) {
	s := over(g.child)
	for _, e := range p.List {
		if star, ok := e.(*expr.Star); ok {
			if len(p.Keys) == 0 {
				return nil, usererr.New("INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "A star cannot stand beside aggregates.").At(star.Pos.Line, star.Pos.Col).
					WithFix("Name the columns in GROUP BY and in the select list.")
			}
		}
	}
	items, err := a.list(p.List, s)
	if err != nil {
		return nil, err
	}
	for _, e := range items {
		if isGenerator(unalias(e)) {
			return nil, usererr.New("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "42K0E", "A generator may not stand beside aggregates: %s.", plainName(unalias(e))).
				WithFix("Aggregate in a subquery, then generate.")
		}
	}
	return items, nil
}
