// Package savepoint keeps copies of streaming queries' state, with the place in the input that the state is of, in a
// directory or an object store.
//
//	<query>/<name>.savepoint    the manifest: offsets, clocks, watermarks, definition, and the chunks of each operator
//	<query>/chunks/<sha256>     entries of an operator, about 1 MiB
//
// A chunk is named by its content, and where one ends follows from the entries themselves, so a savepoint writes only the
// chunks that differ from those of earlier ones of the query: it is incremental without depending on any other savepoint. The
// manifest is put last: a savepoint is there whole or not at all. Deleting removes the manifest, then the chunks that no other
// manifest names.
//
// docs/format/savepoint.md draws both. The package neither reads state nor runs queries.
package savepoint
