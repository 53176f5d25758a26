package segment

import (
	"math/bits"
	"sync"
)

// Buffer is bytes from a pool.
type Buffer struct {
	B    []byte
	full []byte
}

const (
	minClass = 14 // 16 KiB
	maxClass = 24 // 16 MiB; longer ones are not pooled
)

var buffers [maxClass + 1]sync.Pool

// GetBuffer returns a buffer with n bytes of anything.
func GetBuffer(n int) *Buffer {
	class := max(bits.Len(uint(max(n, 1)-1)), minClass)
	if class > maxClass {
		b := make([]byte, n)
		return &Buffer{B: b, full: b}
	}
	if b, ok := buffers[class].Get().(*Buffer); ok {
		b.B = b.full[:n]
		return b
	}
	full := make([]byte, 1<<class)
	return &Buffer{B: full[:n], full: full}
}

// Release gives the buffer back. Nothing may use its bytes any more. Releasing is optional, and nil is nothing.
func (b *Buffer) Release() {
	if b == nil || b.B == nil {
		return
	}
	if class := bits.Len(uint(len(b.full) - 1)); class <= maxClass && class >= minClass {
		b.B = nil
		buffers[class].Put(b)
	}
}
