package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/oracle"
	"github.com/streamflow/streamflow/internal/tpch"
)

// options of a run.
type options struct {
	tables   string
	scale    tpch.Scale
	memory   string
	limit    int64 // memory, in bytes
	sfsubmit string
	cache    string
	only     string
}

func main() {
	var o options
	flag.StringVar(&o.tables, "tables", "", "directory of the tables, as sfsubmit tpch makes them")
	flag.Float64Var((*float64)(&o.scale), "sf", 1, "their scale factor")
	flag.StringVar(&o.memory, "memory", "2GiB", "limit of a process")
	flag.StringVar(&o.sfsubmit, "sfsubmit", "bin/sfsubmit", "the program")
	flag.StringVar(&o.cache, "cache", ".cache", "directory of DuckDB's program and of its answers")
	flag.StringVar(&o.only, "only", "", "numbers of queries, comma separated")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "tpchcheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.limit, err = config.ParseSize(o.memory); err != nil {
		return fmt.Errorf("-memory %w", err)
	}
	if o.tables, err = filepath.Abs(o.tables); err != nil {
		return err
	}
	bad, ran := 0, 0
	fmt.Printf("%-6s %8s %10s %10s  %s\n", "query", "rows", "wall s", "peak MiB", "")
	for n := 1; n <= tpch.Queries; n++ {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), strconv.Itoa(n)) {
			continue
		}
		ran++
		r, err := o.query(ctx, n)
		if err != nil {
			bad++
		}
		fmt.Printf("q%-5d %8d %10.2f %10.0f  %s\n", n, r.rows, r.wall.Seconds(), float64(r.peak)/(1<<20), verdict(err))
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d queries failed, answered otherwise than DuckDB or were resident in more than %s", bad, ran, o.memory)
	}
	return nil
}

func verdict(err error) string {
	if err != nil {
		return err.Error()
	}
	return "ok"
}

// outcome is what a query's process gave and took.
type outcome struct {
	rows int
	wall time.Duration
	peak int64 // bytes
}

func (o options) query(ctx context.Context, n int) (r outcome, err error) {
	text, err := tpch.Query("testdata/tpch/queries", n, o.scale)
	if err != nil {
		return r, err
	}
	want, err := o.answer(ctx, n, text)
	if err != nil {
		return r, err
	}
	var script strings.Builder
	for _, t := range tpch.Tables {
		fmt.Fprintf(&script, "%s;\n", t.DDL(o.tables))
	}
	script.WriteString(text)
	cmd := exec.CommandContext(ctx, o.sfsubmit, "--memory", o.memory, "sql", "--output", "csv", "-f", "-")
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(script.String()), &out, &errs
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return r, fmt.Errorf("%w: %s", err, bytes.TrimSpace(errs.Bytes()))
	}
	r.wall = time.Since(start)
	r.peak = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	got, err := rows(&out, want)
	if err != nil {
		return r, err
	}
	r.rows = len(got.Rows)
	if err := oracle.Compare(got, want, true); err != nil {
		return r, err
	}
	if r.peak > o.limit {
		return r, errors.New("over the limit")
	}
	return r, nil
}

// rows reads what sfsubmit printed. The texts of a result say nothing of types; those of the answer do.
func rows(out *bytes.Buffer, want oracle.Result) (r oracle.Result, err error) {
	lines, err := csv.NewReader(out).ReadAll()
	if err != nil || len(lines) == 0 {
		return r, fmt.Errorf("what sfsubmit printed is no CSV with a header: %w", err)
	}
	r.Columns, r.Types = lines[0], slices.Clone(want.Types)
	for i, t := range r.Types {
		if t == "DOUBLE" {
			r.Types[i] = "DECIMAL" // quotients of decimals are decimals in Spark
		}
	}
	for _, l := range lines[1:] {
		row := make([]*string, len(l))
		for i := range l {
			row[i] = &l[i]
		}
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

// answer is DuckDB's, kept for the next run.
func (o options) answer(ctx context.Context, n int, text string) (r oracle.Result, err error) {
	dir := filepath.Join(o.cache, fmt.Sprintf("tpch-answers-sf%v", float64(o.scale)))
	path := filepath.Join(dir, fmt.Sprintf("q%d.json", n))
	if r, err = oracle.Load(path); err == nil {
		return r, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return r, err
	}
	duck, err := oracle.Start(ctx, "testdata/duckdb", o.cache, oracle.Options{Threads: 2, Memory: "8GiB"})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, duck.Close()) }()
	for _, t := range tpch.Tables {
		if _, err := duck.Query(t.View(o.tables), false); err != nil {
			return r, err
		}
	}
	a, err := duck.Query(text, true)
	if err != nil {
		return r, err
	}
	return a.Result, oracle.Save(path, a.Result)
}
