package logstore

import (
	"encoding/binary"
	"fmt"
	"path"
	"slices"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
	"github.com/streamflow/streamflow/logstore/wal"
)

// A cut takes back batches that are in memory, in the write-ahead log and in segments:
//
//	1  wait until the last append is on disk: nothing is on its way any more
//	2  the write-ahead log says that the log was cut at an offset, and that is on disk
//	3  forget the batches in memory; remove the snapshots and the segments that begin behind, then cut the last segment
//	4  rebuild what the batches left in the producers' state
//
// A crash before 2 leaves the log uncut. A replay of 2 does 3 again and then goes on with the batches that came after, all of
// which are in the write-ahead log: a checkpoint that would free it waits for 3.

// TruncateToEpoch cuts a follower's log where it left the leader's: at the end of that epoch here, or at end if that is
// smaller. leaderEpoch is the one under which the leader said so. It returns when the cut is durable.
func (p *Partition) TruncateToEpoch(leaderEpoch, epoch int32, end int64) error {
	p.step.Lock()
	defer p.step.Unlock()
	p.mu.Lock()
	if err := p.mayFollow(leaderEpoch); err != nil {
		p.mu.Unlock()
		return fmt.Errorf("logstore: truncate %s: %w", p.tp, err)
	}
	to := p.replicaLog().Epochs.CutAt(DivergingEpoch{Epoch: epoch, End: end}, p.end)
	to = max(to, p.logStart)
	if to >= p.end {
		p.mu.Unlock()
		return nil
	}
	from, high := p.end, p.high
	p.repl.cutting = true
	p.mu.Unlock()
	defer p.stopCutting()
	p.log.o.Logger.Info("replica cuts its log", "topic", p.tp.Topic, "partition", p.tp.Partition, "from", from, "to", to, "leaderEpoch", leaderEpoch)
	if to < high {
		p.log.o.Logger.Error("replica cuts records that were committed: an unclean leader was elected", "topic", p.tp.Topic, "partition", p.tp.Partition, "highWatermark", high, "to", to)
	}
	if err := p.writeMark(typeCut, to); err != nil {
		return fmt.Errorf("logstore: truncate %s: %w", p.tp, err)
	}
	return p.orDamaged(p.cut(to, false))
}

func (p *Partition) stopCutting() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.repl.cutting = false
}

// writeMark waits until all that was appended is on disk, and then until a record that names an offset is.
func (p *Partition) writeMark(typ wal.Type, at int64) error {
	p.mu.Lock()
	group := p.group
	p.mu.Unlock()
	if group != nil {
		if err := p.log.onDisk(group); err != nil {
			return err
		}
	}
	r, err := p.log.wal.Reserve(wal.Request{
		Type: typ, Size: len(p.walPrefix) + 8, Timestamp: p.log.o.Clock.Now().UnixMilli(),
	})
	if err != nil {
		return appendError(err)
	}
	n := copy(r.Payload, p.walPrefix)
	binary.LittleEndian.PutUint64(r.Payload[n:], uint64(at))
	r.Commit()
	return p.log.onDisk(r.Group)
}

// cut makes the log end at to or, if that lies within a batch, before that batch. opened says that the partition was just
// opened without what is behind to: then it is only to be made durable.
func (p *Partition) cut(to int64, opened bool) error {
	p.life.pass.Lock() // no compaction works on what goes
	defer p.life.pass.Unlock()
	p.disk.Lock()
	defer p.disk.Unlock()
	if p.gone() {
		return ErrUnknownPartition
	}
	behind, last := p.forget(to)
	if err := p.cutFiles(to, behind); err != nil {
		return err
	}
	if last != nil && (opened || last.Summary().Next > to) {
		if err := last.Cut(to); err != nil {
			return err
		}
	}
	return p.rebuild()
}

