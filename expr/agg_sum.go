package expr

import (
	"math"
	"math/big"
	"math/bits"
	"unsafe"

	"github.com/streamflow/streamflow/column"
)

func sumType(t column.Type) column.Type {
	switch {
	case t.Kind == column.Decimal:
		return column.DecimalOf(min(maxPrecision, int(t.Precision)+10), int(t.Scale))
	case t.IsInteger():
		return column.Of(column.Int64)
	case isInterval(t.Kind):
		return column.Of(t.Kind)
	}
	return column.Of(column.Float64)
}

func avgType(t column.Type) column.Type {
	switch {
	case t.Kind == column.Decimal:
		return adjusted(int(t.Precision)+4, int(t.Scale)+4)
	case isInterval(t.Kind):
		return column.Of(t.Kind)
	}
	return column.Of(column.Float64)
}

func init() {
	sum := func(name, doc, example string, try bool, aliases ...string) *Function {
		return &Function{Name: name, Aliases: aliases, Kind: Aggregate, in: params("N:x"), out: aggType(sumType), null: always, Doc: doc, Example: example, agg: func(a *Agg) (aggregator, error) { return sumOf(a, try), nil }}
	}
	avg := func(name, doc, example string, aliases ...string) *Function {
		return &Function{Name: name, Aliases: aliases, Kind: Aggregate, in: params("N:x"), out: aggType(avgType), null: always, Doc: doc, Example: example, agg: avgOf}
	}
	register("aggregate",
		sum("sum", "The sum; null when there is nothing to add.", "sum(x) over 1, 2, NULL -> 3", false),
		sum("try_sum", "The sum, null on overflow.", "try_sum(x) over 1, 2 -> 3", true),
		avg("avg", "The mean; a decimal for decimals, otherwise a double.", "avg(x) over 1, 2, NULL -> 1.5", "mean"),
		avg("try_avg", "The mean, null on overflow.", "try_avg(x) over 1, 2 -> 1.5"),
	)
}

func sumOf(a *Agg, try bool) aggregator {
	t := a.Typ
	g := aggregator{state: []column.Type{t}}
	switch t.Kind {
	case column.Float64:
		g.make = func() Accumulator { return &floatSum{} }
	case column.Decimal:
		g.make = func() Accumulator { return &decSum{typ: t, from: t, try: try} }
	default:
		g.state = append(g.state, column.Of(column.Bool))
		g.make = func() Accumulator { return &intSum{typ: t, try: try} }
	}
	return g
}

// intSum adds integers and intervals in 64 bits; a group that overflows stays so, and says it when asked.
type intSum struct {
	typ   column.Type
	try   bool
	sum   []int64
	has   []bool
	over  []bool
	valid []uint64
	out   column.Vector
}

func (s *intSum) Resize(n int) {
	s.sum, s.has, s.over = grow(s.sum, n), grow(s.has, n), grow(s.over, n)
}

func (s *intSum) Update(gids []uint32, args []*column.Vector, n int) error {
	v := args[0]
	if v.Valid == nil && !v.Const {
		switch v.Type.Kind.Storage() {
		case column.StorageI64:
			addInts(s, gids, v.I64[:n])
			return nil
		case column.StorageI32:
			addInts(s, gids, v.I32[:n])
			return nil
		case column.StorageI16:
			addInts(s, gids, v.I16[:n])
			return nil
		case column.StorageI8:
			addInts(s, gids, v.I8[:n])
			return nil
		}
	}
	for i, g := range gids[:n] {
		if v.IsValid(i) {
			s.add(g, intAt(v, i))
		}
	}
	return nil
}

func (s *intSum) add(g uint32, x int64) {
	old := s.sum[g]
	r := old + x
	if (old^r)&(x^r) < 0 {
		s.over[g] = true
	}
	s.sum[g], s.has[g] = r, true
}

func addInts[T integer](s *intSum, gids []uint32, v []T) {
	if len(s.sum) == 1 && len(v) > 0 {
		addOne(s, v)
		return
	}
	gids = gids[:len(v)]
	for i, x := range v {
		s.add(gids[i], int64(x))
	}
}

// addOne adds all values to the only group. 32-bit values cannot overflow a batch's sum.
func addOne[T integer](s *intSum, v []T) {
	var one T
	if unsafe.Sizeof(one) == 8 { // these may overflow at each step
		for _, x := range v {
			s.add(0, int64(x))
		}
		return
	}
	var a, b, c, d int64
	i := 0
	for ; i+4 <= len(v); i += 4 {
		a, b, c, d = a+int64(v[i]), b+int64(v[i+1]), c+int64(v[i+2]), d+int64(v[i+3])
	}
	for ; i < len(v); i++ {
		a += int64(v[i])
	}
	s.add(0, a+b+c+d)
}

