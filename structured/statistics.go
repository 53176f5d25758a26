package structured

import (
	"context"
	"fmt"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// What PySpark offers as DataFrame.stat and DataFrame.na.

// ApproxQuantile has for each of the columns its values at the probabilities, which lie between 0 (the least) and 1 (the
// greatest). relativeError is how far off in ranks a value may be, 0 for not at all. Nulls and NaN do not count; of a column
// without values the list is empty.
func (d *DataFrame) ApproxQuantile(ctx context.Context, columns []string, probabilities []float64, relativeError float64) ([][]float64, error) {
	row, ok, err := d.then(nil, func() logical.Plan {
		return &logical.ApproxQuantile{Cols: columns, Probabilities: probabilities, Error: relativeError, Child: d.plan}
	}).First(ctx)
	if err != nil {
		return nil, err
	}
	lists, isList := row.Get("approx_quantile").([]any)
	if !ok || !isList {
		return nil, fmt.Errorf("structured: quantiles were answered by %v", row)
	}
	out := make([][]float64, len(lists))
	for i, l := range lists {
		for _, v := range l.([]any) {
			out[i] = append(out[i], v.(float64))
		}
	}
	return out, nil
}

// Corr is Pearson's correlation of two columns of numbers.
func (d *DataFrame) Corr(ctx context.Context, col1, col2 string) (float64, error) {
	return d.number(ctx, Call("corr", Col(col1), Col(col2)))
}

// Cov is the covariance of two columns of numbers, as a sample.
func (d *DataFrame) Cov(ctx context.Context, col1, col2 string) (float64, error) {
	return d.number(ctx, Call("covar_samp", Col(col1), Col(col2)))
}

func (d *DataFrame) number(ctx context.Context, c Column) (float64, error) {
	row, ok, err := d.Agg(c.As("value")).First(ctx)
	if err != nil {
		return 0, err
	}
	f, isNumber := row.Get("value").(float64)
	if !ok || !isNumber {
		return 0, invalidValue("columns", c.String(), "there are too few rows")
	}
	return f, nil
}

// Crosstab counts pairs of values: a row for each value of col1, under the name col1_col2, and a column for each value of col2.
func (d *DataFrame) Crosstab(col1, col2 string) *DataFrame {
	return d.then(nil, func() logical.Plan { return &logical.Crosstab{Col1: col1, Col2: col2, Child: d.plan} })
}

// FreqItems has in NAME_freqItems the values that make up at least the part support, from 0.0001 to 1, of the rows.
func (d *DataFrame) FreqItems(support float64, columns ...string) *DataFrame {
	return d.then(nil, func() logical.Plan { return &logical.FreqItems{Cols: columns, Support: support, Child: d.plan} })
}

// SampleBy keeps of the rows whose column has the value of a fraction about that part, of other rows none.
func (d *DataFrame) SampleBy(c Column, fractions []Fraction, seed int64) *DataFrame {
	p := &logical.SampleBy{Col: c.e, Seed: seed}
	err := c.err
	for _, f := range fractions {
		l, lerr := constant("stratum", f.Value)
		err = firstError(err, lerr)
		p.Strata, p.Fractions = append(p.Strata, l), append(p.Fractions, f.Part)
	}
	return d.then(err, func() logical.Plan { p.Child = d.plan; return p })
}

// Fraction is the part of the rows with a value that SampleBy keeps, from 0 to 1.
type Fraction struct {
	Value any
	Part  float64
}

// SampleWithReplacement has each row as often as a Poisson distribution of the mean draws, the same for the same seed.
func (d *DataFrame) SampleWithReplacement(mean float64, seed int64) *DataFrame {
	return d.then(nil, func() logical.Plan { return &logical.Sample{Upper: mean, Seed: seed, Replace: true, Child: d.plan} })
}

// RandomSplit parts the rows at random, in the proportion of the weights: each row is in one of the parts.
func (d *DataFrame) RandomSplit(weights []float64, seed int64) []*DataFrame {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	out := make([]*DataFrame, len(weights))
	from := 0.0
	for i, w := range weights {
		to := from + w/sum
		if i == len(weights)-1 {
			to = 1
		}
		lower, upper := from, to
		var err error
		if w < 0 || sum <= 0 {
			err = invalidValue("weights", fmt.Sprint(weights), "weights must not be negative, and their sum must be positive")
		}
		out[i] = d.then(err, func() logical.Plan {
			return &logical.Sample{Lower: lower, Upper: upper, Seed: seed, Child: d.plan}
		})
		from = to
	}
	return out
}

// Replace puts other values in the place of some, in the columns named or in all of a fitting type.
func (d *DataFrame) Replace(values []Replacement, columns ...string) *DataFrame {
	p := &logical.ReplaceNA{Cols: columns}
	var err error
	for _, r := range values {
		old, oerr := constant("old value", r.Old)
		now, nerr := constant("new value", r.New)
		err = firstError(err, oerr, nerr)
		p.Old, p.New = append(p.Old, old), append(p.New, now)
	}
	return d.then(err, func() logical.Plan { p.Child = d.plan; return p })
}

// Replacement is a value and what Replace puts in its place.
type Replacement struct{ Old, New any }

// DropNARows leaves out rows with fewer than least values that are neither null nor NaN among the columns, among all when none is
// named.
func (d *DataFrame) DropNARows(least int, columns ...string) *DataFrame {
	return d.then(nil, func() logical.Plan { return &logical.DropNA{Cols: columns, MinNonNull: least, Child: d.plan} })
}

// Summary has statistics of all columns of numbers or strings as text: count, mean, stddev, min, 25%, 50%, 75% and max when none is
// named.
func (d *DataFrame) Summary(statistics ...string) *DataFrame {
	if len(statistics) == 0 {
		statistics = []string{"count", "mean", "stddev", "min", "25%", "50%", "75%", "max"}
	}
	return d.then(nil, func() logical.Plan { return &logical.Summarize{Stats: statistics, Child: d.plan} })
}

// constant is a Go value as a literal of a plan.
func constant(what string, v any) (*expr.Literal, error) {
	c := Lit(v)
	if c.err != nil {
		return nil, c.err
	}
	l, ok := c.e.(*expr.Literal)
	if !ok {
		return nil, invalidValue(what, c.String(), "it must be a constant")
	}
	return l, nil
}
