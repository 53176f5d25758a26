package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/oracle"
	"github.com/streamflow/streamflow/internal/tpch"
)

// options of a run.
type options struct {
	scale   tpch.Scale
	cache   string // where tables and DuckDB's program are kept
	queries string // where the queries lie
	threads int
	repeat  int
	memory  string
	only    []int
	duckdb  bool
	spark   string // a Python with PySpark and its jars; Spark then stands in DuckDB's place
	profile string
	json    bool
	explain bool
	hits    int // rows of the table of hits; 0 for TPC-H
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse()
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchbatch:", err)
		os.Exit(1)
	}
}

func parse() (o options, err error) {
	flag.Float64Var((*float64)(&o.scale), "sf", 1, "scale factor of the tables")
	flag.StringVar(&o.cache, "cache", ".cache/tpch", "directory that keeps the tables")
	flag.StringVar(&o.queries, "queries", "testdata/tpch/queries", "directory of q1.sql to q22.sql")
	flag.IntVar(&o.threads, "threads", 2, "threads of both")
	flag.IntVar(&o.repeat, "repeat", 3, "runs of which the fastest counts")
	flag.StringVar(&o.memory, "memory", "", "what StreamFlow's queries may use before they spill, such as 512MiB; DuckDB keeps its own limit")
	only := flag.String("only", "", "numbers of queries, comma separated")
	flag.BoolVar(&o.duckdb, "duckdb", true, "run DuckDB too")
	flag.StringVar(&o.spark, "spark", "", "run Apache Spark instead of DuckDB: a Python that has PySpark with its jars")
	flag.StringVar(&o.profile, "profile", "", "directory of processor profiles")
	flag.BoolVar(&o.json, "json", false, "print JSON lines")
	flag.BoolVar(&o.explain, "explain", false, "print how StreamFlow would run the queries, and run none")
	flag.IntVar(&o.hits, "hits", 0, "run scans in the manner of ClickBench over a table of so many rows, instead of TPC-H")
	flag.Parse()
	for n := 1; n <= o.count(); n++ {
		if *only == "" || slices.Contains(strings.Split(*only, ","), strconv.Itoa(n)) {
			o.only = append(o.only, n)
		}
	}
	if o.spark != "" && o.hits > 0 {
		return o, errors.New("-hits runs beside DuckDB only")
	}
	if len(o.only) == 0 {
		return o, fmt.Errorf("-only %s names no query of 1 to %d", *only, o.count())
	}
	if !(o.scale >= 0.001) || o.threads < 1 || o.repeat < 1 {
		return o, errors.New("-sf, -threads and -repeat must be more than nothing")
	}
	return o, nil
}

// count is how many queries there are.
func (o options) count() int {
	if o.hits > 0 {
		return len(hitsQueries)
	}
	return tpch.Queries
}

// text is a query.
func (o options) text(n int) (string, error) {
	if o.hits > 0 {
		return hitsQueries[n-1], nil
	}
	return tpch.Query(o.queries, n, o.scale)
}

// declarations are the statements that declare the tables to both.
func (o options) declarations(dir string) (ours, theirs []string) {
	if o.hits > 0 {
		t := tpch.Table{Name: filepath.Base(dir)}
		_, view, _ := strings.Cut(t.View(filepath.Dir(dir)), " AS ")
		return []string{fmt.Sprintf("CREATE TABLE hits (%s) USING parquet LOCATION '%s'", hitsSchema, dir)}, []string{"CREATE VIEW hits AS " + view}
	}
	for _, t := range tpch.Tables {
		ours, theirs = append(ours, t.DDL(dir)), append(theirs, t.View(dir))
	}
	return ours, theirs
}

func run(ctx context.Context, o options) error {
	runtime.GOMAXPROCS(o.threads)
	dir, err := tables(ctx, o)
	if err != nil {
		return err
	}
	ours, err := openStreamFlow(ctx, o, dir)
	if err != nil {
		return err
	}
	defer ours.close()
	if o.explain {
		return explain(ctx, o, ours)
	}
	theirs, err := openPeer(ctx, o, dir)
	if err != nil {
		return err
	}
	if theirs != nil {
		defer theirs.Close()
	}
	return race{options: o, ours: ours, theirs: theirs}.all(ctx)
}

