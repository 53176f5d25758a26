package segment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/streamflow/streamflow/internal/vfs"
)

// Replacing segments by what a compaction made of them, so that a crash at any step leaves all of the old ones or the new one:
//
//	1  <base>.cleaned is written and synced
//	2  <base>.swap, the manifest, is written and synced        nothing counts before this, and all of the rest is redone after it
//	3  the index files of the first source are removed
//	4  <base>.cleaned becomes <base>.log                       the first source has no name any more
//	5  the other sources become <base>.log.deleted
//	6  <base>.swap becomes <base>.manifest
//
// Each step is durable before the next begins.

// CreateCleaned makes the empty segment that a compaction writes. It has no index files until Adopt.
func CreateCleaned(fs vfs.FS, dir string, base int64, interval int, nowMs int64) (*Segment, error) {
	s := newSegment(fs, dir, base, interval)
	s.ext, s.retired, s.points = CleanedExt, true, index{}
	s.sum.Created, s.sum.Appended = nowMs, nowMs
	var err error
	if s.file, err = fs.Create(s.name(CleanedExt)); err != nil {
		return nil, fmt.Errorf("segment: %w", err)
	}
	return s, nil
}

// Discard removes what CreateCleaned made.
func (s *Segment) Discard() error {
	if err := s.Close(); err != nil {
		return err
	}
	return s.fs.Remove(s.name(CleanedExt))
}

// SetTimes says when the batches were first written.
func (s *Segment) SetTimes(createdMs, appendedMs int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum.Created, s.sum.Appended = createdMs, appendedMs
}

// Sum reads the whole file and gives its checksum.
func (s *Segment) Sum() (FileSum, error) {
	sum := s.Summary()
	file, err := s.acquire()
	if err != nil {
		return FileSum{}, err
	}
	defer s.release()
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(file, 0, sum.Bytes)); err != nil {
		return FileSum{}, fmt.Errorf("segment: read %s: %w", s.name(s.ext), err)
	}
	return FileSum{
		Base: sum.Base, Next: sum.Next, Bytes: sum.Bytes, Records: sum.Records,
		CreatedMs: sum.Created, AppendedMs: sum.Appended, SHA256: hex.EncodeToString(h.Sum(nil)),
	}, nil
}

// Commit writes the manifest that makes the target replace its sources: step 2. The target must be synced. After an error it
// may be committed or not, as maybe says.
func Commit(fs vfs.FS, dir string, m Manifest) (maybe bool, err error) {
	name := path.Join(dir, Name(m.Target.Base, SwapExt))
	if err := vfs.WriteFile(fs, name, m.Encode()); err != nil {
		_, there := vfs.ReadFile(fs, name)
		return !vfs.IsNotExist(there), fmt.Errorf("segment: manifest: %w", err)
	}
	if err := fs.SyncDir(dir); err != nil {
		return true, fmt.Errorf("segment: manifest: %w", err)
	}
	return true, nil
}

// Replace carries a committed manifest out: steps 3 to 6. It may be done again after a crash.
func Replace(fs vfs.FS, dir string, m Manifest) error {
	base := m.Target.Base
	at := func(base int64, ext string) string { return path.Join(dir, Name(base, ext)) }
	if err := removeAny(fs, at(base, IndexExt), at(base, TimeIndexExt), at(base, ManifestExt)); err != nil {
		return err
	}
	if err := fs.SyncDir(dir); err != nil {
		return fmt.Errorf("segment: replace: %w", err)
	}
	if err := fs.Rename(at(base, CleanedExt), at(base, LogExt)); err != nil && !vfs.IsNotExist(err) {
		return fmt.Errorf("segment: replace: %w", err)
	}
	if err := fs.SyncDir(dir); err != nil {
		return fmt.Errorf("segment: replace: %w", err)
	}
	for _, s := range m.Sources[1:] {
		if err := PutAside(fs, dir, s.Base); err != nil {
			return err
		}
	}
	if err := fs.SyncDir(dir); err != nil {
		return fmt.Errorf("segment: replace: %w", err)
	}
	if err := fs.Rename(at(base, SwapExt), at(base, ManifestExt)); err != nil {
		return fmt.Errorf("segment: replace: %w", err)
	}
	if err := fs.SyncDir(dir); err != nil {
		return fmt.Errorf("segment: replace: %w", err)
	}
	return nil
}

