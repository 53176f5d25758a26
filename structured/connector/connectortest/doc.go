// Package connectortest is the conformance suite of connectors: what the engine relies on, tried against each of them.
//
// A connector's test hands a factory to Source, Stream or Sink; the suite runs its operators in a task of its own, without
// scheduler or executor.
package connectortest