func (s *intSum) Merge(gids []uint32, state []*column.Vector, n int) error {
	if len(state) > 1 {
		for i, g := range gids[:n] {
			s.over[g] = s.over[g] || state[1].Bools[i]
		}
	}
	return s.Update(gids, state[:1], n)
}

func (s *intSum) vector() *column.Vector {
	s.valid = column.AllValid(s.valid, len(s.has))
	s.out = column.Vector{Type: s.typ, N: len(s.sum), Valid: validOf(s.valid, s.has)}
	if s.typ.Kind.Storage() == column.StorageI32 {
		s.out.I32 = make([]int32, len(s.sum))
		for i, x := range s.sum {
			s.out.I32[i] = int32(x)
		}
	} else {
		s.out.I64 = s.sum
	}
	return &s.out
}

// State is the sums, and which of them overflowed.
func (s *intSum) State() []*column.Vector {
	over := &column.Vector{Type: column.Of(column.Bool), N: len(s.over), Bools: s.over}
	return []*column.Vector{s.vector(), over}
}

func (s *intSum) Result() (*column.Vector, error) {
	v := s.vector()
	for g, over := range s.over {
		if over && !s.try {
			return nil, errOverflow(column.Int64, "try_sum")
		}
		if over {
			v.SetNull(g)
		}
	}
	return v, nil
}

func (s *intSum) Reset()       { s.sum, s.has, s.over = s.sum[:0], s.has[:0], s.over[:0] }
func (s *intSum) Bytes() int64 { return int64(10 * cap(s.sum)) }

type floatSum struct {
	sum   []float64
	has   []bool
	valid []uint64
	out   column.Vector
}

func (s *floatSum) Resize(n int) { s.sum, s.has = grow(s.sum, n), grow(s.has, n) }

func (s *floatSum) Update(gids []uint32, args []*column.Vector, n int) error {
	v := args[0]
	if v.Type.Kind == column.Float64 && v.Valid == nil && !v.Const {
		x := v.F64[:n]
		gids = gids[:n]
		if len(s.sum) == 1 && n > 0 {
			total := s.sum[0]
			for _, y := range x { // in order: how the rows are cut into batches does not change the rounding
				total += y
			}
			s.sum[0], s.has[0] = total, true
			return nil
		}
		for i, g := range gids {
			s.sum[g] += x[i]
			s.has[g] = true
		}
		return nil
	}
	for i, g := range gids[:n] {
		if v.IsValid(i) {
			s.sum[g] += asFloat(v, i)
			s.has[g] = true
		}
	}
	return nil
}

func (s *floatSum) Merge(gids []uint32, state []*column.Vector, n int) error {
	return s.Update(gids, state, n)
}

func (s *floatSum) State() []*column.Vector {
	s.valid = column.AllValid(s.valid, len(s.has))
	s.out = column.Vector{Type: column.Of(column.Float64), N: len(s.sum), F64: s.sum, Valid: validOf(s.valid, s.has)}
	return []*column.Vector{&s.out}
}

func (s *floatSum) Result() (*column.Vector, error) { return s.State()[0], nil }
func (s *floatSum) Reset()                          { s.sum, s.has = s.sum[:0], s.has[:0] }
func (s *floatSum) Bytes() int64                    { return int64(9 * cap(s.sum)) }

type decSum struct {
	typ, from column.Type
	try       bool
	sum       []dec
	has, over []bool
	valid     []uint64
	out       column.Vector
}

func (s *decSum) Resize(n int) {
	s.sum, s.has, s.over = grow(s.sum, n), grow(s.has, n), grow(s.over, n)
}

func (s *decSum) Update(gids []uint32, args []*column.Vector, n int) error {
	v := args[0]
	if v.Valid == nil && !v.Const {
		s.addAll(gids[:n], v.Dec[:n])
		return nil
	}
	for i, g := range gids[:n] {
		if !v.IsValid(i) {
			continue
		}
		r, ok := s.sum[g].add(dec(v.Dec[constRow(v, i)]))
		s.sum[g], s.has[g] = r, true
		s.over[g] = s.over[g] || !ok
	}
	return nil
}

// addAll adds x[i] to group gids[i].
func (s *decSum) addAll(gids []uint32, x []column.Dec128) {
	if len(s.sum) <= fewGroups && decWidth(x)+bits.Len(uint(len(x))) <= 62 {
		s.addFew(gids, x)
		return
	}
	for i, g := range gids {
		r, ok := s.sum[g].add(dec(x[i]))
		s.sum[g], s.has[g] = r, true
		if !ok {
			s.over[g] = true
		}
	}
}

// fewGroups is how many groups have their sums in an array on the stack while a batch is added.
const fewGroups = 64

