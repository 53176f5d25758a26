//go:build !linux

package column

func adviseHuge([]byte) {}
