package rdd

import "context"

// CoGrouped has the values that a key has on both sides.
type CoGrouped[V, W any] struct {
	Left  []V
	Right []W
}

// Joined is one combination of a left and a right value; Found is false when an outer join has no right one.
type Joined[V, W any] struct {
	Left  V
	Right W
	Found bool
}

// CoGroup gathers the values of each key from both sides.
func CoGroup[K comparable, V, W any](left Dataset[Pair[K, V]], right Dataset[Pair[K, W]]) Dataset[Pair[K, CoGrouped[V, W]]] {
	c := left.ctx
	return Dataset[Pair[K, CoGrouped[V, W]]]{c, func(ctx context.Context) (*RDD, error) {
		l, err := left.make(ctx)
		if err != nil {
			return nil, err
		}
		r, err := right.make(ctx)
		if err != nil {
			return nil, err
		}
		fn := general("coGroup:"+typeName[K]()+","+typeName[V]()+","+typeName[W](), coGrouper[K, V, W]())
		return c.node("coGroup", fn, c.parts, nil, shuffled[K, V](c, l, c.parts), shuffled[K, W](c, r, c.parts)), nil
	}}
}

func coGrouper[K comparable, V, W any]() build {
	return whole(func(_ *TaskContext, in []Reader) ([]Pair[K, CoGrouped[V, W]], error) {
		t := newTable[K, CoGrouped[V, W]]()
		err := eachPair(in[0], func(p Pair[K, V]) {
			g, _ := t.find(p.Key)
			g.Left = append(g.Left, p.Value)
		})
		if err != nil {
			return nil, err
		}
		err = eachPair(in[1], func(p Pair[K, W]) {
			g, _ := t.find(p.Key)
			g.Right = append(g.Right, p.Value)
		})
		return t.rows, err
	})
}

// Join pairs each left value with each right value of the same key.
func Join[K comparable, V, W any](left Dataset[Pair[K, V]], right Dataset[Pair[K, W]]) Dataset[Pair[K, Joined[V, W]]] {
	return join(left, right, "join", false)
}

// LeftOuterJoin is Join, and keeps left values whose key has no right value.
func LeftOuterJoin[K comparable, V, W any](left Dataset[Pair[K, V]], right Dataset[Pair[K, W]]) Dataset[Pair[K, Joined[V, W]]] {
	return join(left, right, "leftOuterJoin", true)
}

func join[K comparable, V, W any](left Dataset[Pair[K, V]], right Dataset[Pair[K, W]], name string, outer bool) Dataset[Pair[K, Joined[V, W]]] {
	pairs := func(g Pair[K, CoGrouped[V, W]]) (out []Pair[K, Joined[V, W]]) {
		for _, l := range g.Value.Left {
			for _, r := range g.Value.Right {
				out = append(out, Pair[K, Joined[V, W]]{g.Key, Joined[V, W]{l, r, true}})
			}
			if outer && len(g.Value.Right) == 0 {
				out = append(out, Pair[K, Joined[V, W]]{g.Key, Joined[V, W]{Left: l}})
			}
		}
		return out
	}
	fn := general(name+":"+typeName[K]()+","+typeName[V]()+","+typeName[W](), flatMapper(pairs))
	return derive[Pair[K, CoGrouped[V, W]], Pair[K, Joined[V, W]]](CoGroup(left, right), name, fn)
}

// Distinct keeps one of equal rows.
func Distinct[T comparable](d Dataset[T]) Dataset[T] {
	type none = struct{}
	key := general("distinctKey:"+typeName[T](), mapper(func(row T) Pair[T, none] { return Pair[T, none]{Key: row} }))
	keep := func(a, _ none) none { return a }
	combine := general("distinctCombine:"+typeName[T](), combiner[T](keep))
	reduce := general("distinctReduce:"+typeName[T](), reducer[T](keep))
	value := general("distinctValue:"+typeName[T](), mapper(func(p Pair[T, none]) T { return p.Key }))
	pairs := derive[Pair[T, none], Pair[T, none]](derive[T, Pair[T, none]](d, "distinct", key), "distinct", combine)
	return derive[Pair[T, none], T](exchange[T, none, Pair[T, none]](pairs, "distinct", reduce), "distinct", value)
}
