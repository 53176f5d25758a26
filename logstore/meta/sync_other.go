//go:build !linux

package meta

import "os"

func datasync(f *os.File) error { return f.Sync() }
