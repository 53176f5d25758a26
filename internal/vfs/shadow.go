package vfs

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Shadow is the machine's file system, and beside it what a crash would leave of the files that are written through it.
// Other programs' and libraries' files in the same directories can be read and written as ever; a crash leaves those as
// they are.
type Shadow struct {
	freeze sync.RWMutex // held by operations for reading, by Image for writing
	mem    *Mem
	full   atomic.Bool
}

// Fill makes the disk full, or gives it room again: while it is full, files do not grow. What was allocated before can still
// be written.
func (s *Shadow) Fill(full bool) { s.full.Store(full) }

// room refuses to let a file grow to a size while the disk is full.
func (s *Shadow) room(f File, size int64) error {
	if !s.full.Load() {
		return nil
	}
	if has, err := f.Size(); err != nil || size <= has {
		return err
	}
	return syscall.ENOSPC
}

// NewShadow returns a shadow that knows no files yet: it learns of a file, as one that is safe on disk, with the first
// operation on it.
func NewShadow() *Shadow { return &Shadow{mem: NewMem()} }

// Image writes into dir what the disk may hold of the files under root if power went now: of files written through the
// shadow, what Mem.Crash says with r; other files whole. It waits for operations that are under way and holds up new ones.
func (s *Shadow) Image(r *rand.Rand, root, dir string) error {
	s.freeze.Lock()
	defer s.freeze.Unlock()
	root = filepath.Clean(root)
	left := s.mem.Crash(r)
	for _, name := range sortedNames(left.now) {
		node := left.now[name]
		rel, below := strings.CutPrefix(name, root)
		if !below {
			continue
		}
		if err := node.export(filepath.Join(dir, rel)); err != nil {
			return err
		}
	}
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || s.knows(path) {
			return err
		}
		to := filepath.Join(dir, strings.TrimPrefix(path, root))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return copyStable(path, to)
	})
}

// knows reports whether the shadow has seen the file that is now under a name.
func (s *Shadow) knows(name string) bool {
	f := s.mem.now[name]
	return f != nil && !f.dir
}

func (f *memNode) export(to string) error {
	if f.dir {
		return os.MkdirAll(to, 0o755)
	}
	return writeSparse(to, f.data)
}

// writeSparse writes a file and leaves its pages of zeros out: preallocated files are mostly that.
func writeSparse(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	err = f.Truncate(int64(len(data)))
	const piece = 8 * page
	for at := 0; at < len(data) && err == nil; at += piece {
		if part := data[at:min(at+piece, len(data))]; !allZero(part) {
			_, err = f.WriteAt(part, int64(at))
		}
	}
	return errors.Join(err, f.Close())
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// copyStable copies a file that somebody else may be writing: again, until it did not change meanwhile.
func copyStable(from, to string) error {
	for {
		before, err := os.Stat(from)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		after, err := os.Stat(from)
		if err != nil {
			return err
		}
		if before.ModTime().Equal(after.ModTime()) && before.Size() == after.Size() && time.Since(after.ModTime()) > 5*time.Millisecond {
			return writeSparse(to, data)
		}
		time.Sleep(time.Millisecond)
	}
}

// adopt learns of a file or directory that is there and is not known yet, and of the directories above it.
func (s *Shadow) adopt(name string) {
	name = filepath.Clean(name)
	s.mem.mu.Lock()
	defer s.mem.mu.Unlock()
	s.adoptDirs(filepath.Dir(name))
	if s.mem.now[name] != nil {
		return
	}
	info, err := os.Stat(name)
	if err != nil {
		return
	}
	node := &memNode{dir: info.IsDir(), dirty: map[int64]struct{}{}}
	if !node.dir {
		if node.data, err = os.ReadFile(name); err != nil {
			return
		}
		node.synced = append([]byte(nil), node.data...)
	}
	s.mem.now[name], s.mem.durable[name] = node, node
}

// adoptDirs learns of a directory, if it is there, and of those above it. s.mem.mu is held.
func (s *Shadow) adoptDirs(dir string) {
	for d := dir; s.mem.now[d] == nil; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err != nil {
			continue
		}
		node := &memNode{dir: true}
		s.mem.now[d], s.mem.durable[d] = node, node
	}
}

func (s *Shadow) Create(name string) (File, error) {
	s.freeze.RLock()
	defer s.freeze.RUnlock()
	s.adopt(name)
	s.adopt(filepath.Dir(name))
	f, err := OS.Create(name)
	if err != nil {
		return nil, err
	}
	m, err := s.mem.Create(name)
	return s.file(f, m, err)
}

func (s *Shadow) Open(name string) (File, error) {
	s.freeze.RLock()
	defer s.freeze.RUnlock()
	f, err := OS.Open(name)
	if err != nil {
		return nil, err
	}
	s.adopt(name)
	m, err := s.mem.Open(name)
	return s.file(f, m, err)
}

func (s *Shadow) file(f, m File, err error) (File, error) {
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &shadowFile{File: f, s: s, m: m}, nil
}

// both does something to the machine's files, and if that went well to the shadow of them.
func (s *Shadow) both(real, shadow func() error, names ...string) error {
	s.freeze.RLock()
	defer s.freeze.RUnlock()
	for _, name := range names {
		s.adopt(name)
	}
	if err := real(); err != nil {
		return err
	}
	return shadow()
}

func (s *Shadow) Remove(name string) error {
	return s.both(func() error { return OS.Remove(name) }, func() error { return s.mem.Remove(name) }, name)
}

func (s *Shadow) RemoveAll(dir string) error {
	var names []string
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error { // what is not there need not be known
		if err == nil {
			names = append(names, path)
		}
		return nil
	})
	return s.both(func() error { return OS.RemoveAll(dir) }, func() error { return s.mem.RemoveAll(dir) }, names...)
}

func (s *Shadow) Rename(from, to string) error {
	return s.both(func() error { return OS.Rename(from, to) }, func() error { return s.mem.Rename(from, to) }, from, to, filepath.Dir(to))
}

func (s *Shadow) MkdirAll(dir string) error {
	return s.both(func() error { return OS.MkdirAll(dir) }, func() error { return s.mem.MkdirAll(dir) }, dir)
}

func (s *Shadow) SyncDir(dir string) error {
	return s.both(func() error { return OS.SyncDir(dir) }, func() error { return s.mem.SyncDir(dir) })
}

func (s *Shadow) ReadDir(dir string) ([]string, error) { return OS.ReadDir(dir) }
func (s *Shadow) IsDir(name string) (bool, error)      { return OS.IsDir(name) }
func (s *Shadow) Lock(name string) (io.Closer, error)  { return OS.Lock(name) }

// shadowFile writes to a file and to its shadow; it reads from the file.
type shadowFile struct {
	File
	s *Shadow
	m File
}

func (f *shadowFile) WriteAt(b []byte, at int64) (n int, err error) {
	if err := f.s.room(f.File, at+int64(len(b))); err != nil {
		return 0, err
	}
	err = f.s.both(func() error { n, err = f.File.WriteAt(b, at); return err }, func() error { _, err := f.m.WriteAt(b, at); return err })
	return n, err
}

func (f *shadowFile) Truncate(size int64) error {
	return f.s.both(func() error { return f.File.Truncate(size) }, func() error { return f.m.Truncate(size) })
}

func (f *shadowFile) Allocate(size int64) error {
	if err := f.s.room(f.File, size); err != nil {
		return err
	}
	return f.s.both(func() error { return f.File.Allocate(size) }, func() error { return f.m.Allocate(size) })
}

func (f *shadowFile) Sync() error { return f.s.both(f.File.Sync, f.m.Sync) }
