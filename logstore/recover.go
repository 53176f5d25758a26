package logstore

import (
	"encoding/binary"
	"fmt"
	"path"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
	"github.com/streamflow/streamflow/logstore/wal"
)

// recovery carries the write-ahead log's records into the partitions when a log is opened.
//
// What a segment holds below the log's first record for its partition was synced; what it holds from there on may be
// half written, so it is cut off and written again from the log.
type recovery struct {
	log    *Log
	held   []byte // copies of batches that are still to be written
	queued []*Partition
	batch  map[*Partition][]record.Batch
	starts map[TopicPartition]start    // log starts, to be set when the partitions are open
	gaps   map[*Partition]int64        // partitions that have nothing below an offset; a log start must say why
	broken map[TopicPartition]error    // partitions that cannot be opened, or lack records; a deletion, cut or reset must follow that was not finished
	ids    map[TopicPartition]identity // topic ids that are in no file yet
}

type start struct {
	incarnation uint64
	offset      int64
}

const recoveryHold = 8 << 20

func (r *recovery) apply(e wal.Entry) error {
	tp, incarnation, rest, err := cutEntryPrefix(e.Payload)
	if err != nil {
		return err
	}
	switch e.Type {
	case typeDelete:
		return r.delete(tp.Topic, e.LSN)
	case typeAppend:
		return r.append(tp, incarnation, entryBatches{rest, -1, e.Timestamp})
	case typeReplicated:
		return r.appendReplicated(tp, incarnation, rest, e.Timestamp)
	case typeEpoch:
		return r.noteEpoch(tp, incarnation, rest)
	case typeCut:
		return r.cut(tp, incarnation, rest)
	case typeReset:
		return r.reset(tp, incarnation, rest)
	case typeDrop:
		return r.drop(tp, e.LSN)
	case typeTopicID:
		return r.noteTopicID(tp, incarnation, rest)
	case typeLogStart:
		return r.noteStart(tp, incarnation, rest)
	}
	return fmt.Errorf("logstore: write-ahead log record %d has the unknown type %d", e.LSN, e.Type)
}

// delete removes a topic's partitions that were there when the record was written.
func (r *recovery) delete(topic string, lsn uint64) error {
	if err := r.flush(); err != nil {
		return err
	}
	dirs, err := r.log.partitionsOf(topic)
	if err != nil {
		return err
	}
	for _, tp := range dirs {
		if err := r.remove(tp, lsn); err != nil {
			return err
		}
	}
	return nil
}

// remove removes a partition that was there when the record lsn was written.
func (r *recovery) remove(tp TopicPartition, lsn uint64) error {
	if r.log.incarnationOf(tp) >= lsn {
		return nil
	}
	delete(r.starts, tp)
	delete(r.broken, tp)
	delete(r.ids, tp)
	r.log.forgetHigh(tp)
	if p := r.log.parts[tp]; p != nil {
		p.closeSegments()
		delete(r.log.parts, tp)
		delete(r.gaps, p)
	}
	if err := r.log.o.FS.RemoveAll(r.log.partitionDir(tp)); err != nil {
		return fmt.Errorf("logstore: delete %s: %w", tp, err)
	}
	return nil
}

// partition finds the partition that a record is about; nil if the record is about an earlier one of that name, or about one
// that is broken.
func (r *recovery) partition(tp TopicPartition, incarnation uint64, base int64) (*Partition, error) {
	if r.broken[tp] != nil {
		return nil, nil
	}
	p := r.log.parts[tp]
	if p == nil {
		onDisk := r.log.incarnationOf(tp)
		if onDisk != 0 && onDisk < incarnation { // its deletion was not finished
			if err := r.log.o.FS.RemoveAll(r.log.partitionDir(tp)); err != nil {
				return nil, fmt.Errorf("logstore: delete %s: %w", tp, err)
			}
		}
		if onDisk > incarnation {
			return nil, nil
		}
		var err error
		if p, err = r.log.openPartition(opening{tp: tp, incarnation: incarnation, topicID: r.topicID(tp, incarnation), limit: base}); err != nil {
			return nil, r.suspect(tp, err)
		}
		r.log.parts[tp] = p
		if p.starting > 0 {
			r.start(tp, start{p.incarnation, p.starting})
			p.starting = 0
		}
	}
	if p.incarnation != incarnation {
		return nil, nil
	}
	return p, nil
}

// start takes that a partition's log begins at an offset, or behind it.
func (r *recovery) start(tp TopicPartition, s start) {
	known, ok := r.starts[tp]
	if !ok || s.incarnation > known.incarnation || s.incarnation == known.incarnation && s.offset > known.offset {
		r.starts[tp] = s
	}
}

// suspect holds damage back until the end: when a deletion of the topic follows in the log, the node died while it removed
// the files, and there is no damage.
func (r *recovery) suspect(tp TopicPartition, err error) error {
	if _, damage := usererr.As(err); !damage {
		return err
	}
	r.broken[tp] = err
	return nil
}

// entryBatches is the batches of one record of the write-ahead log.
type entryBatches struct {
	data []byte
	from int64 // where the log ended before them; -1: where they begin
	ms   int64
}

