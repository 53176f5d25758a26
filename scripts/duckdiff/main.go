package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/oracle"
	"github.com/streamflow/streamflow/internal/sqlgen"
)

const answers = "testdata/duckdb/answers.jsonl.gz"

func main() {
	seed := flag.Uint64("seed", 1, "of the generated queries")
	n := flag.Int("n", 2000, "generated queries")
	write := flag.Bool("write", false, "keep DuckDB's answers for the tests")
	cache := flag.String("cache", os.TempDir(), "directory for the program that answers with DuckDB")
	flag.Parse()
	bad, err := run(*seed, *n, *write, *cache)
	if err != nil {
		fmt.Fprintln(os.Stderr, "duckdiff:", err)
		os.Exit(1)
	}
	if bad > 0 {
		os.Exit(2)
	}
}

func run(seed uint64, n int, write bool, cache string) (bad int, err error) {
	ctx := context.Background()
	duck, err := oracle.Start(ctx, "testdata/duckdb", cache, oracle.Options{Threads: 2})
	if err != nil {
		return 0, err
	}
	defer duck.Close()
	s, err := streamflow.Local(streamflow.Config{Slots: 2, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	for _, t := range sqlgen.Tables() {
		if _, err := duck.Query(t.Duck, false); err != nil {
			return 0, err
		}
		if _, err := oracle.Collect(ctx, s.Session, t.Spark); err != nil {
			return 0, err
		}
	}
	pairs := sqlgen.Functions()
	for i := range n {
		pairs = append(pairs, sqlgen.Query(seed, uint64(i)))
	}
	var kept []sqlgen.Answer
	refused := 0
	for i, p := range pairs {
		a, err := duck.Query(p.Duck, true)
		if err != nil {
			refused++
			fmt.Printf("%d %s: DuckDB refuses: %v\n  %s\n", i, p.Name, err, p.Duck)
			continue
		}
		want := oracle.Result{Columns: a.Columns, Types: a.Types, Rows: a.Rows}
		if write {
			kept = append(kept, sqlgen.Answer{Name: p.Name, SQL: p.Spark, Types: a.Types, Rows: a.Rows})
		}
		got, err := oracle.Collect(ctx, s.Session, p.Spark)
		if err == nil {
			err = oracle.Compare(got, want, false)
		}
		if err != nil && sqlgen.Differs(p.Name) == "" {
			bad++
			fmt.Printf("%d %s: %v\n  %s\n  %s\n", i, p.Name, err, p.Spark, p.Duck)
		}
	}
	fmt.Printf("%d queries, %d differ, %d refused by DuckDB\n", len(pairs), bad, refused)
	if write {
		return bad, sqlgen.Save(answers, kept)
	}
	return bad, nil
}
