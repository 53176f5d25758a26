package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// A subquery that correlation.pull cannot turn into a join is computed once for each combination of the outer columns that it
// reads, after Neumann and Kemper, "Unnesting Arbitrary Queries" (2015):
//
//	outer ⋈ (subquery over the domain D) ON outer.k <=> D.k,   D = the distinct k of outer
//
// D takes part where the subquery reads the outer columns, and its columns are carried up from there: a group, a window, a LIMIT
// of the subquery is then one for each of D's rows.

// unnester computes one subquery for a domain.
type unnester struct {
	ctx   *expr.Context
	outer logical.Plan
	reads []*expr.Attr // the outer columns that the subquery reads
}

// domainAttrs are D's columns at some place of the plan, in the order of reads.
type domainAttrs []*expr.Attr

// unnest returns q without the columns of outer that it reads, with D's columns beside its own, and the conditions under which
// a row of it belongs to a row of outer.
func unnest(ctx *expr.Context, q, outer logical.Plan) (logical.Plan, []expr.Expr, error) {
	u := &unnester{ctx: ctx, outer: outer}
	have := idsOf(outer.Output())
	seen := idSet{}
	logical.Walk(q, func(n logical.Plan) bool {
		for _, e := range n.Exprs() {
			expr.Walk(e, func(x expr.Expr) bool {
				if o, ok := x.(*outerRef); ok && have[o.attr.ID] && !seen[o.attr.ID] {
					seen[o.attr.ID] = true
					u.reads = append(u.reads, o.attr)
				}
				return true
			})
		}
		return true
	})
	p, d, err := u.push(q)
	if err != nil {
		return nil, nil, err
	}
	conds := make([]expr.Expr, len(d))
	for i, at := range d {
		conds[i] = sameValue(u.reads[i], at)
	}
	return p, conds, nil
}

// sameValue is a <=> b for columns of one type.
func sameValue(a, b expr.Expr) expr.Expr {
	return &expr.Call{Fn: "<=>", Args: []expr.Expr{a, b}, Typ: column.Of(column.Bool)}
}

// domain is a plan of D with attributes of its own.
func (u *unnester) domain() (logical.Plan, domainAttrs) {
	list := make([]expr.Expr, len(u.reads))
	for i, a := range u.reads {
		list[i] = &expr.Alias{Child: a, Name: a.Name, ID: expr.NewID()}
	}
	p := fresh(&logical.Project{List: list, Child: u.outer})
	out := p.Output()
	return &logical.Dedup{Cols: attrExprs(out), Child: p}, out
}

// here reports whether p itself reads the outer columns, below whether anything in it does.
func (u *unnester) here(p logical.Plan) bool {
	for _, e := range p.Exprs() {
		if u.inExpr(e) {
			return true
		}
	}
	return false
}

func (u *unnester) inExpr(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(x expr.Expr) bool {
		if o, ok := x.(*outerRef); ok && u.index(o) >= 0 {
			found = true
		}
		return !found
	})
	return found
}

func (u *unnester) below(p logical.Plan) bool {
	found := false
	logical.Walk(p, func(n logical.Plan) bool {
		found = found || u.here(n)
		return !found
	})
	return found
}

func (u *unnester) index(o *outerRef) int {
	for i, a := range u.reads {
		if a.ID == o.attr.ID {
			return i
		}
	}
	return -1
}

// bind replaces outer columns by D's.
func (u *unnester) bind(e expr.Expr, d domainAttrs) expr.Expr {
	return expr.Transform(e, func(x expr.Expr) expr.Expr {
		if o, ok := x.(*outerRef); ok {
			if i := u.index(o); i >= 0 {
				return d[i]
			}
		}
		return x
	})
}

func (u *unnester) bindAll(list []expr.Expr, d domainAttrs) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = u.bind(e, d)
	}
	return out
}

