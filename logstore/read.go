package logstore

import (
	"errors"
	"fmt"
	"sort"

	"github.com/streamflow/streamflow/logstore/segment"
	"github.com/streamflow/streamflow/logstore/wal"
)

// AbortedTxn tells a read-committed reader to drop a producer's transactional records from FirstOffset on, up to the
// producer's next abort marker.
type AbortedTxn struct {
	ProducerID  int64
	FirstOffset int64
}

// ReadResult is a read's answer. Data is whole batches, the first of which holds the asked offset (and may begin before
// it). It is valid until Release, or for ever if Release is never called.
type ReadResult struct {
	Data          []byte
	HighWatermark int64
	LastStable    int64
	LogStart      int64
	Aborted       []AbortedTxn // of a committed read

	// Remote is set when the records lie in the cold tier and are being fetched: Data is empty, and Remote will have what
	// the read asked for.
	Remote *ColdRead

	// Range is set by ReadRange instead of Data where the records lie in a segment's file as they are wanted.
	Range *segment.Range

	buf *segment.Buffer
}

// Size is the bytes of records that the read found.
func (r *ReadResult) Size() int {
	if r.Range != nil {
		return int(r.Range.Size)
	}
	return len(r.Data)
}

// Release gives Data's buffer back to be used again. Calling it is optional.
func (r *ReadResult) Release() {
	r.buf.Release()
	r.Range.Release()
	r.buf, r.Data, r.Range = nil, nil, nil
}

// Read returns batches from the offset from on, up to the high watermark or, if committed, to the last stable offset:
// at most maxBytes, but at least one batch if there is one. At the end of the partition it returns no data; Changed says
// when to look again.
func (p *Partition) Read(from int64, maxBytes int, committed bool) (ReadResult, error) {
	for {
		res, seg, limit, err := p.locate(from, maxBytes, committed)
		if err != nil || seg == nil {
			return res, err
		}
		buf, err := seg.Read(from, limit, maxBytes)
		switch {
		case errors.Is(err, segment.ErrClosed):
			continue // it was removed since: look again
		case err != nil:
			return ReadResult{}, fmt.Errorf("logstore: read %s at %d: %w", p.tp, from, p.atOffset(err, from))
		case buf == nil: // the offset lies in a gap before the next segment
			next := seg.Summary().Next
			if next <= from {
				return res, fmt.Errorf("logstore: read %s: offset %d is in no batch", p.tp, from)
			}
			from = next
			continue
		}
		res.Data, res.buf = buf.B, buf
		return res, nil
	}
}

// ReadRange is Read for who can send bytes from a file: where much is asked for and the records lie in a segment whose batches
// this process has written, or has read and found sound, it names their place instead of reading them. The place stays as it
// is until Release, which must be called.
func (p *Partition) ReadRange(from int64, maxBytes int, committed bool) (ReadResult, error) {
	res, seg, limit, err := p.locate(from, maxBytes, committed)
	if err != nil || seg == nil {
		return res, err
	}
	if r, err := seg.ReadRange(from, limit, maxBytes); err == nil && r != nil {
		res.Range = r
		return res, nil
	}
	return p.Read(from, maxBytes, committed) // it says what is wrong, too
}

// locate answers from memory, or names the segment to read.
func (p *Partition) locate(from int64, maxBytes int, committed bool) (ReadResult, *segment.Segment, int64, error) {
	p.mu.Lock()
	if p.failed != nil {
		p.mu.Unlock()
		return ReadResult{}, nil, 0, p.failed
	}
	res := ReadResult{HighWatermark: p.high, LastStable: p.stable, LogStart: p.logStart}
	limit := p.high
	if committed {
		limit = p.stable
	}
	if from < p.logStart || from > p.end {
		p.mu.Unlock()
		return res, nil, 0, fmt.Errorf("logstore: read %s: %w: %d is not in %d to %d", p.tp, ErrOffsetOutOfRange, from, p.logStart, p.end)
	}
	if from >= limit {
		p.mu.Unlock()
		return res, nil, 0, nil
	}
	if local := p.localStart(); from < local {
		defer p.mu.Unlock()
		res, err := p.readCold(res, from, min(limit, local), maxBytes)
		return res, nil, limit, err
	}
	if committed {
		res.Aborted = p.state.abortedIn(from, limit)
	}
	if len(p.tail.list) > 0 && from >= p.tail.list[0].base {
		found := p.tail.pick(from, limit, maxBytes)
		p.mu.Unlock()
		res.buf = gather(found)
		res.Data = res.buf.B
		return res, nil, limit, nil
	}
	seg := p.segmentOf(from)
	p.mu.Unlock()
	if seg == nil {
		return res, nil, 0, fmt.Errorf("logstore: read %s: no segment holds offset %d", p.tp, from)
	}
	return res, seg, limit, nil
}

// segmentOf is the last segment that begins at or before offset. p.mu is held.
func (p *Partition) segmentOf(offset int64) *segment.Segment {
	i := sort.Search(len(p.segments), func(i int) bool { return p.segments[i].Base() > offset })
	if i == 0 {
		return nil
	}
	return p.segments[i-1]
}

// pick returns batches from the one that holds the offset from, and retains their chunks.
func (t *tail) pick(from, limit int64, maxBytes int) []tailBatch {
	i := t.from(from)
	end, bytes := i, 0
	for end < len(t.list) && t.list[end].base < limit {
		n := len(t.list[end].data)
		if end > i && bytes+n > maxBytes {
			break
		}
		bytes += n
		t.list[end].chunk.Retain()
		end++
	}
	return append([]tailBatch(nil), t.list[i:end]...)
}

// gather copies batches out of the chunks that they lie in, and releases those.
func gather(list []tailBatch) *segment.Buffer {
	n := 0
	for _, b := range list {
		n += len(b.data)
	}
	buf := segment.GetBuffer(n)
	at := 0
	for _, b := range list {
		at += copy(buf.B[at:], b.data)
		b.chunk.Release()
	}
	return buf
}

var _ wal.Committer = (*Partition)(nil)
