package state

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	disk "github.com/streamflow/streamflow/internal/vfs"
)

// patience is a wait for room on a full disk. Pebble ends the process when it cannot write its log; a full disk is no reason
// to: queries wait for room elsewhere too.
type patience struct {
	log     *slog.Logger
	waiting atomic.Int32
	ended   atomic.Bool
}

// roomEvery is how often a full disk is tried again.
const roomEvery = 20 * time.Millisecond

// until does something until the disk has room for it, or the store is closed.
func (p *patience) until(do func() error) error {
	err := do()
	if !disk.IsDiskFull(err) {
		return err
	}
	if p.waiting.Add(1) == 1 {
		p.log.Warn("the disk is full: state waits for room", "err", err)
	}
	defer p.waiting.Add(-1)
	for disk.IsDiskFull(err) && !p.ended.Load() {
		time.Sleep(roomEvery)
		err = do()
	}
	return err
}

// end lets nobody wait any more, and reports whether somebody did.
func (p *patience) end() bool {
	p.ended.Store(true)
	return p.waiting.Load() > 0
}

// patient is a file system that waits for room.
type patient struct {
	vfs.FS
	p *patience
}

func (f patient) wrap(open func() (vfs.File, error)) (file vfs.File, err error) {
	err = f.p.until(func() error { file, err = open(); return err })
	if err != nil {
		return nil, err
	}
	return patientFile{file, f.p}, nil
}

func (f patient) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.wrap(func() (vfs.File, error) { return f.FS.Create(name, c) })
}

func (f patient) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.wrap(func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, opts...) })
}

func (f patient) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.wrap(func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, c) })
}

func (f patient) OpenDir(name string) (vfs.File, error) {
	return f.wrap(func() (vfs.File, error) { return f.FS.OpenDir(name) })
}

func (f patient) Rename(from, to string) error {
	return f.p.until(func() error { return f.FS.Rename(from, to) })
}

func (f patient) Unwrap() vfs.FS { return f.FS }

// patientFile is a file that waits for room. A sync is not tried again: after one that failed nobody knows what is on disk.
type patientFile struct {
	vfs.File
	p *patience
}

func (f patientFile) Write(b []byte) (n int, err error) {
	err = f.p.until(func() error {
		m, err := f.File.Write(b[n:])
		n += m
		return err
	})
	return n, err
}

func (f patientFile) WriteAt(b []byte, at int64) (n int, err error) {
	err = f.p.until(func() error { n, err = f.File.WriteAt(b, at); return err })
	return n, err
}

func (f patientFile) Preallocate(offset, length int64) error {
	if err := f.File.Preallocate(offset, length); !disk.IsDiskFull(err) {
		return err
	}
	return nil // it is only made faster by it
}
