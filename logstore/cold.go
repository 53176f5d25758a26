package logstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/streamflow/streamflow/logstore/replica"
	"github.com/streamflow/streamflow/logstore/segment"
)

// ErrTierUnavailable is a read of offsets that lie in the cold tier while the tier cannot be reached. It passes.
var ErrTierUnavailable = errors.New("cold tier is not available")

// Cold is the part of a partition that lies in the cold tier (KIP-405's remote log). What it tells comes from memory; only
// Read and OffsetForTime may need the object store, and Read does not wait for it.
type Cold interface {
	// Bounds are the offsets that can be read, from start up to next; equal when there are none.
	Bounds() (start, next int64)
	// Objects lists what lies there, in offset order and without gaps.
	Objects() []ColdObject
	// Read begins to read whole batches, from the one that holds the offset from up to the one before the offset limit: at
	// most maxBytes, but at least one.
	Read(from, limit int64, maxBytes int) *ColdRead
	// OffsetForTime finds the first record from the offset start on, and below end, whose timestamp is at least ms.
	OffsetForTime(ctx context.Context, ms, start, end int64) (TimestampOffset, error)
}

// ColdObject is a segment, or the rest of one, in the cold tier.
type ColdObject struct {
	Base, Next   int64
	Bytes        int64 // of its batches, as they were in the log
	Records      int64
	MaxTimestamp int64 // milliseconds; -1 if it holds no record
	Appended     int64 // milliseconds, when its last batch was written
}

// ColdRead is a read of the cold tier under way.
type ColdRead struct {
	done chan struct{}
	once sync.Once
	res  ReadResult
	err  error

	mu     sync.Mutex
	notify []watching
}

// NewColdRead returns a read that is not done.
func NewColdRead() *ColdRead { return &ColdRead{done: make(chan struct{})} }

// Finish ends the read, once. Data must not change any more.
func (r *ColdRead) Finish(data []byte, aborted []AbortedTxn, err error) {
	r.once.Do(func() {
		r.res.Data, r.res.Aborted, r.err = data, aborted, err
		r.mu.Lock()
		close(r.done)
		list := r.notify
		r.notify = nil
		r.mu.Unlock()
		for _, n := range list {
			n.watcher.Mark(n.tag)
		}
	})
}

// Notify tells w, under a tag, when the read is done.
func (r *ColdRead) Notify(w *Watcher, tag int) {
	r.mu.Lock()
	done := r.finished()
	if !done {
		r.notify = append(r.notify, watching{w, tag})
	}
	r.mu.Unlock()
	if done {
		w.Mark(tag)
	}
}

// Done is closed when Result is there.
func (r *ColdRead) Done() <-chan struct{} { return r.done }

// Result is the answer; it may be asked for once Done is closed.
func (r *ColdRead) Result() (ReadResult, error) { return r.res, r.err }

// finished tells whether Done is closed.
func (r *ColdRead) finished() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// SetCold tells the partition what lies in the cold tier, first and whenever that has changed on another node.
func (p *Partition) SetCold(c Cold) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cold = c
	start, next := c.Bounds()
	local := p.localStart()
	if p.logStart >= local || start >= next {
		return
	}
	if next < local {
		p.log.o.Logger.Error("offsets are neither in segments nor in the cold tier", "topic", p.tp.Topic, "partition", p.tp.Partition, "from", next, "to", local)
	}
	if to := min(start, local); to > p.logStart { // another node's retention went on while this one was away
		p.logStart = to
		p.stable = max(p.stable, to)
		p.wake()
	}
}

// Cold is what lies in the cold tier; nil if the partition has none.
func (p *Partition) Cold() Cold {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cold
}

// LocalStart is the first offset that this node's disk has; the cold tier has what is before it (KIP-405's local log start).
func (p *Partition) LocalStart() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.logStart, p.localStart())
}

// localStart is where this node's bytes begin. p.mu is held.
func (p *Partition) localStart() int64 {
	switch {
	case len(p.segments) > 0:
		return p.segments[0].Base()
	case len(p.tail.list) > 0:
		return p.tail.list[0].base
	}
	return p.end
}

// readCold answers a read of offsets below the local start. p.mu is held.
func (p *Partition) readCold(res ReadResult, from, limit int64, maxBytes int) (ReadResult, error) {
	if p.cold == nil {
		return res, fmt.Errorf("logstore: read %s at %d: %w", p.tp, from, ErrTierUnavailable)
	}
	r := p.cold.Read(from, limit, maxBytes)
	r.attach(res)
	if !r.finished() {
		res.Remote = r
		return res, nil
	}
	return r.Result()
}

// attach gives the answer the borders that hold for it. Only the fields that Finish leaves alone are written.
func (r *ColdRead) attach(res ReadResult) {
	r.res.HighWatermark, r.res.LastStable, r.res.LogStart = res.HighWatermark, res.LastStable, res.LogStart
}

// coldData reads for a follower, which is fed from the log start on: it waits for the cold tier.
func (p *Partition) coldData(cold Cold, from, limit int64, maxBytes int) ([]byte, error) {
	if cold == nil {
		return nil, ErrTierUnavailable
	}
	r := cold.Read(from, limit, maxBytes)
	<-r.Done() // the tier bounds how long that takes
	res, err := r.Result()
	return res.Data, err
}

