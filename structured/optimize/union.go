package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// union brings the children's columns to common types under the names of the first.
func (a *analyzer) union(p *logical.Union) (logical.Plan, error) {
	kids := make([]logical.Plan, len(p.Kids))
	for i, k := range p.Kids {
		r, err := a.plan(k)
		if err != nil {
			return nil, err
		}
		kids[i] = visible(r)
	}
	if p.ByName {
		var err error
		if kids, err = byName(kids, p.AllowMissing); err != nil {
			return nil, err
		}
	}
	return unite(kids, "UNION")
}

// unite is the union of resolved children by position.
func unite(kids []logical.Plan, op string) (logical.Plan, error) {
	first := kids[0].Output()
	types := make([]column.Type, len(first))
	attrs := make([]*expr.Attr, len(first))
	for i, at := range first {
		types[i] = at.Typ
		attrs[i] = &expr.Attr{ID: expr.NewID(), Name: at.Name}
	}
	for n, k := range kids {
		out := k.Output()
		if len(out) != len(first) {
			return nil, usererr.New("NUM_COLUMNS_MISMATCH", "42826", "%s can only be performed on inputs with the same number of columns, but the first input has %d columns and input %d has %d columns.", op, len(first), n+1, len(out)).
				WithFix("Select the same columns on all sides.")
		}
		for i, at := range out {
			t, ok := expr.CommonType(types[i], at.Typ)
			if !ok {
				return nil, usererr.New("INCOMPATIBLE_COLUMN_TYPE", "42825", "%s can only be performed on compatible types: column %d of input %d has type %s, which is not compatible with %s of the first input.", op, i+1, n+1, at.Typ, types[i]).
					WithFix("Cast one of them.")
			}
			types[i] = t
			attrs[i].Null = attrs[i].Null || at.Null
		}
	}
	for i, t := range types {
		attrs[i].Typ = t
	}
	for n, k := range kids {
		kids[n] = castTo(k, types)
	}
	return &logical.Union{Kids: kids, Attrs: attrs}, nil
}

// castTo projects p's columns to the types; p itself when they have them.
func castTo(p logical.Plan, types []column.Type) logical.Plan {
	out := p.Output()
	list := make([]expr.Expr, len(out))
	changed := false
	for i, at := range out {
		list[i] = at
		if !at.Typ.Equal(types[i]) {
			list[i] = &expr.Alias{Child: expr.Coerce(at, types[i]), Name: at.Name, ID: expr.NewID()}
			changed = true
		}
	}
	if !changed {
		return p
	}
	return &logical.Project{List: list, Child: p}
}

// byName orders the children's columns as the first's. With missing, columns that a child lacks are null, and columns
// that the first lacks follow at the end.
func byName(kids []logical.Plan, missing bool) ([]logical.Plan, error) {
	var names []string
	types := map[string]column.Type{}
	for i, k := range kids {
		for _, at := range k.Output() {
			if indexOf(names, at.Name) >= 0 {
				continue
			}
			if i > 0 && !missing {
				return nil, lacks(at.Name, 1)
			}
			names = append(names, at.Name)
			types[at.Name] = at.Typ
		}
	}
	out := make([]logical.Plan, len(kids))
	for i, k := range kids {
		list := make([]expr.Expr, len(names))
		for c, n := range names {
			switch found := matching(k.Output(), nil, n); {
			case len(found) > 0:
				list[c] = found[0]
			case !missing:
				return nil, lacks(n, i+1)
			default:
				list[c] = &expr.Alias{Child: &expr.Literal{Typ: types[n]}, Name: n, ID: expr.NewID()}
			}
		}
		out[i] = &logical.Project{List: list, Child: k}
	}
	return out, nil
}

func lacks(name string, input int) error {
	return usererr.New("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", "UNION BY NAME needs the column `%s` in every input, but input %d has none.", name, input).
		WithFix("Select it there, or allow missing columns.")
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if equalFold(n, name) {
			return i
		}
	}
	return -1
}

// setOp is INTERSECT or EXCEPT: both sides marked and united, grouped by all columns (so that nulls are equal), and kept
// by which sides a group was seen on.
func (a *analyzer) setOp(p *logical.SetOp) (logical.Plan, error) {
	op := "INTERSECT"
	if p.Except {
		op = "EXCEPT"
	}
	kids := make([]logical.Plan, 2)
	for i, k := range []logical.Plan{p.Left, p.Right} {
		r, err := a.plan(k)
		if err != nil {
			return nil, err
		}
		r = visible(r)
		mark := &expr.Alias{Child: &expr.Literal{Value: i == 1, Typ: column.Of(column.Bool)}, Name: "_right", ID: expr.NewID()}
		kids[i] = &logical.Project{List: append(attrExprs(r.Output()), mark), Child: r}
	}
	u, err := unite(kids, op)
	if err != nil {
		return nil, at(err, p.Pos)
	}
	all := u.Output()
	if err := a.allOrdered(attrExprs(all), notDistinct); err != nil {
		return nil, at(err, p.Pos)
	}
	keys, mark := all[:len(all)-1], all[len(all)-1]
	if !p.All {
		return keepSides(u, keys, keys, mark, p.Except)
	}
	// The n-th row of a kind on one side belongs to the n-th of its kind on the other.
	numbered, n, err := copyNumbers(u, all)
	if err != nil {
		return nil, err
	}
	return keepSides(numbered, keys, append(keys[:len(keys):len(keys)], n), mark, p.Except)
}

// copyNumbers counts the equal rows of p, from 1.
func copyNumbers(p logical.Plan, attrs []*expr.Attr) (logical.Plan, *expr.Attr, error) {
	o, err := expr.ResolveOver(&expr.Over{Fn: &expr.UnresolvedCall{Name: "row_number"}, Partition: attrExprs(attrs), Order: []*expr.SortOrder{{Child: attrs[0]}}})
	if err != nil {
		return nil, nil, err
	}
	l := &expr.Alias{Child: o, Name: "_copy", ID: expr.NewID()}
	return &logical.Over{List: []expr.Expr{l}, Child: p}, logical.AttrOf(l), nil
}

// keepSides groups by keys and keeps groups seen on the left only (except) or on both sides; it puts out the shown keys.
func keepSides(u logical.Plan, shown, keys []*expr.Attr, mark *expr.Attr, except bool) (logical.Plan, error) {
	list := attrExprs(keys)
	var cond expr.Expr
	for _, fn := range []string{"min", "max"} { // min is false: seen on the left; max is true: seen on the right
		g, err := expr.ResolveCall(&expr.UnresolvedCall{Name: fn, Args: []expr.Expr{mark}})
		if err != nil {
			return nil, err
		}
		l := &expr.Alias{Child: g, Name: fn, ID: expr.NewID()}
		list = append(list, l)
		test := expr.Expr(logical.AttrOf(l))
		if fn == "min" || except {
			if test, err = expr.ResolveCall(&expr.UnresolvedCall{Name: "not", Args: []expr.Expr{test}}); err != nil {
				return nil, err
			}
		}
		if cond, err = and(cond, test); err != nil {
			return nil, err
		}
	}
	agg := &logical.Aggregate{Keys: attrExprs(keys), List: list, Child: u}
	return &logical.Project{List: attrExprs(shown), Child: &logical.Filter{Cond: cond, Child: agg}}, nil
}
