// Package generate is the connector of sources that make their rows instead of reading them:
//
//	rate              timestamp and value, so many rows a second
//	rate-micro-batch  the same, so many rows in each micro-batch
//	datagen           rows of a declared schema: sequences and random values from a seed
//	nexmark           the three tables of the Nexmark benchmark
//
// A source is a pace and a maker. The pace says how many rows there are a time after the query began, and when each of them is;
// the maker makes row n, of any n, in any order. Both are functions without memory, so a batch that is run again has the same
// rows, and a query that goes on after a crash goes on with the row that is next: exactly once into any sink that is.
//
// Offsets count the rows of each partition; one more number behind them is the time in microseconds at which the query
// began, which the rows' own times count from. Rows go to the partitions in turn, block by block.
//
// The package keeps nothing on disk and never looks at the clock while it makes rows.
package generate
