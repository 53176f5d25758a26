package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// grouping is an aggregation being taken apart: what is grouped by, what is aggregated, and what is computed from both.
// ORDER BY and HAVING may add aggregates to it.
type grouping struct {
	a        *analyzer
	child    logical.Plan
	names    []*expr.Attr // what names mean inside aggregate functions
	keyAttrs []*expr.Attr
	computed []expr.Expr           // keys that are no columns, to be computed below
	keys     map[string]*expr.Attr // by same()
	aggList  []expr.Expr
	aggs     map[string]*expr.Attr
	items    []expr.Expr // the list, over keys and aggregates
	having   expr.Expr

	subs []scalarSub // subqueries as values, to be joined above the aggregation

	tag  *expr.Attr // grouping sets: the number of the row's set; nil for one grouping
	sets [][]int    // which of keyAttrs each has
	ends bool       // some key is a window or its end
}

// addKey makes k a key. A window's start or end alone identifies the window, so the window itself becomes the key; of windows
// that cumulate it takes the end.
func (g *grouping) addKey(k expr.Expr) *expr.Attr {
	label := columnName(k)
	k = wholeWindow(unalias(k), g.child, g.ends)
	name := same(k)
	if at := g.keys[name]; at != nil {
		return at
	}
	at, ok := k.(*expr.Attr)
	if !ok || g.tag != nil {
		l := &expr.Alias{Child: k, Name: label, ID: expr.NewID()}
		g.computed = append(g.computed, l)
		at = logical.AttrOf(l)
		at.Null = at.Null || g.tag != nil
	}
	g.keys[name] = at
	g.keyAttrs = append(g.keyAttrs, at)
	return at
}

