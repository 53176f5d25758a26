// Package clustertest runs clusters of several nodes in one process, for tests: each node is a broker with its data directory,
// its peer port and a server of the Kafka protocol, on loopback. A node can be stopped in good order or cut off as by a crash,
// and started again on the same addresses.
package clustertest
