package physical

import (
	"math/rand/v2"
	"strconv"

	"fmt"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/executor/state/statetest"
)

var changeConds = map[string]string{
	"key":           "a.k = b.k AND a.v % 7 = b.v % 7",
	"null-safe":     "a.k <=> b.k AND a.v % 5 = b.v % 5",
	"key and more":  "a.k = b.k AND a.v < b.v AND a.v > b.v - 20",
	"without a key": "a.v + 40 < b.v AND b.v < a.v + 44",
}

var joinKinds = []string{"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"}

func halfKind(kind string) bool {
	return strings.Contains(kind, "SEMI") || strings.Contains(kind, "ANTI")
}

// TestChangeJoinKinds: joins that nothing bounds, of rows that are there to stay and of rows that are taken back: those of an
// outer join below, whose rows without a partner go when one comes. Its rows are changes on both sides.
func TestChangeJoinKinds(t *testing.T) {
	outer := "(SELECT x.k, x.v, y.v AS w FROM STREAM %s x LEFT JOIN STREAM %s y ON x.k = y.k AND x.v = y.v + 1)"
	sides := map[string][2]string{
		"rows":    {"STREAM l", "STREAM r"},
		"left":    {fmt.Sprintf(outer, "l", "r"), "STREAM r"},
		"right":   {"STREAM l", fmt.Sprintf(outer, "r", "l")},
		"changes": {fmt.Sprintf(outer, "l", "r"), fmt.Sprintf(outer, "r", "l")},
	}
	for side, from := range sides {
		for name, on := range changeConds {
			if side != "changes" && name != "key and more" && !strings.Contains(name, "null") {
				continue
			}
			for _, kind := range joinKinds {
				if side != "changes" && kind != "FULL JOIN" && !halfKind(kind) {
					continue
				}
				t.Run(side+"/"+name+"/"+kind, func(t *testing.T) {
					list := "a.k, a.v, b.v AS bv, b.k AS bk"
					if halfKind(kind) {
						list = "a.k, a.v"
					}
					text := fmt.Sprintf("SELECT %s FROM %s AS a %s %s AS b ON %s", list, from[0], kind, from[1], on)
					rows := metamorphic(t, text, twoStreams(t, 40, uint64(len(name))))
					if len(rows) < 3 {
						t.Fatalf("only %d rows", len(rows))
					}
				})
			}
		}
	}
}

// TestChangesWithTable: rows that are taken back are taken back with what they found in a table.
func TestChangesWithTable(t *testing.T) {
	outer := "(SELECT x.k, x.v, y.v AS w FROM STREAM l x LEFT JOIN STREAM r y ON x.k = y.k AND x.v = y.v + 1) AS a"
	for _, text := range []string{
		"SELECT a.k, a.v, a.w, b.v AS bv FROM " + outer + " JOIN small AS b ON a.k = b.k",
		"SELECT a.k, a.v, a.w, b.v AS bv FROM " + outer + " LEFT JOIN small AS b ON a.k = b.k AND a.v < b.v",
		"SELECT a.k, a.v, a.w, b.v AS bv FROM small AS b RIGHT JOIN " + outer + " ON a.k = b.k AND a.v < b.v",
		"SELECT a.k, a.v, a.w FROM " + outer + " LEFT ANTI JOIN small AS b ON a.k = b.k AND a.w = b.v",
	} {
		in := twoStreams(t, 60, 3)
		in["small"] = timedRows(t, 10, 77, 1)
		if rows := metamorphic(t, text, in); len(rows) < 10 {
			t.Fatalf("only %d rows", len(rows))
		}
	}
}

// FuzzHeldRows: whatever bytes state has, rows are read or refused.
func FuzzHeldRows(f *testing.F) {
	f.Add(appendHeld(appendHeld(nil, 3, -1, []byte("row")), -70, 1<<40, nil))
	f.Fuzz(func(t *testing.T, rows []byte) {
		for at := 0; at < len(rows); {
			h, ok := rowAt(rows, at)
			if !ok {
				return
			}
			if h.next <= at || h.next > len(rows) {
				t.Fatalf("row at %d ends at %d of %d", at, h.next, len(rows))
			}
			at = h.next
		}
	})
}

// FuzzHeldPieces: the same for the rows of a StreamJoin.
func FuzzHeldPieces(f *testing.F) {
	f.Add([]byte{firstPiece, 0, 0, 2, 'a', 'b', headMatched, 0})
	f.Add([]byte{nextPiece, 0, 0})
	f.Fuzz(func(t *testing.T, v []byte) {
		last := 0
		_ = eachHeld(v, func(_ byte, row []byte, at int) error {
			if at <= last && last > 0 || at+len(row) >= len(v) {
				t.Fatalf("row of %d bytes at %d", len(row), at)
			}
			last = at
			return nil
		})
	})
}

// TestHeldTable: rows of few keys come and go; what is held is what a map says, in more pieces than one, and in the end
// nothing is left.
func TestHeldTable(t *testing.T) {
	schema, err := column.ParseDDL("k INT, v STRING")
	if err != nil {
		t.Fatal(err)
	}
	side := newHeldSide(&JoinSide{In: schema, Keys: []int{0}, Part: []int{0}, Out: []int{0, 1}, Until: -1, Time: -1}, 0, nil, true)
	state := statetest.NewMap()
	table := &heldTable{state: state, op: "j"}
	rng := rand.New(rand.NewPCG(4, 2))
	want := map[string]int64{}
	pieces := 0
	change := func(k int64, v string, weight int64) {
		b, err := column.FromRows(schema, []any{k, v})
		if err != nil {
			t.Fatal(err)
		}
		rows := &joinRows{side: side, b: b, weights: []int64{weight}, counts: []int64{weight}, more: []int64{0}}
		rows.keys = keysOf(rows, []bool{false})
		if err := table.hold(rows); err != nil {
			t.Fatal(err)
		}
		if want[fmt.Sprint(k, " ", v)] += weight; want[fmt.Sprint(k, " ", v)] == 0 {
			delete(want, fmt.Sprint(k, " ", v))
		}
		e, _, err := table.entry(0, rows.keys.kgs[0], rows.keys.key(0))
		if err != nil {
			t.Fatal(err)
		}
		pieces = max(pieces, e.pieces)
		got, err := table.fetch(side, rows.keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for row, w := range want {
			if strings.HasPrefix(row, fmt.Sprint(k, " ")) {
				n++
				if w == 0 {
					t.Fatalf("row %q of weight 0", row)
				}
			}
		}
		if len(got.refs) != n {
			t.Fatalf("%d rows of key %d, want %d", len(got.refs), k, n)
		}
		for i, row := range texts([]*column.Batch{got.b}) {
			if want[row] != got.weights[i] {
				t.Fatalf("row %q %d times, want %d", row, got.weights[i], want[row])
			}
		}
	}
	for range 1500 {
		change(rng.Int64N(2), strings.Repeat("v", 20)+fmt.Sprint(rng.IntN(200)), 1)
	}
	for row, w := range want {
		k, v, _ := strings.Cut(row, " ")
		n, _ := strconv.ParseInt(k, 10, 64)
		change(n, v, -w)
	}
	if pieces < 5 {
		t.Errorf("only %d pieces", pieces)
	}
	if n := state.Len(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}
