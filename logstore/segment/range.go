package segment

import (
	"fmt"
	"os"
	"sync"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

// Range is a run of whole batches in a segment's file. The file stays open, and its bytes stay as they are, until Release:
// a segment that is removed or replaced meanwhile keeps the file for those who use it.
type Range struct {
	seg  *Segment
	file vfs.File
	once sync.Once

	Pos  int64 // in the file
	Size int64 // bytes
}

// File is the open file, if it is one of the operating system's.
func (r *Range) File() (*os.File, bool) { return vfs.OSFile(r.file) }

// ReadAt reads the range's bytes, at counted from its start.
func (r *Range) ReadAt(b []byte, at int64) (int, error) {
	return r.file.ReadAt(b[:min(int64(len(b)), r.Size-at)], r.Pos+at)
}

// Release ends the use of the file. It may be called more than once, and on nil.
func (r *Range) Release() {
	if r != nil {
		r.once.Do(r.seg.release)
	}
}

// minRange is the least that is worth a range: what is smaller is copied.
const minRange = 32 << 10

// ReadRange is Read without the bytes: it names where they lie. It returns nil where Read must do the work: where little is
// asked for, and where this process has not seen the batches pass their CRC, for those who get a range do not check it.
func (s *Segment) ReadRange(from, limit int64, maxBytes int) (*Range, error) {
	if maxBytes < minRange {
		return nil, nil
	}
	if err := s.ensureIndex(); err != nil {
		return nil, err
	}
	at, ok := s.rangeOf(from, limit, int64(maxBytes))
	if !ok {
		return nil, nil
	}
	file, err := s.acquire()
	if err != nil {
		return nil, err
	}
	r := &Range{seg: s, file: file, Pos: at.from, Size: at.to - at.from}
	if err := r.skipTo(from); err != nil || r.Size < minRange/2 {
		r.Release()
		return nil, err
	}
	return r, nil
}

// rangeOf finds the run of checked batches between two points of the index that begins at or before from and is no longer
// than asked for, or little longer. Between two points all batches are whole.
func (s *Segment) rangeOf(from, limit, maxBytes int64) (span, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := span{from: s.points.floor(uint32(max(from-s.sum.Base, 0)))}
	if s.sum.Next <= limit && s.sum.Bytes-at.from <= maxBytes {
		at.to = s.sum.Bytes
	} else {
		at.to = s.points.before(at.from+maxBytes, limit-s.sum.Base)
	}
	return at, at.to-at.from >= minRange && s.checked.holds(at)
}

// skipTo moves the start of the range to the batch that holds the offset from.
func (r *Range) skipTo(from int64) error {
	var head [record.HeaderSize]byte
	for r.Size >= record.HeaderSize {
		if n, err := r.file.ReadAt(head[:], r.Pos); n < len(head) {
			return fmt.Errorf("segment: read %s: %w", r.seg.name(r.seg.ext), err)
		}
		size, err := record.PeekSize(head[:])
		if err != nil {
			return r.seg.asCorrupt(r.Pos, err)
		}
		if record.Batch(head[:]).LastOffset() >= from {
			return nil
		}
		r.Pos, r.Size = r.Pos+int64(size), r.Size-int64(size)
	}
	return nil
}
