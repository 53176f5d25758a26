package state

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	pebblefs "github.com/cockroachdb/pebble/v2/vfs"

	"github.com/streamflow/streamflow/internal/vfs"
)

// Files shows a file system to Pebble. The machine's own goes by what Pebble has for it, which knows more of it.
func Files(on vfs.FS) pebblefs.FS {
	if on == nil || on == vfs.OS {
		return pebblefs.Default
	}
	return files{on}
}

type files struct{ on vfs.FS }

func (f files) Create(name string, _ pebblefs.DiskWriteCategory) (pebblefs.File, error) {
	file, err := f.on.Create(name)
	return f.file(name, file, err)
}

func (f files) Open(name string, opts ...pebblefs.OpenOption) (pebblefs.File, error) {
	if is, err := f.on.IsDir(name); is || err != nil {
		return dirFile{f.on, name}, err
	}
	file, err := f.on.Open(name)
	out, err := f.file(name, file, err)
	for i := 0; i < len(opts) && err == nil; i++ {
		opts[i].Apply(out)
	}
	return out, err
}

func (f files) OpenReadWrite(name string, c pebblefs.DiskWriteCategory, opts ...pebblefs.OpenOption) (pebblefs.File, error) {
	out, err := f.Open(name, opts...)
	if vfs.IsNotExist(err) {
		return f.Create(name, c)
	}
	return out, err
}

func (f files) file(name string, file vfs.File, err error) (pebblefs.File, error) {
	if err != nil {
		return nil, err
	}
	return &openFile{File: file, name: name}, nil
}

func (f files) OpenDir(name string) (pebblefs.File, error) { return dirFile{f.on, name}, nil }

// Link is not there: Pebble copies a file into a checkpoint that it cannot link.
func (f files) Link(_, name string) error {
	return &os.LinkError{Op: "link", New: name, Err: errors.ErrUnsupported}
}

func (f files) Remove(name string) error               { return f.on.Remove(name) }
func (f files) RemoveAll(name string) error            { return f.on.RemoveAll(name) }
func (f files) Rename(from, to string) error           { return f.on.Rename(from, to) }
func (f files) Lock(name string) (io.Closer, error)    { return f.on.Lock(name) }
func (f files) List(dir string) ([]string, error)      { return f.on.ReadDir(dir) }
func (f files) PathBase(path string) string            { return filepath.Base(path) }
func (f files) PathJoin(elem ...string) string         { return filepath.Join(elem...) }
func (f files) PathDir(path string) string             { return filepath.Dir(path) }
func (f files) Unwrap() pebblefs.FS                    { return nil }
func (f files) MkdirAll(d string, _ os.FileMode) error { return f.on.MkdirAll(d) }

func (f files) ReuseForWrite(from, to string, c pebblefs.DiskWriteCategory) (pebblefs.File, error) {
	if err := f.on.Rename(from, to); err != nil {
		return nil, err
	}
	return f.OpenReadWrite(to, c)
}

func (f files) Stat(name string) (pebblefs.FileInfo, error) {
	if is, err := f.on.IsDir(name); is || err != nil {
		return fileInfo{name: name, dir: true}, err
	}
	file, err := f.on.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	return fileInfo{name: name, size: size}, err
}

func (f files) GetDiskUsage(string) (pebblefs.DiskUsage, error) {
	return pebblefs.DiskUsage{}, pebblefs.ErrUnsupported
}

// makeDir makes a directory and those above it that are missing, so that a crash leaves them: Pebble syncs what is in its
// directory, not that it is there.
func makeDir(on pebblefs.FS, dir string) error {
	_, err := on.Stat(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := on.PathDir(dir)
	if parent == dir {
		return err
	}
	if err := makeDir(on, parent); err != nil {
		return err
	}
	if err := on.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	d, err := on.OpenDir(parent)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// openFile is written and read one piece after the other, as well as by position.
type openFile struct {
	vfs.File
	name string
	at   int64
}

func (f *openFile) Write(b []byte) (int, error) {
	n, err := f.WriteAt(b, f.at)
	f.at += int64(n)
	return n, err
}

func (f *openFile) Read(b []byte) (int, error) {
	n, err := f.ReadAt(b, f.at)
	f.at += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (f *openFile) Stat() (pebblefs.FileInfo, error) {
	size, err := f.Size()
	return fileInfo{name: f.name, size: size}, err
}

func (f *openFile) Preallocate(_, _ int64) error { return nil }
func (f *openFile) SyncData() error              { return f.Sync() }
func (f *openFile) SyncTo(int64) (bool, error)   { return true, f.Sync() }
func (f *openFile) Prefetch(_, _ int64) error    { return nil }
func (f *openFile) Fd() uintptr                  { return pebblefs.InvalidFd }

// dirFile is a directory that is open to be synced.
type dirFile struct {
	on   vfs.FS
	name string
}

func (d dirFile) refuse(op string) error {
	return &fs.PathError{Op: op, Path: d.name, Err: errors.New("it is a directory")}
}

func (d dirFile) Read([]byte) (int, error)           { return 0, d.refuse("read") }
func (d dirFile) ReadAt([]byte, int64) (int, error)  { return 0, d.refuse("read") }
func (d dirFile) Write([]byte) (int, error)          { return 0, d.refuse("write") }
func (d dirFile) WriteAt([]byte, int64) (int, error) { return 0, d.refuse("write") }
func (d dirFile) Stat() (pebblefs.FileInfo, error)   { return fileInfo{name: d.name, dir: true}, nil }
func (d dirFile) Preallocate(_, _ int64) error       { return nil }
func (d dirFile) Sync() error                        { return d.on.SyncDir(d.name) }
func (d dirFile) SyncData() error                    { return d.Sync() }
func (d dirFile) SyncTo(int64) (bool, error)         { return false, nil }
func (d dirFile) Prefetch(_, _ int64) error          { return nil }
func (d dirFile) Fd() uintptr                        { return pebblefs.InvalidFd }
func (d dirFile) Close() error                       { return nil }

// fileInfo is what Pebble asks of a file.
type fileInfo struct {
	name string
	size int64
	dir  bool
}

func (i fileInfo) Name() string                { return filepath.Base(i.name) }
func (i fileInfo) Size() int64                 { return i.size }
func (i fileInfo) IsDir() bool                 { return i.dir }
func (i fileInfo) Sys() any                    { return nil }
func (i fileInfo) ModTime() time.Time          { return time.Time{} }
func (i fileInfo) DeviceID() pebblefs.DeviceID { return pebblefs.DeviceID{} }

func (i fileInfo) Mode() os.FileMode {
	if i.dir {
		return os.ModeDir | 0o755
	}
	return 0o644
}
