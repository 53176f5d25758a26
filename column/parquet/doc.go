// Package parquet reads Parquet files straight into vectors, and writes batches as Parquet.
//
// Arrow's low-level library finds footers, pages and their codecs; decoding is ours, because its record reader copies
// every value through builders and fails on dictionaries that change between row groups. A flat column's pages become
// vectors with one copy at the most: plain numbers are moved as a block, dictionary-coded strings keep their codes, and
// other strings are views over the page.
//
//	File ─ schema, row groups, statistics
//	  └─ Rows ─ one chunk cursor for each column ─ page ─▶ levels ─▶ validity
//	                                                  └──▶ values ─▶ vector
//
// Lists, maps and structs are assembled row by row from their leaves, a row group at a time. The writer chooses for each
// column whether a dictionary pays, from the first row group's values.
//
// The package does no filtering and knows no tables; a connector prunes row groups by Stats.
package parquet
