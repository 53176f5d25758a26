package segment

import (
	"fmt"
	"path"

	"github.com/streamflow/streamflow/internal/vfs"
)

// Cut drops the batches from the one that holds the offset to on: what a replica has and its leader has not. The caller
// keeps others from appending. A crash leaves the segment cut or not, so that whoever cuts writes down first what is to go
// and cuts again. Reads that are under way may still return what is dropped.
func (s *Segment) Cut(to int64) error {
	kept, err := s.upTo(to)
	if err != nil {
		return err
	}
	if err := removeAny(s.fs, s.name(IndexExt), s.name(TimeIndexExt), s.name(ManifestExt)); err != nil {
		return err
	}
	if err := s.fs.SyncDir(s.dir); err != nil { // an index must not know more than the file
		return fmt.Errorf("segment: cut %s: %w", s.name(s.ext), err)
	}
	file, err := s.acquire()
	if err != nil {
		return err
	}
	defer s.release()
	s.mu.Lock()
	s.sum, s.points, s.lastPoint, s.onDisk = kept.sum, kept.points, kept.lastPoint, -1
	s.checked = span{s.checked.from, min(s.checked.to, kept.sum.Bytes)}
	if s.checked.from >= s.checked.to {
		s.checked = span{}
	}
	s.mu.Unlock()
	if err := file.Truncate(kept.sum.Bytes); err != nil {
		return fmt.Errorf("segment: cut %s: %w", s.name(s.ext), err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("segment: cut %s: %w", s.name(s.ext), err)
	}
	s.synced = kept.sum.Bytes
	return nil
}

// upTo is the segment as it is without the batches from the one that holds the offset to on.
func (s *Segment) upTo(to int64) (*Segment, error) {
	old := s.Summary()
	f := newSegment(s.fs, s.dir, s.sum.Base, int(s.interval))
	f.sum.Created, f.sum.Appended, f.points = old.Created, old.Appended, index{}
	file, err := s.acquire()
	if err != nil {
		return nil, err
	}
	defer s.release()
	sc := scanner{file: file, size: old.Bytes}
	for f.sum.Bytes < old.Bytes {
		b, err := sc.batch(f.sum.Bytes)
		if err != nil {
			return nil, s.asCorrupt(f.sum.Bytes, err)
		}
		if b.LastOffset() >= to {
			return f, nil
		}
		if why := f.unsound(b); why != "" {
			return nil, corrupt(s.name(s.ext), f.sum.Bytes, why)
		}
		f.note(b)
	}
	return f, nil
}

// RemoveAll removes every file of a partition's directory but those in keep.
func RemoveAll(fs vfs.FS, dir string, keep ...string) error {
	names, err := fs.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("segment: %w", err)
	}
next:
	for _, name := range names {
		for _, k := range keep {
			if name == k {
				continue next
			}
		}
		if err := fs.RemoveAll(path.Join(dir, name)); err != nil {
			return fmt.Errorf("segment: %w", err)
		}
	}
	if err := fs.SyncDir(dir); err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	return nil
}
