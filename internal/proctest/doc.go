// Package proctest runs the real programs as processes, for tests that kill them, starve them, or read what they print.
//
// It builds each program once for a test binary, starts nodes on ports outside the range that the kernel gives to
// clients (so that a node can come back on its port), and never leaves a process behind: a node dies with its test, also
// when the test binary itself is killed.
package proctest