// PutAside gives a segment's batches a name that nothing reads, and removes what is derived from them.
func PutAside(fs vfs.FS, dir string, base int64) error {
	log := path.Join(dir, Name(base, LogExt))
	if err := fs.Rename(log, log+DeletedExt); err != nil && !vfs.IsNotExist(err) {
		return fmt.Errorf("segment: put aside: %w", err)
	}
	return removeAny(fs, path.Join(dir, Name(base, IndexExt)), path.Join(dir, Name(base, TimeIndexExt)), path.Join(dir, Name(base, ManifestExt)))
}

// RemoveAside removes what PutAside kept.
func RemoveAside(fs vfs.FS, dir string, base int64) error {
	return removeAny(fs, path.Join(dir, Name(base, LogExt)+DeletedExt))
}

func removeAny(fs vfs.FS, names ...string) error {
	for _, name := range names {
		if err := fs.Remove(name); err != nil && !vfs.IsNotExist(err) {
			return fmt.Errorf("segment: %w", err)
		}
	}
	return nil
}

// Adopt makes the target of a replacement that was carried out an ordinary segment.
func (s *Segment) Adopt() {
	s.life.Lock()
	s.ext = LogExt
	s.life.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retired = false
}

// Finish brings a directory to rest that a crash may have left within a replacement or a removal. It lists the bases of the
// segments that compactions made.
func Finish(fs vfs.FS, dir string) (compacted map[int64]bool, err error) {
	names, err := fs.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("segment: %w", err)
	}
	for _, name := range names { // before anything that they name is removed
		if _, ok := ParseName(name, SwapExt); ok {
			if err := redo(fs, dir, name); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range names {
		if base, ok := ParseName(name, SwapExt); ok {
			compacted = note(compacted, base) // it has become a manifest
		} else if base, ok := ParseName(name, ManifestExt); ok {
			compacted = note(compacted, base)
		}
		if strings.HasSuffix(name, CleanedExt) || strings.HasSuffix(name, DeletedExt) || strings.HasSuffix(name, ".tmp") {
			if err := removeAny(fs, path.Join(dir, name)); err != nil {
				return nil, err
			}
		}
	}
	return compacted, nil
}

func note(set map[int64]bool, base int64) map[int64]bool {
	if set == nil {
		set = map[int64]bool{}
	}
	set[base] = true
	return set
}

// redo carries a replacement out that a crash cut off.
func redo(fs vfs.FS, dir, name string) error {
	b, err := vfs.ReadFile(fs, path.Join(dir, name))
	if err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	m, err := DecodeManifest(b)
	if err == nil {
		err = checkTarget(fs, dir, m)
	}
	if err != nil {
		return corrupt(path.Join(dir, name), 0, err.Error())
	}
	return Replace(fs, dir, m)
}

// checkTarget makes sure that what is to replace the sources is there, before one of them goes.
func checkTarget(fs vfs.FS, dir string, m Manifest) error {
	f, err := fs.Open(path.Join(dir, Name(m.Target.Base, CleanedExt)))
	if vfs.IsNotExist(err) {
		f, err = fs.Open(path.Join(dir, Name(m.Target.Base, LogExt)))
	}
	if err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.NewSectionReader(f, 0, 1<<62))
	if err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	if n != m.Target.Bytes || hex.EncodeToString(h.Sum(nil)) != m.Target.SHA256 {
		return fmt.Errorf("the segment that a compaction wrote is not what its manifest says")
	}
	return nil
}

// ReadManifest reads the manifest of the segment that begins at base.
func ReadManifest(fs vfs.FS, dir string, base int64) (Manifest, error) {
	b, err := vfs.ReadFile(fs, path.Join(dir, Name(base, ManifestExt)))
	if err != nil {
		return Manifest{}, err
	}
	return DecodeManifest(b)
}
