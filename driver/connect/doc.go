// Package connect speaks the Spark Connect protocol, both ways: a server that offers any structured.Backend to PySpark and
// other clients, and a client that is a structured.Backend over any such server, ours or Apache Spark's.
//
//	PySpark ─┐                                        ┌─▶ structured.Backend (driver session)
//	Client  ─┼─▶ SparkConnectService (server*.go) ─▶ decode ─┘
//	         └── plan ◀─ encode ◀─ logical.Plan ◀─ Go DataFrames
//
// The codec (decode_*.go, encode_*.go) maps relations, expressions, types, literals and commands to logical plans and
// back; what one side writes the other reads as the same tree. An operation runs apart from the RPC that started it and
// leaves its responses in a buffer, so that a client that lost its stream can attach again (operation.go).
//
// Local mode uses the same server and client over a connection within the process (Local), so that there is one path.
//
// The package plans nothing and runs nothing; it never answers Unavailable for a failure that will not pass, because
// clients retry that for ten minutes.
package connect
