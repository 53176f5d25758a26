package column

import (
	"math/rand/v2"
	"testing"
)

func TestTakeGathersAndNullsNegatives(t *testing.T) {
	r := newRand(t)
	for range 30 {
		b := randomBatch(r, allTypes, 1+r.IntN(200), 50, 0.2)
		all := rows(b)
		var dst *Batch
		for range 3 {
			sel := make([]int32, r.IntN(300))
			want := make([][]any, len(sel))
			for i := range sel {
				sel[i] = int32(r.IntN(b.N+1)) - 1
				if sel[i] < 0 {
					want[i] = make([]any, len(allTypes))
				} else {
					want[i] = all[sel[i]]
				}
			}
			dst = TakeBatch(dst, b, sel)
			equalRows(t, rows(dst), want)
		}
	}
}

func TestTakeFromEmptyGivesNulls(t *testing.T) {
	b := randomBatch(newRand(t), allTypes, 0, 5, 0)
	out := TakeBatch(nil, b, []int32{-1, -1})
	equalRows(t, rows(out), [][]any{make([]any, len(allTypes)), make([]any, len(allTypes))})
}

func TestSliceCloneConcat(t *testing.T) {
	r := newRand(t)
	for range 30 {
		b := randomBatch(r, allTypes, 300, 50, 0.2)
		all := rows(b)
		var parts []*Batch
		for at := 0; at < b.N; {
			n := min(b.N-at, r.IntN(130))
			parts = append(parts, b.Slice(at, at+n))
			equalRows(t, rows(parts[len(parts)-1]), all[at:at+n])
			equalRows(t, rows(parts[len(parts)-1].Clone()), all[at:at+n])
			at += n
		}
		equalRows(t, rows(Concat(b.Schema, parts)), all)
	}
}

func TestConcatOfNothing(t *testing.T) {
	b := randomBatch(newRand(t), allTypes, 3, 5, 0)
	if got := Concat(b.Schema, nil); got.N != 0 || len(got.Cols) != len(allTypes) {
		t.Fatalf("%d rows, %d columns", got.N, len(got.Cols))
	}
}

func TestBuilderReuse(t *testing.T) {
	r := newRand(t)
	b := randomBatch(r, allTypes, 100, 50, 0.2)
	want := rows(b)
	build := NewBatchBuilder(b.Schema)
	for range 3 {
		for i := range b.N {
			build.AppendRowFrom(b, i)
		}
		first := build.Finish()
		equalRows(t, rows(first), want)
		// Appending without Reset must leave the finished batch alone.
		build.AppendRowFrom(b, 7)
		equalRows(t, rows(build.Finish()), want[7:8])
		equalRows(t, rows(first), want)
		build.Reset()
	}
}

func TestBuilderTruncate(t *testing.T) {
	r := newRand(t)
	b := randomBatch(r, allTypes, 100, 50, 0.2)
	build := NewBatchBuilder(b.Schema)
	for i := range b.N {
		build.AppendRowFrom(b, i)
		if i == 80 {
			build.Truncate(64)
			for j := 64; j <= 80; j++ {
				build.AppendRowFrom(b, j)
			}
		}
	}
	equalRows(t, rows(build.Finish()), rows(b))
}

func TestAppendValueRefusesOtherTypes(t *testing.T) {
	for _, c := range []struct {
		typ Type
		val any
	}{{Of(Int32), "x"}, {Of(String), int64(1)}, {Of(Bool), 1.5}, {ListOf(Of(Int32), true), []any{int64(1), "x"}}, {DecimalOf(5, 0), int64(1)}} {
		b := NewBuilder(c.typ)
		if err := b.AppendValue(c.val); err == nil {
			t.Errorf("%T went into %s", c.val, c.typ)
		}
		b.AppendNull()
		if v := b.Finish(); v.N != 1 || v.IsValid(0) {
			t.Errorf("%s: a refused value left something behind", c.typ)
		}
	}
}

func TestSelectTrue(t *testing.T) {
	r := newRand(t)
	for _, nulls := range []float64{0, 0.3} {
		v := randomBatch(r, []Type{Of(Bool)}, 333, 10, nulls).Cols[0]
		var want []int32
		for i := range v.N {
			if Value(v, i) == true {
				want = append(want, int32(i))
			}
		}
		got := SelectTrue(nil, v, v.N)
		if len(got) != len(want) {
			t.Fatalf("%d rows, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("row %d is %d, want %d", i, got[i], want[i])
			}
		}
	}
}

func TestBitmapPieces(t *testing.T) {
	r := newRand(t)
	for range 200 {
		n := r.IntN(300)
		bools := make([]bool, n)
		for i := range bools {
			bools[i] = r.IntN(2) == 0
		}
		words := PackBools(nil, bools)
		from := r.IntN(n + 1)
		cut := sliceBits(words, from, n-from)
		at := r.IntN(100)
		dst := make([]uint64, (at+n-from+63)/64+1)
		appendBits(dst, at, cut, n-from)
		set := 0
		for i := range n - from {
			if bools[from+i] {
				set++
			}
			if bit(cut, i) != bools[from+i] || bit(dst, at+i) != bools[from+i] {
				t.Fatalf("bit %d from %d to %d", i, from, at)
			}
		}
		if CountSet(cut, n-from) != set || CountSet(dst, at+n-from) != set {
			t.Fatalf("counts differ from %d", set)
		}
	}
}

func BenchmarkTakeInt64(b *testing.B) {
	v := NewVector(Of(Int64), BatchRows)
	sel := make([]int32, BatchRows)
	for i := range sel {
		sel[i] = int32(rand.IntN(BatchRows))
	}
	var dst *Vector
	for b.Loop() {
		dst = Take(dst, v, sel)
	}
	perRow(b, BatchRows)
}

func BenchmarkTakeString(b *testing.B) {
	v := randomBatch(newRand(b), []Type{Of(Binary)}, BatchRows, 1000, 0).Cols[0]
	sel := AllRows(nil, BatchRows)
	var dst *Vector
	for b.Loop() {
		dst = Take(dst, v, sel)
	}
	perRow(b, BatchRows)
}

func perRow(b *testing.B, rows int) {
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
