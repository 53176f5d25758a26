// Command duckdiff runs generated queries, and functions over edge values, on StreamFlow and on DuckDB, and prints where they
// differ. With -write it keeps DuckDB's answers in testdata/duckdb/answers.jsonl.gz, against which the tests run.
package main
