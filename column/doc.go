// Package column holds the engine's data: batches of typed vectors, and the vectorised kernels over them.
//
// A Vector is plain Go slices beside a validity bitmap; a Batch is a schema and one vector for each field, all of the
// same length and dense (no selection vector travels between operators: a filter gathers the rows that pass, which
// costs the same as carrying a selection and keeps every other kernel simple).
//
//	Batch ─┬─ Schema   names and types
//	       ├─ N        rows
//	       └─ Cols[i]  Vector ─┬─ Valid   one bit for each row, nil when no row is null
//	                           └─ one of  Bools I8 I16 I32 I64 F32 F64 Dec   fixed width
//	                                      Views+Bufs                         strings and binary, 16-byte views
//	                                      Codes+Dict                         dictionary-coded strings
//	                                      Offs+Kids                          lists and maps
//	                                      Kids                               structs
//
// Arrow's layout is spoken at every border (the log, shuffle files, clients): see arrow_schema.go and ipc_encode.go.
//
// Ownership: a batch that a reader returns is valid until the next call on that reader. Whoever keeps rows longer copies
// them (Batch.Clone, Builder.AppendFrom). This lets each operator reuse its output buffers with no reference counts.
//
// The package knows nothing of SQL, expressions, files or time zones.
package column
