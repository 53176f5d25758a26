package wal

import (
	"sync"
	"sync/atomic"
)

// chunkSize is the memory that records are laid out in before they are written. A few of the largest usual batches fit.
const chunkSize = 4 << 20

// Chunk is memory that holds records. Whoever reads them later keeps the chunk with Retain; after the last Release it is
// used again.
type Chunk struct {
	data []byte
	refs atomic.Int32
}

// Retain keeps the chunk's memory as it is until a Release.
func (c *Chunk) Retain() { c.refs.Add(1) }

// Release gives up one Retain.
func (c *Chunk) Release() {
	switch n := c.refs.Add(-1); {
	case n == 0:
		chunks.put(c)
	case n < 0:
		panic("BUG: wal chunk released more often than retained")
	}
}

// chunks is one pool for the process: fresh memory costs far more than a copy into used memory, so none is given back
// while a log is busy. Trim returns the pages of unused chunks to the system.
var chunks chunkPool

type chunkPool struct {
	mu   sync.Mutex
	free []*Chunk
}

func (p *chunkPool) get(size int64) *Chunk {
	if size > chunkSize {
		c := &Chunk{data: make([]byte, size)}
		c.refs.Store(1)
		return c
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var c *Chunk
	if n := len(p.free); n > 0 {
		c, p.free = p.free[n-1], p.free[:n-1]
	} else {
		c = &Chunk{data: allocChunk(chunkSize)}
	}
	c.refs.Store(1)
	return c
}

func (p *chunkPool) put(c *Chunk) {
	if len(c.data) != chunkSize {
		return // a large one: the garbage collector has it
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, c)
}

// TrimMemory returns the memory of unused chunks to the system. A log calls it when it has been idle.
func TrimMemory() {
	chunks.mu.Lock()
	defer chunks.mu.Unlock()
	for _, c := range chunks.free {
		trimChunk(c.data)
	}
}