// forget takes what is behind the cut out of use: batches in memory, and segments that begin there. The first segment
// always stays: its name keeps the partition's end.
func (p *Partition) forget(to int64) (behind []*segment.Segment, last *segment.Segment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts++
	p.log.hold(-p.tail.cut(to))
	n := len(p.segments)
	for n > 1 && p.segments[n-1].Base() >= to {
		n--
	}
	behind = slices.Clone(p.segments[n:])
	p.segments = slices.Clone(p.segments[:n])
	if n > 0 {
		last = p.segments[n-1]
	}
	p.high, p.stable = min(p.high, to), min(p.stable, to)
	p.repl.leaderHigh = min(p.repl.leaderHigh, to)
	return behind, last
}

// cutFiles removes the files behind the cut, the last one first. p.disk is held.
func (p *Partition) cutFiles(to int64, behind []*segment.Segment) error {
	if err := removeSnapshots(p.log.o.FS, p.dir, to); err != nil {
		return err
	}
	if err := p.forgetCompaction(to); err != nil {
		return err
	}
	for _, s := range slices.Backward(behind) {
		p.disk.unsynced = slices.DeleteFunc(p.disk.unsynced, func(u *segment.Segment) bool { return u == s })
		if err := s.Remove(); err != nil {
			return err
		}
	}
	if len(behind) > 0 {
		if err := p.log.o.FS.SyncDir(p.dir); err != nil {
			return err
		}
	}
	return nil
}

// removeSnapshots removes those that know of batches behind the offset to, for good.
func removeSnapshots(fs vfs.FS, dir string, to int64) error {
	all, err := listByOffset(fs, dir, snapshotExt)
	if err != nil {
		return err
	}
	removed := false
	for _, at := range all {
		if at <= to {
			continue
		}
		if err := fs.Remove(path.Join(dir, segment.Name(at, snapshotExt))); err != nil {
			return fmt.Errorf("logstore: snapshot: %w", err)
		}
		removed = true
	}
	if removed {
		return fs.SyncDir(dir)
	}
	return nil
}

// rebuild finds the end of the log after a cut, and what the batches that are left make of the producers. p.disk is held.
func (p *Partition) rebuild() error {
	p.mu.Lock()
	segments, tail, start := slices.Clone(p.segments), slices.Clone(p.tail.list), p.logStart
	p.mu.Unlock() // nobody appends, and only this goroutine flushes
	end := start
	if n := len(segments); n > 0 {
		end = max(end, segments[n-1].Summary().Next)
	}
	if n := len(tail); n > 0 {
		end = tail[n-1].last + 1
	}
	state, err := p.stateAt(segments, tail, start, end)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	state.track = p.state.track
	p.state = state
	p.epochs.Cut(end)
	p.end, p.durable, p.repl.filled = end, end, end
	p.high = min(p.high, end)
	p.stable = min(p.stable, p.high)
	p.wake()
	return nil
}

// stateAt is the producers' state that the batches up to end leave.
func (p *Partition) stateAt(segments []*segment.Segment, tail []tailBatch, start, end int64) (producers, error) {
	var state producers
	snap, err := loadSnapshot(p.log.o.FS, p.dir, end)
	if err != nil {
		return state, err
	}
	from := start
	if snap != nil {
		state, from = snap.state, max(from, snap.at)
	}
	learn := func(b record.Batch, ms int64) error {
		if b.BaseOffset() < from {
			return nil
		}
		return state.apply(b, b.BaseOffset(), appendTime(b), ms)
	}
	for _, s := range segments {
		sum := s.Summary()
		if sum.Next <= from {
			continue
		}
		err := s.Scan(from, func(_ int64, b record.Batch) (bool, error) { return true, learn(b, sum.Appended) })
		if err != nil {
			return state, err
		}
	}
	now := p.log.o.Clock.Now().UnixMilli()
	for _, b := range tail {
		if err := learn(b.data, now); err != nil {
			return state, err
		}
	}
	return state, p.endVanished(&state, segments, tail)
}

// appendTime is when the broker appended a batch, or -1 if the batch does not say.
func appendTime(b record.Batch) int64 {
	if b.Attributes().IsLogAppendTime() {
		return b.MaxTimestamp()
	}
	return -1
}

