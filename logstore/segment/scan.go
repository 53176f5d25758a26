package segment

import (
	"fmt"
	"io"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

// scanner reads batches by position, through a buffer that moves forward.
type scanner struct {
	file  vfs.File
	size  int64
	start int64
	buf   []byte
}

const scanBlock = 1 << 20

// batch returns the batch at pos, which is below size. It is valid until the next call.
func (s *scanner) batch(pos int64) (record.Batch, error) {
	head, err := s.at(pos, record.HeaderSize)
	if err != nil {
		return nil, err
	}
	n, err := record.PeekSize(head)
	if err != nil {
		return nil, err
	}
	if int64(n) > s.size-pos {
		return nil, record.ErrShort
	}
	b, err := s.at(pos, n)
	if err != nil {
		return nil, err
	}
	got, _, err := record.Next(b)
	return got, err
}

// at returns n bytes at pos, or fewer at the end.
func (s *scanner) at(pos int64, n int) ([]byte, error) {
	n = int(min(int64(n), s.size-pos))
	if pos >= s.start && pos+int64(n) <= s.start+int64(len(s.buf)) {
		return s.buf[pos-s.start:][:n], nil
	}
	want := int(min(int64(max(scanBlock, n)), s.size-pos))
	if cap(s.buf) < want {
		s.buf = make([]byte, want)
	}
	got, err := s.file.ReadAt(s.buf[:want], pos)
	s.start, s.buf = pos, s.buf[:got]
	if err != nil && err != io.EOF {
		return nil, err
	}
	return s.buf[:min(n, got)], nil
}

// Scan reads the batches that end at or behind the offset from, in order, and checks each one's CRC. The batch is valid
// during the call; fn stops the scan by returning false.
func (s *Segment) Scan(from int64, fn func(pos int64, b record.Batch) (bool, error)) error {
	pos, err := s.find(from)
	if err != nil {
		return err
	}
	return s.scanAt(pos, func(pos int64, b record.Batch) (bool, error) {
		if b.LastOffset() < from {
			return true, nil
		}
		return fn(pos, b)
	})
}

func (s *Segment) scanAt(pos int64, fn func(pos int64, b record.Batch) (bool, error)) error {
	file, err := s.acquire()
	if err != nil {
		return err
	}
	defer s.release()
	sc := scanner{file: file, size: s.Summary().Bytes}
	next := int64(-1)
	for pos < sc.size {
		b, err := sc.batch(pos)
		if err == nil {
			err = b.Validate()
		}
		if err == nil && b.BaseOffset() < next { // the CRC does not cover it
			err = fmt.Errorf("%w: offset %d comes where %d belongs", record.ErrCorrupt, b.BaseOffset(), next)
		}
		if err != nil {
			return s.asCorrupt(pos, err)
		}
		if more, err := fn(pos, b); err != nil || !more {
			return err
		}
		pos, next = pos+int64(len(b)), b.LastOffset()+1
	}
	return nil
}

// ScanTime is Scan from the place before which every timestamp is smaller than ms.
func (s *Segment) ScanTime(ms int64, fn func(pos int64, b record.Batch) (bool, error)) error {
	if err := s.ensureIndex(); err != nil {
		return err
	}
	s.mu.Lock()
	pos := s.points.floorTime(ms)
	s.mu.Unlock()
	return s.scanAt(pos, fn)
}
