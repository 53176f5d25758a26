package logstore

import (
	"errors"
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/segment"
	"github.com/streamflow/streamflow/logstore/wal"
)

const (
	// A snapshot is taken when so much was written since the last: what recovery may have to look through.
	snapshotEvery = 16 << 20
	// An active segment's index is written when so much was written since the last time, for the same reason.
	indexEvery = 64 << 20
)

// checkpoint puts everything that is durable now into synced segments, so that the write-ahead log's older files can go.
// last says that the log is being closed: then indexes and snapshots are written however little is new.
func (l *Log) checkpoint(last bool) error {
	l.deleting.RLock()
	defer l.deleting.RUnlock()
	if err := l.wal.SyncNow(); err != nil {
		return &syncError{err}
	}
	lsn := l.wal.DurableLSN()
	var errs []error
	for _, p := range l.open() {
		errs = append(errs, p.checkpoint(last))
	}
	errs = append(errs, l.writeHighs(), l.keepTopicIDs())
	if err := errors.Join(errs...); err != nil {
		return err
	}
	note := l.wal.Checkpoint
	if last {
		note = l.wal.MarkClosed
	}
	g, err := note(lsn)
	if err != nil {
		return fmt.Errorf("logstore: checkpoint: %w", err)
	}
	if err := l.onDisk(g); err != nil {
		return err
	}
	return l.wal.Free(lsn)
}

// Sync returns when everything that was appended before it is on disk, markers of transactions too. Whoever gives up
// telling the outcome of a transaction again after a crash calls it first.
func (l *Log) Sync() error {
	g, err := l.wal.Mark()
	switch {
	case errors.Is(err, wal.ErrClosed):
		return ErrClosed
	case vfs.IsDiskFull(err):
		return fmt.Errorf("logstore: sync: %w: %w", ErrDiskFull, err)
	case err != nil:
		return fmt.Errorf("logstore: sync: %w", err)
	}
	return l.onDisk(g)
}

// onDisk waits until a group is on disk, which under SyncAsync is later than its acknowledgement.
func (l *Log) onDisk(g *wal.Group) error {
	<-g.Done()
	if err := g.Err(); err != nil {
		return err
	}
	if err := l.wal.SyncNow(); err != nil {
		return &syncError{err}
	}
	return nil
}

// checkpoint flushes and syncs the partition.
func (p *Partition) checkpoint(last bool) error {
	snap := p.captureSnapshot(last)
	known := p.lastEpoch()
	if err := p.flush(); err != nil {
		return err
	}
	p.disk.Lock()
	defer p.disk.Unlock()
	if p.gone() {
		return nil
	}
	if err := p.syncSegments(last); err != nil {
		return err
	}
	if snap == nil || p.cutSince(snap.cuts) {
		return nil
	}
	if err := p.establish(); err != nil {
		return err
	}
	if err := writeSnapshot(p.log.o.FS, p.dir, snap.at, snap.bytes); err != nil {
		return err
	}
	p.disk.snapBytes, p.disk.snapHas = 0, snap.wanted
	p.mu.Lock()
	defer p.mu.Unlock()
	p.snapDue = p.snapDue && p.epochs.Last() > known
	return nil
}

// gone tells that the partition was deleted: its files must not be made again.
func (p *Partition) gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Is(p.failed, ErrUnknownPartition)
}

// captured is a snapshot that is to be written.
type captured struct {
	bytes  []byte
	at     int64
	cuts   int // Partition.cuts then
	wanted int // disk.snapWanted then
}

// captureSnapshot encodes the state as of the end of the log, and waits until that end is durable: a snapshot must not
// know of batches that a crash can take back. It returns nil if none is due.
func (p *Partition) captureSnapshot(last bool) *captured {
	p.disk.Lock()
	wanted := p.disk.snapWanted
	due := wanted != p.disk.snapHas || p.disk.snapBytes >= snapshotEvery || (last && p.disk.snapBytes > 0)
	p.disk.Unlock()
	p.mu.Lock()
	due = due || p.snapDue || (last && len(p.tail.list) > 0)
	if !due || p.failed != nil {
		p.mu.Unlock()
		return nil
	}
	c := &captured{at: p.end, cuts: p.cuts, wanted: wanted}
	group := p.group
	c.bytes = (&snapshot{at: c.at, logStart: max(p.logStart, p.starting), epochs: p.epochs, state: p.state}).encode()
	p.mu.Unlock()
	if group != nil && p.log.onDisk(group) != nil {
		return nil
	}
	return c
}

// cutSince tells whether the log was cut, so that a snapshot may know of batches that are gone.
func (p *Partition) cutSince(cuts int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts != cuts
}

// syncSegments makes what was written to segments durable, and puts sealed ones to rest. p.disk is held.
func (p *Partition) syncSegments(last bool) error {
	p.mu.Lock()
	all := slices.Clone(p.segments)
	p.mu.Unlock()
	var active *segment.Segment
	if n := len(all); n > 0 {
		active = all[n-1]
	}
	for len(p.disk.unsynced) > 0 {
		s := p.disk.unsynced[0]
		if err := syncSegment(s, s == active && !last); err != nil {
			return err
		}
		p.disk.unsynced = p.disk.unsynced[1:]
	}
	p.disk.unsynced = nil
	if !last {
		return nil
	}
	for _, s := range all { // an index that was made again when the segment was opened is in memory only
		if err := s.Rest(); err != nil {
			return err
		}
	}
	return nil
}

func syncSegment(s *segment.Segment, busy bool) error {
	if err := s.Sync(); err != nil {
		return &syncError{err}
	}
	switch {
	case !busy:
		return s.Rest()
	case s.IndexLag() >= indexEvery:
		return s.WriteIndex()
	}
	return nil
}

// syncError marks a failed fsync: the system may have dropped the pages that it could not write, so trying again would
// succeed and mean nothing.
type syncError struct{ err error }

func (e *syncError) Error() string { return e.err.Error() }
func (e *syncError) Unwrap() error { return e.err }