// Reset drops the replica's records and lets it begin anew at the offset start, to be fetched from its leader: a replica
// that is damaged, or whose log ends before the leader's begins. Damaged is nil afterwards.
//
// A damaged replica may have been counted as in sync. It must be reset only when the controller has taken it out of the
// in-sync and eligible replicas under a new leader epoch, so that a fetch that it sent before counts for nothing.
func (p *Partition) Reset(start int64) error {
	p.step.Lock()
	defer p.step.Unlock()
	p.mu.Lock()
	if p.role.Leader && p.damage == nil {
		p.mu.Unlock()
		return fmt.Errorf("logstore: reset %s: the leader's records are the partition's", p.tp)
	}
	p.repl.cutting = true
	p.mu.Unlock()
	defer p.stopCutting()
	p.log.o.Logger.Warn("replica drops its records", "topic", p.tp.Topic, "partition", p.tp.Partition, "start", start)
	if err := p.writeMark(typeReset, start); err != nil {
		return fmt.Errorf("logstore: reset %s: %w", p.tp, err)
	}
	return p.orDamaged(p.restart(start))
}

// restart makes the partition empty, from the offset start on.
func (p *Partition) restart(start int64) error {
	p.life.pass.Lock()
	defer p.life.pass.Unlock()
	p.disk.Lock()
	defer p.disk.Unlock()
	p.mu.Lock()
	p.cuts++
	p.log.hold(-p.tail.drop(len(p.tail.list)))
	old := append(p.segments, p.life.reset()...)
	p.segments = nil
	p.mu.Unlock()
	p.disk.unsynced, p.disk.snapBytes, p.disk.snapHas = nil, 0, p.disk.snapWanted
	for _, s := range old {
		if err := s.Close(); err != nil {
			return err
		}
	}
	fs := p.log.o.FS
	if err := fs.MkdirAll(p.dir); err != nil {
		return err
	}
	if err := segment.RemoveAll(fs, p.dir, identityFile); err != nil {
		return err
	}
	if err := p.establish(); err != nil {
		return err
	}
	now := p.log.o.Clock.Now()
	s, err := p.roll(start, p.Config(), now) // its name keeps the start
	if err != nil {
		return err
	}
	if err := s.Sync(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.logStart, p.stable, p.high, p.durable, p.end, p.repl.filled = start, start, start, start, start, start
	p.repl.leaderHigh = min(p.repl.leaderHigh, start)
	p.state, p.epochs, p.freed = producers{track: p.state.track}, nil, freed{}
	p.life.cleanedTo, p.life.compacted = 0, nil
	if p.damage != nil {
		p.failed, p.damage = nil, nil
	}
	p.wake()
	return nil
}

// orDamaged takes the partition out of use when its files could not be brought into the state that the write-ahead log
// tells: the next start does it.
func (p *Partition) orDamaged(err error) error {
	if err != nil {
		p.fail(fmt.Errorf("logstore: %s: cut off while its files were changed: %w", p.tp, err))
	}
	return err
}

// Damaged says why the replica must not lead and must not be trusted; nil if nothing is known against it. Its records are
// left as they are until Reset: neither is the log shortened, nor does anybody get to see them.
func (p *Partition) Damaged() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.damage
}

// MarkDamaged takes the replica out of use because of damage that was found while it was open.
func (p *Partition) MarkDamaged(why error) {
	p.mu.Lock()
	if p.damage == nil && p.failed == nil {
		p.damage = fmt.Errorf("%w: %w", ErrDamaged, why)
	}
	damage := p.damage
	p.mu.Unlock()
	if damage != nil {
		p.fail(damage)
		p.log.o.Logger.Error("replica is damaged", "topic", p.tp.Topic, "partition", p.tp.Partition, "err", why)
		if f := p.log.o.OnDamage; f != nil {
			f(p, damage)
		}
	}
}
