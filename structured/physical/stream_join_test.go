package physical

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector/memory"
)

// twoStreams are l and r: key k, event time ts (disordered, sometimes null, sometimes late), until some time after it, value v.
func twoStreams(t testing.TB, n int, seed uint64) tables {
	return tables{"l": timedRows(t, n, seed, 2), "r": timedRows(t, n, seed+100, 3)}
}

func timedRows(t testing.TB, n int, seed uint64, parts int) *memory.Table {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 17))
	schema, err := column.ParseDDL("k INT, ts TIMESTAMP, until TIMESTAMP, v BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	table := memory.New("timed", schema, parts)
	for i := range n {
		at := int64(i) - rng.Int64N(9)
		if rng.IntN(15) == 0 {
			at -= rng.Int64N(60)
		}
		row := []any{rng.Int64N(5), at * second, (at + rng.Int64N(40)) * second, rng.Int64N(100)}
		for c := range 3 {
			if rng.IntN(40) == 0 {
				row[c] = nil
			}
		}
		b, err := column.FromRows(schema, row)
		if err != nil {
			t.Fatal(err)
		}
		if err := table.Append(rng.IntN(parts), b); err != nil {
			t.Fatal(err)
		}
	}
	table.Seal()
	return table
}

const (
	fromL = "STREAM l WATERMARK ts DELAY INTERVAL 5 SECONDS"
	fromR = "STREAM r WATERMARK ts DELAY INTERVAL 8 SECONDS"
)

var joinConds = map[string]string{
	"interval":           "a.k = b.k AND b.ts BETWEEN a.ts - INTERVAL 5 SECONDS AND a.ts + INTERVAL 10 SECONDS",
	"interval and more":  "a.k = b.k AND a.ts > b.ts - INTERVAL 3 SECONDS AND a.ts - b.ts < INTERVAL 2 SECONDS AND a.v < b.v",
	"null-safe":          "a.k <=> b.k AND b.ts >= a.ts AND b.ts <= a.ts + INTERVAL 4 SECONDS",
	"same time":          "a.k = b.k AND a.ts = b.ts",
	"until":              "a.k = b.k AND b.ts >= a.ts AND b.ts <= a.until",
	"interval, no key":   "b.ts BETWEEN a.ts AND a.ts + INTERVAL 1 SECOND",
	"later than it says": "a.k = b.k AND b.ts BETWEEN a.ts + INTERVAL 20 SECONDS AND a.ts + INTERVAL 30 SECONDS",
}

// oneKind are conditions that are tried with the most demanding kinds only.
var oneKind = map[string]bool{"interval and more": true, "same time": true, "interval, no key": true, "later than it says": true}

// TestStreamJoinKinds: every kind of join under every kind of bound gives live, in append mode, what it gives over history,
// and holds nothing in the end.
func TestStreamJoinKinds(t *testing.T) {
	for name, on := range joinConds {
		for _, kind := range joinKinds {
			if oneKind[name] && kind != "FULL JOIN" && kind != "LEFT ANTI JOIN" {
				continue
			}
			t.Run(kind+" "+name, func(t *testing.T) {
				list := "a.k, a.ts, a.v, b.ts AS bts, b.v AS bv"
				if strings.Contains(kind, "SEMI") || strings.Contains(kind, "ANTI") {
					list = "a.k, a.ts, a.v"
				}
				text := fmt.Sprintf("SELECT %s FROM %s AS a %s %s AS b ON %s", list, fromL, kind, fromR, on)
				in := twoStreams(t, 110, uint64(len(name)))
				rows := metamorphic(t, text, in, Options{Conf: map[string]string{"none": ""}})
				if len(rows) < 5 {
					t.Fatalf("only %d rows", len(rows))
				}
				heldNothing(t, text, in)
			})
		}
	}
}

// heldNothing checks that state shrinks with the watermark, not only at the end of input, and is empty after it.
func heldNothing(t *testing.T, text string, in tables) {
	t.Helper()
	r := newLiveRun(t, text, in, Options{}, 1)
	r.cut, r.rng = 10, rand.New(rand.NewPCG(1, 1))
	most, last := 0, 0
	for !r.step() {
		last = held(t, r)
		most = max(most, last)
	}
	if most == 0 || last > 60 || held(t, r) > 0 {
		t.Errorf("%d entries at most, %d before the end of input, %d after", most, last, held(t, r))
	}
}

