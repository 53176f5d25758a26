package column

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Records of changing shapes, with members that nobody reads, give what encoding/json gives.
func TestJSONScannerExpectsWhatItSaw(t *testing.T) {
	schema, _ := ParseDDL("a BIGINT, s STRING")
	s := NewJSONScanner(schema)
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "s", "x", "xx", "a ", `q\"`, strings.Repeat("long", 100)}
	var want [][2]any
	var shape []int
	for i := range 3000 {
		if i%37 == 0 || r.IntN(20) == 0 {
			shape = r.Perm(len(names))[:1+r.IntN(len(names))]
		}
		var b strings.Builder
		b.WriteString("{")
		for k, n := range shape {
			if k > 0 {
				b.WriteString([]string{",", " ,", ", "}[r.IntN(3)])
			}
			value := fmt.Sprint(r.IntN(1000))
			if names[n] == "s" || r.IntN(3) == 0 && names[n] != "a" {
				value = fmt.Sprintf(`"text %d"`, i)
			}
			fmt.Fprintf(&b, `"%s"%s%s`, names[n], []string{":", ": ", " :"}[r.IntN(40)%3], value)
		}
		b.WriteString("}")
		if err := s.Scan([]byte(b.String())); err != nil {
			t.Fatalf("%v: %s", err, b.String())
		}
		var all map[string]any
		if err := json.Unmarshal([]byte(b.String()), &all); err != nil {
			t.Fatal(err)
		}
		w := [2]any{}
		if v, ok := all["a"]; ok {
			w[0] = int64(v.(float64))
		}
		if v, ok := all["s"]; ok {
			w[1] = v
		}
		want = append(want, w)
	}
	got := s.Finish(nil)
	for i, w := range want {
		if Value(got.Cols[0], i) != w[0] || Value(got.Cols[1], i) != w[1] {
			t.Fatalf("row %d: %v %v, want %v", i, Value(got.Cols[0], i), Value(got.Cols[1], i), w)
		}
	}
}

// A record with very many members is read, and not remembered.
func TestJSONScannerForgetsMonsters(t *testing.T) {
	schema, _ := ParseDDL("a BIGINT")
	s := NewJSONScanner(schema)
	var b strings.Builder
	b.WriteString(`{"first":1`)
	for i := range 10_000 {
		fmt.Fprintf(&b, `,"member %d":%d`, i, i)
	}
	b.WriteString(`,"a":5}`)
	for range 3 {
		if err := s.Scan([]byte(b.String())); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Finish(nil); got.N != 3 || Value(got.Cols[0], 2) != int64(5) || len(s.order) > maxExpected {
		t.Fatalf("%d rows, %v, %d expected", got.N, Value(got.Cols[0], 2), len(s.order))
	}
}

// BenchmarkJSONScanTwoOfSeven reads two of a bid's members, as a window count does.
func BenchmarkJSONScanTwoOfSeven(b *testing.B) {
	schema, _ := ParseDDL("auction BIGINT, price BIGINT")
	recs := bidRecords(BatchRows)
	s := NewJSONScanner(schema)
	var reuse *Batch
	size := 0
	for _, r := range recs {
		size += len(r)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		for _, r := range recs {
			if err := s.Scan(r); err != nil {
				b.Fatal(err)
			}
		}
		reuse = s.Finish(reuse)
	}
}
