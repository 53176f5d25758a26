// Package certs is the node's certificates: a TLS configuration that follows its files (Live), and certificates for
// development (Authority).
//
// Live reads certificate, key and the authority of clients when it is opened, when it is told to (Reload), and when the files
// have changed (Watch). Connections that stand keep what they began with; a set of files that does not hold together changes
// nothing. Nothing older than TLS 1.2 is spoken.
package certs