// push returns p for each row of D, and D's columns in it.
func (u *unnester) push(p logical.Plan) (logical.Plan, domainAttrs, error) {
	if !u.below(p) {
		dom, d := u.domain()
		return &logical.Join{Kind: logical.Cross, Left: dom, Right: p}, d, nil
	}
	switch p := p.(type) {
	case *logical.SubqueryAlias, *logical.PlanID, *logical.Hint, *logical.Repartition:
		return u.push(p.Children()[0])
	case *logical.Project:
		return u.project(p)
	case *logical.Filter:
		kid, d, err := u.push(p.Child)
		if err != nil {
			return nil, nil, err
		}
		return &logical.Filter{Cond: u.bind(p.Cond, d), Child: kid}, d, nil
	case *logical.Generate:
		kid, d, err := u.push(p.Child)
		if err != nil {
			return nil, nil, err
		}
		c := *p
		c.Child = kid
		return c.WithExprs(u.bindAll(c.Exprs(), d)), d, nil
	case *logical.Sort: // its order means nothing to a join
		return u.push(p.Child)
	case *logical.Limit:
		return u.limit(p)
	case *logical.Dedup:
		kid, d, err := u.push(p.Child)
		if err != nil {
			return nil, nil, err
		}
		return &logical.Dedup{Cols: append(u.bindAll(p.Cols, d), attrExprs(d)...), Child: kid}, d, nil
	case *logical.Aggregate:
		return u.aggregate(p)
	case *logical.Over:
		return u.over(p)
	case *logical.Union:
		return u.union(p)
	case *logical.Join:
		return u.join(p)
	case *logical.Expand:
		kid, d, err := u.push(p.Child)
		if err != nil {
			return nil, nil, err
		}
		return p.WithChildren([]logical.Plan{kid}), d, nil
	}
	return nil, nil, cannotPull(outerOf(p), "below "+nodeWord(p))
}

func (u *unnester) project(p *logical.Project) (logical.Plan, domainAttrs, error) {
	kid, d, err := u.push(p.Child)
	if err != nil {
		return nil, nil, err
	}
	return &logical.Project{List: append(u.bindAll(p.List, d), attrExprs(d)...), Child: kid}, d, nil
}

// limit numbers the rows of each of D's rows and keeps the first.
func (u *unnester) limit(p *logical.Limit) (logical.Plan, domainAttrs, error) {
	child := p.Child
	var order []*expr.SortOrder
	shown := child.Output()
	for {
		if s, ok := child.(*logical.Sort); ok {
			order, child = s.Orders, s.Child
			break
		}
		pr, ok := child.(*logical.Project) // a projection that only drops what ORDER BY read
		if !ok || !passesOn(pr) {
			break
		}
		child = pr.Child
	}
	if order == nil {
		child = p.Child
	}
	kid, d, err := u.push(child)
	if err != nil {
		return nil, nil, err
	}
	o := &expr.Over{Fn: &expr.UnresolvedCall{Name: "row_number"}, Partition: attrExprs(d)}
	for _, s := range order {
		o.Order = append(o.Order, &expr.SortOrder{Child: u.bind(s.Child, d), Desc: s.Desc, NullsFirst: s.NullsFirst})
	}
	if order == nil {
		o.Order = []*expr.SortOrder{{Child: d[0]}}
	}
	r, err := expr.ResolveOver(o)
	if err != nil {
		return nil, nil, err
	}
	n := &expr.Alias{Child: r, Name: "_row", ID: expr.NewID()}
	var conds []expr.Expr
	bound := func(op string, v int64) error {
		e, err := expr.ResolveCall(&expr.UnresolvedCall{Name: op, Args: []expr.Expr{logical.AttrOf(n), expr.Lit(v)}})
		conds = append(conds, e)
		return err
	}
	if p.N >= 0 {
		if err := bound("<=", p.N+p.Offset); err != nil {
			return nil, nil, err
		}
	}
	if p.Offset > 0 {
		if err := bound(">", p.Offset); err != nil {
			return nil, nil, err
		}
	}
	out := filtered(&logical.Over{List: []expr.Expr{n}, Child: kid}, conds)
	return &logical.Project{List: append(attrExprs(shown), attrExprs(d)...), Child: out}, d, nil
}

// passesOn reports whether a projection is of columns alone.
func passesOn(p *logical.Project) bool {
	for _, e := range p.List {
		if _, ok := e.(*expr.Attr); !ok {
			return false
		}
	}
	return true
}

