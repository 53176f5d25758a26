package logstore

import (
	"path"

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

// Segments lists the partition's segments: those in use by offset, then those that are about to go.
func (p *Partition) Segments() []SegmentInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	list, archived := p.coldSegments()
	for i, s := range p.segments {
		info := segmentInfo(s.Summary(), path.Join(p.dir, segment.Name(s.Base(), segment.LogExt)))
		if info.Next <= archived {
			info.State = SegmentArchived
		}
		if i == len(p.segments)-1 {
			info.State = SegmentActive
		}
		list = append(list, info)
	}
	return list
}

// segmentInfo describes a sealed segment.
func segmentInfo(sum segment.Summary, file string) SegmentInfo {
	info := SegmentInfo{
		Base: sum.Base, Next: sum.Next, Bytes: sum.Bytes, Records: sum.Records, MaxTimestamp: -1,
		CreatedMs: sum.Created, AppendedMs: sum.Appended, State: SegmentSealed, File: file,
	}
	if sum.HasData() {
		info.MaxTimestamp = sum.MaxTimestamp
	}
	return info
}
