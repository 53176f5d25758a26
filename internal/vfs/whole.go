package vfs

import (
	"io"
	"path"
)

// MakeDir makes a directory and those above it that are missing, so that a crash leaves them.
func MakeDir(fs FS, dir string) error {
	if is, err := fs.IsDir(dir); is || err != nil {
		return err
	}
	parent := path.Dir(path.Clean(dir))
	if err := MakeDir(fs, parent); err != nil {
		return err
	}
	if err := fs.MkdirAll(dir); err != nil {
		return err
	}
	return fs.SyncDir(parent)
}

// WriteFile replaces a whole file: a crash leaves the old one or the new one. That the new one has the name is durable
// after SyncDir.
func WriteFile(fs FS, name string, b []byte) error {
	f, err := fs.Create(name + ".tmp")
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(b, 0); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = fs.Remove(name + ".tmp") // it is worth nothing
		return err
	}
	return fs.Rename(name+".tmp", name)
}

// ReadFile reads a whole file.
func ReadFile(fs FS, name string) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := f.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	got, err := f.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return b[:got], nil
}
