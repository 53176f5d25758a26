package optimize

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// maxPivotValues is how many values a PIVOT without a list may find (Spark's spark.sql.pivotMaxValues).
const maxPivotValues = 10_000

// pivot groups twice: by the keys and the pivoted columns, which aggregates, then by the keys alone, where each value picks the
// aggregates of its own group. What no row has is null, of count too, as Spark has it.
func (a *analyzer) pivot(p *logical.Pivot) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	keys := p.Keys
	if !p.ByKeys {
		keys = pivotKeys(p, child)
	}
	in, err := a.pivotGroups(p, keys, child)
	if err != nil {
		return nil, err
	}
	out := in.Output()
	k, c := len(keys), len(p.Cols)
	keyAttrs, cols, aggs := out[:k:k], out[k:k+c:k+c], out[k+c:]
	values, names, err := a.pivotValues(p, in, cols)
	if err != nil {
		return nil, err
	}
	list := attrExprs(keyAttrs)
	for v, value := range values {
		cond := pivotTest(cols, value)
		for i, agg := range aggs {
			first := &expr.UnresolvedCall{Name: "first", Args: []expr.Expr{agg}, Filter: cond}
			name := names[v]
			if len(aggs) > 1 {
				name += "_" + columnName(p.Aggs[i])
			}
			list = append(list, &expr.Alias{Child: first, Name: name})
		}
	}
	return a.plan(&logical.Aggregate{Keys: attrExprs(keyAttrs), List: list, Child: done{in}})
}

// pivotGroups is the first grouping: keys, pivoted columns, aggregates.
func (a *analyzer) pivotGroups(p *logical.Pivot, keys []expr.Expr, child logical.Plan) (logical.Plan, error) {
	g := &logical.Aggregate{Child: done{child}}
	for _, k := range keys {
		g.Keys, g.List = append(g.Keys, unalias(k)), append(g.List, k)
	}
	for i, c := range p.Cols {
		g.Keys, g.List = append(g.Keys, unalias(c)), append(g.List, &expr.Alias{Child: unalias(c), Name: fmt.Sprintf("_pivot%d", i)})
	}
	for i, e := range p.Aggs {
		g.List = append(g.List, &expr.Alias{Child: unalias(e), Name: fmt.Sprintf("_agg%d", i)})
	}
	in, err := a.plan(g)
	if err != nil {
		return nil, err
	}
	for _, e := range p.Aggs {
		r, err := a.expr(unalias(e), over(child))
		if err != nil {
			return nil, err
		}
		if findAgg([]expr.Expr{r}) == nil {
			return nil, at(usererr.New("GROUP_BY_AGGREGATE.PIVOT", "42903", "PIVOT takes aggregates, but %s is none.", columnName(e)).WithFix("Write sum(…), max(…) or another aggregate."), p.Pos)
		}
	}
	return in, nil
}

// pivotKeys are the columns that the PIVOT does not name.
func pivotKeys(p *logical.Pivot, child logical.Plan) []expr.Expr {
	read := map[string]bool{}
	for _, e := range append(append([]expr.Expr{}, p.Aggs...), p.Cols...) {
		expr.Walk(e, func(x expr.Expr) bool {
			if u, ok := x.(*expr.UnresolvedAttr); ok {
				for _, part := range u.Parts {
					read[strings.ToLower(part)] = true
				}
			}
			return true
		})
	}
	var keys []expr.Expr
	for _, at := range logical.Visible(child.Output()) {
		if !read[strings.ToLower(at.Name)] {
			keys = append(keys, at)
		}
	}
	return keys
}

// pivotValues are the values' constants, one for each pivoted column, and the names of their columns.
func (a *analyzer) pivotValues(p *logical.Pivot, in logical.Plan, cols []*expr.Attr) (values [][]*expr.Literal, names []string, err error) {
	if p.Values == nil {
		return a.foundValues(p, in, cols)
	}
	for _, v := range p.Values {
		row, err := a.pivotValue(p, v, cols)
		if err != nil {
			return nil, nil, err
		}
		name := ""
		if l, ok := v.(*expr.Alias); ok {
			name = l.Name
		} else if name, err = a.pivotName(row); err != nil {
			return nil, nil, err
		}
		values, names = append(values, row), append(names, name)
	}
	return values, names, nil
}

