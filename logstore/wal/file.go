package wal

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/internal/vfs"
)

// file is one file of the log. Its life: spare -> active -> sealed -> free -> spare again under a new name.
type file struct {
	vfs.File
	name    string
	seq     uint64
	salt    uint32
	size    int64
	lastLSN uint64 // once sealed
}

func fileName(seq uint64) string { return fmt.Sprintf("wal-%010d.log", seq) }

func parseFileName(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, "wal-")
	if !ok {
		return 0, false
	}
	if digits, ok = strings.CutSuffix(digits, ".log"); !ok {
		return 0, false
	}
	seq, err := strconv.ParseUint(digits, 10, 64)
	return seq, err == nil
}

// newFile makes a file ready for records: from an old one if there is one, because blocks that were written before sync
// faster. The name and the header are durable when it returns.
func newFile(fs vfs.FS, dir string, seq uint64, size int64, old *file) (*file, error) {
	f := &file{name: path.Join(dir, fileName(seq)), seq: seq, salt: rand.Uint32(), size: size}
	var err error
	if old != nil {
		f.File = old.File
		err = fs.Rename(old.name, f.name)
	} else {
		f.File, err = createAllocated(fs, f.name, size)
	}
	if err != nil {
		return nil, fmt.Errorf("wal: make %s: %w", f.name, err)
	}
	head := make([]byte, fileHeader)
	putFileHeader(head, seq, f.salt)
	if _, err = f.WriteAt(head, 0); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = fs.SyncDir(dir)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("wal: make %s: %w", f.name, err)
	}
	return f, nil
}

// createAllocated leaves no half-allocated file behind when the disk is full.
func createAllocated(fs vfs.FS, name string, size int64) (vfs.File, error) {
	f, err := fs.Create(name)
	if err != nil {
		return nil, err
	}
	if err := f.Allocate(size); err != nil {
		f.Close()
		_ = fs.Remove(name) // it holds nothing
		return nil, err
	}
	return f, nil
}
