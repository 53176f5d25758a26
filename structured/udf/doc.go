// Package udf makes functions that are written in Go known to SQL, DataFrames and Spark Connect clients by name.
//
//	udf.Func1("initial", func(s string) string { return s[:1] })        SELECT initial(city) …
//	udf.Agg1("geo_mean", geoMean{})                                     SELECT geo_mean(x) … GROUP BY …
//	udf.Table1("words", func(s string, emit func(string)) { … }, "word") SELECT word FROM t LATERAL VIEW words(text) w
//	udf.Vector("rev", args, returns, makeBatch)                         a whole batch of rows at a time
//
// Registration is by name in this binary: plans and fragments carry the name, never code. Argument and result types follow
// from the Go types:
//
//	bool BOOLEAN · int8 TINYINT · int16 SMALLINT · int32 INT · int64, int BIGINT · float32 FLOAT · float64 DOUBLE
//	string STRING · []byte BINARY · time.Time TIMESTAMP · time.Duration INTERVAL DAY TO SECOND
//	[]T ARRAY · map[K]V MAP · struct STRUCT (exported fields; the tag `sql:"name"` renames one) · *T the same, null as nil
//
// A function is not called for a row with a null argument whose Go type cannot hold it; the result is null (an aggregate
// skips such rows). A function that returns an error, or panics, fails its row with FAILED_EXECUTE_UDF and the row's place;
// the process goes on.
//
// The package does not load code: functions compiled to WebAssembly are package wasm's.
package udf