// pivotValue evaluates a value and brings it to the columns' types.
func (a *analyzer) pivotValue(p *logical.Pivot, v expr.Expr, cols []*expr.Attr) ([]*expr.Literal, error) {
	parts := []expr.Expr{unalias(v)}
	if c, ok := parts[0].(*expr.UnresolvedCall); ok && len(cols) > 1 && equalFold(c.Name, "struct") {
		parts = c.Args
	}
	if len(parts) != len(cols) {
		return nil, at(usererr.New("PIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", "PIVOT has %d columns, but the value %s has %d.", len(cols), columnName(v), len(parts)).
			WithFix("Write one value for each column, in brackets."), p.Pos)
	}
	row := make([]*expr.Literal, len(parts))
	for i, e := range parts {
		r, err := a.expr(unalias(e), &scope{layers: [][]*expr.Attr{nil}})
		if err != nil {
			return nil, at(usererr.New("NON_LITERAL_PIVOT_VALUES", "42K08", "Literal expressions required for pivot values, found %q.", columnName(e)).WithFix("Use constants."), p.Pos)
		}
		t := cols[i].Typ
		if common, ok := expr.CommonType(r.DataType(), t); !ok || !common.Equal(t) && !r.DataType().IsNumeric() {
			return nil, at(usererr.New("PIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", "Invalid pivot value %q: its type %s does not match %s of the pivot column.", columnName(e), strings.ToUpper(r.DataType().String()), strings.ToUpper(t.String())).
				WithFix("Cast the value."), p.Pos)
		}
		if row[i], err = expr.EvalLiteralIn(a.env.Session, r); err != nil {
			return nil, at(err, p.Pos)
		}
	}
	return row, nil
}

// pivotName is a value as text: {a, b} when it has several parts.
func (a *analyzer) pivotName(row []*expr.Literal) (string, error) {
	parts := make([]string, len(row))
	for i, l := range row {
		s, err := expr.EvalLiteralIn(a.env.Session, &expr.Cast{Child: l, To: column.Of(column.String)})
		if err != nil {
			return "", err
		}
		parts[i] = "null"
		if s.Value != nil {
			parts[i] = s.Value.(string)
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return "{" + strings.Join(parts, ", ") + "}", nil
}

// pivotTest is true for rows whose pivoted columns equal a value, null equal to null.
func pivotTest(cols []*expr.Attr, value []*expr.Literal) expr.Expr {
	var cond expr.Expr
	for i, l := range value {
		eq := &expr.UnresolvedCall{Name: "<=>", Args: []expr.Expr{cols[i], l}}
		if cond == nil {
			cond = eq
			continue
		}
		cond = &expr.UnresolvedCall{Name: "and", Args: []expr.Expr{cond, eq}}
	}
	return cond
}

// foundValues runs the first grouping to learn which values there are, in order.
func (a *analyzer) foundValues(p *logical.Pivot, in logical.Plan, cols []*expr.Attr) (values [][]*expr.Literal, names []string, err error) {
	if a.env.Rows == nil || logical.IsStreaming(in) {
		return nil, nil, at(usererr.New("UNSUPPORTED_FEATURE.PIVOT_WITHOUT_VALUES", "0A000", "PIVOT of a stream, or in a stored query, needs its values.").
			WithFix("List them."), p.Pos)
	}
	sorted := make([]*expr.SortOrder, len(cols))
	for i, c := range cols {
		sorted[i] = &expr.SortOrder{Child: c, NullsFirst: true}
	}
	q := &logical.Limit{N: maxPivotValues + 1, Child: &logical.Sort{Global: true, Orders: sorted,
		Child: &logical.Dedup{Cols: attrExprs(cols), Child: &logical.Project{List: attrExprs(cols), Child: in}}}}
	batches, err := a.env.Rows(a.ctx, q)
	if err != nil {
		return nil, nil, err
	}
	for _, b := range batches {
		for r := 0; r < b.N; r++ {
			row := make([]*expr.Literal, len(cols))
			for i, c := range cols {
				row[i] = &expr.Literal{Value: column.Value(b.Cols[i], r), Typ: c.Typ}
			}
			name, err := a.pivotName(row)
			if err != nil {
				return nil, nil, err
			}
			values, names = append(values, row), append(names, name)
		}
	}
	if len(values) > maxPivotValues {
		return nil, nil, at(usererr.New("PIVOT_TOO_MANY_VALUES", "54000", "The pivot column has more than %d distinct values.", maxPivotValues).WithFix("List those that you want."), p.Pos)
	}
	return values, names, nil
}
