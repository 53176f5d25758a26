package vfs

import "io"

// Op names a file operation to a Fault's hook.
type Op string

const (
	OpCreate   Op = "create"
	OpOpen     Op = "open"
	OpRemove   Op = "remove"
	OpRename   Op = "rename"
	OpMkdir    Op = "mkdir"
	OpReadDir  Op = "readdir"
	OpSyncDir  Op = "syncdir"
	OpRead     Op = "read"
	OpWrite    Op = "write"
	OpTruncate Op = "truncate"
	OpAllocate Op = "allocate"
	OpSync     Op = "sync"
)

// Fault asks Hook before each operation, and fails the operation with the error that it returns. A hook may also look at
// the file system beneath, as a crash test does to copy it at every step.
type Fault struct {
	FS
	Hook func(op Op, name string) error
}

func (f *Fault) Create(name string) (File, error) {
	if err := f.Hook(OpCreate, name); err != nil {
		return nil, err
	}
	file, err := f.FS.Create(name)
	return f.wrap(name, file, err)
}

func (f *Fault) Open(name string) (File, error) {
	if err := f.Hook(OpOpen, name); err != nil {
		return nil, err
	}
	file, err := f.FS.Open(name)
	return f.wrap(name, file, err)
}

func (f *Fault) wrap(name string, file File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return &faultFile{File: file, fault: f, name: name}, nil
}

func (f *Fault) Remove(name string) error {
	return f.do(OpRemove, name, func() error { return f.FS.Remove(name) })
}

func (f *Fault) RemoveAll(dir string) error {
	return f.do(OpRemove, dir, func() error { return f.FS.RemoveAll(dir) })
}

func (f *Fault) Rename(from, to string) error {
	return f.do(OpRename, from, func() error { return f.FS.Rename(from, to) })
}

func (f *Fault) MkdirAll(dir string) error {
	return f.do(OpMkdir, dir, func() error { return f.FS.MkdirAll(dir) })
}

func (f *Fault) SyncDir(dir string) error {
	return f.do(OpSyncDir, dir, func() error { return f.FS.SyncDir(dir) })
}

func (f *Fault) ReadDir(dir string) ([]string, error) {
	if err := f.Hook(OpReadDir, dir); err != nil {
		return nil, err
	}
	return f.FS.ReadDir(dir)
}

func (f *Fault) Lock(name string) (io.Closer, error) { return f.FS.Lock(name) }

func (f *Fault) do(op Op, name string, run func() error) error {
	if err := f.Hook(op, name); err != nil {
		return err
	}
	return run()
}

type faultFile struct {
	File
	fault *Fault
	name  string
}

func (h *faultFile) ReadAt(b []byte, at int64) (int, error) {
	if err := h.fault.Hook(OpRead, h.name); err != nil {
		return 0, err
	}
	return h.File.ReadAt(b, at)
}

func (h *faultFile) WriteAt(b []byte, at int64) (int, error) {
	if err := h.fault.Hook(OpWrite, h.name); err != nil {
		return 0, err
	}
	return h.File.WriteAt(b, at)
}

func (h *faultFile) Truncate(size int64) error {
	return h.fault.do(OpTruncate, h.name, func() error { return h.File.Truncate(size) })
}

func (h *faultFile) Allocate(size int64) error {
	return h.fault.do(OpAllocate, h.name, func() error { return h.File.Allocate(size) })
}

func (h *faultFile) Sync() error {
	return h.fault.do(OpSync, h.name, h.File.Sync)
}
