package column

import (
	"math"
	"math/bits"
	"testing"
)

func TestHashIgnoresRepresentation(t *testing.T) {
	r := newRand(t)
	strs := randomBatch(r, []Type{Of(Binary)}, 500, 100, 0.1).Cols[0]
	plain := *strs
	plain.Type = Of(String)
	dict := asDict(&plain)
	a, b := Hash(nil, []*Vector{&plain}, 500), Hash(nil, []*Vector{dict}, 500)
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("row %d: plain and dictionary-coded %q hash differently", i, plain.Bytes(i))
		}
	}
	small := Hash(nil, []*Vector{dict.Slice(0, 3)}, 3)
	for i := range small {
		if small[i] != a[i] {
			t.Fatalf("row %d: a dictionary larger than the batch hashes differently", i)
		}
	}
	ints := []*Vector{{Type: Of(Int8), N: 1, I8: []int8{-3}}, {Type: Of(Int16), N: 1, I16: []int16{-3}},
		{Type: Of(Int32), N: 1, I32: []int32{-3}}, {Type: Of(Int64), N: 1, I64: []int64{-3}}}
	for _, v := range ints {
		if Hash(nil, []*Vector{v}, 1)[0] != Hash(nil, ints[:1], 1)[0] {
			t.Errorf("%s hashes differently", v.Type)
		}
	}
	f := &Vector{Type: Of(Float64), N: 4, F64: []float64{0, math.Copysign(0, -1), math.NaN(), math.Float64frombits(0xFFF8000000000001)}}
	if h := Hash(nil, []*Vector{f}, 4); h[0] != h[1] || h[2] != h[3] || h[0] == h[2] {
		t.Errorf("zeros and NaNs: %x", h)
	}
}

func TestHashOfEqualRowsIsEqualAndOthersDiffer(t *testing.T) {
	r := newRand(t)
	for _, typ := range allTypes {
		b := randomBatch(r, []Type{typ, Of(Int32)}, 400, 6, 0.2)
		h := Hash(nil, b.Cols, b.N)
		seen := map[string]uint64{}
		byHash := map[uint64]string{}
		for i := range b.N {
			k := string(AppendKey(nil, b.Cols, i))
			if old, ok := seen[k]; ok && old != h[i] {
				t.Fatalf("%s: equal rows hash differently", typ)
			}
			if old, ok := byHash[h[i]]; ok && old != k {
				t.Fatalf("%s: %q and %q collide in 64 bits", typ, old, k)
			}
			seen[k], byHash[h[i]] = h[i], k
		}
	}
}

func TestHashOfSlicedListStartsAnywhere(t *testing.T) {
	r := newRand(t)
	b := randomBatch(r, []Type{ListOf(Of(Int32), true)}, 100, 6, 0.2)
	whole := Hash(nil, b.Cols, 100)
	cut := Hash(nil, b.Slice(40, 100).Cols, 60)
	for i := range cut {
		if cut[i] != whole[40+i] {
			t.Fatalf("row %d", i)
		}
	}
}

// Every bit of the hash of small integers, which most keys are, must be set about half of the time, and every bit of the
// input must change about half of the output.
func TestHashSpreads(t *testing.T) {
	const n = 1 << 14
	v := NewVector(Of(Int64), n)
	for i := range v.I64 {
		v.I64[i] = int64(i)
	}
	h := Hash(nil, []*Vector{v}, n)
	for bit := range 64 {
		set := 0
		for _, x := range h {
			set += int(x >> bit & 1)
		}
		if set < n*4/10 || set > n*6/10 {
			t.Errorf("bit %d is set in %d of %d hashes", bit, set, n)
		}
	}
	buckets := make([]int, 7)
	for _, x := range h {
		buckets[x%7]++
	}
	for i, c := range buckets {
		if c < n/7*9/10 || c > n/7*11/10 {
			t.Errorf("bucket %d of 7 has %d of %d", i, c, n)
		}
	}
	changed := 0
	for i := range n {
		changed += bits.OnesCount64(hashWord(uint64(i)) ^ hashWord(uint64(i)^1<<(i%64)))
	}
	if avg := float64(changed) / n; avg < 26 || avg > 38 {
		t.Errorf("one input bit changes %.1f output bits", avg)
	}
}

func BenchmarkHashInt64(b *testing.B) {
	v := NewVector(Of(Int64), BatchRows)
	for i := range v.I64 {
		v.I64[i] = int64(i) * 977
	}
	var dst []uint64
	for b.Loop() {
		dst = Hash(dst, []*Vector{v}, BatchRows)
	}
	perRow(b, BatchRows)
}

func BenchmarkHashString(b *testing.B) {
	v := randomBatch(newRand(b), []Type{Of(Binary)}, BatchRows, 1000, 0).Cols[0]
	var dst []uint64
	for b.Loop() {
		dst = Hash(dst, []*Vector{v}, BatchRows)
	}
	perRow(b, BatchRows)
}