func (r *recovery) append(tp TopicPartition, incarnation uint64, e entryBatches) error {
	first, _, err := record.Next(e.data)
	if err != nil {
		return fmt.Errorf("logstore: write-ahead log record of %s: %w", tp, err)
	}
	p, err := r.partition(tp, incarnation, first.BaseOffset())
	if err != nil || p == nil {
		return err
	}
	for len(e.data) > 0 {
		var b record.Batch
		if b, e.data, err = record.Next(e.data); err != nil {
			return fmt.Errorf("logstore: write-ahead log record of %s: %w", tp, err)
		}
		if err := r.take(p, b, e); err != nil {
			return r.suspect(tp, err)
		}
		if e.from >= 0 {
			e.from = b.LastOffset() + 1
		}
	}
	return nil
}

func (r *recovery) take(p *Partition, b record.Batch, e entryBatches) error {
	switch base := b.BaseOffset(); {
	case base < p.end:
		return nil // it is in a segment
	case base > p.end && p.end == 0 && len(p.segments) == 0:
		// Retention may have deleted all segments up to here; the ones behind are written again.
		r.gaps[p] = base
		p.logStart = base
		p.grown(base)
	case base > p.end && e.from != p.end: // the leader's log may have gaps
		return missing(p, p.end, base)
	}
	if len(r.held)+len(b) > cap(r.held) {
		if err := r.flush(); err != nil {
			return err
		}
		r.held = make([]byte, 0, max(recoveryHold, len(b)))
	}
	at := len(r.held)
	r.held = append(r.held, b...)
	if len(r.batch[p]) == 0 {
		r.queued = append(r.queued, p)
	}
	r.batch[p] = append(r.batch[p], record.Batch(r.held[at:]))
	if err := p.learn(b, e.ms); err != nil {
		return fmt.Errorf("logstore: write-ahead log record of %s: %w", p.tp, err)
	}
	p.grown(b.LastOffset() + 1)
	return nil
}

// missing says that offsets are neither in segments nor deleted.
func missing(p *Partition, from, to int64) error {
	return usererr.New("CORRUPT_SEGMENT", "XX001", "Offsets %d to %d of %s are in no segment, though they were written.", from, to-1, p.tp).
		In(p.dir).WithFix("Restore the partition's files from a copy or a replica.")
}

func (r *recovery) noteStart(tp TopicPartition, incarnation uint64, rest []byte) error {
	if len(rest) != 8 {
		return fmt.Errorf("logstore: write-ahead log record of %s has %d bytes, want 8", tp, len(rest))
	}
	r.start(tp, start{incarnation: incarnation, offset: int64(binary.LittleEndian.Uint64(rest))})
	return nil
}

// finish writes what is left, and sets the log starts.
func (r *recovery) finish() error {
	if err := r.flush(); err != nil {
		return err
	}
	for p, base := range r.gaps {
		if err := r.explain(p, base); err != nil {
			if err := r.suspect(p.tp, err); err != nil {
				return err
			}
		}
	}
	for tp, err := range r.broken {
		if !r.log.o.KeepDamaged {
			return err
		}
		r.keep(tp, err)
	}
	if len(r.broken) > 0 {
		if err := r.park(); err != nil {
			return err
		}
	}
	for tp, s := range r.starts {
		p, err := r.partition(tp, s.incarnation, segment.NoLimit)
		if err != nil {
			return err
		}
		if p != nil && s.offset <= p.end {
			p.logStart = max(p.logStart, s.offset)
			p.disk.snapWanted++
		}
	}
	for _, p := range r.log.parts {
		if err := p.replayed(); err != nil {
			return err
		}
	}
	return nil
}

// explain looks for the log start by which everything below base was deleted, in the write-ahead log and in the newest
// snapshot.
func (r *recovery) explain(p *Partition, base int64) error {
	if s, ok := r.starts[p.tp]; ok && s.incarnation == p.incarnation && s.offset >= base {
		return nil
	}
	snap, err := loadSnapshot(p.log.o.FS, p.dir, segment.NoLimit)
	if err != nil {
		return err
	}
	if p.freed.localStart >= base {
		p.logStart = p.freed.logStart
		if snap != nil {
			p.logStart = max(p.logStart, min(snap.logStart, p.end))
		}
		return nil
	}
	if snap == nil || snap.logStart < base {
		return missing(p, 0, base)
	}
	p.logStart = max(p.logStart, min(snap.logStart, p.end))
	return nil
}

// flush writes what is held into segments.
func (r *recovery) flush() error {
	for _, p := range r.queued {
		if err := p.writeSegments(r.batch[p]); err != nil {
			return err
		}
		delete(r.batch, p)
	}
	r.queued, r.held = r.queued[:0], r.held[:0]
	return nil
}

// incarnationOf reads a partition's incarnation from disk; 0 if it has none.
func (l *Log) incarnationOf(tp TopicPartition) uint64 {
	if p := l.parts[tp]; p != nil {
		return p.incarnation
	}
	b, err := vfs.ReadFile(l.o.FS, path.Join(l.partitionDir(tp), identityFile))
	if err != nil {
		return 0
	}
	id, _ := decodeIdentity(b) // 0 when damaged: openPartition says so
	return id.incarnation
}
