// Package pattern finds row patterns: the PATTERN clause of MATCH_RECOGNIZE (SQL:2016, ISO/IEC 9075-2 part "row pattern
// recognition", and ISO/IEC TR 19075-5), as text, as a tree, and as a machine that is fed rows in order.
//
//	text ──Parse──▶ Node ──Compile──▶ Program ──▶ Machine (one for each partition) ──▶ matches, timeouts
//
// A Program is an automaton over positions, which are the occurrences of variables after quantifiers and PERMUTE have been
// written out. What may follow a position is a list in the order of preference: greedy before leaving, left before right.
// A Machine holds attempts, one for each row at which a match may begin, and each attempt holds threads in the order of
// preference, as a backtracking matcher would try them. So the match that is found is the one that the standard prefers, and
// no row is looked at twice.
//
//	attempt 3 ─▶ thread A B B ·   ─▶ thread A B ·      the first that can be completed wins
//	attempt 4 ─▶ thread A ·                            waits until attempt 3 is settled: its match may skip row 4
//
// Whether a row can be a variable is asked of the caller, for all machines of a round at once (Conditions), so that conditions
// are evaluated over batches. The package does no I/O, has no clock and knows nothing of SQL, columns or state stores; time
// is the event time of rows and the watermark that the caller names.
package pattern
