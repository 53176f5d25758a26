package logstore

import (
	"fmt"
	"path"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
)

// opening says how to open a partition.
type opening struct {
	tp          TopicPartition
	cfg         PartitionConfig
	incarnation uint64 // for a partition that has none on disk
	topicID     [16]byte
	limit       int64 // what is behind it the write-ahead log knows better
}

// openPartition opens what is on disk, or makes an empty partition.
func (l *Log) openPartition(o opening) (*Partition, error) {
	p := &Partition{log: l, tp: o.tp, dir: l.partitionDir(o.tp), cfg: o.cfg, incarnation: o.incarnation}
	p.topicID, p.role = o.topicID, Role{Leader: true, LeaderID: -1, Epoch: -1}
	p.cfg.defaults()
	if err := l.o.FS.MkdirAll(p.dir); err != nil {
		return nil, fmt.Errorf("logstore: open %s: %w", o.tp, err)
	}
	err := p.readIdentity()
	if err == nil {
		err = p.readFreed()
	}
	if err == nil {
		err = p.openSegments(o.limit)
	}
	if err == nil {
		err = p.restoreState()
	}
	if err == nil {
		err = p.keepNewest()
	}
	if err == nil {
		err = p.dropVanishedAborts()
	}
	if err == nil {
		err = p.unpark()
	}
	if err != nil {
		p.closeSegments()
		return nil, fmt.Errorf("logstore: open %s: %w", o.tp, err)
	}
	p.walPrefix = appendEntryPrefix(nil, p.tp, p.incarnation)
	return p, nil
}

// readIdentity finds the incarnation on disk. A partition that never reached its segments has none.
func (p *Partition) readIdentity() error {
	logs, err := listByOffset(p.log.o.FS, p.dir, segment.LogExt)
	if err != nil {
		return err
	}
	name := path.Join(p.dir, identityFile)
	b, err := vfs.ReadFile(p.log.o.FS, name)
	var onDisk identity
	if err == nil {
		onDisk, err = decodeIdentity(b)
	}
	switch {
	case err == nil:
		return p.takeIdentity(onDisk)
	case len(logs) == 0:
		return nil // it is written before the first segment
	}
	return usererr.New("CORRUPT_SEGMENT", "XX001", "A partition's identity cannot be read: %v.", err).
		In(name).WithFix("Restore the file from a copy or a replica.")
}

func (p *Partition) openSegments(limit int64) error {
	err := p.finishCompaction(limit)
	if err != nil {
		return err
	}
	bases, err := listByOffset(p.log.o.FS, p.dir, segment.LogExt)
	if err != nil {
		return err
	}
	if bases, err = p.removeBehind(bases, limit); err != nil {
		return err
	}
	if bases, err = p.removeFreed(bases); err != nil {
		return err
	}
	now := p.log.o.Clock.Now().UnixMilli()
	for i, base := range bases {
		s, err := p.openSegment(base, limit, now)
		if err != nil {
			return err
		}
		p.segments = append(p.segments, s)
		if next := s.Summary().Next; i+1 < len(bases) && next != bases[i+1] {
			return usererr.New("CORRUPT_SEGMENT", "XX001", "A segment is damaged: it ends at offset %d, and the next one begins at %d.", next, bases[i+1]).
				In(path.Join(p.dir, segment.Name(base, segment.LogExt))).
				WithFix("Restore the file from a copy or a replica, or delete the topic and load it again.")
		}
	}
	if n := len(p.segments); n > 0 {
		p.logStart = p.segments[0].Base()
		p.end = p.segments[n-1].Summary().Next
		p.keepColdStart()
	}
	return nil
}

// removeBehind removes the segments that begin behind limit: their batches come again from the write-ahead log, perhaps
// into other segments. It is durable that they are gone before that.
func (p *Partition) removeBehind(bases []int64, limit int64) (kept []int64, err error) {
	for _, base := range bases {
		if base <= limit {
			kept = append(kept, base)
		} else if err := segment.RemoveFiles(p.log.o.FS, p.dir, base); err != nil {
			return nil, err
		}
	}
	if len(kept) < len(bases) {
		err = p.log.o.FS.SyncDir(p.dir)
	}
	return kept, err
}

// restoreState brings back what is not in the batches' bytes alone: from the newest snapshot, and the batches behind it.
func (p *Partition) restoreState() error {
	snap, err := loadSnapshot(p.log.o.FS, p.dir, p.end)
	if err != nil {
		return err
	}
	from := p.logStart
	if snap != nil {
		p.state, p.epochs = snap.state, snap.epochs
		p.logStart = max(p.logStart, snap.logStart)
		from = snap.at
	}
	for _, s := range p.segments {
		sum := s.Summary()
		if sum.Next <= from {
			continue
		}
		err := s.Scan(from, func(_ int64, b record.Batch) (bool, error) {
			if b.BaseOffset() < from {
				return true, nil
			}
			p.disk.snapBytes += int64(len(b))
			return true, p.learn(b, sum.Appended)
		})
		if err != nil {
			return err
		}
	}
	if h, ok := p.log.hints.known[p.tp]; ok && h.incarnation == p.incarnation {
		p.knowReplicated(h.high)
	}
	p.grown(p.end)
	return nil
}

// replayed is called when all that there is of the log has been taken in.
func (p *Partition) replayed() error {
	if err := p.endVanished(&p.state, p.segments, p.tail.list); err != nil {
		return err
	}
	p.settle()
	return nil
}

// learn takes a batch that is on disk into the state.
func (p *Partition) learn(b record.Batch, ms int64) error {
	p.epochs.Note(b.LeaderEpoch(), b.BaseOffset())
	return p.state.apply(b, b.BaseOffset(), appendTime(b), ms)
}

func (p *Partition) closeSegments() {
	for _, s := range p.segments {
		s.Close()
	}
	for _, r := range p.life.retired {
		r.seg.Close()
	}
}
