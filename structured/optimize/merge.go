package optimize

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// merging is a MERGE that is being resolved: the table's rows joined with the source's. A row of the table has _target, a
// number of its own, and one of the source has _source; the side that has no partner is null.
type merging struct {
	a      *analyzer
	t      *changed
	joined logical.Plan
	target []*expr.Attr // the table's columns
	source []*expr.Attr
	inT    expr.Expr // the row has a side of the table; of the source
	inS    expr.Expr
}

// merge makes of each joined row the row that the table holds afterwards, or none.
func (a *analyzer) merge(p *logical.Merge) (logical.Plan, error) {
	t, err := a.changing("MERGE", p.Table, p.Alias, p.Pos)
	if err != nil {
		return nil, err
	}
	m := &merging{a: a, t: t}
	if err := m.join(p); err != nil {
		return nil, err
	}
	values := make([][]branch, len(t.fields))
	var keep []branch
	for i, c := range p.Cases {
		if err := lastIsOpen(p.Cases, i); err != nil {
			return nil, err
		}
		cond, row, err := m.effect(c)
		if err != nil {
			return nil, err
		}
		keep = append(keep, branch{cond, expr.Lit(row != nil)})
		for k := range row {
			values[k] = append(values[k], branch{cond, row[k]})
		}
	}
	keep = append(keep, branch{m.inT, expr.Lit(true)})
	kept, err := m.checked(when(keep, expr.Lit(false)), p.Cases)
	if err != nil {
		return nil, err
	}
	items := make([]expr.Expr, len(t.fields))
	for k, f := range t.fields {
		items[k] = named(f, expr.Coerce(when(values[k], m.target[k]), f.Type))
	}
	touched, err := a.touchedByMerge(t, p)
	return &logical.Rewrite{Target: t.table, Query: &logical.Project{List: items, Child: &logical.Filter{Cond: kept, Child: m.joined}}, Touched: touched, Adds: true}, err
}

// lastIsOpen refuses a case behind one of its kind that has no condition: it would never apply.
func lastIsOpen(cases []logical.MergeCase, i int) error {
	for _, c := range cases[:i] {
		if c.When == cases[i].When && c.Cond == nil {
			code := map[logical.MergeWhen]string{logical.Matched: "NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION", logical.NotMatched: "NON_LAST_NOT_MATCHED_BY_TARGET_CLAUSE_OMIT_CONDITION",
				logical.NotMatchedBySource: "NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION"}[c.When]
			return usererr.New(code, "42613", "Only the last WHEN %s of a MERGE may be without a condition.", c.When).At(c.Pos.Line, c.Pos.Col).WithFix("Give it AND condition, or put it last.")
		}
	}
	return nil
}

// join puts the two sides together: all rows of the table, and those of the source when some case inserts.
func (m *merging) join(p *logical.Merge) error {
	left, err := m.side(done{m.t.scan}, &expr.UnresolvedCall{Name: "monotonically_increasing_id"}, "_target")
	if err != nil {
		return err
	}
	right, err := m.side(p.Source, expr.Lit(true), "_source")
	if err != nil {
		return err
	}
	j := &logical.Join{Kind: logical.LeftOuter, Left: done{left}, Right: done{right}, Cond: p.On}
	for _, c := range p.Cases {
		if c.When == logical.NotMatched {
			j.Kind = logical.FullOuter
		}
	}
	if m.joined, err = m.a.plan(j); err != nil {
		return err
	}
	out := m.joined.Output()
	n := len(left.Output())
	m.target, m.source = out[:n-1], out[n:len(out)-1]
	m.inT, m.inS = isNotNull(out[n-1]), isNotNull(out[len(out)-1])
	return nil
}

func (m *merging) side(p logical.Plan, mark expr.Expr, name string) (logical.Plan, error) {
	q, err := m.a.plan(&logical.Project{List: []expr.Expr{&expr.Star{}, &expr.Alias{Child: mark, Name: name}}, Child: p})
	return q, err
}

func isNotNull(e expr.Expr) expr.Expr {
	return &expr.Call{Fn: "isnotnull", Args: []expr.Expr{e}, Typ: column.Of(column.Bool)}
}

func not(e expr.Expr) expr.Expr {
	return &expr.Call{Fn: "not", Args: []expr.Expr{e}, Typ: column.Of(column.Bool), Null: e.Nullable()}
}

