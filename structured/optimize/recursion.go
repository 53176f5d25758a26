package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// recursive is the resolved plan of a recursive name in a WITH: each use of the name gets a copy.
type recursive struct{ done }

// names reports whether p, outside of what other WITHs call so, reads the table name.
func names(p logical.Plan, name string) bool {
	found := false
	visit := func(n logical.Plan) bool {
		if u, ok := n.(*logical.UnresolvedTable); ok && len(u.Parts) == 1 && equalFold(u.Parts[0], name) {
			found = true
		}
		return !found
	}
	walkAll(p, visit)
	return found
}

// walkAll visits p, everything below it and the subqueries of its expressions.
func walkAll(p logical.Plan, visit func(logical.Plan) bool) {
	logical.Walk(p, func(n logical.Plan) bool {
		if !visit(n) {
			return false
		}
		for _, e := range n.Exprs() {
			expr.Walk(e, func(x expr.Expr) bool {
				if s, ok := x.(*logical.Subquery); ok {
					walkAll(s.Query, visit)
				}
				return true
			})
		}
		return true
	})
}

// recursion resolves the i-th name of a WITH RECURSIVE: a UNION of queries that do not read it, the anchor, and of queries that
// do, the step, whose columns are brought to the anchor's types.
func (a *analyzer) recursion(p *logical.With, i int) (logical.Plan, error) {
	name := p.Names[i]
	alias := p.Plans[i].(*logical.SubqueryAlias)
	kids, distinct, err := recursiveParts(alias, name)
	if err != nil {
		return nil, err
	}
	var anchors, steps []logical.Plan
	for _, k := range kids {
		if names(k, name) {
			steps = append(steps, k)
		} else {
			anchors = append(anchors, k)
		}
	}
	if len(anchors) == 0 {
		return nil, usererr.New("INVALID_RECURSIVE_CTE", "42836", "The recursive query `%s` has no part that does not read itself, so it never begins.", name).
			WithFix("Write SELECT … of the first rows, then UNION ALL and the step.")
	}
	anchor, err := a.plan(union(anchors))
	if err != nil {
		return nil, err
	}
	anchor = visible(anchor)
	r := &logical.Recursion{ID: expr.NewID(), Name: name, Anchor: anchor, Distinct: distinct}
	if i < len(p.Levels) {
		r.MaxLevel = p.Levels[i]
	}
	if n := len(anchor.Output()); len(alias.Names) > 0 && len(alias.Names) != n {
		return nil, usererr.New("ASSIGNMENT_ARITY_MISMATCH", "42802", "The alias %s names %d columns, but there are %d.", alias.Alias, len(alias.Names), n).WithFix("Name all columns, or none.")
	}
	types := make([]column.Type, len(anchor.Output()))
	for c, at := range anchor.Output() {
		types[c] = at.Typ
		n := at.Name
		if len(alias.Names) > 0 {
			n = alias.Names[c]
		}
		r.Attrs = append(r.Attrs, &expr.Attr{ID: expr.NewID(), Name: n, Typ: at.Typ, Null: true})
	}
	outer := a.scope
	a.scope = &ctes{name, &logical.SubqueryAlias{Alias: name, Child: &logical.WorkTable{ID: r.ID, Name: name, Attrs: r.Attrs}}, outer}
	step, err := a.plan(union(steps))
	a.scope = outer
	if err != nil {
		return nil, err
	}
	step = visible(step)
	if r.Step, err = fitted(step, types, name); err != nil {
		return nil, err
	}
	if logical.IsStreaming(r) {
		return nil, usererr.New("UNSUPPORTED_FEATURE.STREAMING_RECURSION", "0A000", "The recursive query `%s` reads a stream.", name).WithFix("Run it over history.")
	}
	return &logical.SubqueryAlias{Alias: name, Child: r}, nil
}

// recursiveParts are the queries that the UNION joins.
func recursiveParts(alias *logical.SubqueryAlias, name string) (kids []logical.Plan, distinct bool, err error) {
	body := alias.Child
	if d, ok := body.(*logical.Dedup); ok && len(d.Cols) == 0 {
		body, distinct = d.Child, true
	}
	u, ok := body.(*logical.Union)
	if !ok || u.ByName {
		return nil, false, usererr.New("INVALID_RECURSIVE_REFERENCE.PLACE", "42836", "The query `%s` reads itself, but is no UNION of its first rows and a step.", name).
			WithFix("Write %s AS (SELECT … UNION ALL SELECT … FROM %s …).", name, name)
	}
	return u.Kids, distinct, nil
}

func union(kids []logical.Plan) logical.Plan {
	if len(kids) == 1 {
		return kids[0]
	}
	return &logical.Union{Kids: kids}
}

// fitted casts the step's columns to the anchor's types.
func fitted(step logical.Plan, types []column.Type, name string) (logical.Plan, error) {
	out := step.Output()
	if len(out) != len(types) {
		return nil, usererr.New("NUM_COLUMNS_MISMATCH", "42826", "UNION can only be performed on inputs with the same number of columns, but the first rows of `%s` have %d columns and its step has %d.", name, len(types), len(out)).
			WithFix("Select the same columns on both sides.")
	}
	list := make([]expr.Expr, len(out))
	for i, at := range out {
		if _, ok := expr.CommonType(types[i], at.Typ); !ok {
			return nil, usererr.New("INCOMPATIBLE_COLUMN_TYPE", "42825", "Column %d of the step of `%s` has type %s, which is not compatible with %s of its first rows.", i+1, name, at.Typ, types[i]).WithFix("Cast one of them.")
		}
		list[i] = at
		if !at.Typ.Equal(types[i]) {
			c, err := expr.ResolveCast(&expr.Cast{Child: at, To: types[i]})
			if err != nil {
				return nil, err
			}
			list[i] = &expr.Alias{Child: c, Name: at.Name, ID: expr.NewID()}
		}
	}
	return &logical.Project{List: list, Child: step}, nil
}

// workTable is a reference to the rows of the last level, under ids of its own.
func (a *analyzer) workTable(p *logical.WorkTable) logical.Plan { return fresh(p) }
