package logstore

import (
	"errors"
	"time"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/wal"
)

// admit lets an append through when the disk keeps up, and waits when it does not. A full disk is an error instead: it
// can take hours until somebody makes room.
func (l *Log) admit() error {
	if l.held.Load() < l.o.MemoryLimit && l.wal.FilesInUse() <= l.o.WALMaxFiles {
		return nil
	}
	l.roomMu.Lock()
	defer l.roomMu.Unlock()
	for l.held.Load() >= l.o.MemoryLimit || l.wal.FilesInUse() > l.o.WALMaxFiles {
		switch {
		case l.closed:
			return ErrClosed
		case l.diskFull:
			return ErrDiskFull
		}
		wake(l.kick)
		l.room.Wait()
	}
	return nil
}

// hold counts bytes that are in memory and not in segments.
func (l *Log) hold(n int64) {
	now := l.held.Add(n)
	if n > 0 && now >= l.o.FlushBytes && now-n < l.o.FlushBytes {
		wake(l.kick)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// noteDirty puts a partition on the list of those that have durable batches in memory.
func (l *Log) noteDirty(p *Partition) {
	l.dirtyMu.Lock()
	l.dirty = append(l.dirty, p)
	first := len(l.dirty) == 1
	l.dirtyMu.Unlock()
	if first {
		wake(l.kick)
	}
}

func (l *Log) takeDirty() []*Partition {
	l.dirtyMu.Lock()
	defer l.dirtyMu.Unlock()
	list := l.dirty
	l.dirty = nil
	return list
}

func (l *Log) hasDirty() bool {
	l.dirtyMu.Lock()
	defer l.dirtyMu.Unlock()
	return len(l.dirty) > 0
}

// background is the goroutine that writes segments, syncs them, and applies retention. It sleeps while nothing happens.
func (l *Log) background() {
	defer close(l.done)
	var flush, idle alarm
	retention := alarm{}
	retention.set(l.o, l.o.RetentionInterval)
	defer func() { flush.clear(); idle.clear(); retention.clear() }()
	lastCheckpoint := l.o.Clock.Now()
	for {
		select {
		case <-l.stop:
			return
		case <-l.kick:
			if l.held.Load() < l.o.FlushBytes && l.wal.FilesInUse() <= l.o.CheckpointFiles {
				flush.arm(l.o, l.o.FlushInterval, l.hasDirty())
				continue
			}
		case <-flush.c:
		case <-idle.c:
			idle.clear()
			wal.TrimMemory()
			continue
		case <-retention.c:
			retention.set(l.o, l.o.RetentionInterval)
			l.tend()
		}
		flush.clear()
		err := l.flushDirty()
		now := l.o.Clock.Now()
		if err == nil && (l.wal.FilesInUse() > l.o.CheckpointFiles || now.Sub(lastCheckpoint) >= l.o.CheckpointInterval) {
			err = l.checkpoint(false)
			lastCheckpoint = now
		}
		l.noteOutcome(err)
		if err != nil {
			flush.set(l.o, retryAfter)
			continue
		}
		flush.arm(l.o, l.o.FlushInterval, l.hasDirty())
		idle.set(l.o, idleAfter)
	}
}

const (
	retryAfter = time.Second
	idleAfter  = 30 * time.Second
)

// alarm is a timer that may be off.
type alarm struct {
	c    <-chan time.Time
	stop func()
}

func (a *alarm) set(o Options, d time.Duration) {
	a.clear()
	a.c, a.stop = o.Clock.After(d)
}

// arm sets the alarm if there is need and it is not set.
func (a *alarm) arm(o Options, d time.Duration, need bool) {
	if need && a.c == nil {
		a.set(o, d)
	}
}

func (a *alarm) clear() {
	if a.stop != nil {
		a.stop()
	}
	a.c, a.stop = nil, nil
}

// flushDirty writes all durable batches to the segments.
func (l *Log) flushDirty() error {
	dirty := l.takeDirty()
	to := make([]int64, len(dirty))
	for i, p := range dirty {
		to[i] = p.flushable()
	}
	if err := l.wal.SyncNow(); err != nil { // one for all: see flush
		return &syncError{err}
	}
	var errs []error
	for i, p := range dirty {
		errs = append(errs, p.flushTo(to[i]))
	}
	return errors.Join(errs...)
}

// noteOutcome tells the appenders how the disk does. What is neither success nor a full disk ends the node.
func (l *Log) noteOutcome(err error) {
	var failedSync *syncError
	l.roomMu.Lock()
	was := l.diskFull
	l.diskFull = vfs.IsDiskFull(err)
	now := l.diskFull
	l.room.Broadcast()
	l.roomMu.Unlock()
	switch {
	case errors.As(err, &failedSync):
		l.o.Fatal(err)
	case now && !was:
		l.o.Logger.Error("disk is full: appends will be refused when memory is used up", "dir", l.o.Dir, "err", err)
	case err != nil && !now && !errors.Is(err, wal.ErrClosed):
		l.o.Fatal(err)
	case was && !now:
		l.o.Logger.Info("disk has room again", "dir", l.o.Dir)
	}
}

// tend does what is due once in a while for each partition.
func (l *Log) tend() {
	now := l.o.Clock.Now()
	for _, p := range l.open() {
		p.mu.Lock()
		p.state.expire(now.Add(-l.o.ProducerExpiry).UnixMilli())
		p.mu.Unlock()
		err := p.rollAged(now)
		if err == nil {
			err = p.retain(now)
		}
		if err == nil {
			err = p.sweep(now)
		}
		if err != nil {
			l.o.Logger.Error("retention failed", "topic", p.tp.Topic, "partition", p.tp.Partition, "err", err)
		}
	}
}
