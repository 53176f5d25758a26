package column

import "testing"

func TestInterleaveAgainstRows(t *testing.T) {
	r := newRand(t)
	for range 60 {
		types := make([]Type, 1+r.IntN(4))
		for i := range types {
			types[i] = keyTypes[r.IntN(len(keyTypes))]
		}
		from := make([]*Batch, 1+r.IntN(5))
		for k := range from {
			from[k] = randomBatch(r, types, 1+r.IntN(50), 20, 0.2)
		}
		var out *Batch
		for range 2 {
			n := r.IntN(200)
			src, at := make([]int32, n), make([]int32, n)
			want := make([][]any, n)
			for i := range src {
				src[i] = int32(r.IntN(len(from)))
				at[i] = int32(r.IntN(from[src[i]].N))
				want[i] = from[src[i]].Row(int(at[i]))
			}
			out = Interleave(out, from[0].Schema, from, src, at)
			for i := range want {
				if got := out.Row(i); CompareRows(out, i, from[src[i]], int(at[i]), allKeys(len(types))) != 0 {
					t.Fatalf("row %d is %v, want %v", i, got, want[i])
				}
			}
		}
	}
}

func allKeys(n int) []SortKey {
	keys := make([]SortKey, n)
	for i := range keys {
		keys[i].Col = i
	}
	return keys
}

// TestOrderWordsAgreeWithTheOrder: rows of different batches whose words differ are in the order of their words.
func TestOrderWordsAgreeWithTheOrder(t *testing.T) {
	r := newRand(t)
	differ := 0
	for range 300 {
		typ := keyTypes[r.IntN(len(keyTypes))]
		key := SortKey{Desc: r.IntN(2) == 0, NullsFirst: r.IntN(2) == 0}
		a, b := randomBatch(r, []Type{typ}, 40, 30, 0.2), randomBatch(r, []Type{typ}, 40, 1<<40, 0.2)
		wa, wb := OrderWords(nil, a.Cols[0], a.N, key), OrderWords(nil, b.Cols[0], b.N, key)
		for i := range wa {
			for j := range wb {
				c := CompareRows(a, i, b, j, []SortKey{key})
				if wa[i] != wb[j] && (wa[i] < wb[j]) != (c < 0) {
					t.Fatalf("%v %+v: %v and %v have words %x and %x", typ, key, a.Row(i), b.Row(j), wa[i], wb[j])
				}
				if wa[i] != wb[j] {
					differ++
				}
			}
		}
	}
	if differ == 0 {
		t.Fatal("no words differ")
	}
}
