package column

import (
	"fmt"
	"testing"
)

// TestGroupTableKeepsCodesOfAFixedDictionary: codes, views, nulls, other dictionaries and an emptied table give the groups that
// strings without codes do.
func TestGroupTableKeepsCodesOfAFixedDictionary(t *testing.T) {
	r := newRand(t)
	dict := func(n, from int) *Vector {
		b := NewBuilder(Of(String))
		for i := range n {
			b.AppendString(fmt.Sprintf("text %d of a dictionary", (i*7+from)%40))
		}
		v := b.Finish()
		FixDict(v)
		return v
	}
	dicts := []*Vector{dict(40, 0), dict(25, 3), dict(40, 11)}
	table, plain := NewGroupTable([]Type{Of(String)}), NewGroupTable([]Type{Of(String)})
	for step := range 200 {
		n := 1 + r.IntN(60)
		v := &Vector{Type: Of(String), N: n, Codes: make([]int32, n), Dict: dicts[r.IntN(len(dicts))]}
		for i := range v.Codes {
			v.Codes[i] = int32(r.IntN(v.Dict.N))
		}
		if r.IntN(3) == 0 {
			for i := range n {
				if r.IntN(5) == 0 {
					v.SetNull(i)
				}
			}
		}
		p := Plain(v)
		want := plain.Insert(nil, []*Vector{p}, Hash(nil, []*Vector{p}, n), n)
		got, coded := table.InsertCoded(nil, []*Vector{v}, n)
		if !coded {
			got = table.Insert(nil, []*Vector{v}, Hash(nil, []*Vector{v}, n), n)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("step %d: row %d is in group %d, want %d (coded: %v)", step, i, got[i], want[i], coded)
			}
		}
		if h := Hash(nil, []*Vector{v}, n); h[n-1] != Hash(nil, []*Vector{p}, n)[n-1] {
			t.Fatal("hashes of codes and strings differ")
		}
		if step%50 == 49 {
			table.Reset()
			plain.Reset()
		}
	}
}

// TestGroupTableOfNarrowKeys: keys that share words keep their values, signs and nulls apart.
func TestGroupTableOfNarrowKeys(t *testing.T) {
	r := newRand(t)
	types := []Type{Of(Int32), Of(Bool), Of(Int8), Of(Int16), Of(Date), Of(Int32), Of(Int64), Of(String), Of(Float32)}
	if l := newKeyLayout(types); l.width != 7 {
		t.Fatalf("%d words, want 7: nulls with int, bool and byte; short with date; int; bigint, float and two of the string", l.width)
	}
	b := randomBatch(r, types, 3000, 3, 0.2)
	table, oracle := NewGroupTable(types), groupOracle{}
	for i, g := range table.Insert(nil, b.Cols, Hash(nil, b.Cols, b.N), b.N) {
		if want := oracle.id(AppendKey(nil, b.Cols, i)); g != want {
			t.Fatalf("row %d is in group %d, want %d", i, g, want)
		}
	}
	keys := table.Keys()
	for i, g := range table.Lookup(nil, b.Cols, Hash(nil, b.Cols, b.N), b.N) {
		if string(AppendKey(nil, b.Cols, i)) != string(AppendKey(nil, keys, int(g))) {
			t.Fatalf("row %d is not its group's key", i)
		}
	}
}
