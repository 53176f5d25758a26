// Package certs is the node's certificates: a TLS configuration that follows its files (Live), and certificates for
// development (Authority).
//
// Live reads certificate, key and the authority of clients when it is opened and when it is told to (Reload); Changed says when
// that is worth it. Connections that stand keep what they began with; a set of files that does not hold together changes
// nothing. Nothing older than TLS 1.2 is spoken.
package certs
