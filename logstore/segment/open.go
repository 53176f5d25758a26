package segment

import (
	"errors"
	"fmt"

	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

// NoLimit as Open's limit takes the whole file.
const NoLimit = int64(1)<<62 - 1

// Open opens a segment for reading and appending. Batches from the offset limit on are cut off (a crash may have left
// them half written; the write-ahead log has them). An index that is missing, damaged or short is rebuilt from the file.
// What the index covers was synced before the index was written, so it is never cut. nowMs stands for the times that a
// lost index does not tell.
func Open(fs vfs.FS, dir string, base int64, interval int, limit, nowMs int64) (*Segment, error) {
	s := newSegment(fs, dir, base, interval)
	s.named = true
	s.sum.Created, s.sum.Appended = nowMs, nowMs
	file, err := s.acquire()
	if err != nil {
		return nil, err
	}
	defer s.release()
	if err := s.load(file, limit); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Segment) load(file vfs.File, limit int64) error {
	size, err := file.Size()
	if err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	if sum, points, err := s.readIndex(); err == nil && sum.Bytes <= size {
		s.adopt(sum, points)
	} else {
		s.points = index{}
	}
	if err := s.extend(file, size, limit); err != nil {
		return err
	}
	if s.sum.Bytes < size {
		if err := file.Truncate(s.sum.Bytes); err != nil {
			return fmt.Errorf("segment: cut %s: %w", s.name(LogExt), err)
		}
	}
	if s.onDisk == s.sum.Bytes {
		s.points = nil // until somebody asks
	}
	return nil
}

func (s *Segment) readIndex() (Summary, index, error) {
	b, err := vfs.ReadFile(s.fs, s.name(IndexExt))
	if err != nil {
		return Summary{}, nil, err
	}
	sum, points, err := decodeIndex(b)
	if err != nil {
		return Summary{}, nil, err
	}
	if sum.Base != s.sum.Base {
		return Summary{}, nil, fmt.Errorf("segment: index is of base offset %d", sum.Base)
	}
	t, err := vfs.ReadFile(s.fs, s.name(TimeIndexExt))
	if err != nil {
		return Summary{}, nil, err
	}
	return sum, points, joinTimeIndex(t, sum, points)
}

func (s *Segment) adopt(sum Summary, points index) {
	s.sum, s.points, s.onDisk = sum, points, sum.Bytes
	if n := len(points); n > 0 {
		s.lastPoint = int64(points[n-1].pos)
	}
}

// extend takes the batches behind what the index covers, up to the offset limit.
func (s *Segment) extend(file vfs.File, size, limit int64) error {
	sc := scanner{file: file, size: size}
	for s.sum.Next < limit && s.sum.Bytes < size {
		b, err := sc.batch(s.sum.Bytes)
		if err != nil {
			return s.asCorrupt(s.sum.Bytes, err)
		}
		if b.BaseOffset() >= limit {
			return nil
		}
		if why := s.unsound(b); why != "" {
			return corrupt(s.name(LogExt), s.sum.Bytes, why)
		}
		s.note(b)
	}
	return nil
}

// asDamage tells that err is about the bytes, not about reading them.
func asDamage(err error) bool {
	return errors.Is(err, record.ErrCorrupt) || errors.Is(err, record.ErrShort)
}

// asCorrupt gives damage its place; an I/O error stays what it is.
func (s *Segment) asCorrupt(pos int64, err error) error {
	if asDamage(err) {
		return corrupt(s.name(LogExt), pos, err.Error())
	}
	return fmt.Errorf("segment: read %s: %w", s.name(LogExt), err)
}

func (s *Segment) unsound(b record.Batch) string {
	if err := b.Validate(); err != nil {
		return err.Error()
	}
	if b.BaseOffset() < s.sum.Next {
		return fmt.Sprintf("offset %d comes after offset %d", b.BaseOffset(), s.sum.Next-1)
	}
	return ""
}

// ensureIndex brings the points back into memory, from the index files or from the batches.
func (s *Segment) ensureIndex() error {
	s.mu.Lock()
	have, bytes, retired := s.points != nil, s.sum.Bytes, s.retired
	s.mu.Unlock()
	if have {
		return nil
	}
	if retired {
		return s.rebuild()
	}
	sum, points, err := s.readIndex()
	if err == nil && sum.Bytes == bytes {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.points == nil && s.sum.Bytes == sum.Bytes {
			s.adopt(sum, points)
		}
		return nil
	}
	return s.rebuild()
}

// Indexed tells whether the index files cover the segment.
func (s *Segment) Indexed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.onDisk == s.sum.Bytes
}

// Reindex builds the index anew from the batches, checking each, and writes it.
func (s *Segment) Reindex() error {
	if err := s.rebuild(); err != nil {
		return err
	}
	return s.WriteIndex()
}

// rebuild brings the points into memory from the batches.
func (s *Segment) rebuild() error {
	fresh, err := s.fresh()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sum.Bytes == fresh.sum.Bytes {
		s.adopt(fresh.sum, fresh.points)
		s.onDisk = -1
	}
	return nil
}

// fresh is the summary and the points as the batches give them.
func (s *Segment) fresh() (*Segment, error) {
	old := s.Summary()
	f := newSegment(s.fs, s.dir, s.sum.Base, int(s.interval))
	f.sum.Created, f.sum.Appended, f.points = old.Created, old.Appended, index{}
	file, err := s.acquire()
	if err != nil {
		return nil, err
	}
	defer s.release()
	return f, f.extend(file, old.Bytes, NoLimit)
}

// CheckIndex tells whether summary and index say what the batches say. Where the points are spaced differently, because
// the interval was changed, they still agree if each is the place of its batch.
func (s *Segment) CheckIndex() (bool, error) {
	if err := s.ensureIndex(); err != nil {
		return false, err
	}
	fresh, err := s.fresh()
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	sum, points := s.sum, s.points
	s.mu.Unlock()
	if sum != fresh.sum {
		return false, nil
	}
	i, before := 0, int64(noTimestamp)
	err = s.scanAt(0, func(pos int64, b record.Batch) (bool, error) {
		if i < len(points) && int64(points[i].pos) == pos {
			want := entry{rel: uint32(b.BaseOffset() - sum.Base), pos: uint32(pos), before: before}
			if points[i] != want {
				return false, nil
			}
			i++
		}
		if !b.Attributes().IsControl() {
			before = max(before, b.MaxTimestamp())
		}
		return true, nil
	})
	return i == len(points), err
}
