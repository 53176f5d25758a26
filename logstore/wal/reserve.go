package wal

import (
	"fmt"
)

// Request describes a record to be reserved.
type Request struct {
	Type      Type
	Size      int       // of the payload
	Timestamp int64     // milliseconds
	Lazy      bool      // nobody waits: it may go with the next group
	To        Committer // told with Token when the record is durable; may be nil
	Token     int64
}

// Reserve gives a record its LSN, its place in the file and the memory to fill. An error means that nothing happened;
// when it is a full disk, a later Reserve tries again.
func (w *WAL) Reserve(q Request) (Reservation, error) {
	need := recordSize(q.Size)
	if need+fileHeader+2*markSize > w.o.FileSize {
		return Reservation{}, fmt.Errorf("%w: %d bytes", ErrTooLarge, q.Size)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.makeRoom(need); err != nil {
		return Reservation{}, err
	}
	g := w.openGroup(q)
	if need > w.room() {
		// Only a fresh file's own mark can have used what makeRoom found, and it leaves room for that.
		panic("BUG: wal: reserved room is gone")
	}
	rec := w.place(g, need)
	h := header{length: uint32(q.Size), typ: q.Type, salt: w.active.salt, timestamp: q.Timestamp, lsn: g.lastLSN}
	putHeader(rec, h)
	clear(rec[recordHead+q.Size:]) // the padding
	g.fills.Add(1)
	if q.To != nil {
		g.ends = append(g.ends, end{to: q.To, token: q.Token})
	}
	if !q.Lazy && !g.urgent {
		g.urgent = true
		wakeUp(w.wake)
	}
	w.marked = false
	return Reservation{
		LSN: h.lsn, Chunk: w.chunk, Group: g,
		Payload: rec[recordHead : recordHead+q.Size : recordHead+q.Size], record: rec[:recordHead+q.Size],
	}, nil
}

// room is what is left in the active file beside the mark that must close it.
func (w *WAL) room() int64 { return w.active.size - w.pos - markSize }

// makeRoom sees to it that a group's mark and a record of need bytes fit into the active file.
func (w *WAL) makeRoom(need int64) error {
	for w.err == nil && w.room() < need+markSize {
		if w.spare != nil {
			w.rotate()
			continue
		}
		if err := w.awaitSpare(); err != nil {
			return err
		}
	}
	if w.err == nil && w.pos > w.active.size/2 && w.spare == nil && !w.making {
		wakeUp(w.wakeMake)
	}
	return w.err
}

// awaitSpare waits for the file maker. It is rarely reached: a spare is asked for when the active file is half full.
func (w *WAL) awaitSpare() error {
	w.makeErr = nil
	for w.spare == nil && w.makeErr == nil && w.err == nil {
		wakeUp(w.wakeMake)
		w.made.Wait()
	}
	if w.err != nil {
		return w.err
	}
	return w.makeErr
}

// rotate makes the spare the active file.
func (w *WAL) rotate() {
	w.active.lastLSN = w.nextLSN - 1
	w.sealed = append(w.sealed, w.active)
	w.active, w.spare, w.pos = w.spare, nil, fileHeader
	w.inUse.Add(1)
	w.marked = false
	if w.chunk != nil { // memory and file must stay side by side
		w.chunk.Release()
		w.chunk = nil
	}
}

// openGroup returns the group that a record joins, begun by a mark. The first record of a file is a mark too.
func (w *WAL) openGroup(q Request) *Group {
	var g *Group
	if n := len(w.queue); n > 0 {
		g = w.queue[n-1]
	}
	if g == nil || g.taken || g.bytes >= maxGroup || (w.o.SyncEach && g.urgent && !q.Lazy) {
		g = &Group{done: make(chan struct{})}
		w.queue = append(w.queue, g)
		wakeUp(w.wake)
		if !w.marked {
			w.mark(g)
		}
	} else if w.pos == fileHeader {
		w.mark(g)
	}
	return g
}

func (w *WAL) mark(g *Group) {
	rec := w.place(g, markSize)
	putMark(rec, typeMark, w.active.salt, w.o.Clock.Now().UnixMilli(), g.lastLSN, w.durable.Load())
}

// place gives n bytes their position in the file and in memory, and the next LSN, which becomes g.lastLSN.
func (w *WAL) place(g *Group, n int64) []byte {
	if w.chunk != nil && w.used+int(n) > len(w.chunk.data) {
		w.chunk.Release()
		w.chunk = nil
	}
	if w.chunk == nil {
		w.chunk, w.used = chunks.get(n), 0
	}
	from := w.used
	rec := w.chunk.data[from : from+int(n) : from+int(n)]
	g.add(w.active, w.chunk, from, n, w.pos)
	w.used += int(n)
	w.pos += n
	g.lastLSN = w.nextLSN
	w.nextLSN++
	return rec
}

func wakeUp(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
