package logical

import (
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// The nodes of DataFrame.stat: each is short for aggregations over its child.

// ApproxQuantile is one row with the column approx_quantile: for each of Cols an array with one value for each of
// Probabilities, in their order. Error is the relative error that may be made in ranks, 0 for none that can be avoided. Nulls and
// NaN do not count; of a column without values the array is empty.
type ApproxQuantile struct {
	Cols          []string
	Probabilities []float64
	Error         float64
	Child         Plan
}

// Crosstab counts pairs: a row for each value of Col1, named in the first column, Col1_Col2, and a column for each value of Col2.
// A null counts as the value "null".
type Crosstab struct {
	Col1, Col2 string
	Child      Plan
}

// FreqItems is one row with a column NAME_freqItems for each of Cols: the values that make up at least the part Support of the
// rows.
type FreqItems struct {
	Cols    []string
	Support float64
	Child   Plan
}

// SampleBy keeps of the rows whose Col is Strata[i] about the part Fractions[i], of others none. The same seed keeps the same
// rows.
type SampleBy struct {
	Col       expr.Expr
	Strata    []*expr.Literal
	Fractions []float64
	Seed      int64
	Child     Plan
}

func call(name string, args ...expr.Expr) *expr.UnresolvedCall {
	return &expr.UnresolvedCall{Name: name, Args: args}
}

func as(e expr.Expr, name string) *expr.Alias {
	return &expr.Alias{Child: e, Name: name, ID: expr.NewID()}
}

// columnNamed finds a column of the child by its whole name.
func columnNamed(p Plan, name string) (*expr.Attr, error) {
	out := visible(p)
	if err := checkColumns([]string{name}, out); err != nil {
		return nil, err
	}
	for _, a := range out {
		if strings.EqualFold(a.Name, name) {
			return a, nil
		}
	}
	return nil, fmt.Errorf("logical: column %q was found and lost", name)
}

// maxAccuracy is the accuracy of percentile_approx that stands for an error of 0.
const maxAccuracy = 1_000_000

// Expand is one aggregation.
func (p *ApproxQuantile) Expand() (Plan, error) {
	accuracy := int64(maxAccuracy)
	if p.Error*maxAccuracy > 1 {
		accuracy = int64(1 / p.Error)
	}
	probabilities := call("array")
	for _, f := range p.Probabilities {
		if f < 0 || f > 1 {
			return nil, invalidArgument("probabilities", fmt.Sprint(f), "a probability lies between 0 and 1")
		}
		probabilities.Args = append(probabilities.Args, expr.Lit(f))
	}
	if p.Error < 0 {
		return nil, invalidArgument("relativeError", fmt.Sprint(p.Error), "it must not be negative")
	}
	all := call("array")
	for _, name := range p.Cols {
		a, err := columnNamed(p.Child, name)
		if err != nil {
			return nil, err
		}
		if !a.Typ.IsNumeric() {
			return nil, invalidArgument("col", name, "quantiles are of numbers, and the column is of type "+strings.ToUpper(a.Typ.String()))
		}
		number := &expr.Cast{Child: a, To: column.Of(column.Float64)}
		counts := call("and", call("not", call("isnan", number)), call("isnotnull", number))
		q := call("percentile_approx", number, probabilities, expr.Lit(accuracy))
		q.Filter = counts
		none := &expr.Cast{Child: call("array"), To: column.ListOf(column.Of(column.Float64), true)}
		all.Args = append(all.Args, call("coalesce", q, none))
	}
	return &Aggregate{List: []expr.Expr{as(all, "approx_quantile")}, Child: p.Child}, nil
}

// Expand is a pivot whose holes are filled with 0.
func (p *Crosstab) Expand() (Plan, error) {
	text := func(name string) (expr.Expr, error) {
		a, err := columnNamed(p.Child, name)
		if err != nil {
			return nil, err
		}
		return call("coalesce", &expr.Cast{Child: a, To: column.Of(column.String)}, expr.Lit("null")), nil
	}
	row, err := text(p.Col1)
	if err != nil {
		return nil, err
	}
	col, err := text(p.Col2)
	if err != nil {
		return nil, err
	}
	counts := &Pivot{Keys: []expr.Expr{as(row, p.Col1+"_"+p.Col2)}, ByKeys: true, Cols: []expr.Expr{col}, Aggs: []expr.Expr{call("count", expr.Lit(1))}, Child: p.Child}
	return &FillNA{Values: []*expr.Literal{expr.Lit(int64(0))}, Child: counts}, nil
}

// Expand is a scalar subquery for each column: its groups that are large enough, gathered.
func (p *FreqItems) Expand() (Plan, error) {
	if p.Support < 1e-4 || p.Support > 1 {
		return nil, invalidArgument("support", fmt.Sprint(p.Support), "it lies between 0.0001 and 1")
	}
	var list []expr.Expr
	for _, name := range p.Cols {
		a, err := columnNamed(p.Child, name)
		if err != nil {
			return nil, err
		}
		rows := &Subquery{Query: &Aggregate{List: []expr.Expr{as(call("count", expr.Lit(1)), "rows")}, Child: p.Child}}
		groups := &Aggregate{Keys: []expr.Expr{a}, List: []expr.Expr{as(a, "item"), as(call("count", expr.Lit(1)), "times")}, Child: p.Child}
		times, item := &expr.UnresolvedAttr{Parts: []string{"times"}}, &expr.UnresolvedAttr{Parts: []string{"item"}}
		enough := &Filter{Cond: call(">=", times, call("*", rows, expr.Lit(p.Support))), Child: &SubqueryAlias{Alias: "items", Child: groups}}
		list = append(list, as(&Subquery{Query: &Aggregate{List: []expr.Expr{call("collect_list", item)}, Child: enough}}, a.Name+"_freqItems"))
	}
	return &Project{List: list, Child: &UnresolvedValues{Rows: [][]expr.Expr{{}}}}, nil
}

// Expand is a filter that draws a number for each row.
func (p *SampleBy) Expand() (Plan, error) {
	part := &expr.Case{Else: expr.Lit(0.0)}
	for i, s := range p.Strata {
		if f := p.Fractions[i]; f < 0 || f > 1 {
			return nil, invalidArgument("fractions", fmt.Sprint(f), "a fraction lies between 0 and 1")
		}
		part.Whens = append(part.Whens, call("<=>", p.Col, s))
		part.Thens = append(part.Thens, expr.Lit(p.Fractions[i]))
	}
	if len(part.Whens) == 0 {
		return &Limit{N: 0, Child: p.Child}, nil
	}
	return &Filter{Cond: call("<", call("rand", expr.Lit(p.Seed)), part), Child: p.Child}, nil
}

func invalidArgument(name, value, why string) *usererr.Error {
	return usererr.New("INVALID_PARAMETER_VALUE", "22023", "The value %s of %s is invalid: %s.", value, name, why).With("parameter", name).With("value", value)
}

func (p *ApproxQuantile) Children() []Plan           { return []Plan{p.Child} }
func (p *ApproxQuantile) WithChildren(k []Plan) Plan { c := *p; c.Child = k[0]; return &c }
func (p *ApproxQuantile) Exprs() []expr.Expr         { return nil }
func (p *ApproxQuantile) WithExprs([]expr.Expr) Plan { return p }
func (p *ApproxQuantile) Output() []*expr.Attr       { return nil }
func (p *ApproxQuantile) Resolved() bool             { return false }
func (p *ApproxQuantile) String() string {
	return fmt.Sprintf("'ApproxQuantile [%s] at %v, error %v", strings.Join(p.Cols, ", "), p.Probabilities, p.Error)
}

func (p *Crosstab) Children() []Plan           { return []Plan{p.Child} }
func (p *Crosstab) WithChildren(k []Plan) Plan { c := *p; c.Child = k[0]; return &c }
func (p *Crosstab) Exprs() []expr.Expr         { return nil }
func (p *Crosstab) WithExprs([]expr.Expr) Plan { return p }
func (p *Crosstab) Output() []*expr.Attr       { return nil }
func (p *Crosstab) Resolved() bool             { return false }
func (p *Crosstab) String() string             { return "'Crosstab " + p.Col1 + ", " + p.Col2 }

func (p *FreqItems) Children() []Plan           { return []Plan{p.Child} }
func (p *FreqItems) WithChildren(k []Plan) Plan { c := *p; c.Child = k[0]; return &c }
func (p *FreqItems) Exprs() []expr.Expr         { return nil }
func (p *FreqItems) WithExprs([]expr.Expr) Plan { return p }
func (p *FreqItems) Output() []*expr.Attr       { return nil }
func (p *FreqItems) Resolved() bool             { return false }
func (p *FreqItems) String() string {
	return fmt.Sprintf("'FreqItems [%s], support %v", strings.Join(p.Cols, ", "), p.Support)
}

func (p *SampleBy) Children() []Plan           { return []Plan{p.Child} }
func (p *SampleBy) WithChildren(k []Plan) Plan { c := *p; c.Child = k[0]; return &c }
func (p *SampleBy) Exprs() []expr.Expr         { return []expr.Expr{p.Col} }
func (p *SampleBy) WithExprs(e []expr.Expr) Plan {
	c := *p
	c.Col = e[0]
	return &c
}
func (p *SampleBy) Output() []*expr.Attr { return nil }
func (p *SampleBy) Resolved() bool       { return false }
func (p *SampleBy) String() string {
	return fmt.Sprintf("'SampleBy %s %v of %v, seed %d", p.Col, p.Fractions, p.Strata, p.Seed)
}
