package meta

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/streamflow/streamflow/internal/vfs"
)

// front takes raft's newest entries for the bolt file. A commit of bolt's rewrites pages and syncs twice, and every
// micro-batch waits for it; an entry in front is one write into a preallocated file and one sync. Full halves of the file
// go to bolt in the background, a thousand entries in one commit.
//
//	raft.journal:  [ half 0 | half 1 ]     one takes records, the other is on its way to bolt or free
//
// An entry is in front until bolt has it. After a crash, Open gives bolt what only front has.
type front struct {
	bolt *raftboltdb.BoltStore
	file vfs.File

	writing sync.Mutex // held by StoreLogs, DeleteRange and Close: they are one after the other
	half    int64      // that takes records
	pos     int64      // of the next one in the half
	gen     uint64     // of the half's records; each turn has a higher one
	buf     []byte

	mu    sync.Mutex
	ended *sync.Cond  // busy became false
	tail  []*raft.Log // entries that bolt may not have yet, without gaps
	busy  bool        // some of tail are being given to bolt
	late  error       // why that failed the last time; nil after a success
}

// halfSize holds about a thousand micro-batches' commits.
const halfSize = 1 << 20

func openFront(files vfs.FS, dir string, bolt *raftboltdb.BoltStore) (*front, error) {
	path := filepath.Join(dir, "raft.journal")
	err := fillZeros(path, 2*halfSize)
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("meta: preallocate %s: %w", path, err)
	}
	file, err := files.Open(path)
	if err != nil {
		return nil, fmt.Errorf("meta: %w", err)
	}
	f := &front{bolt: bolt, file: file}
	f.ended = sync.NewCond(&f.mu)
	if err := f.recover(); err != nil {
		file.Close()
		return nil, fmt.Errorf("meta: open %s: %w", path, err)
	}
	return f, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// recover gives bolt the entries that only the file has, and begins a new generation.
func (f *front) recover() error {
	data := make([]byte, 2*halfSize)
	if _, err := f.file.ReadAt(data, 0); err != nil {
		return err
	}
	had, err := readFront(data)
	if err != nil {
		return err
	}
	last, err := f.bolt.LastIndex()
	if err != nil {
		return err
	}
	var missing []*raft.Log
	for _, l := range had.logs {
		switch {
		case l.Index <= last:
			continue
		case last > 0 && l.Index != last+1:
			return fmt.Errorf("entries %d to %d are missing", last+1, l.Index-1)
		}
		missing, last = append(missing, l), l.Index
	}
	f.gen, f.half = had.gen+1, had.older
	if len(missing) == 0 {
		return nil
	}
	return f.bolt.StoreLogs(missing)
}

// StoreLogs makes entries durable.
func (f *front) StoreLogs(logs []*raft.Log) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	last, err := f.LastIndex()
	if err != nil || len(logs) == 0 {
		return err
	}
	f.buf = appendFrontRecord(f.buf[:0], f.gen, logs)
	if len(f.buf) > halfSize || (last > 0 && logs[0].Index != last+1) {
		if err := f.settle(); err != nil {
			return err
		}
		return f.bolt.StoreLogs(logs)
	}
	if f.pos+int64(len(f.buf)) > halfSize {
		if err := f.turn(); err != nil {
			return err
		}
		f.buf = appendFrontRecord(f.buf[:0], f.gen, logs)
	}
	if err := f.write(); err != nil {
		return err
	}
	f.mu.Lock()
	f.tail = append(f.tail, logs...)
	f.mu.Unlock()
	return nil
}

// write puts buf at the end of the half, durably.
func (f *front) write() error {
	if _, err := f.file.WriteAt(f.buf, f.half*halfSize+f.pos); err != nil {
		return err
	}
	if err := f.file.Sync(); err != nil {
		return err
	}
	f.pos += int64(len(f.buf))
	return nil
}

// turn sends what the half holds on its way and goes on in the other one, which must be free by then. Where the last
// flush failed, for want of room, the entries of both halves are tried again first.
func (f *front) turn() error {
	f.mu.Lock()
	f.await()
	if f.late != nil {
		f.mu.Unlock()
		if err := f.settle(); err != nil {
			return err
		}
		f.mu.Lock()
	}
	if len(f.tail) > 0 {
		f.busy = true
		go f.flush(f.tail[:len(f.tail):len(f.tail)])
	}
	f.mu.Unlock()
	f.half, f.pos, f.gen = 1-f.half, 0, f.gen+1
	return nil
}

// await waits for the flush under way. f.mu is held.
func (f *front) await() {
	for f.busy {
		f.ended.Wait()
	}
}

// flush gives the first entries of tail to bolt.
func (f *front) flush(logs []*raft.Log) {
	err := f.bolt.StoreLogs(logs)
	fatal(err)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy, f.late = false, err
	if err == nil {
		f.tail = append([]*raft.Log(nil), f.tail[len(logs):]...)
	}
	f.ended.Broadcast()
}

// settle returns when bolt has everything. f.writing is held.
func (f *front) settle() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.await()
	if len(f.tail) == 0 {
		return nil
	}
	f.busy = true
	logs := f.tail
	f.mu.Unlock()
	f.flush(logs)
	f.mu.Lock()
	return f.late
}

// DeleteRange takes entries out: old ones that a snapshot has, or new ones of a follower whose leader knows better. Bolt
// deletes them in one transaction, after a reset; a crash between the two leaves them all.
func (f *front) DeleteRange(min, max uint64) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	if err := f.reset(); err != nil {
		return err
	}
	return f.bolt.DeleteRange(min, max)
}

// reset gives everything to bolt and writes a reset record: it says that nothing before it in the file counts, so that what
// is deleted from bolt does not come back from there. f.writing is held.
func (f *front) reset() error {
	if err := f.settle(); err != nil {
		return err
	}
	f.half, f.pos, f.gen = 1-f.half, 0, f.gen+1
	f.buf = appendFrontRecord(f.buf[:0], f.gen, nil)
	return f.write()
}

// GetLog reads an entry.
func (f *front) GetLog(index uint64, to *raft.Log) error {
	f.mu.Lock()
	if n := len(f.tail); n > 0 && index >= f.tail[0].Index && index <= f.tail[n-1].Index {
		*to = *f.tail[index-f.tail[0].Index]
		f.mu.Unlock()
		return nil
	}
	f.mu.Unlock()
	return f.bolt.GetLog(index, to)
}

// FirstIndex is the index of the oldest entry, 0 for none.
func (f *front) FirstIndex() (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first, err := f.bolt.FirstIndex()
	if err == nil && first == 0 && len(f.tail) > 0 {
		first = f.tail[0].Index
	}
	return first, err
}

// LastIndex is the index of the newest entry, 0 for none.
func (f *front) LastIndex() (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.tail); n > 0 {
		return f.tail[n-1].Index, nil
	}
	return f.bolt.LastIndex()
}

// Close gives bolt what is left. Where the disk is full the file keeps it for the next start.
func (f *front) Close() error {
	f.writing.Lock()
	defer f.writing.Unlock()
	err := f.settle()
	if isFull(err) {
		err = nil
	}
	return errors.Join(err, f.file.Close())
}

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// fatal ends the node on an error that leaves unknown what is on disk. A full disk is none.
func fatal(err error) {
	if err != nil && !isFull(err) && !errors.Is(err, bbolterrors.ErrDatabaseNotOpen) && !errors.Is(err, os.ErrClosed) {
		panic(fmt.Sprintf("FATAL: metadata log could not be written: %v", err))
	}
}
