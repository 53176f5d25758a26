package expr

import (
	"bytes"

	"github.com/streamflow/streamflow/column"
)

func init() {
	type def struct {
		name, doc, example string
		sign               int
	}
	for _, d := range []def{
		{"min", "The least value; null when there is none.", "min(x) over 2, 1, NULL -> 1", -1},
		{"max", "The greatest value; null when there is none.", "max(x) over 2, 1, NULL -> 2", 1},
	} {
		register("aggregate", &Function{Name: d.name, Kind: Aggregate, in: params("a:x"), out: orderedFirst(d.name), null: always, Doc: d.doc, Example: d.example,
			agg: func(a *Agg) (aggregator, error) { return extremeOf(a, d.sign), nil }})
	}
	flag := func(name, doc, example string, sign int, aliases ...string) *Function {
		return &Function{Name: name, Aliases: aliases, Kind: Aggregate, in: params("b:x"), out: outOf(column.Bool), null: always, Doc: doc, Example: example,
			agg: func(a *Agg) (aggregator, error) { return extremeOf(a, sign), nil }}
	}
	register("aggregate",
		flag("bool_and", "True when every value is.", "bool_and(x > 0) over 1, 2 -> true", -1, "every"),
		flag("bool_or", "True when a value is.", "bool_or(x > 1) over 1, 2 -> true", 1, "some", "any"),
		bitAgg("bit_and", "The bits set in every value.", "bit_and(x) over 3, 5 -> 1"),
		bitAgg("bit_or", "The bits set in a value.", "bit_or(x) over 3, 5 -> 7"),
		bitAgg("bit_xor", "The bits set in an odd number of values.", "bit_xor(x) over 3, 5 -> 6"),
	)
}

func extremeOf(a *Agg, sign int) aggregator {
	t := a.Args[0].DataType()
	g := aggregator{state: []column.Type{t}}
	switch t.Kind.Storage() {
	case column.StorageI8:
		g.make = func() Accumulator { return &extremeNum[int8]{typ: t, max: sign > 0} }
	case column.StorageI16:
		g.make = func() Accumulator { return &extremeNum[int16]{typ: t, max: sign > 0} }
	case column.StorageI32:
		g.make = func() Accumulator { return &extremeNum[int32]{typ: t, max: sign > 0} }
	case column.StorageI64:
		g.make = func() Accumulator { return &extremeNum[int64]{typ: t, max: sign > 0} }
	case column.StorageF32:
		g.make = func() Accumulator { return &extremeFloat[float32]{extremeNum[float32]{typ: t, max: sign > 0}} }
	case column.StorageF64:
		g.make = func() Accumulator { return &extremeFloat[float64]{extremeNum[float64]{typ: t, max: sign > 0}} }
	default:
		g.make = func() Accumulator { return &extremeKey{values: values{typ: t}, sign: sign} }
	}
	return g
}

// extremeNum is min or max of a fixed-width type.
type extremeNum[T number] struct {
	typ   column.Type
	max   bool
	best  []T
	has   []bool
	valid []uint64
	out   column.Vector
}

func (e *extremeNum[T]) Resize(n int) { e.best, e.has = grow(e.best, n), grow(e.has, n) }

func (e *extremeNum[T]) Update(gids []uint32, args []*column.Vector, n int) error {
	v := args[0]
	if v.Type.Kind == column.Null {
		return nil
	}
	x := slice[T](v)
	for i, g := range gids[:n] {
		if v.Valid != nil && !v.IsValid(i) {
			continue
		}
		y := x[constRow(v, i)]
		if !e.has[g] || e.max && y > e.best[g] || !e.max && y < e.best[g] {
			e.best[g], e.has[g] = y, true
		}
	}
	return nil
}

func (e *extremeNum[T]) Merge(gids []uint32, state []*column.Vector, n int) error {
	return e.Update(gids, state, n)
}

func (e *extremeNum[T]) State() []*column.Vector {
	e.valid = column.AllValid(e.valid, len(e.has))
	e.out.Reset(e.typ, len(e.best))
	copy(slice[T](&e.out), e.best)
	e.out.Valid = validOf(e.valid, e.has)
	return []*column.Vector{&e.out}
}

func (e *extremeNum[T]) Result() (*column.Vector, error) { return e.State()[0], nil }
func (e *extremeNum[T]) Reset()                          { e.best, e.has = e.best[:0], e.has[:0] }
func (e *extremeNum[T]) Bytes() int64                    { return int64(9 * cap(e.best)) }

