// Command benchbatch runs TPC-H's queries over Parquet files in StreamFlow and in DuckDB, in turn and with the same number
// of threads, and prints what each took.
//
//	go run ./scripts/benchbatch -sf 1 -memory 512MiB
//
// The tables are made once and kept. Each query runs once in both for its rows, which are compared, and then -repeat times
// in turn, of which the fastest counts; both have their files in the page cache. Wall time is what a user waits for, the
// processor's time what the work costs; on a machine that does other things too only the second says much. Peak is the most
// memory that the process had while it ran the query. With -profile DIR the processor's profile of each query goes to
// DIR/qN.pprof, for go tool pprof. With -explain nothing runs: the plans are printed.
//
// With -spark PYTHON it runs beside Apache Spark instead.
//
// With -hits it runs scans and groupings in the manner of ClickBench instead, over one table of so many generated rows:
//
//	go run ./scripts/benchbatch -hits 5000000
package main
