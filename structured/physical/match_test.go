package physical

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector/memory"
)

// matchQueries cover what MATCH_RECOGNIZE has; each runs over history and live, over many cuts.
var matchQueries = map[string]string{
	"rows alone": `PARTITION BY k ORDER BY ts MEASURES FIRST(A.ts) AS f, LAST(B.ts) AS l, count(*) AS n
		AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+) WITHIN INTERVAL 30 SECONDS DEFINE B AS B.v > PREV(B.v)`,
	"the match so far": `PARTITION BY k ORDER BY ts MEASURES A.ts AS f, LAST(B.v) AS v, avg(B.v) AS m, CLASSIFIER() AS c
		PATTERN (A B*? C) WITHIN INTERVAL 40 SECONDS DEFINE A AS v < 50, B AS B.v < A.v + 30, C AS C.v > A.v AND C.v > LAST(B.v)`,
	"aggregates": `PARTITION BY k ORDER BY ts MEASURES sum(U.v) AS s, count(B.v) AS n, min(A.v) AS lo, max(v) AS hi
		AFTER MATCH SKIP TO NEXT ROW PATTERN (A+ B) WITHIN INTERVAL 30 SECONDS SUBSET U = (A, B) DEFINE A AS sum(A.v) < 120, B AS B.v > avg(A.v)`,
	"all rows": `PARTITION BY k ORDER BY ts MEASURES CLASSIFIER() AS c, RUNNING sum(v) AS s, FINAL sum(v) AS t, FINAL LAST(B.v) AS b, MATCH_NUMBER() AS n
		ALL ROWS PER MATCH PATTERN (A {- B+ -} C) WITHIN INTERVAL 30 SECONDS DEFINE B AS v < 60, C AS v >= 60`,
	"skip to": `PARTITION BY k ORDER BY ts MEASURES FIRST(ts) AS f, LAST(ts) AS l
		AFTER MATCH SKIP TO LAST B PATTERN (A B+ C) WITHIN INTERVAL 60 SECONDS DEFINE A AS v < 60, B AS v >= 30, C AS v < LAST(B.v)`,
	"permute": `PARTITION BY k ORDER BY ts MEASURES A.v AS a, B.v AS b, C.v AS c
		PATTERN (PERMUTE(A, B, C)) WITHIN INTERVAL 50 SECONDS DEFINE A AS v < 30, B AS v BETWEEN 30 AND 60, C AS v > 60`,
	"every way": `PARTITION BY k ORDER BY ts MEASURES A.v AS a, B.v AS b
		AFTER MATCH NO SKIP PATTERN (A X*? B) WITHIN INTERVAL 15 SECONDS DEFINE A AS v < 30, B AS v > A.v + 50`,
	"anchors":                 `PARTITION BY k ORDER BY ts MEASURES FIRST(ts) AS f, count(*) AS n PATTERN (^ A+ B) WITHIN INTERVAL 1 HOUR DEFINE B AS v > 80`,
	"no partition, no within": `ORDER BY ts MEASURES FIRST(A.k) AS k, LAST(ts) AS l, count(*) AS n PATTERN (A B{2,4} | C C) DEFINE A AS v < 40, B AS v > PREV(v, 2), C AS v > 90`,
}

func TestMatchHistoryEqualsLive(t *testing.T) {
	for name, clause := range matchQueries {
		t.Run(name, func(t *testing.T) {
			in := tables{"events": events(t, 300, 9)}
			rows := metamorphic(t, "SELECT * FROM STREAM events WATERMARK ts DELAY INTERVAL 20 SECONDS MATCH_RECOGNIZE ("+clause+")", in)
			if len(rows) < 2 {
				t.Fatalf("the test needs matches, there are %d", len(rows))
			}
		})
	}
}

// TestMatchForgets: with WITHIN nothing is left of a partition in which nothing is open.
func TestMatchForgets(t *testing.T) {
	in := tables{"events": events(t, 300, 4)}
	r := newLiveRun(t, `SELECT * FROM STREAM events WATERMARK ts DELAY INTERVAL 5 SECONDS MATCH_RECOGNIZE (
		PARTITION BY k ORDER BY ts MEASURES A.ts AS f PATTERN (A B) WITHIN INTERVAL 10 SECONDS DEFINE A AS v < 30, B AS v > 60)`, in, Options{}, 1)
	r.cut, r.rng = 7, rand.New(rand.NewPCG(1, 1))
	most := 0
	for !r.step() {
		for _, s := range r.runner.state {
			most = max(most, s.(interface{ Len() int }).Len())
		}
	}
	for id, s := range r.runner.state {
		if n := s.(interface{ Len() int }).Len(); n != 0 {
			t.Fatalf("%s still has %d entries", id, n)
		}
	}
	if most == 0 || most > 60 {
		t.Fatalf("%d entries at most", most)
	}
}

