package wal

import "sync"

// Committer is told, in LSN order and from one goroutine, that a record of its is durable. It must be quick.
type Committer interface {
	Committed(token int64)
}

// Group is the records that share one sync.
type Group struct {
	fills   sync.WaitGroup // reservations that are not committed yet
	writes  []span
	ends    []end
	lastLSN uint64
	bytes   int64
	urgent  bool // somebody waits; a group without is lazy
	taken   bool // the writer has it: it takes no more records
	done    chan struct{}
	err     error // set before done is closed
}

// span is a run of bytes that lies together both in memory and in the file.
type span struct {
	file     *file
	chunk    *Chunk
	from, to int
	at       int64
}

type end struct {
	to    Committer
	token int64
}

// Done is closed when the group is durable or has failed.
func (g *Group) Done() <-chan struct{} { return g.done }

// Err is why the group failed. It may be called after Done.
func (g *Group) Err() error { return g.err }

// add places n bytes at the end of the group.
func (g *Group) add(f *file, c *Chunk, from int, n int64, at int64) {
	g.bytes += n
	if k := len(g.writes) - 1; k >= 0 {
		if s := &g.writes[k]; s.file == f && s.chunk == c && s.to == from {
			s.to += int(n)
			return
		}
	}
	c.Retain()
	g.writes = append(g.writes, span{file: f, chunk: c, from: from, to: from + int(n), at: at})
}

func (g *Group) release() {
	for _, s := range g.writes {
		s.chunk.Release()
	}
	g.writes = nil
}

// Reservation is a record with its place, LSN and memory, still to be filled.
type Reservation struct {
	LSN   uint64
	Chunk *Chunk // holds Payload; the caller retains it to keep Payload past Commit
	Group *Group

	// Payload is to be filled before Commit.
	Payload []byte
	record  []byte
}

// Commit says that the payload is filled. It must be called for each reservation, and soon: the group waits for it.
func (r *Reservation) Commit() {
	sealRecord(r.record)
	r.Group.fills.Done()
}
