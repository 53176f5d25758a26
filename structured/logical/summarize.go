package logical

import (
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Summarize has a row of text for each statistic of the columns: DataFrame.describe and summary. Stats are of count,
// mean, stddev, min, max and percentiles such as 25%; none means those of describe. Cols empty means every column of
// numbers or strings.
type Summarize struct {
	Cols  []string
	Stats []string
	Child Plan
}

var describeStats = []string{"count", "mean", "stddev", "min", "max"}

// Expand is a union of aggregations, one for each statistic.
func (p *Summarize) Expand() (Plan, error) {
	if err := checkColumns(p.Cols, visible(p.Child)); err != nil {
		return nil, err
	}
	stats := p.Stats
	if len(stats) == 0 {
		stats = describeStats
	}
	var kids []Plan
	for _, s := range stats {
		list := []expr.Expr{&expr.Alias{Child: expr.Lit(s), Name: "summary", ID: expr.NewID()}}
		for _, a := range p.columns() {
			e, err := statistic(s, a)
			if err != nil {
				return nil, err
			}
			list = append(list, &expr.Alias{Child: &expr.Cast{Child: e, To: column.Of(column.String)}, Name: a.Name, ID: expr.NewID()})
		}
		kids = append(kids, &Aggregate{List: list, Child: p.Child})
	}
	if len(kids) == 1 {
		return kids[0], nil
	}
	return &Union{Kids: kids}, nil
}

func (p *Summarize) columns() []*expr.Attr {
	var out []*expr.Attr
	for _, a := range visible(p.Child) {
		if len(p.Cols) == 0 && (a.Typ.IsNumeric() || a.Typ.Kind == column.String) || named(p.Cols, a.Name) {
			out = append(out, a)
		}
	}
	return out
}

// statistic is one figure of a column. Text has no mean.
func statistic(name string, a *expr.Attr) (expr.Expr, error) {
	call := func(fn string, args ...expr.Expr) expr.Expr { return &expr.UnresolvedCall{Name: fn, Args: args} }
	number := &expr.Cast{Child: a, To: column.Of(column.Float64), Try: a.Typ.Kind == column.String}
	switch strings.ToLower(name) {
	case "count", "min", "max":
		return call(strings.ToLower(name), a), nil
	case "count_distinct":
		return &expr.UnresolvedCall{Name: "count", Args: []expr.Expr{a}, Distinct: true}, nil
	case "mean":
		return call("avg", number), nil
	case "stddev":
		return call("stddev_samp", number), nil
	}
	if text, ok := strings.CutSuffix(name, "%"); ok {
		if n, ok := percent(text); ok {
			return call("percentile_approx", number, n), nil
		}
	}
	return nil, usererr.New("INVALID_PARAMETER_VALUE", "22023", "The statistic %q is not known.", name).
		WithFix("Use count, count_distinct, mean, stddev, min, max or a percentile such as 25%%.")
}

// percent reads the number before a percent sign as a fraction.
func percent(text string) (*expr.Literal, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < 0 || f > 100 {
		return nil, false
	}
	return expr.Lit(f / 100), true
}

func (p *Summarize) Children() []Plan           { return []Plan{p.Child} }
func (p *Summarize) WithChildren(k []Plan) Plan { c := *p; c.Child = k[0]; return &c }
func (p *Summarize) Exprs() []expr.Expr         { return nil }
func (p *Summarize) WithExprs([]expr.Expr) Plan { return p }
func (p *Summarize) Output() []*expr.Attr       { return nil }
func (p *Summarize) Resolved() bool             { return false }
func (p *Summarize) String() string {
	return "'Summarize [" + strings.Join(p.Cols, ", ") + "], [" + strings.Join(p.Stats, ", ") + "]"
}
