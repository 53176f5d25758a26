package streamflow_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/internal/oracle"
	"github.com/streamflow/streamflow/internal/sqlgen"
)

// TestDuckDBAnswersOnThreeExecutors runs generated queries on three executors with plans that adapt to every byte, while an executor dies
// in the middle of it: the answers are those that DuckDB gave.
func TestDuckDBAnswersOnThreeExecutors(t *testing.T) {
	answers, err := sqlgen.Load("testdata/duckdb/answers.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	s, xs := sltSession(t, 3, true, 150)
	ctx := context.Background()
	for _, p := range sqlgen.Tables() {
		if _, err := oracle.Collect(ctx, s.Session, p.Spark); err != nil {
			t.Fatal(err)
		}
	}
	step := 7
	if testing.Short() {
		step = 40
	}
	for i := 0; i < len(answers); i += step {
		a := answers[i]
		got, err := oracle.Collect(ctx, s.Session, a.SQL)
		if err == nil {
			err = oracle.Compare(got, oracle.Result{Types: a.Types, Rows: a.Rows}, false)
		}
		if err != nil && sqlgen.Differs(a.Name) == "" {
			t.Errorf("answer %d, %s: %v\n%s", i, a.Name, err, a.SQL)
		}
	}
	if !testing.Short() {
		checkWork(t, xs, 150)
	}
}

// skewed are tables of which one key has most rows, and queries over them, with what their adapted plans must say.
var skewed = []struct{ query, says string }{
	{"SELECT l.v, r.w FROM l JOIN r ON l.k = r.k", "slices"},
	{"SELECT l.v, r.w FROM l LEFT JOIN r ON l.k = r.k", "slices"},
	{"SELECT l.v, r.w FROM r RIGHT JOIN l ON l.k = r.k", "slices"},
	{"SELECT l.v, r.w FROM r FULL JOIN l ON l.k = r.k", "measured"},
	{"SELECT v FROM l WHERE k IN (SELECT k FROM r)", "every task reads all"},
	{"SELECT v FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.k = l.k)", "the other side is not cut"},
	{"SELECT l.k, count(*), sum(v) FROM l JOIN r ON l.k = r.k GROUP BY l.k", "measured"},
	{"SELECT l.v, n FROM l JOIN (SELECT k, count(*) AS n FROM r GROUP BY k HAVING n > 1) USING (k)", "measured"},
	{"SELECT a.v, b.v FROM l a JOIN l b ON a.k = b.k WHERE a.v < 40", "measured"},
	{"SELECT v FROM l JOIN (SELECT k + 1 AS j FROM r WHERE w * w < 0) x ON l.k = x.j", "has no rows"},
	{"SELECT k, count(DISTINCT v) FROM l GROUP BY k ORDER BY k LIMIT 3", "measured"},
	{"SELECT w < 1000 AS g, count(*) FROM r GROUP BY g ORDER BY g", "are read by 2 tasks"},
	{"SELECT k % 3 AS g, count(*) FROM (SELECT k FROM l UNION ALL SELECT k FROM r) GROUP BY g", "measured"},
}

// TestSkewedTables runs queries over skewed tables with plans that adapt and with ones that do not, on three executors of which one dies:
// the rows are the same, and the plans say what was changed.
func TestSkewedTables(t *testing.T) {
	s, xs := sltSession(t, 3, true, 90)
	ctx := context.Background()
	run := func(text string) []string {
		t.Helper()
		res, err := oracle.Collect(ctx, s.Session, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var rows []string
		for _, r := range res.Rows {
			row := ""
			for _, c := range r {
				if c == nil {
					row += "null|"
				} else {
					row += *c + "|"
				}
			}
			rows = append(rows, row)
		}
		slices.Sort(rows)
		return rows
	}
	run("CREATE TABLE l (k INT, v INT) USING parquet")
	run("CREATE TABLE r (k INT, w INT) USING parquet")
	run("INSERT INTO l SELECT /*+ REPARTITION(6) */ CASE WHEN id % 10 < 8 THEN 7 WHEN id % 10 = 8 THEN NULL ELSE id % 40 END, id FROM range(3000)")
	run("INSERT INTO r SELECT CASE WHEN id < 3 THEN 7 ELSE id % 50 END, id FROM range(100)")
	for _, q := range skewed {
		run("SET spark.sql.adaptive.enabled = false")
		want := run(q.query)
		run("SET spark.sql.adaptive.enabled = true")
		if got := run(q.query); !slices.Equal(got, want) {
			t.Errorf("%s: %d rows became %d", q.query, len(want), len(got))
		}
		if plan := strings.Join(run("EXPLAIN ANALYZE "+q.query), "\n"); !strings.Contains(plan, q.says) || !strings.Contains(plan, "isFinalPlan=true") {
			t.Errorf("%s: the plan does not say %q\n%s", q.query, q.says, plan)
		}
	}
	if plan := fmt.Sprint(run("EXPLAIN SELECT k FROM l GROUP BY k")); !strings.Contains(plan, "isFinalPlan=false") {
		t.Error(plan)
	}
	checkWork(t, xs, 90)
}

func TestExplainAnalyzeRefusesCommands(t *testing.T) {
	s, _ := sltSession(t, 1, false, 0)
	_, err := oracle.Collect(context.Background(), s.Session, "EXPLAIN ANALYZE CREATE TABLE t (a INT)")
	if err == nil || !strings.Contains(err.Error(), "UNSUPPORTED_FEATURE.EXPLAIN_ANALYZE") {
		t.Error(err)
	}
}
