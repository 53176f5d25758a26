package column

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// groupOracle numbers keys by their encoded bytes.
type groupOracle map[string]uint32

func (o groupOracle) id(key []byte) uint32 {
	g, ok := o[string(key)]
	if !ok {
		g = uint32(len(o))
		o[string(key)] = g
	}
	return g
}

func TestGroupTableAgainstMap(t *testing.T) {
	r := newRand(t)
	for range 120 {
		types := make([]Type, 1+r.IntN(3))
		for i := range types {
			types[i] = keyTypes[r.IntN(len(keyTypes))]
		}
		table := NewGroupTable(types)
		for range 2 {
			oracle := groupOracle{}
			keyOf := [][]any{}
			span := 1 + r.IntN(4000)
			for range 4 {
				b := randomBatch(r, types, r.IntN(2500), span, 0.1)
				hashes := Hash(nil, b.Cols, b.N)
				known := len(oracle)
				before := table.Lookup(nil, b.Cols, hashes, b.N)
				gids := table.Insert(nil, b.Cols, hashes, b.N)
				for i, g := range gids {
					want := oracle.id(AppendKey(nil, b.Cols, i))
					if int(want) == len(keyOf) {
						keyOf = append(keyOf, sane(b.Row(i)).([]any))
					}
					if g != want {
						t.Fatalf("%v: row %d %v is in group %d, want %d", types, i, b.Row(i), g, want)
					}
					if missing := int(want) >= known; (before[i] == NoGroup) != missing || !missing && before[i] != want {
						t.Fatalf("%v: row %d was found in %d, want %d of %d", types, i, before[i], want, known)
					}
					if table.Hashes()[g] != hashes[i] {
						t.Fatalf("%v: hash of group %d", types, g)
					}
				}
			}
			if table.Len() != len(oracle) {
				t.Fatalf("%d groups, want %d", table.Len(), len(oracle))
			}
			keys := NewBatch(randomBatch(r, types, 0, 1, 0).Schema, table.Len(), table.Keys()...)
			equalRows(t, rows(keys), keyOf)
			table.Reset()
			if table.Len() != 0 {
				t.Fatal("groups after Reset")
			}
		}
	}
}

func TestGroupTableWithoutKeysHasOneGroup(t *testing.T) {
	table := NewGroupTable(nil)
	if got := table.Insert(nil, nil, make([]uint64, 3), 3); got[0] != 0 || got[2] != 0 || table.Len() != 1 {
		t.Fatalf("groups %v", got)
	}
}

func TestGroupTableOfManyKeyColumns(t *testing.T) {
	r := newRand(t)
	types := make([]Type, 70)
	for i := range types {
		types[i] = keyTypes[i%len(keyTypes)]
	}
	b := randomBatch(r, types, 200, 2, 0.1)
	two := Concat(b.Schema, []*Batch{b, b})
	table := NewGroupTable(types)
	gids := table.Insert(nil, two.Cols, Hash(nil, two.Cols, two.N), two.N)
	for i := range b.N {
		if gids[i] != gids[i+b.N] {
			t.Fatalf("row %d and its copy differ", i)
		}
	}
	keys := NewBatch(b.Schema, table.Len(), table.Keys()...)
	equalRows(t, rows(TakeBatch(nil, keys, []int32{int32(gids[0])})), rows(b.Slice(0, 1)))
}