func held(t *testing.T, r *liveRun) (n int) {
	t.Helper()
	for _, s := range r.runner.state {
		buckets, err := s.Buckets(math.MaxInt64)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range buckets {
			if err := s.Scan(b, func(int, []byte, []byte) bool { n++; return true }); err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}

// TestStreamJoinChains: joins above windows, windows above joins, joins of joins. All of it ends with the same watermark.
func TestStreamJoinChains(t *testing.T) {
	counts := "SELECT window(ts, '10 seconds') AS w, k, count(*) AS n FROM %s GROUP BY 1, 2"
	bounds := "SELECT w.start AS s, w.end AS e, k, n FROM (" + counts + ")"
	l, r := fmt.Sprintf(counts, fromL), fmt.Sprintf(counts, fromR)
	for name, text := range map[string]string{
		"window join":             "SELECT a.w.start AS s, a.k, a.n, b.n AS bn FROM (" + l + ") AS a JOIN (" + r + ") AS b ON a.w = b.w AND a.k = b.k",
		"full window join":        "SELECT a.w.start AS s, a.k, a.n, b.n AS bn, b.k AS bk FROM (" + l + ") AS a FULL JOIN (" + r + ") AS b ON a.w = b.w AND a.k = b.k",
		"window join by bounds":   "SELECT a.s, a.k, b.n FROM (" + fmt.Sprintf(bounds, fromL) + ") AS a JOIN (" + fmt.Sprintf(bounds, fromR) + ") AS b ON a.s = b.s AND a.e = b.e AND a.k = b.k",
		"windows of raw rows":     "SELECT a.v, b.v AS bv, a.w.end AS e FROM (SELECT k, v, window(ts, '5 seconds') AS w FROM " + fromL + ") AS a JOIN (SELECT k, v, window(ts, '5 seconds') AS w FROM " + fromR + ") AS b ON a.k = b.k AND a.w = b.w",
		"row with its window":     "SELECT a.v, a.ts, b.n FROM " + fromL + " AS a JOIN (" + fmt.Sprintf(bounds, fromR) + ") AS b ON a.k = b.k AND a.ts >= b.s AND a.ts < b.e",
		"window above join":       "SELECT window(a.ts, '20 seconds').start AS at, a.k, count(*) AS n, sum(b.v) AS s FROM " + fromL + " AS a JOIN " + fromR + " AS b ON a.k = b.k AND b.ts BETWEEN a.ts - INTERVAL 5 SECONDS AND a.ts + INTERVAL 10 SECONDS GROUP BY 1, 2",
		"window above outer join": "SELECT window(a.ts, '20 seconds').start AS at, count(*) AS n, count(b.v) AS s FROM " + fromL + " AS a LEFT JOIN " + fromR + " AS b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 3 SECONDS GROUP BY 1",
		"three streams":           "SELECT a.k, a.ts, b.ts AS bts, c.ts AS cts FROM " + fromL + " AS a JOIN " + fromR + " AS b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 6 SECONDS JOIN " + fromL + " AS c ON c.k = b.k AND c.ts BETWEEN b.ts - INTERVAL 2 SECONDS AND b.ts + INTERVAL 4 SECONDS",
		"windows of windows":      "SELECT window(window_time(w), '30 seconds').end AS e, sum(n) AS n, max(n) AS m FROM (" + l + ") GROUP BY 1",
		"the best of each window": "SELECT a.s, a.k, a.n FROM (" + fmt.Sprintf(bounds, fromL) + ") AS a JOIN (SELECT s, e, max(n) AS m FROM (" + fmt.Sprintf(bounds, fromL) + ") GROUP BY s, e) AS b ON a.s = b.s AND a.e = b.e AND a.n >= b.m",
	} {
		t.Run(name, func(t *testing.T) {
			in := twoStreams(t, 200, 7)
			rows := metamorphic(t, text, in, Options{Conf: map[string]string{"none": ""}})
			if len(rows) < 5 {
				t.Fatalf("only %d rows", len(rows))
			}
			heldNothing(t, text, in)
		})
	}
}
