package column

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// allTypes has every kind, nested ones in each other.
var allTypes = []Type{Of(Null), Of(Bool), Of(Int8), Of(Int16), Of(Int32), Of(Int64), Of(Float32), Of(Float64), DecimalOf(10, 2),
	DecimalOf(38, 6), Of(String), Of(Binary), Of(Date), Of(Timestamp), Of(TimestampNTZ), Of(IntervalYM), Of(IntervalDT),
	TimeOf(6), Of(Calendar), Of(Variant),
	ListOf(Of(String), true), ListOf(ListOf(Of(Int32), true), true), MapOf(Of(String), Of(Int64), true),
	StructOf(Field{"start", Of(Timestamp), true}, Field{"end", Of(Timestamp), true}),
	StructOf(Field{"s", Of(String), true}, Field{"in", StructOf(Field{"l", ListOf(Of(Bool), true), true}), true}),
}

// keyTypes are those that make sense as keys and have few distinct random values.
var keyTypes = []Type{Of(Bool), Of(Int8), Of(Int16), Of(Int32), Of(Int64), Of(Float32), Of(Float64), DecimalOf(20, 2), Of(String), Of(Binary),
	Of(Date), Of(Timestamp), ListOf(Of(Int32), true), StructOf(Field{"a", Of(Int32), true}, Field{"b", Of(String), true}), Of(Null)}

func newRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 1))
}

// randomValue is a boxed value of the type, from a domain of about span values.
func randomValue(r *rand.Rand, t Type, span int, nulls float64) any {
	if t.Kind == Null || r.Float64() < nulls {
		return nil
	}
	n := int64(r.IntN(span)) - int64(span/2)
	switch t.Kind {
	case Bool:
		return n%2 == 0
	case Int8:
		return int64(int8(n))
	case Int16:
		return int64(int16(n))
	case Float32, Float64:
		switch r.IntN(12) {
		case 0:
			return math.NaN()
		case 1:
			return math.Copysign(0, float64(n))
		case 2:
			return math.Inf(int(n))
		}
		return float64(n) / 4
	case Decimal:
		d := DecFromInt(n)
		if t.Precision > 18 && r.IntN(3) == 0 {
			d.Hi += int64(r.IntN(3))
		}
		return d
	case String, Binary:
		s := randomText(r, span)
		if t.Kind == Binary {
			return []byte(s)
		}
		return s
	case List:
		return randomValues(r, t.Elem(), r.IntN(4), span, nulls)
	case Map:
		n := r.IntN(3)
		return [2][]any{randomValues(r, t.Fields[0].Type, n, span, 0), randomValues(r, t.Fields[1].Type, n, span, nulls)}
	case Struct:
		row := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			row[i] = randomValue(r, f.Type, span, nulls)
		}
		return row
	case Time:
		return TruncateTime(max(n, -n)*1_000_003%(86400*microsPerSecond), int(t.Precision))
	case Calendar:
		return CalendarInterval{Months: int32(n), Days: int32(-n), Micros: n * 1_000_000_007}.Dec()
	case Variant:
		var b VariantBuilder
		b.ParseVariant(fmt.Appendf(nil, `{"k%d":[%d,{"x":%s}]}`, n%3, n, AppendJSONString(nil, []byte(randomText(r, span)))))
		out, _ := b.Append(nil)
		return out
	case Int32, Int64, Date, Timestamp, TimestampNTZ, IntervalYM, IntervalDT:
		return n
	}
	panic("unreachable")
}

func randomText(r *rand.Rand, span int) string {
	s := fmt.Sprint(r.IntN(span))
	switch r.IntN(5) {
	case 0:
		return s + strings.Repeat("-long", 4)
	case 1:
		return s + "\x00" + s
	case 2:
		return "prefix-of-all-" + s
	case 3:
		return "é" + s
	}
	return s
}

func randomValues(r *rand.Rand, t Type, n, span int, nulls float64) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = randomValue(r, t, span, nulls)
	}
	return out
}

func randomBatch(r *rand.Rand, types []Type, n, span int, nulls float64) *Batch {
	fields := make([]Field, len(types))
	for i, t := range types {
		fields[i] = Field{Name: fmt.Sprintf("c%d", i), Type: t, Nullable: true}
	}
	b := NewBatchBuilder(NewSchema(fields...))
	for range n {
		row := make([]any, len(types))
		for i, t := range types {
			row[i] = randomValue(r, t, span, nulls)
		}
		if err := b.AppendRow(row...); err != nil {
			panic(err)
		}
	}
	out := b.Finish()
	for i, c := range out.Cols {
		if c.Type.Kind == String && r.IntN(2) == 0 {
			out.Cols[i] = asDict(c)
		}
	}
	return out
}

// asDict is the same strings, dictionary-coded, with one unused entry.
func asDict(v *Vector) *Vector {
	codes, dict := map[string]int32{}, NewBuilder(v.Type)
	dict.AppendString("an entry that no row uses")
	out := &Vector{Type: v.Type, N: v.N, Valid: v.Valid, Codes: make([]int32, v.N)}
	for i := range v.N {
		if !v.IsValid(i) {
			continue
		}
		s := string(v.Bytes(i))
		c, ok := codes[s]
		if !ok {
			c = int32(dict.Len())
			codes[s] = c
			dict.AppendString(s)
		}
		out.Codes[i] = c
	}
	out.Dict = dict.Finish()
	return out
}

// rows are all rows boxed, with NaN written as a string so that DeepEqual works.
func rows(b *Batch) [][]any {
	out := make([][]any, b.N)
	for i := range out {
		out[i] = sane(b.Row(i)).([]any)
	}
	return out
}

func sane(x any) any {
	switch x := x.(type) {
	case float64:
		if x != x {
			return "NaN"
		}
		return x + 0
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = sane(x[i])
		}
		return out
	case [2][]any:
		return [2]any{sane(x[0]), sane(x[1])}
	}
	return x
}

func equalRows(t *testing.T, got, want [][]any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("row %d:\n got %v\nwant %v", i, got[i], want[i])
		}
	}
}
