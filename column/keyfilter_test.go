package column

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func ints(vals ...any) *Vector {
	b := NewBuilder(Of(Int64))
	for _, v := range vals {
		b.AppendValue(v)
	}
	return b.Finish()
}

func selected(f *KeyFilter, v *Vector) []int32 {
	sel, _ := f.Select(nil, nil, v, v.N)
	return sel
}

func TestKeyFilterExact(t *testing.T) {
	f := NewKeyFilter(ints(int64(10), int64(12), nil, int64(75)), ints(int64(-3)))
	if !f.Exact || f.Low != -3 || f.High != 75 {
		t.Fatalf("%+v", f)
	}
	got := selected(f, ints(int64(-4), int64(-3), int64(10), int64(11), nil, int64(12), int64(75), int64(76), int64(1)<<60))
	if want := []int32{1, 2, 5, 6}; !slices.Equal(got, want) {
		t.Errorf("rows %v, want %v", got, want)
	}
	for _, c := range []struct {
		lo, hi any
		want   bool
	}{{int64(-10), int64(-4), true}, {int64(-10), int64(-3), false}, {int64(13), int64(74), true}, {int64(13), int64(75), false},
		{int64(11), int64(11), true}, {int64(76), int64(99), true}, {nil, int64(1), false}, {"a", "b", false}} {
		if f.Excludes(c.lo, c.hi) != c.want {
			t.Errorf("excludes %v to %v: %v", c.lo, c.hi, !c.want)
		}
	}
}

func TestKeyFilterOfNothing(t *testing.T) {
	f := NewKeyFilter(ints())
	if got := selected(f, ints(int64(0), int64(1))); len(got) > 0 {
		t.Errorf("rows %v", got)
	}
	if got := selected(NewKeyFilter(ints(nil)), ints(int64(0), nil)); len(got) > 0 {
		t.Errorf("of a null: rows %v", got)
	}
	if !f.Excludes(int64(1), int64(2)) {
		t.Error("excludes nothing")
	}
}

// TestKeyFilterTypes: of every type, all keys pass, whatever represents them, and few others.
func TestKeyFilterTypes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, typ := range []Type{Of(Int8), Of(Int16), Of(Int32), Of(Int64), Of(Date), Of(Timestamp), Of(Float64), DecimalOf(12, 2), Of(String), Of(Bool)} {
		keys, others := NewBuilder(typ), NewBuilder(typ)
		for i := range 3000 {
			keys.AppendValue(sampleKey(typ, 2*i, r))
			others.AppendValue(sampleKey(typ, 2*i+1, r))
		}
		k, o := keys.Finish(), others.Finish()
		for _, f := range []*KeyFilter{NewKeyFilter(k), roundTrip(t, NewKeyFilter(k)), Union(NewKeyFilter(k.Slice(0, 1000)), NewKeyFilter(k.Slice(1000, 3000)), NewKeyFilter(k.Slice(0, 0)))} {
			if got := len(selected(f, k)); got != k.N {
				t.Errorf("%s: %d of %d keys pass", typ, got, k.N)
			}
			if got := len(selected(f, o)); typ.Kind != Bool && typ.Kind != Int8 && got > o.N/8 {
				t.Errorf("%s: %d of %d others pass", typ, got, o.N)
			}
		}
	}
}

func sampleKey(t Type, i int, _ *rand.Rand) any {
	switch t.Kind {
	case Bool:
		return i&2 == 0
	case Int8:
		return int64(int8(i))
	case Int16:
		return int64(int16(i))
	case Int64:
		return int64(i) * 1_000_003 * 1_000_003
	case Float64:
		return float64(i) / 7
	case Decimal:
		return DecFromInt(int64(i))
	case String:
		return fmt.Sprintf("key number %d", i)
	}
	return int64(i)
}

func roundTrip(t *testing.T, f *KeyFilter) *KeyFilter {
	t.Helper()
	out, err := DecodeKeyFilter(AppendKeyFilter(nil, f))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func FuzzDecodeKeyFilter(f *testing.F) {
	f.Add(AppendKeyFilter(nil, NewKeyFilter(ints(int64(1), int64(70)))))
	f.Add(AppendKeyFilter(nil, NewKeyFilter(ints(int64(1), int64(1)<<50))))
	f.Add(AppendKeyFilter(nil, NewKeyFilter(ints())))
	probe := ints(int64(0), int64(1), int64(70), nil, int64(1)<<50, -int64(1)<<63)
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := DecodeKeyFilter(b)
		if err != nil {
			return
		}
		selected(k, probe)
		k.Excludes(int64(0), int64(100))
		Union(k, NewKeyFilter(ints(int64(5))))
		if again := AppendKeyFilter(nil, k); string(again) != string(b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

func BenchmarkKeyFilterSelect(b *testing.B) {
	keys, probe := NewBuilder(Of(Int64)), NewBuilder(Of(Int64))
	for i := range 100_000 {
		keys.AppendI64(int64(i * 40))
	}
	for i := range BatchRows {
		probe.AppendI64(int64(i * 977))
	}
	v := probe.Finish()
	k := keys.Finish()
	bloom := NewKeyFilter(k)
	bloom.Exact, bloom.Words = false, make([]uint64, bloomWords(bloom.Count))
	bloom.add(k, Hash(nil, []*Vector{k}, k.N))
	for name, f := range map[string]*KeyFilter{"exact": NewKeyFilter(k), "bloom": bloom} {
		b.Run(name, func(b *testing.B) {
			var sel []int32
			var hashes []uint64
			b.SetBytes(BatchRows * 8)
			for b.Loop() {
				sel, hashes = f.Select(sel, hashes, v, v.N)
			}
		})
	}
}
