package expr

import (
	"fmt"
	"math"

	"github.com/streamflow/streamflow/column"
)

// An aggregate over changes (Agg.Changes) has a weight as the last of its Args: each row counts that many times, and a
// negative weight takes it away. Its states add up, whatever the order. Aggregates whose value cannot be taken back from a
// state of fixed size, such as max, are not Invertible: whoever runs them keeps their values.

// invertible are the aggregates over changes by function.
var invertible = map[string]func(a *Agg) (aggregator, error){
	"count":    func(*Agg) (aggregator, error) { return changeCount(false), nil },
	"count_if": func(*Agg) (aggregator, error) { return changeCount(true), nil },
	"sum":      func(a *Agg) (aggregator, error) { return changeSum(a, false), nil },
	"try_sum":  func(a *Agg) (aggregator, error) { return changeSum(a, true), nil },
	"avg":      changeAvg,
	"try_avg":  changeAvg,
}

// Invertible reports whether a can run over changes with a state of fixed size.
func Invertible(a *Agg) bool { return invertible[a.Fn] != nil }

// OverChanges is an invertible aggregate with the weight as one more argument.
func OverChanges(a *Agg, weight Expr) *Agg {
	c := *a
	c.Args = append(append([]Expr{}, a.Args...), weight)
	c.Changes = true
	return &c
}

func changesOf(a *Agg) (aggregator, error) {
	f := invertible[a.Fn]
	if f == nil || a.Distinct {
		return aggregator{}, fmt.Errorf("expr: %s is no aggregate over changes", a.Fn)
	}
	return f(a)
}

func changeCount(ifTrue bool) aggregator {
	return aggregator{state: []column.Type{column.Of(column.Int64)}, make: func() Accumulator { return &changeCountAcc{countAcc{ifTrue: ifTrue}} }}
}

// changeCountAcc adds up weights.
type changeCountAcc struct{ countAcc }

func (c *changeCountAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	args, w := args[:len(args)-1], args[len(args)-1]
	if w.Valid == nil && !w.Const && !c.ifTrue && !anyNulls(args, n) {
		for i, g := range gids[:n] {
			c.n[g] += w.I64[i]
		}
		return nil
	}
	for i, g := range gids[:n] {
		if allAt(args, i) && (!c.ifTrue || args[0].Bools[constRow(args[0], i)]) {
			c.n[g] += intAt(w, i)
		}
	}
	return nil
}

func anyNulls(args []*column.Vector, n int) bool {
	for _, a := range args {
		if hasNulls(a, n) {
			return true
		}
	}
	return false
}

// changeSum keeps integers, intervals and decimals as 128-bit sums, which pass through an overflow of the result's type and
// come back from it; floats as changeFloat does. Beside it stands the number of values, of which 0 means null.
func changeSum(a *Agg, try bool) aggregator {
	n := column.Of(column.Int64)
	if a.Typ.IsFloat() {
		f := column.Of(column.Float64)
		return aggregator{state: []column.Type{f, f, n, n, n, n}, make: func() Accumulator { return &changeFloat{} }}
	}
	exact := exactSumType(a.Typ)
	return aggregator{state: []column.Type{exact, n}, make: func() Accumulator { return &changeSumAcc{typ: a.Typ, exact: exact, try: try} }}
}

func exactSumType(t column.Type) column.Type {
	if t.Kind == column.Decimal {
		return column.DecimalOf(maxPrecision, int(t.Scale))
	}
	return column.DecimalOf(maxPrecision, 0)
}

type changeSumAcc struct {
	typ, exact column.Type
	try        bool
	sum        []dec
	n          []int64
	out        column.Vector
	state      [2]column.Vector
}

func (s *changeSumAcc) Resize(n int) { s.sum, s.n = grow(s.sum, n), grow(s.n, n) }

func (s *changeSumAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	v, w := args[0], args[1]
	for i, g := range gids[:n] {
		if !v.IsValid(i) {
			continue
		}
		x, weight := s.value(v, i), intAt(w, i)
		switch weight {
		case 1:
		case -1:
			x = x.neg()
		default:
			var ok bool
			if x, ok = x.mul(decFromInt(weight)); !ok {
				return errOverflow(column.Decimal, "try_sum")
			}
		}
		s.sum[g], _ = s.sum[g].add(x)
		s.n[g] += weight
	}
	return nil
}

func (s *changeSumAcc) value(v *column.Vector, i int) dec {
	if v.Type.Kind == column.Decimal {
		return dec(v.Dec[constRow(v, i)])
	}
	return decFromInt(intAt(v, i))
}

func (s *changeSumAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		s.sum[g], _ = s.sum[g].add(dec(state[0].Dec[i]))
		s.n[g] += state[1].I64[i]
	}
	return nil
}

func (s *changeSumAcc) State() []*column.Vector {
	d := &s.state[0]
	*d = column.Vector{Type: s.exact, N: len(s.sum), Dec: resize(d.Dec, len(s.sum))}
	for i, x := range s.sum {
		d.Dec[i] = column.Dec128(x)
	}
	s.state[1] = column.Vector{Type: column.Of(column.Int64), N: len(s.n), I64: s.n}
	return []*column.Vector{d, &s.state[1]}
}

func (s *changeSumAcc) Result() (*column.Vector, error) {
	s.out.Reset(s.typ, len(s.sum))
	for g, x := range s.sum {
		switch {
		case s.n[g] == 0:
			s.out.SetNull(g)
		case s.put(g, x):
		case s.try:
			s.out.SetNull(g)
		default:
			return nil, errOverflow(s.typ.Kind, "try_sum")
		}
	}
	return &s.out, nil
}