// aggregate makes D's columns keys. Without keys of its own there is a row for each of D's, of the aggregates of no rows where
// nothing was found.
func (u *unnester) aggregate(p *logical.Aggregate) (logical.Plan, domainAttrs, error) {
	kid, d, err := u.push(p.Child)
	if err != nil {
		return nil, nil, err
	}
	g := &logical.Aggregate{Keys: append(u.bindAll(p.Keys, d), attrExprs(d)...), List: append(u.bindAll(p.List, d), attrExprs(d)...), Child: kid}
	if len(p.Keys) > 0 {
		return g, d, nil
	}
	none, err := absentOf(p.List)
	if err != nil {
		return nil, nil, err
	}
	dom, all := u.domain()
	conds := make([]expr.Expr, len(d))
	for i := range d {
		conds[i] = sameValue(all[i], d[i])
	}
	found := &expr.Alias{Child: expr.Lit(true), Name: "_found", ID: expr.NewID()}
	right := &logical.Project{List: append(attrExprs(g.Output()), found), Child: g}
	j := &logical.Join{Kind: logical.LeftOuter, Left: dom, Right: right, Cond: allOf(conds)}
	there := *logical.AttrOf(found)
	there.Null = true
	var list []expr.Expr
	for _, e := range p.List {
		at := *logical.AttrOf(e)
		at.Null = true
		l := none[at.ID]
		if l == nil || l.Value == nil {
			list = append(list, &at)
			continue
		}
		missing, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "isnull", Args: []expr.Expr{&there}})
		if err != nil {
			return nil, nil, err
		}
		list = append(list, &expr.Alias{Child: &expr.Case{Whens: []expr.Expr{missing}, Thens: []expr.Expr{l}, Else: &at}, Name: at.Name, ID: at.ID})
	}
	return &logical.Project{List: append(list, attrExprs(all)...), Child: j}, all, nil
}

func (u *unnester) over(p *logical.Over) (logical.Plan, domainAttrs, error) {
	kid, d, err := u.push(p.Child)
	if err != nil {
		return nil, nil, err
	}
	list := make([]expr.Expr, len(p.List))
	for i, e := range p.List {
		l := u.bind(e, d).(*expr.Alias)
		o := *l.Child.(*expr.Over)
		o.Partition = append(o.Partition[:len(o.Partition):len(o.Partition)], attrExprs(d)...)
		list[i] = &expr.Alias{Child: &o, Name: l.Name, ID: l.ID}
	}
	return &logical.Over{List: list, Child: kid}, d, nil
}

func (u *unnester) union(p *logical.Union) (logical.Plan, domainAttrs, error) {
	kids := make([]logical.Plan, len(p.Kids))
	for i, k := range p.Kids {
		kid, d, err := u.push(k)
		if err != nil {
			return nil, nil, err
		}
		kids[i] = exactly(kid, append(k.Output(), d...))
	}
	out := make(domainAttrs, len(u.reads))
	for i, a := range u.reads {
		out[i] = &expr.Attr{ID: expr.NewID(), Name: a.Name, Typ: a.Typ, Null: a.Null}
	}
	return &logical.Union{Kids: kids, Attrs: append(p.Attrs[:len(p.Attrs):len(p.Attrs)], out...)}, out, nil
}

// join computes for D the sides that need it: those that read outer columns, and for an outer join those that are kept whole. Two
// sides that both do are joined on D as well.
func (u *unnester) join(p *logical.Join) (logical.Plan, domainAttrs, error) {
	left, right := u.below(p.Left), u.below(p.Right)
	switch p.Kind {
	case logical.LeftOuter, logical.LeftSemi, logical.LeftAnti:
		left = true
	case logical.RightOuter:
		right = true
	case logical.FullOuter:
		left, right = true, true
	default:
		left = left || !right
	}
	j := *p
	var dl, dr, d domainAttrs
	var err error
	if left {
		if j.Left, dl, err = u.push(p.Left); err != nil {
			return nil, nil, err
		}
		d = dl
	}
	if right {
		if j.Right, dr, err = u.push(p.Right); err != nil {
			return nil, nil, err
		}
		if d == nil || p.Kind == logical.RightOuter {
			d = dr
		}
	}
	var conds []expr.Expr
	if p.Cond != nil {
		conds = conjuncts(u.bind(p.Cond, d))
	}
	if left && right {
		for i := range dl {
			conds = append(conds, sameValue(dl[i], dr[i]))
		}
		if j.Kind == logical.Cross {
			j.Kind = logical.Inner
		}
	}
	j.Cond = allOf(conds)
	if p.Kind != logical.FullOuter {
		return &j, d, nil
	}
	list := attrExprs(p.Output())
	both := make(domainAttrs, len(dl))
	for i := range dl {
		e, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "coalesce", Args: []expr.Expr{outerAttr(dl[i]), outerAttr(dr[i])}})
		if err != nil {
			return nil, nil, err
		}
		l := &expr.Alias{Child: e, Name: dl[i].Name, ID: expr.NewID()}
		both[i] = logical.AttrOf(l)
		list = append(list, l)
	}
	return &logical.Project{List: list, Child: &j}, both, nil
}
