package streamflow_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/oracle"
	"github.com/streamflow/streamflow/internal/sqlgen"
)

// TestDuckDBAnswers runs generated queries, and functions over edge values, whose answers DuckDB gave; make diff-duckdb DIFF_N=1500 DIFF_FLAGS=-write
// keeps them anew. Where Spark answers in another way, internal/sqlgen says why.
func TestDuckDBAnswers(t *testing.T) {
	answers, err := sqlgen.Load("testdata/duckdb/answers.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) < 1000 {
		t.Fatalf("there are only %d answers", len(answers))
	}
	s, err := streamflow.Local(streamflow.Config{Slots: 2, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	for _, p := range sqlgen.Tables() {
		if _, err := oracle.Collect(ctx, s.Session, p.Spark); err != nil {
			t.Fatal(err)
		}
	}
	bad := 0
	for i, a := range answers {
		got, err := oracle.Collect(ctx, s.Session, a.SQL)
		if err == nil {
			err = oracle.Compare(got, oracle.Result{Types: a.Types, Rows: a.Rows}, false)
		}
		switch why := sqlgen.Differs(a.Name); {
		case why != "" && err == nil:
			t.Errorf("%s: no difference, though it is said that %s", a.Name, why)
		case why == "" && err != nil:
			if bad++; bad < 10 {
				t.Errorf("answer %d, %s: %v\n%s", i, a.Name, err, a.SQL)
			}
		}
	}
}