// put sets a result and reports whether its type holds it.
func (s *changeSumAcc) put(g int, x dec) bool {
	if s.typ.Kind == column.Decimal {
		s.out.Dec[g] = column.Dec128(x)
		return x.fits(int(s.typ.Precision))
	}
	v, ok := x.int64()
	if s.typ.Kind.Storage() == column.StorageI32 {
		ok = ok && int64(int32(v)) == v
	}
	setInt(&s.out, g, v)
	return ok
}

func (s *changeSumAcc) Reset()       { s.sum, s.n = s.sum[:0], s.n[:0] }
func (s *changeSumAcc) Bytes() int64 { return int64(24 * cap(s.sum)) }

// changeFloat keeps a sum of doubles as the unevaluated sum of two (after Knuth's two-sum), so that taking a value back
// leaves what there was without it, as far as 106 bits go. Values that are no numbers are counted apart.
type changeFloat struct {
	hi, lo           []float64
	n, nan, pos, neg []int64
	out              column.Vector
}

func (s *changeFloat) Resize(n int) {
	s.hi, s.lo = grow(s.hi, n), grow(s.lo, n)
	s.n, s.nan, s.pos, s.neg = grow(s.n, n), grow(s.nan, n), grow(s.pos, n), grow(s.neg, n)
}

func (s *changeFloat) Update(gids []uint32, args []*column.Vector, n int) error {
	v, w := args[0], args[1]
	for i, g := range gids[:n] {
		if !v.IsValid(i) {
			continue
		}
		x, weight := asFloat(v, i), intAt(w, i)
		s.n[g] += weight
		switch {
		case math.IsNaN(x):
			s.nan[g] += weight
		case math.IsInf(x, 1):
			s.pos[g] += weight
		case math.IsInf(x, -1):
			s.neg[g] += weight
		default:
			p := x * float64(weight)
			s.add(g, p, math.FMA(x, float64(weight), -p))
		}
	}
	return nil
}

func (s *changeFloat) add(g uint32, hi, lo float64) {
	a, e := twoSum(s.hi[g], hi)
	s.hi[g], s.lo[g] = twoSum(a, e+s.lo[g]+lo)
}

// twoSum is a+b and what that rounded away.
func twoSum(a, b float64) (sum, rest float64) {
	sum = a + b
	bb := sum - a
	return sum, (a - (sum - bb)) + (b - bb)
}

func (s *changeFloat) Merge(gids []uint32, state []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		s.n[g] += state[2].I64[i]
		s.nan[g] += state[3].I64[i]
		s.pos[g] += state[4].I64[i]
		s.neg[g] += state[5].I64[i]
		s.add(g, state[0].F64[i], state[1].F64[i])
	}
	return nil
}

func (s *changeFloat) State() []*column.Vector {
	f := func(x []float64) *column.Vector {
		return &column.Vector{Type: column.Of(column.Float64), N: len(x), F64: x}
	}
	i := func(x []int64) *column.Vector {
		return &column.Vector{Type: column.Of(column.Int64), N: len(x), I64: x}
	}
	return []*column.Vector{f(s.hi), f(s.lo), i(s.n), i(s.nan), i(s.pos), i(s.neg)}
}

func (s *changeFloat) Result() (*column.Vector, error) {
	s.out.Reset(column.Of(column.Float64), len(s.hi))
	for g := range s.hi {
		switch {
		case s.n[g] == 0:
			s.out.SetNull(g)
		case s.nan[g] != 0 || s.pos[g] != 0 && s.neg[g] != 0:
			s.out.F64[g] = math.NaN()
		case s.pos[g] != 0:
			s.out.F64[g] = math.Inf(1)
		case s.neg[g] != 0:
			s.out.F64[g] = math.Inf(-1)
		default:
			s.out.F64[g] = s.hi[g] + s.lo[g]
		}
	}
	return &s.out, nil
}

func (s *changeFloat) Reset() {
	s.hi, s.lo = s.hi[:0], s.lo[:0]
	s.n, s.nan, s.pos, s.neg = s.n[:0], s.nan[:0], s.pos[:0], s.neg[:0]
}
func (s *changeFloat) Bytes() int64 { return int64(48 * cap(s.hi)) }

// changeAvg is the sum divided by the number of values.
func changeAvg(a *Agg) (aggregator, error) {
	t := a.Args[0].DataType()
	sum := changeSum(&Agg{Fn: "try_sum", Typ: sumType(t)}, true)
	return aggregator{state: sum.state, make: func() Accumulator { return &changeAvgAcc{Accumulator: sum.make(), from: sumType(t), to: a.Typ} }}, nil
}

type changeAvgAcc struct {
	Accumulator
	from, to column.Type
}

func (a *changeAvgAcc) Result() (*column.Vector, error) {
	var out *column.Vector
	switch s := a.Accumulator.(type) {
	case *changeFloat:
		sum, err := s.Result()
		if err != nil {
			return nil, err
		}
		for g, n := range s.n {
			sum.F64[g] /= float64(n)
		}
		return sum, nil
	case *changeSumAcc:
		out = column.NewVector(a.to, len(s.n))
		for g, n := range s.n {
			if n == 0 || !a.mean(out, g, s.sum[g], n) {
				out.SetNull(g)
			}
		}
	}
	return out, nil
}

// mean sets a result and reports whether its type holds it.
func (a *changeAvgAcc) mean(out *column.Vector, g int, sum dec, n int64) bool {
	switch a.to.Kind.Storage() {
	case column.StorageF64:
		out.F64[g] = sum.float(int(a.from.Scale)) / float64(n)
	case column.StorageDec:
		r, ok := divideDec(sum, n, int(a.from.Scale), int(a.to.Scale))
		out.Dec[g] = column.Dec128(r)
		return ok && r.fits(int(a.to.Precision))
	default:
		setInt(out, g, sum.divRoundInt(n))
	}
	return true
}
