package meta

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/internal/vfs"
)

// preallocated is how much of the log file is written with zeros when it is made. Pages that exist already cost a sync no
// block allocation, and a log that is trimmed by snapshots stays within this size.
const preallocated = 8 << 20

// store is raft's log and stable store: a bolt file, and in front of it a journal for the newest log entries.
type store struct {
	*front
	stable *raftboltdb.BoltStore
	base   atomic.Pointer[raft.Log] // where the newest snapshot ends; its entry, with the term only
}

var (
	_ raft.LogStore    = (*store)(nil)
	_ raft.StableStore = (*store)(nil)
)

// openStore opens or makes the log file. Freelist sync is off: the list is rebuilt by a scan at open, and each commit writes
// two pages less.
func openStore(files vfs.FS, dir string) (*store, error) {
	path := filepath.Join(dir, "raft.db")
	if err := preallocate(path); err != nil {
		return nil, fmt.Errorf("meta: preallocate %s: %w", path, err)
	}
	s, err := openBolt(path)
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, usererr.New("DATA_DIR_LOCKED", "58030", "The data directory is in use by another process.").
			In(path).WithFix("Stop the other process, or choose another directory with --data-dir.")
	}
	if err != nil {
		return nil, fmt.Errorf("meta: open %s: %w", path, err)
	}
	f, err := openFront(files, dir, s)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &store{front: f, stable: s}, nil
}

func openBolt(path string) (*raftboltdb.BoltStore, error) {
	return raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: &bbolt.Options{
		Timeout:         200 * time.Millisecond,
		NoFreelistSync:  true,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: 64 << 20,
	}})
}

// preallocate makes a new log file and fills it up with zeros; an existing file is left alone.
func preallocate(path string) error {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	s, err := openBolt(path)
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	return fillZeros(path, preallocated)
}

// fillZeros writes zeros behind what a file has, up to a size. It makes the file when there is none.
func fillZeros(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() >= size {
		return err
	}
	zeros := make([]byte, 1<<20)
	for at := info.Size(); at < size; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(size-at, int64(len(zeros)))], at); err != nil {
			return err
		}
	}
	return f.Sync()
}

// StoreLogs implements raft.LogStore. A full disk is an error that raft answers by stepping down until there is room; any
// other failure leaves unknown what is on disk, so the node must not go on.
func (s *store) StoreLogs(logs []*raft.Log) error {
	err := s.front.StoreLogs(logs)
	fatal(err)
	return err
}

// StoreLog implements raft.LogStore.
func (s *store) StoreLog(l *raft.Log) error { return s.StoreLogs([]*raft.Log{l}) }

// Set and the like implement raft.StableStore: the term and the vote, which change with elections only.
func (s *store) Set(k, v []byte) error              { return s.stable.Set(k, v) }
func (s *store) Get(k []byte) ([]byte, error)       { return s.stable.Get(k) }
func (s *store) SetUint64(k []byte, v uint64) error { return s.stable.SetUint64(k, v) }
func (s *store) GetUint64(k []byte) (uint64, error) { return s.stable.GetUint64(k) }

// Close closes the journal, then the bolt file.
func (s *store) Close() error { return errors.Join(s.front.Close(), s.stable.Close()) }
