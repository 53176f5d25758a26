// Package auth finds out who a client is: the server's side of SASL, and the users in the metadata.
//
//	client ── mechanism ──> Server.Start ──> Exchange ── Next(message) ──> reply, until done ──> Identity
//
//	PLAIN          name and password in one message (RFC 4616); for connections that are encrypted
//	SCRAM-SHA-256  challenge and proof (RFC 5802, RFC 7677); neither side learns what would let it be the other
//	SCRAM-SHA-512  the same with a longer hash
//	OAUTHBEARER    a signed token from elsewhere (RFC 7628)
//
// Users are kept as what SCRAM needs, {salt, iterations, StoredKey, ServerKey}; passwords are kept nowhere, and PLAIN is
// verified against the same. They stand in the metadata log (Machine, by KIP-554) or in a file of the node's own (users that
// must be there before the first can be added). A name that nobody has is asked, and refused, as one that somebody has.
//
// The package opens no connection and never sleeps: the time comes with each message. Only KeySet reads files and URLs.
// What somebody may do is package acl's business.
package auth
