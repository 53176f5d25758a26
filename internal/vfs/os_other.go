//go:build !linux

package vfs

import (
	"errors"
	"os"
)

func datasync(f *os.File) error                { return f.Sync() }
func preallocate(f *os.File, size int64) error { return errors.ErrUnsupported }
