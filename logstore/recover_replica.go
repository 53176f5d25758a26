package logstore

import (
	"encoding/binary"
	"fmt"

	"github.com/streamflow/streamflow/logstore/segment"
)

// What replication writes into the write-ahead log, when it is replayed.
//
// The files may be ahead of the record that is replayed: a cut that comes later in the log may have been carried out. Then
// batches from before the cut do not join on to what the files hold, and segments seem to be missing between others. Such a
// partition is broken until the cut comes; if none does, it is damaged.

func entryOffset(tp TopicPartition, rest []byte, want int) (int64, error) {
	if len(rest) < 8 || want > 0 && len(rest) != want {
		return 0, fmt.Errorf("logstore: write-ahead log record of %s has %d bytes, want %d", tp, len(rest), max(want, 8))
	}
	return int64(binary.LittleEndian.Uint64(rest)), nil
}

// appendReplicated takes batches that a leader sent.
func (r *recovery) appendReplicated(tp TopicPartition, incarnation uint64, rest []byte, ms int64) error {
	from, err := entryOffset(tp, rest, 0)
	if err != nil {
		return err
	}
	if err := r.append(tp, incarnation, entryBatches{rest[8:], from, ms}); err != nil {
		return err
	}
	if p := r.log.parts[tp]; p != nil && p.incarnation == incarnation {
		p.knowReplicated(p.logStart)
	}
	return nil
}

// noteEpoch takes that this node began to lead an epoch.
func (r *recovery) noteEpoch(tp TopicPartition, incarnation uint64, rest []byte) error {
	if len(rest) != 12 {
		return fmt.Errorf("logstore: write-ahead log record of %s has %d bytes, want 12", tp, len(rest))
	}
	epoch, start := int32(binary.LittleEndian.Uint32(rest)), int64(binary.LittleEndian.Uint64(rest[4:]))
	p, err := r.partition(tp, incarnation, start)
	if err != nil || p == nil {
		return err
	}
	if start <= p.end { // else a later cut took the batches before it
		p.epochs.Note(epoch, start)
		p.snapDue = true
	}
	p.knowReplicated(p.logStart)
	return nil
}

// cut carries a cut out, again or for the first time.
func (r *recovery) cut(tp TopicPartition, incarnation uint64, rest []byte) error {
	to, err := entryOffset(tp, rest, 8)
	if err != nil {
		return err
	}
	p, err := r.reopen(tp, incarnation, to)
	if err != nil || p == nil {
		return err
	}
	p.knowReplicated(p.logStart)
	switch {
	case p.end < to && len(p.segments) > 0:
		return r.suspect(tp, missing(p, p.end, to))
	case p.end < to: // retention has removed all that there was
		r.gaps[p] = to
		p.logStart = to
		p.grown(to)
	}
	return p.cut(to, true)
}

// reopen opens a partition anew with nothing behind the offset to.
func (r *recovery) reopen(tp TopicPartition, incarnation uint64, to int64) (*Partition, error) {
	if err := r.flush(); err != nil {
		return nil, err
	}
	old := r.log.parts[tp]
	if old != nil && old.incarnation != incarnation {
		return nil, nil
	}
	if old != nil {
		if err := old.syncSegments(false); err != nil { // nobody would know any more what is not synced
			return nil, err
		}
		old.closeSegments()
		delete(r.log.parts, tp)
	}
	delete(r.broken, tp)
	p, err := r.partition(tp, incarnation, to)
	if err != nil || p == nil || old == nil {
		return p, err
	}
	if base, ok := r.gaps[old]; ok && base <= to {
		r.gaps[p] = base
		p.logStart = max(p.logStart, min(base, p.end))
	}
	delete(r.gaps, old)
	p.logStart = max(p.logStart, min(old.logStart, p.end)) // the snapshot that tells of it may go with the cut
	p.epochs, p.snapDue = old.epochs, old.snapDue
	return p, nil
}

// reset makes the partition empty, from an offset on.
func (r *recovery) reset(tp TopicPartition, incarnation uint64, rest []byte) error {
	start, err := entryOffset(tp, rest, 8)
	if err != nil {
		return err
	}
	if err := r.flush(); err != nil {
		return err
	}
	old := r.log.parts[tp]
	if old != nil && old.incarnation != incarnation || r.log.incarnationOf(tp) > incarnation {
		return nil
	}
	if old != nil {
		old.closeSegments()
		delete(r.log.parts, tp)
		delete(r.gaps, old)
	}
	delete(r.broken, tp)
	delete(r.starts, tp)
	if err := r.log.o.FS.MkdirAll(r.log.partitionDir(tp)); err != nil {
		return err
	}
	if err := segment.RemoveAll(r.log.o.FS, r.log.partitionDir(tp), identityFile); err != nil {
		return err
	}
	p, err := r.partition(tp, incarnation, start)
	if err != nil || p == nil {
		return err
	}
	p.knowReplicated(start)
	return p.restart(start)
}

// drop removes one partition that was there when the record was written.
func (r *recovery) drop(tp TopicPartition, lsn uint64) error {
	if err := r.flush(); err != nil {
		return err
	}
	return r.remove(tp, lsn)
}

// noteTopicID keeps a topic's id until its partition has a file for it.
func (r *recovery) noteTopicID(tp TopicPartition, incarnation uint64, rest []byte) error {
	id := identity{incarnation: incarnation}
	if len(rest) != len(id.topicID) {
		return fmt.Errorf("logstore: write-ahead log record of %s has %d bytes, want %d", tp, len(rest), len(id.topicID))
	}
	copy(id.topicID[:], rest)
	r.ids[tp] = id
	if p := r.log.parts[tp]; p != nil && p.incarnation == incarnation {
		p.knowTopicID(id.topicID)
	}
	return nil
}

func (r *recovery) topicID(tp TopicPartition, incarnation uint64) [16]byte {
	if id := r.ids[tp]; id.incarnation == incarnation {
		return id.topicID
	}
	return [16]byte{}
}

// keep makes a partition of one that cannot be opened, for its other replicas to repair.
func (r *recovery) keep(tp TopicPartition, why error) {
	if p := r.log.parts[tp]; p != nil {
		p.closeSegments()
		delete(r.gaps, p)
	}
	r.log.parts[tp] = r.log.damaged(opening{tp: tp, incarnation: r.log.incarnationOf(tp)}, why)
}

// damaged is a partition that refuses everything but Reset.
func (l *Log) damaged(o opening, why error) *Partition {
	p := &Partition{log: l, tp: o.tp, dir: l.partitionDir(o.tp), cfg: o.cfg, topicID: o.topicID, incarnation: o.incarnation}
	p.role = Role{Leader: true, LeaderID: -1, Epoch: -1}
	p.cfg.defaults()
	if h, ok := l.hints.known[o.tp]; ok { // else it was its own only replica, and is again when it is sound
		p.knowReplicated(h.high)
	}
	if p.incarnation == 0 {
		p.incarnation = l.wal.NextLSN()
	}
	p.walPrefix = appendEntryPrefix(nil, p.tp, p.incarnation)
	p.damage = fmt.Errorf("%w: %w", ErrDamaged, why)
	p.failed = p.damage
	l.o.Logger.Error("replica is damaged", "topic", o.tp.Topic, "partition", o.tp.Partition, "err", why)
	return p
}
