// Package console is the sink that prints a streaming query's batches as tables, for people at a terminal.
package console