// effect is when a case applies, and the row that it makes; a nil row is none.
func (m *merging) effect(c logical.MergeCase) (cond expr.Expr, row []expr.Expr, err error) {
	var conds, sides []expr.Expr
	in := &scope{}
	switch c.When {
	case logical.Matched:
		sides, in.layers = []expr.Expr{m.inT, m.inS}, [][]*expr.Attr{append(append([]*expr.Attr{}, m.target...), m.source...)}
	case logical.NotMatched:
		sides, in.layers = []expr.Expr{not(m.inT)}, [][]*expr.Attr{m.source}
	case logical.NotMatchedBySource:
		sides, in.layers = []expr.Expr{not(m.inS)}, [][]*expr.Attr{m.target}
	}
	conds = append(conds, sides...)
	if c.Cond != nil {
		e, err := m.a.expr(c.Cond, in)
		if err != nil {
			return nil, nil, err
		}
		conds = append(conds, boolean(e))
	}
	if c.Delete {
		return allOf(conds), nil, nil
	}
	row, err = m.row(c, in)
	return allOf(conds), row, err
}

// row is what a case assigns. Columns that it does not name keep their value, and are null in a new row.
func (m *merging) row(c logical.MergeCase, in *scope) ([]expr.Expr, error) {
	set := c.Set
	if c.All {
		for _, f := range m.t.fields {
			found := matching(m.source, nil, f.Name)
			if len(found) != 1 {
				return nil, usererr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "A star of MERGE assigns every column of the table, but the source has no column `%s`.", f.Name).At(c.Pos.Line, c.Pos.Col).WithFix("Name the columns: SET … or INSERT (…) VALUES (…).")
			}
			set = append(set, logical.Assignment{Column: []string{f.Name}, Value: found[0], Pos: c.Pos})
		}
	}
	at, err := m.a.assignedTo(m.t, set)
	if err != nil {
		return nil, err
	}
	row := make([]expr.Expr, len(m.t.fields))
	for i, f := range m.t.fields {
		k, assigned := at[i]
		var v expr.Expr = m.target[i]
		switch {
		case assigned:
			if v, err = m.a.expr(valueOf(set[k]), in); err != nil {
				return nil, err
			}
			if v, err = m.a.stored(m.t, i, v, set[k].Pos); err != nil {
				return nil, err
			}
		case c.When == logical.NotMatched:
			if v, err = m.a.stored(m.t, i, &expr.Literal{Typ: f.Type}, c.Pos); err != nil {
				return nil, err
			}
		}
		row[i] = v
	}
	return row, nil
}

// checked makes keep fail for a row of the table that matches several rows of the source: which of them would change it is
// not said. Deleting it without a condition is the same whichever it is.
func (m *merging) checked(keep expr.Expr, cases []logical.MergeCase) (expr.Expr, error) {
	matched := 0
	open := false
	for _, c := range cases {
		if c.When == logical.Matched {
			matched++
			open = c.Delete && c.Cond == nil
		}
	}
	if matched == 0 || matched == 1 && open {
		return keep, nil
	}
	mark := m.inT.(*expr.Call).Args[0]
	count := &expr.Over{Fn: &expr.UnresolvedCall{Name: "count", Args: []expr.Expr{expr.Lit(1)}}, Partition: []expr.Expr{mark}}
	p, err := m.a.plan(&logical.Project{List: append(attrExprs(m.joined.Output()), &expr.Alias{Child: count, Name: "_matches"}), Child: done{m.joined}})
	if err != nil {
		return nil, err
	}
	m.joined = p
	out := p.Output()
	several, err := expr.ResolveCall(&expr.UnresolvedCall{Name: ">", Args: []expr.Expr{out[len(out)-1], expr.Lit(int64(1))}})
	if err != nil {
		return nil, err
	}
	none, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "map"})
	if err != nil {
		return nil, err
	}
	fail, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "raise_error", Args: []expr.Expr{expr.Lit("MERGE_CARDINALITY_VIOLATION"), none}})
	if err != nil {
		return nil, err
	}
	return when([]branch{{allOf([]expr.Expr{m.inT, m.inS, several}), expr.Coerce(fail, column.Of(column.Bool))}}, keep), nil
}
