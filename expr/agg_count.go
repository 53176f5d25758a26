package expr

import (
	"github.com/streamflow/streamflow/column"
)

// grow extends s to n elements, the new ones zero.
func grow[T any](s []T, n int) []T {
	if n <= len(s) {
		return s
	}
	if n <= cap(s) {
		old := len(s)
		s = s[:n]
		clear(s[old:])
		return s
	}
	out := make([]T, n, n+n/2)
	copy(out, s)
	return out
}

// validOf makes validity words of flags; nil when all are set.
func validOf(dst []uint64, has []bool) []uint64 {
	all := true
	for _, h := range has {
		all = all && h
	}
	if all {
		return nil
	}
	dst = column.AllValid(dst, len(has))
	for i, h := range has {
		if !h {
			dst[i>>6] &^= 1 << (uint(i) & 63)
		}
	}
	return dst
}

func aggType(f func(t column.Type) column.Type) func([]Expr) (column.Type, error) {
	return func(args []Expr) (column.Type, error) { return f(args[0].DataType()), nil }
}

func init() {
	register("aggregate",
		&Function{Name: "count", Kind: Aggregate, in: params("a*"), out: outOf(column.Int64), null: never, Usage: "count(*) or count([distinct] x, …)", Doc: "The number of rows, or of rows in which no argument is null.", Example: "count(x) over 1, 2, NULL -> 2",
			agg: func(a *Agg) (aggregator, error) { return counter(false), nil }},
		&Function{Name: "count_if", Kind: Aggregate, in: params("b:cond"), out: outOf(column.Int64), null: never, Doc: "The number of rows for which cond is true.", Example: "count_if(x > 1) over 1, 2, 3 -> 2",
			agg: func(a *Agg) (aggregator, error) { return counter(true), nil }},
	)
}

func counter(ifTrue bool) aggregator {
	return aggregator{state: []column.Type{column.Of(column.Int64)}, make: func() Accumulator { return &countAcc{ifTrue: ifTrue} }}
}

type countAcc struct {
	n      []int64
	ifTrue bool
	out    column.Vector
}

func (c *countAcc) Resize(groups int) { c.n = grow(c.n, groups) }

func (c *countAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	if c.ifTrue {
		for i, g := range gids[:n] {
			if args[0].IsValid(i) && args[0].Bools[i] {
				c.n[g]++
			}
		}
		return nil
	}
	nullable := false
	for _, a := range args {
		nullable = nullable || hasNulls(a, n)
	}
	switch {
	case !nullable && len(c.n) == 1:
		c.n[0] += int64(n)
	case !nullable:
		for _, g := range gids[:n] {
			c.n[g]++
		}
	default:
		for i, g := range gids[:n] {
			if allAt(args, i) {
				c.n[g]++
			}
		}
	}
	return nil
}

func allAt(args []*column.Vector, i int) bool {
	for _, a := range args {
		if !a.IsValid(i) {
			return false
		}
	}
	return true
}

func (c *countAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	for i, g := range gids[:n] {
		c.n[g] += state[0].I64[i]
	}
	return nil
}

func (c *countAcc) State() []*column.Vector {
	c.out = column.Vector{Type: column.Of(column.Int64), N: len(c.n), I64: c.n}
	return []*column.Vector{&c.out}
}

func (c *countAcc) Result() (*column.Vector, error) { return c.State()[0], nil }
func (c *countAcc) Reset()                          { c.n = c.n[:0] }
func (c *countAcc) Bytes() int64                    { return int64(8 * cap(c.n)) }
