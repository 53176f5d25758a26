// Package wasm runs scalar functions that were compiled to WebAssembly, over batches of rows, within limits of time and
// memory. A module is any language's: it exports a function for each SQL function, in one of two forms.
//
//	by rows     name(arguments) -> result, called for each row (by a loop in WebAssembly: the host calls once for a batch)
//	by batches  name_batch(n, args, out) -> status, called once for a batch; used when the module exports it
//
// A module that takes strings, or works by batches, also exports sf_alloc(size i32) -> ptr i32, whose memory stays valid until
// sf_reset(), which is called before each batch when it is exported; so must the strings that it returns.
//
//	SQL                                         by rows                     by batches: data of n rows
//	BOOLEAN TINYINT SMALLINT INT DATE           i32                         4 bytes a row
//	BIGINT TIMESTAMP TIMESTAMP_NTZ INTERVAL DAY i64                         8 bytes a row
//	FLOAT                                       f32                         4 bytes a row
//	DOUBLE                                      f64                         8 bytes a row
//	STRING BINARY                               i32 ptr, i32 len;           n+1 offsets of 4 bytes, and the bytes
//	                                            result i64: ptr<<32 | len,
//	                                            -1 is NULL
//
// By batches, args points to one descriptor for each argument and out to one for the result; all numbers are little-endian:
//
//	args[i]   0 ┌────────────┐        out   0 ┌────────────┐
//	            │ data ptr   │                │ data ptr   │  fixed width: room for n rows, made by the host; strings: set by the guest
//	          4 ├────────────┤              4 ├────────────┤
//	            │ offsets ptr│ or 0           │ offsets ptr│  strings: set by the guest, else 0
//	          8 └────────────┘              8 ├────────────┤
//	                                          │ nulls ptr  │  n bytes, zero; the guest sets 1 where the result is NULL
//	                                       12 └────────────┘
//
// A status other than 0 fails the batch with that number. Rows with a NULL argument never reach the guest: their result is NULL.
//
// A module sees no files, no network, no environment and no clock; WASI calls that ask for them get nothing. A trap fails the row
// (or the batch) with FAILED_EXECUTE_UDF; a call that takes longer than its limit is interrupted with UDF_LIMIT_EXCEEDED; memory
// stops growing at its limit, and what the guest does then is its own affair.
package wasm
