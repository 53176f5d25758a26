package column

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func randomKeys(r *rand.Rand, cols int) []SortKey {
	keys := make([]SortKey, 1+r.IntN(3))
	for i := range keys {
		keys[i] = SortKey{Col: r.IntN(cols), Desc: r.IntN(2) == 0, NullsFirst: r.IntN(2) == 0}
	}
	return keys
}

func TestSortAgainstComparison(t *testing.T) {
	r := newRand(t)
	types := append(append([]Type{}, keyTypes...), DecimalOf(38, 6))
	for range 150 {
		b := randomBatch(r, types, r.IntN(600), 1+r.IntN(200), 0.1)
		keys := randomKeys(r, len(types))
		want := AllRows(nil, b.N)
		slices.SortStableFunc(want, func(i, j int32) int { return CompareRows(b, int(i), b, int(j), keys) })
		if got := SortIndices(b, keys); !slices.Equal(got, want) {
			t.Fatalf("keys %v over %d rows", keys, b.N)
		}
	}
}

func TestTopKAgainstSort(t *testing.T) {
	r := newRand(t)
	for range 60 {
		types := []Type{Of(Int64), Of(String), Of(Float64), Of(Int32)}
		keys := randomKeys(r, len(types))
		k := r.IntN(50)
		var batches []*Batch
		for range 1 + r.IntN(4) {
			batches = append(batches, randomBatch(r, types, r.IntN(6000), 1+r.IntN(3000), 0.05))
		}
		top := NewTopK(batches[0].Schema, keys, k)
		for _, b := range batches {
			top.Add(b)
		}
		all := Concat(batches[0].Schema, batches)
		order := SortIndices(all, keys)
		equalRows(t, rows(top.Finish()), rows(TakeBatch(nil, all, order[:min(k, len(order))])))
	}
}

func TestKeyOrderAndRoundTrip(t *testing.T) {
	r := newRand(t)
	for _, typ := range allTypes {
		for range 20 {
			b := randomBatch(r, []Type{typ, Of(Int8)}, 40, 20, 0.2)
			keys := make([][]byte, b.N)
			back := NewBatchBuilder(b.Schema)
			for i := range keys {
				keys[i] = AppendKey(nil, b.Cols, i)
				if err := DecodeKey(keys[i], back.Cols); err != nil {
					t.Fatalf("%s: %v", typ, err)
				}
			}
			equalRows(t, rows(back.Finish()), rows(b))
			order := []SortKey{{Col: 0, NullsFirst: true}, {Col: 1, NullsFirst: true}}
			for i := range keys {
				j := r.IntN(b.N)
				if got, want := bytes.Compare(keys[i], keys[j]), CompareRows(b, i, b, j, order); sign(got) != sign(want) {
					t.Fatalf("%s: keys compare %d, rows %d: %v %v", typ, got, want, b.Row(i), b.Row(j))
				}
			}
		}
	}
}

func sign(x int) int { return boolInt(x > 0) - boolInt(x < 0) }

func TestRowRoundTrip(t *testing.T) {
	r := newRand(t)
	b := randomBatch(r, allTypes, 500, 50, 0.2)
	back := NewBatchBuilder(b.Schema)
	for i := range b.N {
		enc := AppendRow(nil, b.Cols, i)
		if err := DecodeRow(enc, back.Cols); err != nil {
			t.Fatal(err)
		}
		if err := DecodeRow(append(enc, 0), back.Cols); err == nil {
			t.Fatal("bytes after a row are accepted")
		}
		if len(enc) > 0 && DecodeRow(enc[:len(enc)-1], back.Cols) == nil {
			t.Fatal("a cut row is accepted")
		}
	}
	equalRows(t, rows(back.Finish()), rows(b))
}

func fuzzSchema() []Type {
	return []Type{Of(Int32), Of(String), ListOf(StructOf(Field{"a", Of(Int64), true}, Field{"b", Of(Binary), true}), true),
		MapOf(Of(String), Of(Float64), true), DecimalOf(20, 2), Of(Bool)}
}

func FuzzDecodeRow(f *testing.F) {
	b := randomBatch(rand.New(rand.NewPCG(1, 1)), fuzzSchema(), 20, 50, 0.2)
	for i := range b.N {
		f.Add(AppendRow(nil, b.Cols, i))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		back := NewBatchBuilder(b.Schema)
		err := DecodeRow(data, back.Cols)
		if n := back.Len(); n != boolInt(err == nil) {
			t.Fatalf("%d rows after %v", n, err)
		}
		if out := back.Finish(); err == nil {
			again := NewBatchBuilder(b.Schema)
			if err := DecodeRow(AppendRow(nil, out.Cols, 0), again.Cols); err != nil {
				t.Fatal(err)
			}
			equalRows(t, rows(again.Finish()), rows(out))
		}
	})
}

func FuzzDecodeKey(f *testing.F) {
	b := randomBatch(rand.New(rand.NewPCG(1, 1)), fuzzSchema(), 20, 50, 0.2)
	for i := range b.N {
		f.Add(AppendKey(nil, b.Cols, i))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		back := NewBatchBuilder(b.Schema)
		err := DecodeKey(data, back.Cols)
		if n := back.Len(); n != boolInt(err == nil) {
			t.Fatalf("%d rows after %v", n, err)
		}
		for _, c := range back.Cols {
			if c.Len() != boolInt(err == nil) {
				t.Fatalf("a column of %d rows after %v", c.Len(), err)
			}
		}
	})
}

func BenchmarkSortInt64(b *testing.B) {
	const n = 1 << 20
	v := NewVector(Of(Int64), n)
	for i := range v.I64 {
		v.I64[i] = rand.Int64()
	}
	batch := NewBatch(NewSchema(Field{Name: "k", Type: Of(Int64)}), n, v)
	for b.Loop() {
		SortIndices(batch, []SortKey{{Col: 0}})
	}
	perRow(b, n)
}

func BenchmarkTopK100(b *testing.B) {
	const n = 1 << 20
	v := NewVector(Of(Int64), n)
	for i := range v.I64 {
		v.I64[i] = rand.Int64()
	}
	schema := NewSchema(Field{Name: "k", Type: Of(Int64)})
	batch := NewBatch(schema, n, v)
	for b.Loop() {
		top := NewTopK(schema, []SortKey{{Col: 0}}, 100)
		for at := 0; at < n; at += BatchRows {
			top.Add(batch.Slice(at, at+BatchRows))
		}
		top.Finish()
	}
	perRow(b, n)
}
