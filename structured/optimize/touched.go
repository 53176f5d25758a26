package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// partColumn is the column that names the part of a table, such as a file, that a row lies in, while a statement finds out which parts it
// touches.
const partColumn = "_streamflow_part"

// touchedBy asks which parts have a row for which the condition is true; nil when all of them may.
func (a *analyzer) touchedBy(t *changed, where expr.Expr) (logical.Plan, error) {
	if t.marked == nil || where == nil {
		return nil, nil
	}
	return a.partsOf(&logical.Filter{Cond: where, Child: done{t.marked}})
}

// touchedByMerge asks which parts have a row that matches one of the source. A row of the source that matches nothing there
// matches nothing at all. Cases for rows that match nothing touch every part.
func (a *analyzer) touchedByMerge(t *changed, p *logical.Merge) (logical.Plan, error) {
	if t.marked == nil {
		return nil, nil
	}
	for _, c := range p.Cases {
		if c.When == logical.NotMatchedBySource {
			return nil, nil
		}
	}
	return a.partsOf(&logical.Join{Kind: logical.LeftSemi, Left: done{t.marked}, Right: p.Source, Cond: p.On})
}

// partsOf are the parts that rows lie in, each once; nil when another run may find other rows.
func (a *analyzer) partsOf(rows logical.Plan) (logical.Plan, error) {
	q, err := a.query(&logical.Project{List: []expr.Expr{&expr.UnresolvedAttr{Parts: []string{partColumn}}}, Child: rows})
	if err != nil {
		return nil, err
	}
	same := true
	logical.Walk(q, func(n logical.Plan) bool {
		_, sampled := n.(*logical.Sample)
		same = same && !sampled && allDeterministic(n.Exprs())
		return same
	})
	if !same {
		return nil, nil
	}
	return &logical.Dedup{Cols: attrExprs(q.Output()), Child: q}, nil
}
