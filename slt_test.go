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

// sltModes are the ways in which each script is run: on a node with one slot and partition, on one with three, and on three executors
// that fetch from each other, with plans that adapt to every byte; of these the first dies with one of its tasks, or none does.
var sltModes = []struct {
	name  string
	slots int
	three bool
	dies  int64
}{{"1", 1, false, 0}, {"3", 3, false, 0}, {"executors", 3, true, 0}, {"executor lost", 3, true, 3}, {"executor lost later", 3, true, 8}}

// eager makes plans adapt to inputs of a few bytes.
var eager = map[string]string{
	"spark.sql.adaptive.advisoryPartitionSizeInBytes":             "300b",
	"spark.sql.adaptive.coalescePartitions.minPartitionSize":      "1b",
	"spark.sql.adaptive.skewJoin.skewedPartitionFactor":           "1",
	"spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes": "200b",
	"spark.sql.adaptive.autoBroadcastJoinThreshold":               "500b",
	"spark.sql.autoBroadcastJoinThreshold":                        "-1",
}

// TestSLT runs the scripts of testdata/slt, each in all sltModes. A script is a row of
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
		for _, m := range sltModes {
			t.Run(strings.TrimSuffix(filepath.Base(f), ".slt")+"/"+m.name, func(t *testing.T) {
				s, xs := sltSession(t, m.slots, m.three, m.dies)
				runSLT(t, s, f, m.slots == 1)
				if m.three && !*updateSLT {
					checkWork(t, xs, m.dies)
				}
			})
		}
	}
}

type sltRun struct {
	t    *testing.T
	s    *streamflow.LocalSession
	live []*structured.StreamingQuery
}

// sltSession is a session on a node of some slots, or on three executors whose plans adapt eagerly.
func sltSession(t *testing.T, slots int, three bool, dies int64) (*streamflow.LocalSession, []*streamflow.Mortal) {
	t.Helper()
	s, err := streamflow.Local(streamflow.Config{Slots: slots, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	var xs []*streamflow.Mortal
	if three {
		xs = s.Node().ThreeExecutors(t, dies)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, x := range xs {
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	for key, value := range eager {
		if !three {
			break
		}
		if err := s.Conf().Set(context.Background(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	return s, xs
}

// checkWork makes sure that every executor had something to do, and that the one that was to die has died.
func checkWork(t *testing.T, xs []*streamflow.Mortal, dies int64) {
	t.Helper()
	for i, x := range xs {
		if x.Tasks() == 0 {
			t.Errorf("executor %d had nothing to do", i)
		}
	}
	if died := xs[0].Dead(); died != (dies > 0) {
		t.Errorf("executor 0 died: %t, after %d tasks", died, xs[0].Tasks())
	}
}

// runSLT runs a script. Its expected results are rewritten if that was asked for and write says so.
func runSLT(t *testing.T, s *streamflow.LocalSession, path string, write bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &sltRun{t: t, s: s}
	blocks := strings.Split(strings.TrimRight(string(text), "\n"), "\n\n")
	line := 1
	for i, b := range blocks {
		lines := strings.Count(b, "\n") + 2
		blocks[i] = r.block(fmt.Sprintf("%s:%d", path, line), strings.ReplaceAll(b, "$DIR", t.TempDir()), b)
		line += lines
	}
	if *updateSLT && write {
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
