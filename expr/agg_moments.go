package expr

import (
	"math"

	"github.com/streamflow/streamflow/column"
)

// moments is an aggregate whose state is a few doubles: they are updated and merged without loss of precision by the
// formulas of Welford and Chan.
type moments struct {
	width  int
	args   int
	update func(s []float64, x, y float64)
	merge  func(s, o []float64)
	result func(s []float64) (float64, bool)
}

// The state of one variable is n, mean, m2, m3, m4; of two n, mean x, mean y, co-moment, m2 x, m2 y.

func updateOne(s []float64, x, _ float64) {
	n1 := s[0]
	n := n1 + 1
	d := x - s[1]
	dn := d / n
	dn2 := dn * dn
	t := d * dn * n1
	s[0] = n
	s[1] += dn
	if len(s) > 3 {
		s[4] += t*dn2*(n*n-3*n+3) + 6*dn2*s[2] - 4*dn*s[3]
		s[3] += t*dn*(n-2) - 3*dn*s[2]
	}
	s[2] += t
}

func mergeOne(s, o []float64) {
	na, nb := s[0], o[0]
	if nb == 0 {
		return
	}
	if na == 0 {
		copy(s, o)
		return
	}
	n := na + nb
	d := o[1] - s[1]
	m2 := s[2] + o[2] + d*d*na*nb/n
	if len(s) > 3 {
		m3 := s[3] + o[3] + d*d*d*na*nb*(na-nb)/(n*n) + 3*d*(na*o[2]-nb*s[2])/n
		s[4] += o[4] + d*d*d*d*na*nb*(na*na-na*nb+nb*nb)/(n*n*n) + 6*d*d*(na*na*o[2]+nb*nb*s[2])/(n*n) + 4*d*(na*o[3]-nb*s[3])/n
		s[3] = m3
	}
	s[0], s[1], s[2] = n, s[1]+d*nb/n, m2
}

func updateTwo(s []float64, x, y float64) {
	n := s[0] + 1
	dx, dy := x-s[1], y-s[2]
	s[0] = n
	s[1] += dx / n
	s[2] += dy / n
	s[3] += dx * (y - s[2])
	s[4] += dx * (x - s[1])
	s[5] += dy * (y - s[2])
}

func mergeTwo(s, o []float64) {
	na, nb := s[0], o[0]
	if nb == 0 {
		return
	}
	if na == 0 {
		copy(s, o)
		return
	}
	n := na + nb
	dx, dy := o[1]-s[1], o[2]-s[2]
	s[3] += o[3] + dx*dy*na*nb/n
	s[4] += o[4] + dx*dx*na*nb/n
	s[5] += o[5] + dy*dy*na*nb/n
	s[0], s[1], s[2] = n, s[1]+dx*nb/n, s[2]+dy*nb/n
}

