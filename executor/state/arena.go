package state

// arena holds keys and values in chunks without pointers. A position is chunk<<32 | offset.
type arena struct {
	pool   *chunkPool
	chunks [][]byte
	bytes  int64 // capacity of all chunks
}

const chunkSize = 64 << 10

// chunkPool keeps chunks of dropped buckets for the next ones: fresh memory is dear. It belongs to one partition.
type chunkPool struct{ free [][]byte }

const maxPooled = 64

func (p *chunkPool) get() []byte {
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		return c
	}
	return make([]byte, 0, chunkSize)
}

// alloc returns n bytes and their position.
func (a *arena) alloc(n int) (uint64, []byte) {
	last := len(a.chunks) - 1
	if last < 0 || len(a.chunks[last])+n > cap(a.chunks[last]) {
		c := []byte(nil)
		switch {
		case n > chunkSize/4:
			c = make([]byte, 0, n)
		case last < 0:
			c = make([]byte, 0, max(1<<10, n)) // small buckets stay small
		default:
			c = a.pool.get()
		}
		a.chunks = append(a.chunks, c)
		a.bytes += int64(cap(c))
		last++
	}
	c := a.chunks[last]
	off := len(c)
	c = c[:off+n]
	a.chunks[last] = c
	return uint64(last)<<32 | uint64(off), c[off : off+n : off+n]
}

func (a *arena) at(pos uint64, n uint32) []byte {
	c := a.chunks[pos>>32]
	off := uint32(pos)
	return c[off : off+n : off+n]
}

// free empties the arena and hands its chunks on.
func (a *arena) free() {
	for _, c := range a.chunks {
		if cap(c) == chunkSize && len(a.pool.free) < maxPooled {
			a.pool.free = append(a.pool.free, c[:0])
		}
	}
	a.chunks, a.bytes = nil, 0
}
