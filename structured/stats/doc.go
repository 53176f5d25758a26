// Package stats is what is known of a table's rows without reading them: how many there are, and for each column how many
// values differ, how many are null and between which bounds they lie.
//
// Sources tell it (see Source): Parquet files from their footers, topics from their offsets, rows in memory by counting. ANALYZE
// TABLE counts it and the catalog keeps it. The package is data and arithmetic: it reads nothing and decides nothing.
package stats