func init() {
	one := func(name, doc, example string, width int, result func(s []float64) (float64, bool), aliases ...string) *Function {
		m := &moments{width: width, args: 1, update: updateOne, merge: mergeOne, result: result}
		return m.function(name, "d:x", doc, example, aliases...)
	}
	two := func(name, in, doc, example string, result func(s []float64) (float64, bool)) *Function {
		m := &moments{width: 6, args: 2, update: updateTwo, merge: mergeTwo, result: result}
		return m.function(name, in, doc, example)
	}
	root := func(f func(s []float64) (float64, bool)) func(s []float64) (float64, bool) {
		return func(s []float64) (float64, bool) { v, ok := f(s); return math.Sqrt(v), ok }
	}
	samp := func(s []float64) (float64, bool) { return s[2] / (s[0] - 1), s[0] > 1 }
	pop := func(s []float64) (float64, bool) { return s[2] / s[0], s[0] > 0 }
	register("aggregate",
		one("stddev", "The standard deviation of a sample.", "stddev(x) over 1, 2, 3 -> 1.0", 3, root(samp), "stddev_samp", "std"),
		one("stddev_pop", "The standard deviation of a population.", "stddev_pop(x) over 1, 3 -> 1.0", 3, root(pop)),
		one("variance", "The variance of a sample.", "variance(x) over 1, 2, 3 -> 1.0", 3, samp, "var_samp"),
		one("var_pop", "The variance of a population.", "var_pop(x) over 1, 3 -> 1.0", 3, pop),
		one("skewness", "The skewness.", "skewness(x) over 1, 2, 3 -> 0.0", 5, func(s []float64) (float64, bool) {
			if s[2] == 0 {
				return math.NaN(), s[0] > 0
			}
			return math.Sqrt(s[0]) * s[3] / math.Sqrt(s[2]*s[2]*s[2]), s[0] > 0
		}),
		one("kurtosis", "The excess kurtosis.", "kurtosis(x) over 1, 2, 3 -> -1.5", 5, func(s []float64) (float64, bool) {
			if s[2] == 0 {
				return math.NaN(), s[0] > 0
			}
			return s[0]*s[4]/(s[2]*s[2]) - 3, s[0] > 0
		}),
		two("corr", "d:x d:y", "Pearson's correlation of pairs.", "corr(x, -x) over 1, 2 -> -1.0", func(s []float64) (float64, bool) {
			return s[3] / math.Sqrt(s[4]*s[5]), s[0] > 0
		}),
		two("covar_pop", "d:x d:y", "The covariance of a population of pairs.", "covar_pop(x, x) over 1, 3 -> 1.0", func(s []float64) (float64, bool) { return s[3] / s[0], s[0] > 0 }),
		two("covar_samp", "d:x d:y", "The covariance of a sample of pairs.", "covar_samp(x, x) over 1, 3 -> 2.0", func(s []float64) (float64, bool) { return s[3] / (s[0] - 1), s[0] > 1 }),
		two("regr_count", "d:y d:x", "The number of pairs without null.", "regr_count(x, x) over 1, 2 -> 2", nil),
		two("regr_avgx", "d:y d:x", "The mean of x over pairs.", "regr_avgx(x, x) over 1, 3 -> 2.0", func(s []float64) (float64, bool) { return s[2], s[0] > 0 }),
		two("regr_avgy", "d:y d:x", "The mean of y over pairs.", "regr_avgy(x, x) over 1, 3 -> 2.0", func(s []float64) (float64, bool) { return s[1], s[0] > 0 }),
		two("regr_slope", "d:y d:x", "The slope of the line of least squares.", "regr_slope(2 * x, x) over 1, 2 -> 2.0", func(s []float64) (float64, bool) { return s[3] / s[5], s[0] > 1 && s[5] != 0 }),
		two("regr_intercept", "d:y d:x", "The intercept of the line of least squares.", "regr_intercept(2 * x, x) over 1, 2 -> 0.0", func(s []float64) (float64, bool) {
			return s[1] - s[3]/s[5]*s[2], s[0] > 1 && s[5] != 0
		}),
		two("regr_r2", "d:y d:x", "The square of the correlation.", "regr_r2(2 * x, x) over 1, 2 -> 1.0", func(s []float64) (float64, bool) {
			if s[4] == 0 {
				return 1, s[0] > 0 && s[5] != 0
			}
			return s[3] * s[3] / (s[4] * s[5]), s[0] > 0 && s[5] != 0
		}),
		two("regr_sxx", "d:y d:x", "The sum of squared deviations of x.", "regr_sxx(x, x) over 1, 3 -> 2.0", func(s []float64) (float64, bool) { return s[5], s[0] > 0 }),
		two("regr_syy", "d:y d:x", "The sum of squared deviations of y.", "regr_syy(x, x) over 1, 3 -> 2.0", func(s []float64) (float64, bool) { return s[4], s[0] > 0 }),
		two("regr_sxy", "d:y d:x", "The sum of products of deviations.", "regr_sxy(x, x) over 1, 3 -> 2.0", func(s []float64) (float64, bool) { return s[3], s[0] > 0 }),
		(&moments{width: 2, args: 1,
			update: func(s []float64, x, _ float64) {
				if s[0] == 0 {
					s[1] = 1
				}
				s[0]++
				s[1] *= x
			},
			merge: func(s, o []float64) {
				switch {
				case o[0] == 0:
				case s[0] == 0:
					copy(s, o)
				default:
					s[0] += o[0]
					s[1] *= o[1]
				}
			},
			result: func(s []float64) (float64, bool) { return s[1], s[0] > 0 },
		}).function("product", "d:x", "The product.", "product(x) over 2, 3 -> 6.0"),
	)
	byName["regr_count"].out, byName["regr_count"].null = outOf(column.Int64), never
}

func (m *moments) function(name, in, doc, example string, aliases ...string) *Function {
	state := make([]column.Type, m.width)
	for i := range state {
		state[i] = column.Of(column.Float64)
	}
	return &Function{Name: name, Aliases: aliases, Kind: Aggregate, in: params(in), out: outOf(column.Float64), null: always, Doc: doc, Example: example,
		agg: func(*Agg) (aggregator, error) {
			return aggregator{state: state, make: func() Accumulator { return &momentAcc{m: m} }}, nil
		}}
}

type momentAcc struct {
	m    *moments
	data []float64 // width of them for each group
	o    []float64
}

func (a *momentAcc) Resize(n int) { a.data = grow(a.data, n*a.m.width) }

func (a *momentAcc) state(g uint32) []float64 {
	w := a.m.width
	return a.data[int(g)*w : int(g)*w+w]
}

func (a *momentAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	x, y := args[0], args[a.m.args-1]
	for i, g := range gids[:n] {
		if x.IsValid(i) && y.IsValid(i) {
			a.m.update(a.state(g), floatAt(x, i), floatAt(y, i))
		}
	}
	return nil
}

func (a *momentAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	a.o = resize(a.o, a.m.width)
	for i, g := range gids[:n] {
		for j, s := range state {
			a.o[j] = s.F64[i]
		}
		a.m.merge(a.state(g), a.o)
	}
	return nil
}

func (a *momentAcc) groups() int { return len(a.data) / a.m.width }

func (a *momentAcc) State() []*column.Vector {
	out := make([]*column.Vector, a.m.width)
	for j := range out {
		out[j] = column.NewVector(column.Of(column.Float64), a.groups())
		for g := range out[j].F64 {
			out[j].F64[g] = a.data[g*a.m.width+j]
		}
	}
	return out
}

func (a *momentAcc) Result() (*column.Vector, error) {
	n := a.groups()
	if a.m.result == nil { // the count
		out := column.NewVector(column.Of(column.Int64), n)
		for g := range out.I64 {
			out.I64[g] = int64(a.state(uint32(g))[0])
		}
		return out, nil
	}
	out := column.NewVector(column.Of(column.Float64), n)
	for g := range out.F64 {
		v, ok := a.m.result(a.state(uint32(g)))
		out.F64[g] = v
		if !ok {
			out.SetNull(g)
		}
	}
	return out, nil
}

func (a *momentAcc) Reset()       { a.data = a.data[:0] }
func (a *momentAcc) Bytes() int64 { return int64(8 * cap(a.data)) }
