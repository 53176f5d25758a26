// Package answer computes what Nexmark's queries must give, in loops over rows: slowly, in memory, and with nothing of the
// engine, so that the engine's answers can be held against it.
//
// Rows are bags: their order means nothing. A value is text as Spark casts it to a string.
package answer
