package wal

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// writer is the goroutine that writes groups, one after the other.
func (w *WAL) writer() {
	defer w.stopped.Done()
	for {
		g := w.next()
		if g == nil {
			return
		}
		if err := w.write(g); err != nil {
			w.fail(g, err)
			return
		}
	}
}

// next waits for a group to write. nil means that the log is closing and everything is written.
func (w *WAL) next() *Group {
	if g := w.take(false); g != nil {
		return g
	}
	w.idleMark()
	lazy, stopLazy := w.after(w.o.LazyDelay, w.waiting())
	sync, stopSync := w.after(w.o.SyncInterval, w.o.Async && w.durable.Load() < w.written.Load())
	defer func() { stopLazy(); stopSync() }()
	for {
		select {
		case <-w.wake:
			if g := w.take(false); g != nil {
				return g
			}
			if lazy == nil && w.waiting() {
				lazy, stopLazy = w.after(w.o.LazyDelay, true)
			}
		case <-lazy:
			lazy = nil
			if g := w.take(true); g != nil {
				return g
			}
		case <-sync:
			sync = nil
			if err := w.SyncNow(); err != nil {
				w.fail(nil, err)
				return nil
			}
		case <-w.stop:
			return w.take(true)
		}
	}
}

func (w *WAL) after(d time.Duration, on bool) (<-chan time.Time, func()) {
	if !on {
		return nil, func() {}
	}
	return w.o.Clock.After(d)
}

// waiting tells whether a group is queued.
func (w *WAL) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue) > 0
}

// take removes the first group from the queue. A group for which nobody waits is left to collect, unless lazy is due.
func (w *WAL) take(lazy bool) *Group {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		return nil
	}
	g := w.queue[0]
	if !g.urgent && !lazy && len(w.queue) == 1 {
		return nil
	}
	w.queue = slices.Delete(w.queue, 0, 1)
	g.taken = true
	return g
}

// write puts a group on disk and tells everybody.
func (w *WAL) write(g *Group) error {
	g.fills.Wait()
	for _, s := range g.writes {
		if _, err := s.file.WriteAt(s.chunk.data[s.from:s.to], s.at); err != nil {
			return fmt.Errorf("wal: write %s at %d: %w", s.file.name, s.at, err)
		}
		w.noteWritten(s.file)
	}
	if !w.o.Async {
		if err := w.sync(); err != nil {
			return err
		}
	}
	for _, e := range g.ends {
		e.to.Committed(e.token)
	}
	w.written.Store(g.lastLSN)
	if !w.o.Async {
		w.durable.Store(g.lastLSN)
	}
	g.release()
	close(g.done)
	return nil
}

func (w *WAL) noteWritten(f *file) {
	w.syncMu.Lock()
	defer w.syncMu.Unlock()
	if !slices.Contains(w.toSync, f) {
		w.toSync = append(w.toSync, f)
	}
}

func (w *WAL) sync() error {
	w.syncMu.Lock()
	defer w.syncMu.Unlock()
	return w.syncLocked()
}

func (w *WAL) syncLocked() error {
	for _, f := range w.toSync {
		if err := f.Sync(); err != nil {
			return fmt.Errorf("wal: sync %s: %w", f.name, err)
		}
	}
	w.toSync = w.toSync[:0]
	return nil
}

// SyncNow makes every completed group durable. Only an asynchronous log has any that are not.
func (w *WAL) SyncNow() error {
	w.syncMu.Lock()
	defer w.syncMu.Unlock()
	upTo := w.written.Load()
	if w.durable.Load() >= upTo {
		return nil
	}
	if err := w.syncLocked(); err != nil {
		return err
	}
	if w.durable.Load() < upTo {
		w.durable.Store(upTo)
	}
	return nil
}

// idleMark writes down, when the queue has run dry, that the last group is durable. It is synced with the next group: a
// crash before that loses nothing but the mark.
func (w *WAL) idleMark() {
	rec := make([]byte, markSize)
	w.mu.Lock()
	durable := w.durable.Load()
	if len(w.queue) > 0 || w.marked || w.err != nil || durable != w.nextLSN-1 || w.pos == fileHeader {
		w.mu.Unlock()
		return
	}
	putMark(rec, typeMark, w.active.salt, w.o.Clock.Now().UnixMilli(), w.nextLSN, durable)
	f, at := w.active, w.pos
	w.nextLSN++
	w.pos += markSize
	w.marked = true
	w.mu.Unlock()
	if _, err := f.WriteAt(rec, at); err != nil {
		w.fail(nil, fmt.Errorf("wal: write %s at %d: %w", f.name, at, err))
		return
	}
	w.noteWritten(f) // the next group may be in another file, and its LSNs go on from the mark's
}

// fail ends the log: what the disk holds is unknown now, so nothing after this may be acknowledged.
func (w *WAL) fail(g *Group, err error) {
	w.mu.Lock()
	if w.err == nil || errors.Is(w.err, ErrClosed) {
		w.err = err
	}
	failed := w.queue
	w.queue = nil
	if g != nil {
		failed = append([]*Group{g}, failed...)
	}
	w.made.Broadcast()
	w.mu.Unlock()
	for _, g := range failed {
		g.err = err
		close(g.done)
	}
	w.o.Fatal(err)
}
