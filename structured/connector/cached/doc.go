// Package cached is the connector for results that are kept: CACHE TABLE and DataFrame.cache.
//
// A table is a row of chunks, encoded batches. A chunk stays in memory as long as the account gives room for it, else it lies in
// the table's one file on the node's disk:
//
//	split ──▶ 0 │ 7 bytes │ the batch, shared with the table
//	          1 │ offset uint64 │ length uint64 │ path of the file
//
// A table is filled once and read any number of times. It never asks whether what it was made of has changed.
package cached