// windowed replaces window(…) calls in the list by the window that is grouped by.
func (g *grouping) windowed(items []expr.Expr) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(items))
	for i, e := range items {
		var err error
		out[i], err = expr.TransformErr(e, func(x expr.Expr) (expr.Expr, error) {
			c, ok := x.(*expr.Call)
			if !ok || !isWindowCall(c) {
				return x, nil
			}
			if w := findWindow(g.child, c); w != nil {
				return w.Attr, nil
			}
			return nil, at(usererr.New("MISSING_AGGREGATION", "42803", "%s stands in the select list but not in GROUP BY.", c.Fn).WithFix("Add it to GROUP BY, with the same arguments."), g.a.place(c))
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rewriteItem is an item of the list over keys and aggregates; it keeps its name. An aggregate takes the name of its item.
func (g *grouping) rewriteItem(e expr.Expr) (expr.Expr, error) {
	if l, ok := e.(*expr.Alias); ok {
		if x, ok := l.Child.(*expr.Agg); ok {
			if at := g.addAgg(x, l.Name); at.Name == l.Name {
				return at, nil
			}
		}
	}
	r, err := g.rewrite(e)
	if err != nil {
		return nil, err
	}
	switch r := r.(type) {
	case *expr.Alias:
		if at, ok := r.Child.(*expr.Attr); ok && at.Name == r.Name {
			return at, nil
		}
		return r, nil
	case *expr.Attr:
		if at, ok := e.(*expr.Attr); ok && at.ID == r.ID {
			c := *r
			c.Name, c.Qualifier, c.PlanIDs = at.Name, at.Qualifier, at.PlanIDs
			return &c, nil
		}
	}
	return &expr.Alias{Child: r, Name: itemName(e, r), ID: expr.NewID()}, nil
}

// rewrite replaces keys and aggregates in e by their attributes. A column that is neither is the user's mistake.
func (g *grouping) rewrite(e expr.Expr) (expr.Expr, error) {
	if at := g.keys[same(e)]; at != nil {
		if _, named := e.(*expr.Alias); !named {
			return at, nil
		}
	}
	switch e := e.(type) {
	case *expr.Call:
		if isGroupingCall(e) {
			return g.groupingCall(e)
		}
	case *expr.Agg:
		return g.addAgg(e, columnName(e)), nil
	case *expr.Attr:
		if g.isOutput(e) || g.ofSubquery(e) {
			return e, nil
		}
		return nil, g.ungrouped(e)
	}
	kids := e.Children()
	if len(kids) == 0 {
		return e, nil
	}
	out := make([]expr.Expr, len(kids))
	for i, k := range kids {
		var err error
		if out[i], err = g.rewrite(k); err != nil {
			return nil, err
		}
	}
	return e.WithChildren(out), nil
}

// addAgg makes e one of the aggregates, under a name if it is new, and returns its attribute.
func (g *grouping) addAgg(e *expr.Agg, name string) *expr.Attr {
	key := same(e)
	if at := g.aggs[key]; at != nil {
		return at
	}
	l := &expr.Alias{Child: e, Name: name, ID: expr.NewID()}
	g.aggList = append(g.aggList, l)
	g.aggs[key] = logical.AttrOf(l)
	return g.aggs[key]
}

// isOutput reports whether e already is a key's or an aggregate's attribute, or the number of the grouping set.
func (g *grouping) isOutput(e *expr.Attr) bool {
	if g.tag != nil && g.tag.ID == e.ID {
		return true
	}
	for _, k := range g.keyAttrs {
		if k.ID == e.ID {
			return true
		}
	}
	for _, l := range g.aggList {
		if l.(*expr.Alias).ID == e.ID {
			return true
		}
	}
	return false
}

func (g *grouping) ungrouped(e *expr.Attr) error {
	err := usererr.New("MISSING_AGGREGATION", "42803", "The non-aggregating expression \"%s\" is based on columns which are not participating in the GROUP BY clause.", e.Name).
		With("expression", e.Name).WithFix("Add it to GROUP BY, or write any_value(%s) if it does not matter which value you get.", e.Name)
	if len(g.keyAttrs) == 0 {
		err = usererr.New("MISSING_GROUP_BY", "42803", "The query is one group, for it has aggregates or HAVING but no GROUP BY, and \"%s\" is not aggregated.", e.Name).
			WithFix("Add GROUP BY %s, or write any_value(%s).", e.Name, e.Name)
	}
	return at(err, g.a.pos[e])
}

// scope is what names mean in HAVING and ORDER BY: first what the list puts out, then the grouped columns.
func (g *grouping) scope() *scope {
	var shown []*expr.Attr
	for _, e := range g.items {
		shown = append(shown, logical.AttrOf(e))
	}
	return &scope{layers: [][]*expr.Attr{shown, g.names}, inner: g.names}
}

// over resolves e above the aggregate: in terms of keys and aggregates only.
func (g *grouping) over(e expr.Expr) (expr.Expr, error) {
	r, err := g.a.expr(e, g.scope())
	if err != nil {
		return nil, err
	}
	list, err := g.windowed([]expr.Expr{r})
	if err != nil {
		return nil, err
	}
	defs := map[int64]expr.Expr{}
	for _, item := range g.items {
		if l, ok := item.(*expr.Alias); ok {
			defs[l.ID] = l.Child
		}
	}
	r = expr.Transform(list[0], func(x expr.Expr) expr.Expr {
		if at, ok := x.(*expr.Attr); ok && defs[at.ID] != nil {
			return defs[at.ID]
		}
		return x
	})
	return g.rewrite(r)
}

func (g *grouping) setHaving(e expr.Expr) error {
	cond, err := g.over(e)
	if err != nil {
		return err
	}
	if err := g.a.condition(cond, "HAVING"); err != nil {
		return err
	}
	g.having = boolean(cond)
	return nil
}

// build puts the nodes together and remembers the grouping under the result, for a Sort or Filter above it.
func (g *grouping) build() logical.Plan {
	child := g.child
	if len(g.computed) > 0 {
		child = &logical.Project{List: append(attrExprs(child.Output()), g.computed...), Child: child}
	}
	keys := g.keyAttrs
	if g.tag != nil {
		child = &logical.Expand{Varying: g.keyAttrs, Sets: g.sets, Tag: g.tag, Child: child}
		keys = append(keys[:len(keys):len(keys)], g.tag)
	}
	agg := &logical.Aggregate{Keys: attrExprs(keys), List: append(attrExprs(keys), g.aggList...), Child: child}
	out := logical.Plan(agg)
	out = joinScalars(out, g.subs)
	if g.having != nil {
		out = &logical.Filter{Cond: g.having, Child: out}
	}
	items, out := overs(g.items, out)
	out = &logical.Project{List: items, Child: out}
	g.a.aggs[out] = g
	return out
}

// extend resolves expressions above the aggregation, adding to its list what they need beyond it.
func (g *grouping) extend(exprs []expr.Expr) ([]expr.Expr, logical.Plan, error) {
	out := make([]expr.Expr, len(exprs))
	shown := g.scope().layers[0]
	n := len(g.items)
	var extra []expr.Expr
	for i, e := range exprs {
		if pos, ok := ordinal(e); ok {
			at, err := position(pos, shown, "ORDER BY")
			if err != nil {
				return nil, nil, err
			}
			out[i] = at
			continue
		}
		r, err := g.over(e)
		if err != nil {
			return nil, nil, err
		}
		out[i], extra = g.shownAs(r, extra)
	}
	before := g.items
	g.items = append(g.items[:n:n], extra...)
	p := g.build()
	g.items = before
	return out, p, nil
}

// shownAs is the attribute under which r is put out: an item of the list, or one of extra, added if need be.
func (g *grouping) shownAs(r expr.Expr, extra []expr.Expr) (expr.Expr, []expr.Expr) {
	for _, item := range append(g.items[:len(g.items):len(g.items)], extra...) {
		if same(item) == same(r) {
			return logical.AttrOf(item), extra
		}
	}
	if at, ok := r.(*expr.Attr); ok {
		return at, append(extra, at)
	}
	l := &expr.Alias{Child: r, Name: columnName(r), ID: expr.NewID()}
	return logical.AttrOf(l), append(extra, l)
}

// ofSubquery reports whether e is the value of a subquery: it is the same for all groups.
func (g *grouping) ofSubquery(e *expr.Attr) bool {
	subs := g.subs
	if g.a.subs != nil {
		subs = append(subs[:len(subs):len(subs)], *g.a.subs...)
	}
	for _, s := range subs {
		if indexOfAttr(s.plan.Output(), e.ID) {
			return true
		}
	}
	return false
}

func indexOfAttr(attrs []*expr.Attr, id int64) bool {
	for _, a := range attrs {
		if a.ID == id {
			return true
		}
	}
	return false
}

// checkSubs refuses subqueries that read columns of a query that is grouped: each group has many of their values.
func (g *grouping) checkSubs() error {
	for _, s := range g.subs {
		if s.cond != nil {
			return usererr.New("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_COLUMN_IS_NOT_ALLOWED_IN_PREDICATE", "0A000",
				"A subquery in the SELECT list or in HAVING of a grouped query reads columns of that query.").WithFix("Group in a subquery first.")
		}
	}
	return nil
}
