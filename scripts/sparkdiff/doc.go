// Command sparkdiff asks Apache Spark and StreamFlow the same: casts, operators, functions and conversions over edge values with
// ANSI on and off in several time zones, or, with -examples, the examples in Spark's documentation of its functions. It prints where they differ. With -write it keeps Spark's answers in
// testdata/spark/answers.jsonl.gz, against which TestSparkAnswers runs, and which of them StreamFlow does not give.
package main
