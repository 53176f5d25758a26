package segment

import (
	"container/list"
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/logstore/record"
)

// Segment is an open segment.
type Segment struct {
	fs       vfs.FS
	dir      string
	interval int64 // bytes between index points

	life   sync.Mutex // guards the file and its users; never held while a read or a write is under way
	file   vfs.File   // nil while it is not open
	refs   int        // uses under way; the file stays open
	gone   bool       // closed for good
	pinned bool       // one of the uses is that of bytes which are not synced
	files  *Files     // nil: the file stays open
	idle   *list.Element

	ext string // of the file that holds the batches

	mu        sync.Mutex
	retired   bool // the index files are another segment's
	checked   span // bytes of the file that this process has written, or has read and found sound
	sum       Summary
	points    index // nil when put to rest: they are in the index files
	lastPoint int64 // position of the last point
	onDisk    int64 // bytes that the index files cover; -1 if there are none

	synced int64 // the writer's: bytes that are durable
	named  bool  // the writer's: the file's name is durable
}

// Extensions of a segment's files.
const (
	LogExt       = ".log"
	IndexExt     = ".index"
	TimeIndexExt = ".timeindex"
)

// Name is the file name of the segment that begins at base.
func Name(base int64, ext string) string { return fmt.Sprintf("%020d%s", base, ext) }

// ParseName reads the base offset from a file name with that extension.
func ParseName(name, ext string) (base int64, ok bool) {
	digits, ok := strings.CutSuffix(name, ext)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	base, err := strconv.ParseInt(digits, 10, 64)
	return base, err == nil && base >= 0
}

func (s *Segment) name(ext string) string { return path.Join(s.dir, Name(s.sum.Base, ext)) }

// Create makes an empty segment. Its name is durable after Sync.
func Create(fs vfs.FS, dir string, base int64, interval int, nowMs int64) (*Segment, error) {
	s := newSegment(fs, dir, base, interval)
	s.sum.Created, s.sum.Appended = nowMs, nowMs
	err := RemoveFiles(fs, dir, base) // of one of that name that went before
	if err != nil {
		return nil, err
	}
	if s.file, err = fs.Create(s.name(LogExt)); err != nil {
		return nil, fmt.Errorf("segment: %w", err)
	}
	s.points = index{}
	return s, nil
}

func newSegment(fs vfs.FS, dir string, base int64, interval int) *Segment {
	return &Segment{
		fs: fs, dir: dir, interval: int64(interval), onDisk: -1, ext: LogExt,
		sum: Summary{Base: base, Next: base, MaxTimestamp: noTimestamp, MaxOffset: -1},
	}
}

// Base is the segment's first offset, and its name.
func (s *Segment) Base() int64 { return s.sum.Base } // never changes: needs no lock

// Summary says what the segment holds now.
func (s *Segment) Summary() Summary {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sum
}

