//go:build !linux

package wal

func allocChunk(size int) []byte { return make([]byte, size) }
func trimChunk([]byte)           {}
