// Package oracle asks DuckDB, or Spark, what the right answer is, and how long it took to find it.
//
// DuckDB lives in testdata/duckdb, a module and a program of its own, since it needs a C compiler. Client builds the
// program, starts it and talks to it; where it cannot be built, Unavailable says why. Collect runs the same query in a
// session, and Compare holds one result against the other:
//
//	rows      in order when the query orders them, else as a bag
//	decimals  by value, exactly
//	doubles   by a relative distance of 1e-9; against a decimal, by half of the decimal's last digit
//
// Spark is a Python program, testdata/spark/answer.py, under a PySpark that brings its jars; StartSpark starts it. Judge runs a statement
// here in the form of its answers: types, rows as text, or the condition of an error.
//
// The package is for tests and measurements; the product never imports it.
package oracle