// TestMatchTimeouts: what WITHIN ends goes to the side output, the same over history and live.
func TestMatchTimeouts(t *testing.T) {
	text := `SELECT * FROM STREAM events WATERMARK ts DELAY INTERVAL 20 SECONDS MATCH_RECOGNIZE (
		PARTITION BY k ORDER BY ts MEASURES A.v AS a, LAST(B.v) AS b PATTERN (A B B) WITHIN INTERVAL 5 SECONDS EMIT TIMEOUTS
		DEFINE A AS v < 50, B AS v > A.v)`
	in := tables{"events": events(t, 200, 6)}
	sides := map[string]bool{}
	for _, cut := range []int64{3, 1000} {
		r := newLiveRun(t, text, in, Options{}, 2)
		r.cut, r.rng = cut, rand.New(rand.NewPCG(2, 2))
		var got []string
		for ended := false; !ended; {
			ended = r.step()
			for _, row := range texts(r.runner.sides["timeout"]) {
				got = append(got, row[strings.Index(row, "timeout:"):])
			}
		}
		sort.Strings(got)
		sides[strings.Join(got, "\n")] = true
		if len(got) < 10 || !strings.HasPrefix(got[0], "timeout: after A") || !strings.Contains(got[0], fmt.Sprint([]byte(`"a":`))[1:12]) {
			t.Fatalf("%d timeouts: %q", len(got), got)
		}
	}
	sides[overHistoryTimeouts(t, text, in)] = true
	if len(sides) != 1 {
		t.Fatalf("timeouts depend on the batches")
	}
}

// overHistoryTimeouts are the timeouts of the batch query.
func overHistoryTimeouts(t *testing.T, text string, in tables) string {
	t.Helper()
	l, err := fromSQL(text, in)
	if err != nil {
		t.Fatal(err)
	}
	phys, err := Plan(context.Background(), l, Options{Parts: 2})
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(t)
	if _, err := r.run(phys.Lower(), phys.Binding()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range texts(r.sides["timeout"]) {
		got = append(got, row[strings.Index(row, "timeout:"):])
	}
	sort.Strings(got)
	return strings.Join(got, "\n")
}

// TestMatchAgainstDefinition compares with a search by trial: PATTERN (A+ B) whose conditions read the match so far.
func TestMatchAgainstDefinition(t *testing.T) {
	schema, err := column.ParseDDL("ts TIMESTAMP, v BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var vals []int64
		b := column.NewBatchBuilder(schema)
		for i := range 5 + rng.IntN(40) {
			vals = append(vals, rng.Int64N(20))
			if err := b.AppendRow(int64(i)*second, vals[i]); err != nil {
				t.Fatal(err)
			}
		}
		table := memory.New("events", schema, 1)
		if err := table.Append(0, b.Finish()); err != nil {
			t.Fatal(err)
		}
		table.Seal()
		got := overHistory(t, `SELECT * FROM events MATCH_RECOGNIZE (ORDER BY ts MEASURES sum(A.v) AS s, count(A.v) AS n, B.v AS b, A.v AS a
			PATTERN (A+ B) DEFINE A AS sum(A.v) <= 40 AND v >= FIRST(A.v), B AS B.v * count(A.v) > sum(A.v) + 3)`, tables{"events": table}, Options{})
		var want []string
		for from := 0; from < len(vals); {
			sum, n, found, to := int64(0), int64(0), "", 0
			for i := from; i < len(vals); i++ {
				if n > 0 && vals[i]*n > sum+3 {
					found, to = fmt.Sprint(sum, " ", n, " ", vals[i], " ", vals[i-1]), i+1 // longer ones are preferred
				}
				if sum+vals[i] > 40 || vals[i] < vals[from] {
					break
				}
				sum, n = sum+vals[i], n+1
			}
			if found == "" {
				from++
				continue
			}
			want, from = append(want, found), to
		}
		sort.Strings(want)
		equal(t, fmt.Sprintf("seed %d, %v", seed, vals), got, want)
		total += len(want)
	}
	if total < 30 {
		t.Fatalf("only %d matches", total)
	}
}
