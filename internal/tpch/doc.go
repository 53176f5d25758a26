// Package tpch makes the eight tables of the TPC-H benchmark (specification, revision 3, clause 4.2) at any scale.
//
// Every column has a stream of random numbers of its own, and every row of a table takes the same count of numbers from
// it. A reader of rows from..to therefore starts anywhere by a jump in each stream, and ranges are made side by side:
// however a table is cut, its rows are the same. The streams and seeds are those of the council's own generator, so
// that published row counts and answers hold.
//
//	stream ─ one column's random numbers, with a jump to any row
//	pool   ─ 300 MiB of pseudo text, from which comments are cut
//	Table ── Read(scale, from, to) ─▶ batches ── Write ─▶ Parquet files, CREATE TABLE statements
//
// The unit of a range is the row, but an order for lineitem (1 to 7 rows) and a part for partsupp (4 rows).
//
// The package knows neither sessions nor queries.
package tpch
