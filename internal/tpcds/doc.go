// Package tpcds has TPC-DS made where it is used: DuckDB's extension of that name, a package of PyPI, has the generator and the
// 99 queries. Nothing of them is kept here.
//
//	Prepare ─▶ dir/<table>.parquet         the 24 tables
//	           dir/queries/q<n>.sql        the queries without their last LIMIT
//	           dir/answers/q<n>.json       what DuckDB answers, for oracle.Load
//
// Where there is no Python with the packages duckdb and duckdb-extension-tpcds, Unavailable says why.
package tpcds