// extremeFloat knows that NaN is above everything.
type extremeFloat[T float] struct{ extremeNum[T] }

func (e *extremeFloat[T]) Update(gids []uint32, args []*column.Vector, n int) error {
	v := args[0]
	x := slice[T](v)
	for i, g := range gids[:n] {
		if !v.IsValid(i) {
			continue
		}
		y := x[constRow(v, i)]
		c := compareFloat(y, e.best[g])
		if !e.has[g] || e.max && c > 0 || !e.max && c < 0 {
			e.best[g], e.has[g] = y, true
		}
	}
	return nil
}

func (e *extremeFloat[T]) Merge(gids []uint32, state []*column.Vector, n int) error {
	return e.Update(gids, state, n)
}

// values holds one value of any type for each group, as its order-preserving key.
type values struct {
	typ   column.Type
	keys  [][]byte // nil: no value yet
	key   []byte
	bytes int64
}

func (v *values) Resize(n int) { v.keys = grow(v.keys, n) }
func (v *values) Reset()       { v.keys, v.bytes = v.keys[:0], 0 }
func (v *values) Bytes() int64 { return v.bytes + int64(24*cap(v.keys)) }

// encode is the key of row i of x, valid until the next encode.
func (v *values) encode(x *column.Vector, i int) []byte {
	v.key = column.AppendKey(v.key[:0], []*column.Vector{x}, i)
	return v.key
}

func (v *values) set(g uint32, key []byte) {
	v.bytes += int64(len(key) - len(v.keys[g]))
	v.keys[g] = append(v.keys[g][:0], key...)
}

func (v *values) vector() (*column.Vector, error) {
	b := column.NewBuilder(v.typ)
	for _, key := range v.keys {
		if key == nil {
			b.AppendNull()
			continue
		}
		if err := column.DecodeKey(key, []*column.Builder{b}); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

func (v *values) mustVector() *column.Vector {
	out, err := v.vector()
	if err != nil {
		panic("BUG: aggregate state: " + err.Error())
	}
	return out
}

// extremeKey is min or max of strings, decimals, booleans and nested values: their keys compare as they do.
type extremeKey struct {
	values
	sign int
}

func (e *extremeKey) Update(gids []uint32, args []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		if !args[0].IsValid(i) {
			continue
		}
		if key := e.encode(args[0], i); e.keys[g] == nil || e.sign*bytes.Compare(key, e.keys[g]) > 0 {
			e.set(g, key)
		}
	}
	return nil
}

func (e *extremeKey) Merge(gids []uint32, state []*column.Vector, n int) error {
	return e.Update(gids, state, n)
}
func (e *extremeKey) State() []*column.Vector         { return []*column.Vector{e.mustVector()} }
func (e *extremeKey) Result() (*column.Vector, error) { return e.vector() }

func bitAgg(name, doc, example string) *Function {
	return &Function{Name: name, Kind: Aggregate, in: params("I:x"), out: typeOfFirst, null: always, Doc: doc, Example: example, agg: func(a *Agg) (aggregator, error) {
		return aggregator{state: []column.Type{a.Typ}, make: func() Accumulator { return &bitAcc{op: name, intSum: intSum{typ: a.Typ}} }}, nil
	}}
}

// bitAcc folds integers with a bit operation.
type bitAcc struct {
	intSum
	op string
}

func (b *bitAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		if !args[0].IsValid(i) {
			continue
		}
		x := intAt(args[0], i)
		switch {
		case !b.has[g]:
			b.sum[g] = x
		case b.op == "bit_and":
			b.sum[g] &= x
		case b.op == "bit_or":
			b.sum[g] |= x
		default:
			b.sum[g] ^= x
		}
		b.has[g] = true
	}
	return nil
}

func (b *bitAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	return b.Update(gids, state, n)
}

func (b *bitAcc) State() []*column.Vector {
	b.valid = column.AllValid(b.valid, len(b.has))
	b.out.Reset(b.typ, len(b.sum))
	for i, x := range b.sum {
		setInt(&b.out, i, x)
	}
	b.out.Valid = validOf(b.valid, b.has)
	return []*column.Vector{&b.out}
}

func (b *bitAcc) Result() (*column.Vector, error) { return b.State()[0], nil }