// ReadWait is Read that waits for the cold tier.
func (p *Partition) ReadWait(ctx context.Context, from int64, maxBytes int, committed bool) (ReadResult, error) {
	res, err := p.Read(from, maxBytes, committed)
	if err != nil || res.Remote == nil {
		return res, err
	}
	select {
	case <-res.Remote.Done():
		return res.Remote.Result()
	case <-ctx.Done():
		return ReadResult{}, ctx.Err()
	}
}

// AbortedSpan is an aborted transaction with both its ends: its first record and its marker.
type AbortedSpan struct {
	ProducerID  int64
	First, Last int64
}

// Sealed is a sealed segment to archive: everything in it is committed and decided.
type Sealed struct {
	Summary segment.Summary
	Aborted []AbortedSpan // transactions that have records in it
	seg     *segment.Segment
}

// Segment is the segment itself. It may be closed and removed at any time; then it returns segment.ErrClosed.
func (s *Sealed) Segment() *segment.Segment { return s.seg }

// Archivable lists the sealed segments that end behind from and lie wholly below the high watermark and the last stable
// offset, by offset.
func (p *Partition) Archivable(from int64) []Sealed {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []Sealed
	for i, s := range p.segments {
		sum := s.Summary()
		if i == len(p.segments)-1 || sum.Next > min(p.high, p.stable) {
			break
		}
		if sum.Next > from && sum.Bytes > 0 {
			list = append(list, Sealed{Summary: sum, Aborted: p.state.spansIn(sum.Base, sum.Next), seg: s})
		}
	}
	return list
}

// spansIn is abortedIn with both ends of the transactions.
func (s *producers) spansIn(from, to int64) (list []AbortedSpan) {
	for _, a := range s.aborted {
		if a.last >= from && a.first < to {
			list = append(list, AbortedSpan{ProducerID: a.producerID, First: a.first, Last: a.last})
		}
	}
	return list
}

// EpochStart is where a leader epoch's first batch is.
type EpochStart = replica.EpochStart

// LeaderEpochs lists the leader epochs that the partition knows, oldest first.
func (p *Partition) LeaderEpochs() []EpochStart {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]EpochStart{}, p.epochs...)
}

// retainedCold is retainedFrom for what lies in the cold tier only; more tells that all of that may go. p.mu is held.
func (p *Partition) retainedCold(start, size int64, now time.Time) (int64, int64, bool) {
	objects := p.coldOnly()
	for _, o := range objects {
		size += o.Bytes
	}
	for _, o := range objects {
		old := p.cfg.Retention > 0 && now.UnixMilli()-o.Appended > p.cfg.Retention.Milliseconds()
		big := p.cfg.RetentionBytes > 0 && size-o.Bytes >= p.cfg.RetentionBytes
		if !old && !big {
			return start, size, false
		}
		start, size = max(start, o.Next), size-o.Bytes
	}
	return start, size, true
}

// coldOnly is the objects in the cold tier that readers are given: those behind the log start, whose batches are not all
// on this node's disk. p.mu is held.
func (p *Partition) coldOnly() (list []ColdObject) {
	if p.cold == nil {
		return nil
	}
	local := p.localStart()
	for _, o := range p.cold.Objects() {
		if o.Next > p.logStart && o.Base < local {
			list = append(list, o)
		}
	}
	return list
}

// coldSegments describes what lies in the cold tier only, and up to where it has the rest too. p.mu is held.
func (p *Partition) coldSegments() (list []SegmentInfo, archived int64) {
	for _, o := range p.coldOnly() {
		list = append(list, SegmentInfo{
			Base: o.Base, Next: o.Next, Bytes: o.Bytes, Records: o.Records, MaxTimestamp: o.MaxTimestamp,
			AppendedMs: o.Appended, State: SegmentArchived,
		})
	}
	if p.cold != nil {
		_, archived = p.cold.Bounds()
	}
	return list, archived
}

// coldOffsetForTime is OffsetForTime for what is not on this node's disk.
func (p *Partition) coldOffsetForTime(ms, start, limit int64) (TimestampOffset, error) {
	p.mu.Lock()
	cold, local := p.cold, p.localStart()
	p.mu.Unlock()
	if start >= local {
		return nowhere, nil
	}
	if cold == nil {
		return nowhere, fmt.Errorf("logstore: offset for time in %s: %w", p.tp, ErrTierUnavailable)
	}
	found, err := cold.OffsetForTime(context.Background(), ms, start, min(local, limit))
	if err != nil {
		return nowhere, fmt.Errorf("logstore: offset for time in %s: %w", p.tp, err)
	}
	return found, nil
}

// coldMaxTimestamp is the greatest timestamp of what is not on this node's disk, or -1.
func (p *Partition) coldMaxTimestamp() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	best := int64(-1)
	for _, o := range p.coldOnly() {
		best = max(best, o.MaxTimestamp)
	}
	return best
}

// ArchivedTo is the offset up to which the cold tier has the log, or -1 if it has nothing (KIP-1005's latest tiered offset
// is the one before it).
func (p *Partition) ArchivedTo() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cold == nil {
		return -1
	}
	if start, next := p.cold.Bounds(); start < next {
		return next
	}
	return -1
}
