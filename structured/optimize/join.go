package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// join resolves both sides, then the condition over both; USING and NATURAL become a condition and a projection.
func (a *analyzer) join(p *logical.Join) (logical.Plan, error) {
	j := *p
	j.Hint = joinHint(p)
	var err error
	if j.Left, err = a.plan(p.Left); err != nil {
		return nil, err
	}
	if j.Right, err = a.plan(p.Right); err != nil {
		return nil, err
	}
	if p.Natural {
		j.Natural, j.Using = false, common(j.Left, j.Right)
		if len(j.Using) == 0 && j.Kind == logical.Inner {
			j.Kind = logical.Cross
		}
	}
	if len(j.Using) > 0 {
		return a.using(&j)
	}
	j.Using = nil
	if p.Cond == nil {
		if j.Kind == logical.Inner {
			j.Kind = logical.Cross
		}
		return &j, nil
	}
	if j.Cond, err = a.expr(p.Cond, over(j.Left, j.Right)); err != nil {
		return nil, err
	}
	if err := a.condition(j.Cond, "ON"); err != nil {
		return nil, err
	}
	j.Cond = boolean(j.Cond)
	return &j, nil
}

// common are the column names that both sides have, in the left side's order.
func common(left, right logical.Plan) []string {
	var names []string
	for _, l := range logical.Visible(left.Output()) {
		if len(matching(logical.Visible(right.Output()), nil, l.Name)) > 0 {
			names = append(names, l.Name)
		}
	}
	return names
}

// using is a join on equal columns: each appears once, first, from the side that has it; the other side's stays
// reachable as table.column.
func (a *analyzer) using(j *logical.Join) (logical.Plan, error) {
	names := j.Using
	j.Using = nil
	var pairs [][2]*expr.Attr
	for _, n := range names {
		l, err := usingColumn(n, j.Left, "left")
		if err != nil {
			return nil, err
		}
		r, err := usingColumn(n, j.Right, "right")
		if err != nil {
			return nil, err
		}
		eq, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "=", Args: []expr.Expr{l, r}})
		if err != nil {
			return nil, err
		}
		if j.Cond, err = and(j.Cond, eq); err != nil {
			return nil, err
		}
		pairs = append(pairs, [2]*expr.Attr{l, r})
	}
	if j.Kind == logical.Cross {
		j.Kind = logical.Inner
	}
	return usingOutput(j, pairs)
}

func usingColumn(name string, side logical.Plan, which string) (*expr.Attr, error) {
	found := matching(side.Output(), nil, name)
	if len(found) == 1 {
		return found[0], nil
	}
	if len(found) > 1 {
		return nil, ambiguous(&expr.UnresolvedAttr{Parts: []string{name}}, found)
	}
	var have []string
	for _, at := range logical.Visible(side.Output()) {
		have = append(have, "`"+at.Name+"`")
	}
	return nil, usererr.New("UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703", "USING column `%s` cannot be resolved on the %s side of the join. The %s-side columns: [%s].", name, which, which, strings.Join(have, ", ")).
		WithFix("Write ON with the columns' own names.")
}

// usingOutput projects the joined columns: keys first, then the rest of the left side, then of the right.
func usingOutput(j *logical.Join, pairs [][2]*expr.Attr) (logical.Plan, error) {
	isKey := map[int64]bool{}
	for _, p := range pairs {
		isKey[p[0].ID], isKey[p[1].ID] = true, true
	}
	var list, hidden []expr.Expr
	for _, p := range pairs {
		switch j.Kind {
		case logical.RightOuter:
			list, hidden = append(list, p[1]), append(hidden, asHidden(p[0], j))
		case logical.FullOuter:
			both, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "coalesce", Args: []expr.Expr{outerAttr(p[0]), outerAttr(p[1])}})
			if err != nil {
				return nil, err
			}
			list = append(list, &expr.Alias{Child: both, Name: p[0].Name, ID: expr.NewID()})
			hidden = append(hidden, asHidden(p[0], j), asHidden(p[1], j))
		case logical.LeftSemi, logical.LeftAnti:
			list = append(list, p[0])
		default:
			list, hidden = append(list, p[0]), append(hidden, asHidden(p[1], j))
		}
	}
	for _, at := range j.Output() {
		if !isKey[at.ID] {
			list = append(list, at)
		}
	}
	return &logical.Project{List: append(list, hidden...), Child: j}, nil
}

func outerAttr(a *expr.Attr) *expr.Attr {
	c := *a
	c.Null = true
	return &c
}

// asHidden is a as it comes out of j, left out of SELECT *.
func asHidden(a *expr.Attr, j *logical.Join) *expr.Attr {
	c := *a
	c.Hidden = true
	for _, o := range j.Output() {
		if o.ID == a.ID {
			c.Null = o.Null
		}
	}
	return &c
}

// and joins two conditions, the first of which may be nil.
func and(a, b expr.Expr) (expr.Expr, error) {
	if a == nil {
		return b, nil
	}
	return expr.ResolveCall(&expr.UnresolvedCall{Name: "and", Args: []expr.Expr{a, b}})
}
