package streamflow

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/oracle"
	"github.com/streamflow/streamflow/internal/tpch"
)

// The 22 queries of TPC-H at scale 0.01: against answers of DuckDB that lie in testdata/tpch, in one partition and in
// several, and against DuckDB itself where it can be built. To write the answers anew:
//
//	go test . -run TestTPCHInDuckDB -update-tpch
var updateTPCH = flag.Bool("update-tpch", false, "write DuckDB's answers to testdata/tpch/answers")

const (
	tpchScale   = tpch.Scale(0.01)
	tpchQueries = "testdata/tpch/queries"
	tpchAnswers = "testdata/tpch/answers"
)

// tpchFiles writes the tables.
func tpchFiles(t *testing.T, parts int) string {
	t.Helper()
	dir := t.TempDir()
	if err := tpch.Write(context.Background(), tpch.Options{Dir: dir, Scale: tpchScale, Parts: parts, Workers: 2, Tables: tpch.Tables}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tpchQuery is the n-th query's text.
func tpchQuery(t *testing.T, n int) string {
	t.Helper()
	text, err := tpch.Query(tpchQueries, n, tpchScale)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// eachTPCH runs the queries in a session and hands over their results.
func eachTPCH(t *testing.T, dir string, slots int, memory int64, check func(t *testing.T, n int, got oracle.Result)) {
	t.Helper()
	s, err := Local(Config{Dir: t.TempDir(), Slots: slots, Memory: memory, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := context.Background()
	for _, table := range tpch.Tables {
		query(t, s.Session, table.DDL(dir))
	}
	for n := 1; n <= tpch.Queries; n++ {
		t.Run(fmt.Sprint("q", n), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
			defer cancel()
			got, err := oracle.Collect(ctx, s.Session, tpchQuery(t, n))
			if err != nil {
				t.Fatal(err)
			}
			check(t, n, got)
		})
	}
}

func TestTPCH(t *testing.T) {
	for _, c := range []struct {
		name   string
		parts  int
		slots  int
		memory int64
	}{{"one partition", 1, 1, 1 << 30}, {"four partitions", 4, 4, 1 << 30}, {"little memory", 2, 2, 16 << 20}} {
		t.Run(c.name, func(t *testing.T) {
			eachTPCH(t, tpchFiles(t, c.parts), c.slots, c.memory, func(t *testing.T, n int, got oracle.Result) {
				want, err := oracle.Load(filepath.Join(tpchAnswers, fmt.Sprintf("q%d.json", n)))
				if err != nil {
					t.Fatal(err)
				}
				if err := oracle.Compare(got, want, true); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// duckDB starts DuckDB over the tables, or skips the test.
func duckDB(t *testing.T, dir string) *oracle.Client {
	t.Helper()
	c, err := oracle.Start(context.Background(), "testdata/duckdb", ".cache", oracle.Options{Threads: 2})
	if why := new(oracle.Unavailable); errors.As(err, &why) {
		t.Skip("skipped: ", why)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, table := range tpch.Tables {
		if _, err := c.Query(table.View(dir), false); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestTPCHInDuckDB(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: builds DuckDB")
	}
	dir := tpchFiles(t, 2)
	duck := duckDB(t, dir)
	eachTPCH(t, dir, 2, 1<<30, func(t *testing.T, n int, got oracle.Result) {
		want, err := duck.Query(tpchQuery(t, n), true)
		if err != nil {
			t.Fatal(err)
		}
		if *updateTPCH {
			if err := os.MkdirAll(tpchAnswers, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := oracle.Save(filepath.Join(tpchAnswers, fmt.Sprintf("q%d.json", n)), want.Result); err != nil {
				t.Fatal(err)
			}
		}
		if err := oracle.Compare(got, want.Result, true); err != nil {
			t.Error(err)
		}
	})
}
