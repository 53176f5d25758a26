//go:build !linux

package streamflow

// machineMemory is what is assumed of a machine that cannot be asked.
func machineMemory() int64 { return 4 << 30 }
