// Package socket is the connector of lines of text from a TCP server, as Spark's socket source reads them: for trying
// things out.
//
// A server's lines can be read once only. They are kept in memory until the batch that has them is committed, so a batch
// that runs again has the same lines; but those that were not committed when the node ends are gone. At most once over a
// restart, exactly once while the node lives.
package socket
