package expr

import (
	"bytes"

	"github.com/streamflow/streamflow/column"
)

func init() {
	pick := func(name, doc, example string, last bool, aliases ...string) *Function {
		return &Function{Name: name, Aliases: aliases, Kind: Aggregate, in: params("a:x b:ignoreNulls?"), out: typeOfFirst, null: always, Doc: doc, Example: example, agg: func(a *Agg) (aggregator, error) {
			ignore := len(a.Args) == 2 && isTrue(a.Args[1])
			t := a.Args[0].DataType()
			return aggregator{state: []column.Type{t, column.Of(column.Bool)}, make: func() Accumulator {
				return &pickAcc{values: values{typ: t}, last: last, ignore: ignore}
			}}, nil
		}}
	}
	by := func(name, doc, example string, sign int) *Function {
		return &Function{Name: name, Kind: Aggregate, in: params("a:x a:y"), out: typeOfFirst, null: always, Doc: doc, Example: example, agg: func(a *Agg) (aggregator, error) {
			x, y := a.Args[0].DataType(), a.Args[1].DataType()
			return aggregator{state: []column.Type{x, y}, make: func() Accumulator {
				return &byAcc{x: values{typ: x}, y: values{typ: y}, sign: sign}
			}}, nil
		}}
	}
	register("aggregate",
		pick("first", "The value of the first row, or the first that is not null.", "first(x) over 1, 2 -> 1", false, "first_value"),
		pick("last", "The value of the last row, or the last that is not null.", "last(x) over 1, 2 -> 2", true, "last_value"),
		pick("any_value", "The value of some row.", "any_value(x) over 1, 1 -> 1", false),
		by("max_by", "The x of the row with the greatest y.", "max_by(x, -x) over 1, 2 -> 1", 1),
		by("min_by", "The x of the row with the least y.", "min_by(x, -x) over 1, 2 -> 2", -1),
	)
}

func isTrue(e Expr) bool {
	l, ok := Transform(e, Fold).(*Literal)
	return ok && l.Value == true
}

// pickAcc is first and last: the rows come in order, and states are merged in order.
type pickAcc struct {
	values
	last, ignore bool
	seen         []bool
}

func (p *pickAcc) Resize(n int) { p.values.Resize(n); p.seen = grow(p.seen, n) }

func (p *pickAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		p.offer(g, args[0], i)
	}
	return nil
}

func (p *pickAcc) offer(g uint32, v *column.Vector, i int) {
	valid := v.IsValid(i)
	if p.seen[g] && !p.last || p.ignore && !valid {
		return
	}
	p.seen[g] = true
	if !valid {
		p.keys[g] = nil
		return
	}
	p.set(g, p.encode(v, i))
}

func (p *pickAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		if state[1].Bools[i] {
			p.offer(g, state[0], i)
		}
	}
	return nil
}

func (p *pickAcc) State() []*column.Vector {
	return []*column.Vector{p.mustVector(), {Type: column.Of(column.Bool), N: len(p.seen), Bools: p.seen}}
}

func (p *pickAcc) Result() (*column.Vector, error) { return p.vector() }
func (p *pickAcc) Reset()                          { p.values.Reset(); p.seen = p.seen[:0] }

// byAcc keeps the x that belongs to the extreme y.
type byAcc struct {
	x, y values
	sign int
}

func (b *byAcc) Resize(n int) { b.x.Resize(n); b.y.Resize(n) }

func (b *byAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		if !args[1].IsValid(i) {
			continue
		}
		key := b.y.encode(args[1], i)
		if b.y.keys[g] != nil && b.sign*bytes.Compare(key, b.y.keys[g]) <= 0 {
			continue
		}
		b.y.set(g, key)
		if args[0].IsValid(i) {
			b.x.set(g, b.x.encode(args[0], i))
		} else {
			b.x.keys[g] = nil
		}
	}
	return nil
}

func (b *byAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	return b.Update(gids, state, n)
}

func (b *byAcc) State() []*column.Vector {
	return []*column.Vector{b.x.mustVector(), b.y.mustVector()}
}
func (b *byAcc) Result() (*column.Vector, error) { return b.x.vector() }
func (b *byAcc) Reset()                          { b.x.Reset(); b.y.Reset() }
func (b *byAcc) Bytes() int64                    { return b.x.Bytes() + b.y.Bytes() }
