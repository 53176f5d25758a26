// Package process is for programs that work key by key with state and timers, written in Go and typed: Spark's
// transformWithState and Flink's KeyedProcessFunction in one.
//
//	type fraud struct{ last process.Value[Payment] }
//
//	func (f *fraud) Open(s *process.State) { f.last = process.NewValue[Payment](s, "last", process.TTL(24*time.Hour)) }
//	func (f *fraud) Row(c *process.Context[string], p Payment, out process.Collector[Alert]) error {
//		…
//	}
//
//	func init() { process.Register("fraud", func() process.Function[string, Payment, Alert] { return &fraud{} }) }
//
//	SELECT * FROM fraud(TABLE(SELECT * FROM STREAM payments) PARTITION BY account ORDER BY ts)
//
// Rows, keys and results are Go structs whose exported fields are columns; the tag `sql:"name"` renames one.
//
// With ORDER BY a column that has a watermark, the rows of a key come in the order of event time, and timers between them:
// before a row of time t, all timers that were set for an earlier time. So what a function does for a key depends on the
// key's rows alone, not on how they were cut into batches. Without ORDER BY rows come as they arrive.
//
// Plans carry a function's name, never code: the node that runs the query must be of the program that registers it, which a
// program with streamflow.Local is. The package does no I/O and has no clock: times come with rows, timers and batches.
package process
