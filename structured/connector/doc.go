// Package connector is the contract between the engine and the places that rows come from and go to.
//
// A Table is anything a query can name. A table that can be read whole is a BatchReader; one that grows is a
// StreamReader too; one that can be written is a Writer. Each connector is a package below this one and passes the
// conformance suite in connectortest.
//
// A sink takes part in the query's commit (see structured/stream):
//
//	Begin ─▶ tasks stage rows ─▶ [commit entry replicated] ─▶ Publish    made visible; idempotent, redone on recovery
//	                         └─▶ Abort                                  staged rows never become visible
package connector
