package logstore

import (
	"path"
	"slices"
	"sync"
	"time"

	"github.com/streamflow/streamflow/logstore/segment"
)

// SegmentState is where a segment is in its life.
//
//	ACTIVE ──> SEALED ──> ARCHIVED ──> DELETED
//	             │ ▲                     ▲
//	             ▼ │                     │
//	          COMPACTING ────────────────┘ (what a compaction has replaced)
type SegmentState string

const (
	SegmentActive     SegmentState = "ACTIVE"     // the last one: takes appends
	SegmentSealed     SegmentState = "SEALED"     // complete
	SegmentCompacting SegmentState = "COMPACTING" // a compaction is rewriting it
	SegmentArchived   SegmentState = "ARCHIVED"   // the cold tier has it
	SegmentDeleted    SegmentState = "DELETED"    // out of use; its file goes when its readers are done and its delay is over
)

// SegmentInfo describes a segment for people and tools.
type SegmentInfo struct {
	Base         int64        `json:"base"`         // its first offset
	Next         int64        `json:"next"`         // the offset behind its last
	Bytes        int64        `json:"bytes"`        // of its batches
	Records      int64        `json:"records"`      // control records not counted
	MaxTimestamp int64        `json:"maxTimestamp"` // milliseconds; -1 if it holds no record
	CreatedMs    int64        `json:"createdMs"`    // when its first batch was written
	AppendedMs   int64        `json:"appendedMs"`   // when its last batch was written
	State        SegmentState `json:"state"`
	Compacted    bool         `json:"compacted"` // it is what a compaction left
	File         string       `json:"file"`      // of its batches
}

// lifecycle is what a partition knows of its segments' lives beyond the list of those in use.
type lifecycle struct {
	pass sync.Mutex // held by a compaction from its beginning to its end; before disk and mu

	// The partition's mu guards the rest.
	cleanedTo  int64              // a compaction has known every key below it
	compacting []*segment.Segment // what a compaction is rewriting
	compacted  map[int64]bool     // bases of the segments that compactions made
	retired    []retired          // out of use, still open
	stuck      error              // a compaction stopped halfway through a replacement; the next opening finishes it
}

// retired is a segment that is out of use. Reads that are under way, and those that found it before, go on.
type retired struct {
	seg   *segment.Segment
	since time.Time
	file  bool // its batches have a name on disk still
}

func (l *lifecycle) note(base int64) {
	if l.compacted == nil {
		l.compacted = map[int64]bool{}
	}
	l.compacted[base] = true
}

// reset forgets everything, and returns the segments that are still open.
func (l *lifecycle) reset() (open []*segment.Segment) {
	for _, r := range l.retired {
		open = append(open, r.seg)
	}
	l.cleanedTo, l.compacting, l.compacted, l.retired, l.stuck = 0, nil, nil, nil, nil
	return open
}

// retire takes a segment out of use whose names belong to nobody any more. p.mu is held.
func (p *Partition) retire(s *segment.Segment, file bool) {
	if p.life.compacted[s.Base()] && file {
		delete(p.life.compacted, s.Base())
	}
	p.life.retired = append(p.life.retired, retired{seg: s, since: p.log.o.Clock.Now(), file: file})
}

// remove takes a segment out of use that nothing leads to any more. Its batches stay for file.delete.delay.ms under a name that
// nothing reads. p.disk is held.
func (p *Partition) remove(s *segment.Segment) error {
	p.mu.Lock()
	delay := p.cfg.DeleteDelay
	delete(p.life.compacted, s.Base())
	p.mu.Unlock()
	if delay == 0 {
		return s.Remove()
	}
	if err := s.Retire(); err != nil {
		return err
	}
	if err := segment.PutAside(p.log.o.FS, p.dir, s.Base()); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retire(s, true)
	return nil
}

// sweep removes what has been out of use for file.delete.delay.ms.
func (p *Partition) sweep(now time.Time) error {
	p.disk.Lock()
	defer p.disk.Unlock()
	p.mu.Lock()
	var over []retired
	p.life.retired = slices.DeleteFunc(p.life.retired, func(r retired) bool {
		old := now.Sub(r.since) >= p.cfg.DeleteDelay
		if old {
			over = append(over, r)
		}
		return old
	})
	if len(p.life.retired) == 0 {
		p.life.retired = nil
	}
	p.mu.Unlock()
	for _, r := range over {
		if err := r.seg.Close(); err != nil {
			return err
		}
		if !r.file {
			continue
		}
		if err := segment.RemoveAside(p.log.o.FS, p.dir, r.seg.Base()); err != nil {
			return err
		}
	}
	return nil
}

// Segments lists the partition's segments: those that can be read, by offset, then those that are about to go.
func (p *Partition) Segments() []SegmentInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	list, archived := p.coldSegments()
	for i, s := range p.segments {
		info := p.segmentInfo(s)
		switch {
		case i == len(p.segments)-1:
			info.State = SegmentActive
		case slices.Contains(p.life.compacting, s):
			info.State = SegmentCompacting
		case info.Next <= archived:
			info.State = SegmentArchived
		}
		info.Compacted = p.life.compacted[s.Base()]
		list = append(list, info)
	}
	for _, r := range p.life.retired {
		info := p.segmentInfo(r.seg)
		if info.State, info.File = SegmentDeleted, info.File+segment.DeletedExt; !r.file {
			info.File = ""
		}
		list = append(list, info)
	}
	return list
}

// segmentInfo describes a sealed segment.
func (p *Partition) segmentInfo(s *segment.Segment) SegmentInfo {
	sum := s.Summary()
	info := SegmentInfo{
		Base: sum.Base, Next: sum.Next, Bytes: sum.Bytes, Records: sum.Records, MaxTimestamp: -1,
		CreatedMs: sum.Created, AppendedMs: sum.Appended, State: SegmentSealed,
		File: path.Join(p.dir, segment.Name(sum.Base, segment.LogExt)),
	}
	if sum.HasData() {
		info.MaxTimestamp = sum.MaxTimestamp
	}
	return info
}
