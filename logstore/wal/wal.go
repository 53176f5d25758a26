package wal

import (
	"errors"
	"fmt"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamflow/streamflow/internal/clock"
	"github.com/streamflow/streamflow/internal/vfs"
)

// Errors of Reserve.
var (
	ErrClosed   = errors.New("wal: closed")
	ErrTooLarge = errors.New("wal: record is larger than a file")
)

// Options configures a WAL. FS, Dir and Fatal must be set.
type Options struct {
	FS       vfs.FS
	Dir      string
	Clock    clock.Clock
	FileSize int64 // 64 MiB

	SyncEach     bool          // a sync for each urgent record
	Async        bool          // complete groups when written, and sync every SyncInterval
	SyncInterval time.Duration // 1 s
	LazyDelay    time.Duration // longest wait of a lazy record; 20 ms

	// Fatal is told that a write or a sync failed. It is expected not to return.
	Fatal func(error)
}

const (
	defaultFileSize  = 64 << 20
	defaultLazyDelay = 20 * time.Millisecond
	maxGroup         = 8 << 20 // bytes; a longer group would make its first records wait for its last
	keepFree         = 2       // files kept for recycling
)

// WAL is an open write-ahead log.
type WAL struct {
	o       Options
	durable atomic.Uint64 // every LSN up to it is on disk, and its committer was told
	written atomic.Uint64 // every LSN up to it is in its file, and its committer was told
	inUse   atomic.Int32  // files that hold records not yet freed

	mu      sync.Mutex
	made    *sync.Cond // a spare file was made, or could not be
	active  *file
	pos     int64 // where the next record goes in active
	nextLSN uint64
	chunk   *Chunk
	used    int // where the next record goes in chunk
	queue   []*Group
	sealed  []*file
	free    []*file
	spare   *file
	nextSeq uint64
	making  bool
	makeErr error
	err     error // why nothing more is accepted
	marked  bool  // the last record is a mark that says all before it is durable

	wake     chan struct{} // to the writer: there is something urgent
	wakeMake chan struct{} // to the file maker
	stop     chan struct{}
	stopped  sync.WaitGroup

	syncMu sync.Mutex
	toSync []*file // written and not synced; guarded by syncMu
}

func (o *Options) defaults() {
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.FileSize == 0 {
		o.FileSize = defaultFileSize
	}
	if o.LazyDelay == 0 {
		o.LazyDelay = defaultLazyDelay
	}
	if o.SyncInterval == 0 {
		o.SyncInterval = time.Second
	}
}

// Open replays the log in o.Dir into apply, in LSN order, and opens it for more. What apply was given is durable again
// when apply's side is (see Free): the old files stay until then.
func Open(o Options, apply func(Entry) error) (*WAL, error) {
	o.defaults()
	err := o.FS.MkdirAll(o.Dir)
	if err == nil {
		err = o.FS.SyncDir(path.Dir(path.Clean(o.Dir)))
	}
	if err != nil {
		return nil, fmt.Errorf("wal: %w", err)
	}
	past, err := replay(o, apply)
	if err != nil {
		return nil, err
	}
	w := &WAL{
		o: o, nextLSN: past.lastLSN + 1, nextSeq: past.lastSeq + 1, sealed: past.files,
		wake: make(chan struct{}, 1), wakeMake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	w.made = sync.NewCond(&w.mu)
	w.durable.Store(past.lastLSN)
	w.written.Store(past.lastLSN)
	if w.active, err = newFile(o.FS, o.Dir, w.nextSeq, o.FileSize, past.unused); err != nil {
		closeAll(past.files)
		return nil, err
	}
	w.nextSeq++
	w.pos = fileHeader
	w.inUse.Store(int32(len(w.sealed)) + 1)
	w.stopped.Add(2)
	go w.writer()
	go w.maker()
	return w, nil
}

func closeAll(files []*file) {
	for _, f := range files {
		f.Close()
	}
}

// DurableLSN is the last LSN that is on disk; every Committer up to it has been told.
func (w *WAL) DurableLSN() uint64 { return w.durable.Load() }

// NextLSN is the LSN that the next record will get, or a smaller one if records are being added now.
func (w *WAL) NextLSN() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nextLSN
}

// FilesInUse counts the files whose records are still needed.
func (w *WAL) FilesInUse() int { return int(w.inUse.Load()) }

// Close writes and syncs what is queued and closes the files.
func (w *WAL) Close() error {
	w.mu.Lock()
	failed := w.err
	if errors.Is(failed, ErrClosed) {
		w.mu.Unlock()
		return nil
	}
	if failed == nil {
		w.err = ErrClosed
	}
	w.made.Broadcast()
	w.mu.Unlock()
	close(w.stop)
	w.stopped.Wait()
	err := w.SyncNow()
	w.mu.Lock()
	defer w.mu.Unlock()
	closeAll(w.sealed)
	closeAll(w.free)
	w.active.Close()
	if w.spare != nil {
		w.spare.Close()
	}
	if w.chunk != nil {
		w.chunk.Release()
		w.chunk = nil
	}
	if failed != nil {
		return failed
	}
	return err
}
