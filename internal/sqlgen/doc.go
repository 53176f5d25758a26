// Package sqlgen makes queries from a seed, each in the words of Spark's dialect and of DuckDB's: what both must answer alike. It
// runs nothing and knows no answers.
package sqlgen
