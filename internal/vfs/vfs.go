package vfs

import (
	"errors"
	"io"
)

// ErrLocked is what Lock returns when another process (or another open in this one) holds the lock.
var ErrLocked = errors.New("vfs: file is locked")

// FS is the file operations that a storage engine needs. Names are slash-separated paths. What a File wrote is durable
// after its Sync; that a name exists, moved or is gone is durable after SyncDir of its directory.
type FS interface {
	// Create makes an empty file, dropping one of that name.
	Create(name string) (File, error)
	// Open opens an existing file for reading and writing.
	Open(name string) (File, error)
	Remove(name string) error
	RemoveAll(dir string) error
	Rename(from, to string) error
	MkdirAll(dir string) error
	// ReadDir lists the names in a directory, sorted. A missing directory has none.
	ReadDir(dir string) ([]string, error)
	IsDir(name string) (bool, error)
	SyncDir(dir string) error
	// Lock takes a lock file for this process until it is closed.
	Lock(name string) (io.Closer, error)
}

// File is an open file, written and read by position.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	Truncate(size int64) error
	// Allocate makes the file size bytes long with its blocks reserved, so that writing them cannot find the disk full.
	Allocate(size int64) error
	// Sync makes what was written durable (data, and the size where it grew).
	Sync() error
}
