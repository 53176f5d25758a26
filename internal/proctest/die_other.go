//go:build !linux

package proctest

import "os/exec"

// dieWithParent is known on Linux only; elsewhere a killed test leaves its nodes to be ended by hand.
func dieWithParent(*exec.Cmd) {}
