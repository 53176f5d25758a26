// Package memory is the connector for tables that live in the process: tests, spark.range().cache()-like uses, and the
// memory sink of a streaming query.
//
// A table is a small log: partitions of rows with offsets. It can be read whole, read as a stream, and written exactly
// once. Rows are kept in the encoded form in which they travel to tasks; a split holds the rows themselves, so a scan needs
// nothing of the process that made it.
package memory
