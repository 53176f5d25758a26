// Package peer is the port between nodes: one TCP listener, on which every connection proves that it knows the cluster's
// secret before anything else of it is read, and then carries one of three protocols.
//
//	dialer                                                        listener
//	  │  hello      magic, version, protocol, node id, nonce          │
//	  │ ────────────────────────────────────────────────────────────▶ │
//	  │  challenge  magic, version, node id, nonce                    │
//	  │ ◀──────────────────────────────────────────────────────────── │
//	  │  answer     HMAC(secret, "dialer", binding, hello, challenge) │
//	  │ ────────────────────────────────────────────────────────────▶ │  refused: a verdict that says so, and the end
//	  │  verdict    accepted, HMAC(secret, "listener", …)             │
//	  │ ◀──────────────────────────────────────────────────────────── │
//	  ▼  the protocol's own bytes                                     ▼
//
//	Mux ─┬─ Raft()   the metadata group (logstore/meta)
//	     ├─ RPC()    questions from node to node (logstore/peer/rpc)
//	     └─ Kafka()  replication and transaction markers, answered by the Kafka protocol server
//
// The dialer proves itself first, so that nobody who can merely reach the port is given anything to guess the secret from. All
// messages have a fixed size and the handshake a deadline. With TLS the proof covers the TLS session (RFC 9266), so that nobody
// can stand between two nodes even where certificates are not verified. Without TLS what follows the handshake is neither
// encrypted nor signed: the network between the nodes must then be trusted.
//
// The package never interprets what a connection carries and never dials on its own account. docs/format/peer.md draws the bytes.
package peer
