package segment

import (
	"errors"
	"fmt"
	"io"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

// ErrClosed is what reads of a closed or removed segment return.
var ErrClosed = errors.New("segment: closed")

// find is the position to start looking for an offset from.
func (s *Segment) find(offset int64) (int64, error) {
	if err := s.ensureIndex(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.points.floor(uint32(max(offset-s.sum.Base, 0))), nil
}

// Read returns whole batches, from the one that holds the offset from (or the first behind it) up to the one before the
// offset limit: at most maxBytes of them, but at least one. Each has passed its CRC. It returns nil if there is none.
func (s *Segment) Read(from, limit int64, maxBytes int) (*Buffer, error) {
	pos, err := s.find(from)
	if err != nil {
		return nil, err
	}
	file, err := s.acquire()
	if err != nil {
		return nil, err
	}
	defer s.release()
	size := s.Summary().Bytes
	want := int64(maxBytes) + s.interval + record.HeaderSize
	for pos < size {
		buf := GetBuffer(int(min(want, size-pos)))
		skip, need, err := s.readAt(file, buf, pos, from)
		switch {
		case err != nil:
			buf.Release()
			return nil, err
		case int64(need) > size-pos-skip:
			buf.Release()
			return nil, corrupt(s.name(LogExt), pos+skip, "the last batch is cut short")
		case need > 0: // the batch is wanted and longer than the buffer
			buf.Release()
			pos, want = pos+skip, max(want, int64(need))
			continue
		case skip > 0 && skip >= int64(len(buf.B)): // nothing wanted in here
			buf.Release()
			pos += skip
			continue
		}
		return s.cut(buf, pos, skip, limit, maxBytes)
	}
	return nil, nil
}

// readAt fills buf from pos, and finds where the wanted batch begins in it: skip bytes on. need is its size if it does
// not fit.
func (s *Segment) readAt(file vfs.File, buf *Buffer, pos, from int64) (skip int64, need int, err error) {
	n, err := file.ReadAt(buf.B, pos)
	if err != nil && err != io.EOF {
		return 0, 0, fmt.Errorf("segment: read %s: %w", s.name(LogExt), err)
	}
	buf.B = buf.B[:n]
	for {
		rest := buf.B[min(skip, int64(n)):]
		if len(rest) < record.HeaderSize {
			if skip == 0 {
				return 0, 0, corrupt(s.name(LogExt), pos, "the file is shorter than it was")
			}
			if len(rest) > 0 {
				return skip, record.HeaderSize, nil // read on from here
			}
			return skip, 0, nil
		}
		size, err := record.PeekSize(rest)
		if err != nil {
			return 0, 0, s.asCorrupt(pos+skip, err)
		}
		b := record.Batch(rest[:record.HeaderSize])
		if b.LastOffset() >= from {
			if size > len(rest) {
				return skip, size, nil
			}
			return skip, 0, nil
		}
		skip += int64(size)
	}
}

// cut trims buf to the batches that are asked for.
func (s *Segment) cut(buf *Buffer, pos, skip, limit int64, maxBytes int) (*Buffer, error) {
	data := buf.B[skip:]
	end, next := 0, int64(-1)
	for end < len(data) {
		b, _, err := record.Next(data[end:])
		if errors.Is(err, record.ErrShort) {
			break // the rest is for the next read
		}
		if err == nil && b.BaseOffset() >= limit {
			break
		}
		if err == nil {
			err = b.Validate()
		}
		if err == nil && b.BaseOffset() < next { // the CRC does not cover it
			err = fmt.Errorf("%w: offset %d comes where %d belongs", record.ErrCorrupt, b.BaseOffset(), next)
		}
		if err != nil && end > 0 {
			break // what is sound before it is given first
		}
		if err != nil {
			buf.Release()
			return nil, s.asCorrupt(pos+skip+int64(end), err)
		}
		if end > 0 && end+len(b) > maxBytes {
			break
		}
		end, next = end+len(b), b.LastOffset()+1
	}
	if end == 0 {
		buf.Release()
		return nil, nil
	}
	s.noteChecked(pos+skip, pos+skip+int64(end))
	buf.B = data[:end]
	return buf, nil
}
