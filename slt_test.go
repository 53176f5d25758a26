package streamflow_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
)

var updateSLT = flag.Bool("update-slt", false, "rewrite the expected results of testdata/slt")

// TestSLT runs the scripts of testdata/slt, each on a node with one slot and partition and on one with three. A script is a row of
// records with blank lines between them, after sqllogictest:
//
//	statement ok            the statement succeeds
//	statement error CODE    it fails with that error condition
//	query [rowsort]         its rows, values divided by " | ", stand after ----; rowsort: in any order
//	live NAME               the query runs from here on; each statement ends when NAME, a table in memory, has taken it in:
//	                        every INSERT is a micro-batch of its own
func TestSLT(t *testing.T) {
	files, err := filepath.Glob("testdata/slt/*.slt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, f := range files {
		for _, slots := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/%d", strings.TrimSuffix(filepath.Base(f), ".slt"), slots), func(t *testing.T) { runSLT(t, f, slots) })
		}
	}
}

type sltRun struct {
	t    *testing.T
	s    *streamflow.LocalSession
	live []*structured.StreamingQuery
}

func runSLT(t *testing.T, path string, slots int) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := streamflow.Local(streamflow.Config{Slots: slots, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	r := &sltRun{t: t, s: s}
	blocks := strings.Split(strings.TrimRight(string(text), "\n"), "\n\n")
	line := 1
	for i, b := range blocks {
		lines := strings.Count(b, "\n") + 2
		blocks[i] = r.block(fmt.Sprintf("%s:%d", path, line), strings.ReplaceAll(b, "$DIR", t.TempDir()), b)
		line += lines
	}
	if *updateSLT && slots == 1 {
		if err := os.WriteFile(path, []byte(strings.Join(blocks, "\n\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// block runs a record and returns it with the result that it has now. raw is the record as it stands in the file.
func (r *sltRun) block(place, b, raw string) string {
	r.t.Helper()
	var comments []string
	for strings.HasPrefix(b, "#") {
		c, rest, _ := strings.Cut(b, "\n")
		comments, b = append(comments, c), rest
		_, raw, _ = strings.Cut(raw, "\n")
	}
	head, rest, _ := strings.Cut(b, "\n")
	words := strings.Fields(head)
	if len(words) == 0 {
		return strings.Join(comments, "\n")
	}
	keep := strings.Join(append(comments, raw), "\n")
	switch words[0] {
	case "statement":
		r.statement(place, words[1:], rest)
	case "query":
		sql, want, _ := strings.Cut(rest, "\n----")
		got, err := r.rows(sql, len(words) > 1 && words[1] == "rowsort")
		if err != nil {
			r.t.Errorf("%s: %s\n%v", place, sql, err)
			return keep
		}
		if want = strings.TrimPrefix(want, "\n"); got != want && !*updateSLT {
			r.t.Errorf("%s: %s\ngot:\n%s\nwant:\n%s", place, sql, got, want)
		}
		rawSQL, _, _ := strings.Cut(raw, "\n----")
		return strings.TrimRight(strings.Join(append(comments, rawSQL+"\n----\n"+got), "\n"), "\n")
	case "live":
		r.start(place, words[1], rest)
	default:
		r.t.Fatalf("%s: no record %q", place, head)
	}
	return keep
}

func (r *sltRun) statement(place string, words []string, sql string) {
	r.t.Helper()
	_, err := r.rows(sql, false)
	switch {
	case words[0] == "ok" && err != nil:
		r.t.Errorf("%s: %s\n%v", place, sql, err)
	case words[0] == "error":
		if u, ok := usererr.As(err); !ok || u.Code != words[1] {
			r.t.Errorf("%s: %s\nwant error %s, got %v", place, sql, words[1], err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, q := range r.live {
		if err := q.ProcessAllAvailable(ctx); err != nil {
			r.t.Fatalf("%s: %v", place, err)
		}
	}
}

func (r *sltRun) start(place, name, sql string) {
	r.t.Helper()
	ctx := context.Background()
	if _, err := r.rows(fmt.Sprintf("CREATE STREAMING QUERY %s USING memory AS %s", name, sql), false); err != nil {
		r.t.Fatalf("%s: %v", place, err)
	}
	all, err := r.s.Streams(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, q := range all {
		if q.Name() == name {
			r.live = append(r.live, q)
		}
	}
}

// rows runs a statement and renders what it returns as show would.
func (r *sltRun) rows(sql string, sorted bool) (string, error) {
	ctx := context.Background()
	df, err := r.s.SQL(ctx, sql)
	if err != nil {
		return "", err
	}
	rows, err := df.Rows(ctx, structured.ExecOptions{})
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var lines []string
	for {
		b, err := rows.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		for i := range b.N {
			cells := make([]string, len(b.Cols))
			for c, v := range b.Cols {
				cells[c] = structured.CellString(v, i, time.UTC)
				if cells[c] == "" {
					cells[c] = "(empty)"
				}
			}
			lines = append(lines, strings.ReplaceAll(strings.Join(cells, " | "), "\n", "\\n"))
		}
	}
	if sorted {
		sort.Strings(lines)
	}
	return strings.Join(lines, "\n"), nil
}