// explain prints the plans.
func explain(ctx context.Context, o options, s *streamFlow) error {
	for _, n := range o.only {
		text, err := o.text(n)
		if err != nil {
			return err
		}
		plan, err := oracle.Collect(ctx, s.Session, "EXPLAIN "+text)
		if err != nil {
			return err
		}
		fmt.Printf("q%d\n", n)
		for _, row := range plan.Rows {
			fmt.Println(*row[0])
		}
	}
	return nil
}

// tables makes the tables of the scale, unless they are there.
func tables(ctx context.Context, o options) (string, error) {
	if o.hits > 0 {
		return hitsTables(ctx, o)
	}
	dir, err := filepath.Abs(filepath.Join(o.cache, fmt.Sprintf("sf%v", float64(o.scale))))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	fmt.Fprintf(os.Stderr, "making the tables of scale factor %v in %s\n", float64(o.scale), dir)
	procs := runtime.NumCPU()
	if err := tpch.Write(ctx, tpch.Options{Dir: dir + ".part", Scale: o.scale, Parts: procs, Workers: procs, Tables: tpch.Tables}); err != nil {
		return "", err
	}
	return dir, os.Rename(dir+".part", dir)
}

// streamFlow is a node of our own with the tables declared.
type streamFlow struct {
	*streamflow.LocalSession
	home string
}

func openStreamFlow(ctx context.Context, o options, dir string) (*streamFlow, error) {
	conf := streamflow.Config{Slots: o.threads, Logger: slog.New(slog.DiscardHandler)}
	if o.memory != "" {
		n, err := config.ParseSize(o.memory)
		if err != nil {
			return nil, fmt.Errorf("-memory %w", err)
		}
		conf.Memory = n
	}
	home, err := os.MkdirTemp(o.cache, "node-")
	if err != nil {
		return nil, err
	}
	conf.Dir = home
	s, err := streamflow.Local(conf)
	if err != nil {
		return nil, err
	}
	out := &streamFlow{s, home}
	declare, _ := o.declarations(dir)
	for _, text := range declare {
		if _, err := oracle.Collect(ctx, s.Session, text); err != nil {
			out.close()
			return nil, err
		}
	}
	return out, nil
}

func (s *streamFlow) close() {
	if err := errors.Join(s.Close(), os.RemoveAll(s.home)); err != nil {
		fmt.Fprintln(os.Stderr, "benchbatch:", err)
	}
}

// peer is what StreamFlow runs beside.
type peer interface {
	Query(sql string, rows bool) (oracle.Answer, error)
	Close() error
}

// peerName heads its columns.
func (o options) peerName() string {
	if o.spark != "" {
		return "Spark"
	}
	return "DuckDB"
}

// openPeer starts DuckDB or Spark; a peer that cannot be had is nil.
func openPeer(ctx context.Context, o options, dir string) (peer, error) {
	if o.spark != "" {
		return openSpark(ctx, o, dir)
	}
	if c, err := openDuckDB(ctx, o, dir); c != nil || err != nil {
		return c, err
	}
	return nil, nil
}

// openSpark starts Spark with the tables declared.
func openSpark(ctx context.Context, o options, dir string) (peer, error) {
	s, err := oracle.StartSpark(ctx, o.spark, "testdata/spark/answer.py", o.threads, "4g")
	if why := new(oracle.Unavailable); errors.As(err, &why) {
		fmt.Fprintln(os.Stderr, "Spark skipped:", why.Why)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, t := range tpch.Tables {
		path := filepath.Join(dir, t.Name)
		if _, err := s.Query(fmt.Sprintf("CREATE OR REPLACE TEMPORARY VIEW %s USING parquet OPTIONS (path '%s')", t.Name, path), true); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// openDuckDB starts DuckDB with the tables declared. Where it cannot be had, there is none, and a word why.
func openDuckDB(ctx context.Context, o options, dir string) (*oracle.Client, error) {
	if !o.duckdb {
		return nil, nil
	}
	c, err := oracle.Start(ctx, "testdata/duckdb", o.cache, oracle.Options{Threads: o.threads})
	if why := new(oracle.Unavailable); errors.As(err, &why) {
		fmt.Fprintln(os.Stderr, "DuckDB skipped:", why.Why)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, declare := o.declarations(dir)
	for _, text := range declare {
		if _, err := c.Query(text, false); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}