func TestJoinAgainstNestedLoops(t *testing.T) {
	r := newRand(t)
	for range 60 {
		types := []Type{keyTypes[r.IntN(len(keyTypes))], keyTypes[r.IntN(len(keyTypes))], Of(Int32)}
		nkeys := 1 + r.IntN(2)
		span := 1 + r.IntN(60)
		build, probe := randomBatch(r, types, r.IntN(200), span, 0.1), randomBatch(r, types, r.IntN(200), span, 0.1)
		keys := []int{0, 1}[:nkeys]
		table := NewJoinTable(build, keys)
		safe := r.IntN(2) == 0
		if safe {
			table.NullSafe = []bool{true, true}
		}
		p := table.NewProbe()
		p.Start(probe.Cols[:nkeys], probe.N)
		var got [][2]int32
		limit := 1 + r.IntN(100)
		for {
			pr, br := p.Next(nil, nil, limit)
			if len(pr) == 0 {
				break
			}
			if len(pr) > limit {
				t.Fatalf("%d pairs, limit %d", len(pr), limit)
			}
			table.Mark(br)
			for i := range pr {
				got = append(got, [2]int32{pr[i], br[i]})
			}
		}
		var want [][2]int32
		marked := map[int32]bool{}
		matched := make([]bool, probe.N)
		for i := range probe.N {
			for j := range build.N {
				if joins(probe, i, build, j, nkeys, safe) {
					want = append(want, [2]int32{int32(i), int32(j)})
					marked[int32(j)], matched[i] = true, true
				}
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%v safe=%v:\n got %v\nwant %v", types[:nkeys], safe, got, want)
		}
		if fmt.Sprint(p.Matched(nil)) != fmt.Sprint(matched) {
			t.Fatal("matched rows differ")
		}
		for _, j := range table.Unmarked(nil) {
			if marked[j] {
				t.Fatalf("row %d is marked", j)
			}
		}
		if n := len(table.Unmarked(nil)); n != build.N-len(marked) {
			t.Fatalf("%d unmarked, want %d", n, build.N-len(marked))
		}
	}
}

func joins(a *Batch, i int, b *Batch, j, nkeys int, safe bool) bool {
	for k := range nkeys {
		x, y := a.Cols[k].IsValid(i), b.Cols[k].IsValid(j)
		if (!x || !y) && !(safe && x == y) {
			return false
		}
		if CompareValues(a.Cols[k], i, b.Cols[k], j) != 0 {
			return false
		}
	}
	return true
}

func BenchmarkGroupInt64(b *testing.B) {
	for _, groups := range []int{10, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(groups), func(b *testing.B) {
			const n = 1 << 22
			v := NewVector(Of(Int64), n)
			for i := range v.I64 {
				v.I64[i] = int64(rand.IntN(groups))
			}
			benchmarkGroup(b, v, n)
		})
	}
}

func BenchmarkGroupString(b *testing.B) {
	for _, groups := range []int{10, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(groups), func(b *testing.B) {
			const n = 1 << 20
			s := NewBuilder(Of(String))
			for range n {
				s.AppendString(fmt.Sprintf("user_%08d", rand.IntN(groups)))
			}
			benchmarkGroup(b, s.Finish(), n)
		})
	}
}

func benchmarkGroup(b *testing.B, v *Vector, n int) {
	table := NewGroupTable([]Type{v.Type})
	var hashes []uint64
	var gids []uint32
	parts := make([]*Vector, 0, n/BatchRows)
	for at := 0; at < n; at += BatchRows {
		parts = append(parts, v.Slice(at, at+BatchRows))
	}
	for b.Loop() {
		table.Reset()
		for _, p := range parts {
			hashes = Hash(hashes, []*Vector{p}, BatchRows)
			gids = table.Insert(gids, []*Vector{p}, hashes, BatchRows)
		}
	}
	perRow(b, n)
}

func BenchmarkJoinProbe(b *testing.B) {
	const build, n = 1_000_000, 1 << 20
	v, w := NewVector(Of(Int64), build), NewVector(Of(Int64), n)
	for i, x := range rand.Perm(build) {
		v.I64[i] = int64(x)
	}
	for i := range w.I64 {
		w.I64[i] = int64(rand.IntN(build))
	}
	table := NewJoinTable(NewBatch(NewSchema(Field{Name: "k", Type: Of(Int64)}), build, v), []int{0})
	p := table.NewProbe()
	var pr, br []int32
	for b.Loop() {
		for at := 0; at < n; at += BatchRows {
			p.Start([]*Vector{w.Slice(at, at+BatchRows)}, BatchRows)
			pr, br = p.Next(pr, br, BatchRows)
		}
	}
	perRow(b, n)
}