// Append writes batches behind the others. They must be whole and in offset order. After an error the segment is as it
// was, and Append may be tried again.
func (s *Segment) Append(batches []record.Batch, nowMs int64) error {
	if err := s.ensureIndex(); err != nil {
		return err
	}
	sum := s.Summary()
	file, err := s.pin()
	if err != nil {
		return err
	}
	if err := writeBatches(file, batches, sum.Bytes); err != nil {
		return fmt.Errorf("segment: write %s: %w", s.name(s.ext), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sum.Bytes == 0 {
		s.sum.Created = nowMs
	}
	for _, b := range batches {
		s.note(b)
	}
	s.sum.Appended = nowMs
	s.checked.add(span{sum.Bytes, s.sum.Bytes})
	return nil
}

// gather is how much of small batches is put together for one write.
const gather = 256 << 10

func writeBatches(file vfs.File, batches []record.Batch, at int64) error {
	buf := make([]byte, 0, min(gather, totalSize(batches)))
	flush := func() error {
		_, err := file.WriteAt(buf, at)
		at += int64(len(buf))
		buf = buf[:0]
		return err
	}
	for _, b := range batches {
		if len(buf)+len(b) > cap(buf) && len(buf) > 0 {
			if err := flush(); err != nil {
				return err
			}
		}
		if len(b) >= cap(buf) {
			if _, err := file.WriteAt(b, at); err != nil {
				return err
			}
			at += int64(len(b))
			continue
		}
		buf = append(buf, b...)
	}
	if len(buf) == 0 {
		return nil
	}
	return flush()
}

func totalSize(batches []record.Batch) (n int) {
	for _, b := range batches {
		n += len(b)
	}
	return n
}

// note takes a batch at the end of the file into the summary and the index.
func (s *Segment) note(b record.Batch) {
	pos := s.sum.Bytes
	if len(s.points) == 0 || pos-s.lastPoint >= s.interval {
		s.points = append(s.points, entry{rel: uint32(b.BaseOffset() - s.sum.Base), pos: uint32(pos), before: s.sum.MaxTimestamp})
		s.lastPoint = pos
	}
	s.sum.Bytes += int64(len(b))
	s.sum.Next = b.LastOffset() + 1
	if b.Attributes().IsControl() {
		return
	}
	s.sum.Records += int64(b.Count())
	if ts := b.MaxTimestamp(); ts > s.sum.MaxTimestamp {
		s.sum.MaxTimestamp, s.sum.MaxOffset = ts, b.BaseOffset()
	}
}

// Sync makes everything that was appended durable, the file's name included.
func (s *Segment) Sync() error {
	sum := s.Summary()
	if s.synced == sum.Bytes && s.named {
		return nil
	}
	file, err := s.pin()
	if err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("segment: sync %s: %w", s.name(s.ext), err)
	}
	if !s.named {
		if err := s.fs.SyncDir(s.dir); err != nil {
			return fmt.Errorf("segment: sync %s: %w", s.dir, err)
		}
	}
	s.synced, s.named = sum.Bytes, true
	s.unpin()
	return nil
}

// Rest writes the index files and drops the index from memory. A sealed segment is put to rest, and an active one that
// has been idle; both go on working.
func (s *Segment) Rest() error {
	if err := s.WriteIndex(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.onDisk == s.sum.Bytes {
		s.points = nil
	}
	return nil
}

// WriteIndex brings the index files up to date. What they cover must be synced first, so that they never know more than
// the file.
func (s *Segment) WriteIndex() error {
	s.mu.Lock()
	sum, points, onDisk, retired := s.sum, s.points, s.onDisk, s.retired
	s.mu.Unlock()
	if points == nil || onDisk == sum.Bytes || retired {
		return nil
	}
	if err := s.Sync(); err != nil {
		return err
	}
	err := writeDerived(s.fs, s.name(TimeIndexExt), encodeTimeIndex(sum, points))
	if err == nil {
		err = writeDerived(s.fs, s.name(IndexExt), encodeIndex(sum, points))
	}
	if err != nil {
		return fmt.Errorf("segment: index of %s: %w", s.name(LogExt), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onDisk = sum.Bytes
	return nil
}

// writeDerived replaces a file that can be made again. It is not synced: one that a crash leaves half written fails its CRC.
func writeDerived(fs vfs.FS, name string, b []byte) error {
	f, err := fs.Create(name + ".tmp")
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = fs.Remove(name + ".tmp") // it is worth nothing
		return err
	}
	return fs.Rename(name+".tmp", name)
}

// IndexLag is how many bytes the index files do not cover.
func (s *Segment) IndexLag() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sum.Bytes - max(s.onDisk, 0)
}

// Remove closes the segment and deletes its files.
func (s *Segment) Remove() error {
	if err := s.Close(); err != nil {
		return err
	}
	return RemoveFiles(s.fs, s.dir, s.sum.Base)
}

// RemoveFiles deletes the files of the segment that begins at base, those that there are.
func RemoveFiles(fs vfs.FS, dir string, base int64) error {
	for _, ext := range []string{IndexExt, TimeIndexExt, ManifestExt, LogExt} {
		if err := fs.Remove(path.Join(dir, Name(base, ext))); err != nil && !vfs.IsNotExist(err) {
			return fmt.Errorf("segment: %w", err)
		}
	}
	return nil
}

func corrupt(name string, at int64, why string) error {
	return usererr.New("CORRUPT_SEGMENT", "XX001", "A segment is damaged: %s.", why).
		In(fmt.Sprintf("%s at byte %d", name, at)).
		WithFix("Restore the file from a copy or a replica, or delete the topic and load it again.")
}
