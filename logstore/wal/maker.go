package wal

import (
	"encoding/binary"
)

// maker is the goroutine that has a spare file ready, so that a full file never keeps an append waiting.
func (w *WAL) maker() {
	defer w.stopped.Done()
	for {
		select {
		case <-w.stop:
			return
		case <-w.wakeMake:
			w.makeSpare()
		}
	}
}

func (w *WAL) makeSpare() {
	w.mu.Lock()
	if w.spare != nil || w.err != nil {
		w.mu.Unlock()
		return
	}
	var old *file
	if n := len(w.free); n > 0 {
		old, w.free = w.free[n-1], w.free[:n-1]
	}
	seq := w.nextSeq
	w.nextSeq++
	w.making = true
	w.mu.Unlock()

	f, err := newFile(w.o.FS, w.o.Dir, seq, w.o.FileSize, old)

	w.mu.Lock()
	defer w.mu.Unlock()
	w.making = false
	w.spare, w.makeErr = f, err
	w.made.Broadcast()
}

// Checkpoint notes in the log that every record up to lsn is safe elsewhere: a later replay begins after it.
func (w *WAL) Checkpoint(lsn uint64) (*Group, error) { return w.note(typeCheckpoint, lsn, false) }

// MarkClosed is Checkpoint as the last record before Close.
func (w *WAL) MarkClosed(lsn uint64) (*Group, error) { return w.note(typeClose, lsn, false) }

// Mark writes down what is durable. Its group is done when every record reserved before it is durable, those that nobody
// waits for too.
func (w *WAL) Mark() (*Group, error) { return w.note(typeMark, w.durable.Load(), false) }

func (w *WAL) note(typ Type, lsn uint64, lazy bool) (*Group, error) {
	r, err := w.Reserve(Request{Type: typ, Size: markPayload, Timestamp: w.o.Clock.Now().UnixMilli(), Lazy: lazy})
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint64(r.Payload, lsn)
	r.Commit()
	return r.Group, nil
}

// Free gives up the full files whose records all have LSNs up to lsn. A checkpoint of lsn must be durable already.
func (w *WAL) Free(lsn uint64) error {
	for _, f := range w.unneeded(lsn) {
		f.Close()
		if err := w.o.FS.Remove(f.name); err != nil {
			return err
		}
	}
	return nil
}

// unneeded takes files out of use. It keeps some of them for recycling and returns the rest, to be removed.
func (w *WAL) unneeded(lsn uint64) (drop []*file) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// The newest durable record stays in the log, whatever lsn says: the next replay learns the LSN from it.
	limit := min(lsn, w.durable.Load()-1)
	kept := w.sealed[:0]
	for _, f := range w.sealed {
		switch {
		case f.lastLSN > limit:
			kept = append(kept, f)
		case f.size == w.o.FileSize && len(w.free) < keepFree:
			w.free = append(w.free, f)
		default:
			drop = append(drop, f)
		}
	}
	w.sealed = kept
	w.inUse.Store(int32(len(kept)) + 1)
	return drop
}
