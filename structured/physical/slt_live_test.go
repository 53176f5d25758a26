package physical_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/sqlgen"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/sql"
)

// TestScriptsLive runs every query of the scripts of testdata/slt over streams: see physical.LiveQuery.
func TestScriptsLive(t *testing.T) {
	files, err := filepath.Glob("../../testdata/slt/*.slt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	live, not := 0, map[string][]string{}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".slt"), func(t *testing.T) { scriptLive(t, f, &live, not) })
	}
	report(t, 76, live, not)
}

// notLive are the error conditions with which queries of the scripts are refused as streams, and why that is right.
var notLive = map[string]string{
	"TABLE_OR_VIEW_NOT_FOUND":         "names of another database, and results of streaming queries, are no tables of the harness",
	"UNRESOLVED_ROUTINE":              "functions of the session are not known to the harness",
	"UNSUPPORTED_STREAMING_OPERATION": "an order, and the first rows of a stream whose rows change, belong to output mode complete",
	"UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED": "a subquery that is computed for each row around it would need all of them",
}

// report prints how many queries ran and why others did not, and fails for reasons that are new.
func report(t *testing.T, least, live int, not map[string][]string) {
	t.Logf("%d queries run live", live)
	for code, queries := range not {
		t.Logf("%d do not: %s", len(queries), code)
		if notLive[code] == "" {
			t.Errorf("nothing says why these should not run live:\n%s", strings.Join(queries, "\n"))
		}
	}
	if live < least {
		t.Errorf("there were %d before", least)
	}
}

func scriptLive(t *testing.T, path string, live *int, not map[string][]string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := streamflow.Local(streamflow.Config{Dir: t.TempDir(), Slots: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := t.TempDir()
	for _, block := range strings.Split(string(text), "\n\n") {
		for strings.HasPrefix(block, "#") {
			_, block, _ = strings.Cut(block, "\n")
		}
		head, body, _ := strings.Cut(strings.ReplaceAll(block, "$DIR", dir), "\n")
		stmt, _, _ := strings.Cut(body, "\n----")
		switch {
		case strings.HasPrefix(head, "statement"):
			_, _, _ = read(s.Session, stmt) // what it gives is TestSLT's affair
		case strings.HasPrefix(head, "query"):
			if p, err := sql.Parse(stmt); err != nil || logical.IsCommand(p) || strings.Contains(stmt, "TABLESAMPLE") {
				continue // a sample of a stream depends on where its batches end
			}
			checkLive(t, s, stmt, live, not)
		}
	}
}

func checkLive(t *testing.T, s *streamflow.LocalSession, stmt string, live *int, not map[string][]string) {
	q := physical.LiveQuery{Text: stmt, Table: func(name string) ([]*column.Batch, *column.Schema, error) {
		return read(s.Session, "SELECT * FROM "+name)
	}}
	err := q.Check(t)
	if err == nil {
		*live++
		return
	}
	code := err.Error()
	if u, ok := usererr.As(err); ok {
		code = u.Code
	}
	not[code] = append(not[code], fmt.Sprintf("%s (%v)", stmt, err))
}

var every = flag.Int("live-every", 30, "TestGeneratedLive runs one of so many of the generated queries")

// TestGeneratedLive runs generated queries, whose batch answers are compared with DuckDB's elsewhere, over streams.
func TestGeneratedLive(t *testing.T) {
	answers, err := sqlgen.Load("../../testdata/duckdb/answers.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	s, err := streamflow.Local(streamflow.Config{Dir: t.TempDir(), Slots: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, p := range sqlgen.Tables() {
		if _, _, err := read(s.Session, p.Spark); err != nil {
			t.Fatal(err)
		}
	}
	live, not := 0, map[string][]string{}
	for i, a := range answers {
		if i%*every == 0 {
			checkLive(t, s, a.SQL, &live, not)
		}
	}
	report(t, len(answers) / *every * 3 / 4, live, not)
}

// read is a query's rows.
func read(s *structured.Session, text string) (out []*column.Batch, schema *column.Schema, err error) {
	ctx := context.Background()
	df, err := s.SQL(ctx, text)
	if err != nil {
		return nil, nil, err
	}
	rows, err := df.Rows(ctx, structured.ExecOptions{})
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, rows.Schema(), nil
		}
		if err != nil {
			return nil, nil, err
		}
		out = append(out, b.Clone())
	}
}
