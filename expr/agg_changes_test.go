package expr

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/streamflow/streamflow/column"
)

// TestChangesComeBack: an aggregate over changes has, whatever was added and taken back, the value of the aggregate over what
// is left, in one accumulator and in several that are merged.
func TestChangesComeBack(t *testing.T) {
	types := []column.Type{column.Of(column.Int32), column.Of(column.Int64), column.Of(column.Float64), column.DecimalOf(12, 2)}
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e-300, 0.1}
	for _, typ := range types {
		for _, fn := range []string{"count", "sum", "avg", "try_sum"} {
			rng := rand.New(rand.NewPCG(uint64(typ.Kind), uint64(len(fn))))
			resolved, err := ResolveCall(&UnresolvedCall{Name: fn, Args: []Expr{&Column{Index: 0, Name: "x", Typ: typ, Null: true}}})
			if err != nil {
				t.Fatal(err)
			}
			plain := resolved.(*Agg)
			over := OverChanges(plain, &Column{Index: 1, Name: "w", Typ: column.Of(column.Int64)})
			var left []any
			var accs [2]Accumulator
			for i := range accs {
				if accs[i], err = NewAccumulator(over); err != nil {
					t.Fatal(err)
				}
				accs[i].Resize(1)
			}
			add := func(v any, w int64) {
				b := column.NewBuilder(typ)
				if err := b.AppendValue(v); err != nil {
					t.Fatal(err)
				}
				weight := &column.Vector{Type: column.Of(column.Int64), N: 1, I64: []int64{w}}
				if err := accs[rng.IntN(2)].Update([]uint32{0}, []*column.Vector{b.Finish(), weight}, 1); err != nil {
					t.Fatal(err)
				}
			}
			for step := range 400 {
				if n := len(left); n > 0 && (rng.IntN(2) == 0 || step > 300) {
					i := rng.IntN(n)
					add(left[i], -1)
					left[i] = left[n-1]
					left = left[:n-1]
				} else {
					var v any
					switch {
					case rng.IntN(10) == 0:
					case typ.Kind == column.Float64 && rng.IntN(8) == 0:
						v = odd[rng.IntN(len(odd))]
					case typ.Kind == column.Float64:
						v = float64(rng.IntN(1000)) / 8
					case typ.Kind == column.Decimal:
						v = column.Dec128{Lo: uint64(rng.IntN(1_000_000))}
					default:
						v = int64(rng.IntN(1_000_000))
					}
					left = append(left, v)
					add(v, 1)
				}
				if step%37 == 0 || step > 395 {
					same(t, fmt.Sprintf("%s of %s, step %d, %v", fn, typ, step, left), merged(t, over, accs), of(t, plain, typ, left))
				}
			}
		}
	}
}

func merged(t *testing.T, a *Agg, accs [2]Accumulator) any {
	t.Helper()
	all, err := NewAccumulator(a)
	if err != nil {
		t.Fatal(err)
	}
	all.Resize(1)
	for _, acc := range accs {
		if err := all.Merge([]uint32{0}, acc.State(), 1); err != nil {
			t.Fatal(err)
		}
	}
	v, err := all.Result()
	if err != nil {
		t.Fatal(err)
	}
	return column.Value(v, 0)
}

func of(t *testing.T, a *Agg, typ column.Type, values []any) any {
	t.Helper()
	acc, err := NewAccumulator(a)
	if err != nil {
		t.Fatal(err)
	}
	acc.Resize(1)
	b := column.NewBuilder(typ)
	for _, v := range values {
		if err := b.AppendValue(v); err != nil {
			t.Fatal(err)
		}
	}
	if len(values) > 0 {
		if err := acc.Update(make([]uint32, len(values)), []*column.Vector{b.Finish()}, len(values)); err != nil {
			t.Fatal(err)
		}
	}
	v, err := acc.Result()
	if err != nil {
		t.Fatal(err)
	}
	return column.Value(v, 0)
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	a, isFloat := got.(float64)
	b, _ := want.(float64)
	if isFloat && (math.IsNaN(a) && math.IsNaN(b) || a == b || math.Abs(a-b) <= 1e-9*math.Abs(b)) {
		return
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}