// addFew adds a batch whose sums fit into a word.
func (s *decSum) addFew(gids []uint32, x []column.Dec128) {
	var sums [fewGroups]int64
	seen := uint64(0)
	x = x[:len(gids)]
	for i, g := range gids {
		g %= fewGroups
		sums[g] += int64(x[i].Lo)
		seen |= 1 << g
	}
	for ; seen != 0; seen &= seen - 1 {
		g := bits.TrailingZeros64(seen)
		r, ok := s.sum[g].add(decFromInt(sums[g]))
		s.sum[g], s.has[g], s.over[g] = r, true, s.over[g] || !ok
	}
}

func (s *decSum) Merge(gids []uint32, state []*column.Vector, n int) error {
	return s.Update(gids, state, n)
}

// State is the sums where they lie.
func (s *decSum) State() []*column.Vector {
	s.valid = column.AllValid(s.valid, len(s.has))
	sums := unsafe.Slice((*column.Dec128)(unsafe.Pointer(unsafe.SliceData(s.sum))), len(s.sum))
	s.out = column.Vector{Type: s.typ, N: len(s.sum), Dec: sums, Valid: validOf(s.valid, s.has)}
	for i, over := range s.over {
		if over { // no decimal has as many digits, so this stays an overflow wherever it is added to
			sums[i] = column.Dec128{Lo: math.MaxUint64, Hi: math.MaxInt64}
		}
	}
	return []*column.Vector{&s.out}
}

func (s *decSum) Result() (*column.Vector, error) {
	v := s.State()[0]
	for g, d := range s.sum {
		if !s.has[g] || !s.over[g] && d.fits(int(s.typ.Precision)) {
			continue
		}
		if !s.try {
			return nil, errOverflow(column.Decimal, "try_sum")
		}
		v.SetNull(g)
	}
	return v, nil
}

func (s *decSum) Reset()       { s.sum, s.has, s.over = s.sum[:0], s.has[:0], s.over[:0] }
func (s *decSum) Bytes() int64 { return int64(18 * cap(s.sum)) }

// avgOf keeps a sum and a count.
func avgOf(a *Agg) (aggregator, error) {
	t := a.Args[0].DataType()
	st := sumType(t)
	if st.Kind == column.Int64 {
		st = column.Of(column.Float64) // integers are averaged as doubles, and cannot overflow
	}
	return aggregator{state: []column.Type{st, column.Of(column.Int64)}, make: func() Accumulator {
		inner, _ := NewAccumulator(&Agg{Fn: "try_sum", Args: a.Args, Typ: st})
		if isInterval(t.Kind) {
			inner = &intSum{typ: st, try: true}
		}
		return &avgAcc{sum: inner, from: st, to: a.Typ}
	}}, nil
}

type avgAcc struct {
	sum      Accumulator
	n        countAcc
	from, to column.Type
}

func (a *avgAcc) Resize(n int) { a.sum.Resize(n); a.n.Resize(n) }

func (a *avgAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	if err := a.n.Update(gids, args, n); err != nil {
		return err
	}
	return a.sum.Update(gids, args, n)
}

func (a *avgAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	if err := a.n.Merge(gids, state[1:], n); err != nil {
		return err
	}
	return a.sum.Merge(gids, state[:1], n)
}

func (a *avgAcc) State() []*column.Vector {
	return []*column.Vector{a.sum.State()[0], a.n.State()[0]}
}

func (a *avgAcc) Result() (*column.Vector, error) {
	sum, err := a.sum.Result()
	if err != nil {
		return nil, err
	}
	out := column.NewVector(a.to, len(a.n.n))
	for g, n := range a.n.n {
		if n == 0 || !sum.IsValid(g) {
			out.SetNull(g)
			continue
		}
		switch a.to.Kind.Storage() {
		case column.StorageF64:
			out.F64[g] = sum.F64[g] / float64(n)
		case column.StorageDec:
			r, ok := divideDec(dec(sum.Dec[g]), n, int(a.from.Scale), int(a.to.Scale))
			if !ok || !r.fits(int(a.to.Precision)) {
				out.SetNull(g)
				continue
			}
			out.Dec[g] = column.Dec128(r)
		default:
			setInt(out, g, decFromInt(intAt(sum, g)).divRoundInt(n))
		}
	}
	return out, nil
}

func (d dec) divRoundInt(n int64) int64 {
	v, _ := d.divRound(decFromInt(n)).int64()
	return v
}

// divideDec is d / n brought from one scale to another.
func divideDec(d dec, n int64, from, to int) (dec, bool) {
	if x, ok := d.rescale(from, to); ok && to >= from {
		return x.divRound(decFromInt(n)), true
	}
	b := column.Dec128(d).Big()
	if to >= from {
		b.Mul(b, pow10Big(to-from))
		return quoBig(b, big.NewInt(n))
	}
	return quoBig(b, new(big.Int).Mul(big.NewInt(n), pow10Big(from-to)))
}

func (a *avgAcc) Reset()       { a.sum.Reset(); a.n.Reset() }
func (a *avgAcc) Bytes() int64 { return a.sum.Bytes() + a.n.Bytes() }
