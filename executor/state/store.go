package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/streamflow/streamflow/rdd"
)

// Changelog calls apply with the delta pieces of a partition that lie after a position, in order, each with its own
// position. -1 is before the first.
type Changelog func(ctx context.Context, slot Slot, after int64, apply func(piece []byte, position int64) error) error

// Options of a store.
type Options struct {
	Dir       string    // of the LSM; made when the first snapshot or eviction needs it
	FS        vfs.FS    // that Dir is in; nil is the machine's
	Memory    int64     // bytes that all partitions may keep in memory; 0 is no limit
	Changelog Changelog // nil: state that is not here cannot be restored
	// Shapes tells in how many partitions an operator has kept its state, oldest first; nil or none: always as many as now.
	Shapes func(query, op string) []rdd.StateShape
	Log    *slog.Logger
}

// ErrVersion says that state at the version asked for is neither here nor in the changelog.
var ErrVersion = errors.New("state: version not available")

// Store holds the partitions of one executor.
type Store struct {
	opts Options

	readOnly bool // the LSM is a kept snapshot: nothing is written to it

	dbMu sync.Mutex
	lsm  *pebble.DB // nil until it is needed
	disk patience   // of the LSM with a full disk

	pastMu sync.RWMutex // held to change what is kept, and shared to read it

	mu    sync.Mutex
	parts map[Slot]*Partition

	bytes, keys atomic.Int64 // at the last commit
}

// Open opens the store in opts.Dir. The LSM there is opened, or made, when it is first needed.
func Open(opts Options) (*Store, error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.FS == nil {
		opts.FS = vfs.Default
	}
	return &Store{opts: opts, parts: map[Slot]*Partition{}, disk: patience{log: opts.Log}}, nil
}

// db returns the LSM for writing.
func (s *Store) db() (*pebble.DB, error) {
	s.dbMu.Lock()
	defer s.dbMu.Unlock()
	if s.lsm != nil {
		return s.lsm, nil
	}
	db, err := s.openLSM()
	if errors.Is(err, fs.ErrNotExist) && s.unfinished() {
		if err := s.opts.FS.RemoveAll(s.opts.Dir); err != nil {
			return nil, fmt.Errorf("state: %w", err)
		}
		db, err = s.openLSM()
	}
	if err != nil {
		return nil, fmt.Errorf("state: open %s: %w", s.opts.Dir, err)
	}
	s.lsm = db
	return db, nil
}

func (s *Store) openLSM() (*pebble.DB, error) {
	if err := makeDir(s.opts.FS, s.opts.Dir); err != nil {
		return nil, err
	}
	return pebble.Open(s.opts.Dir, &pebble.Options{
		FS:                 patient{s.opts.FS, &s.disk},
		FormatMajorVersion: pebble.FormatNewest,
		MemTableSize:       16 << 20,
		Levels:             filters(),
		EventListener:      s.listener(),
		Logger:             quiet{s.opts.Log, &s.disk},
	})
}

// unfinished reports whether the LSM lacks files because a crash came while it was made: it has no tables then, and nothing
// was ever kept in it. Were that wrong, restoring would find the changelog cut off, and say so.
func (s *Store) unfinished() bool {
	names, err := s.opts.FS.List(s.opts.Dir)
	return err == nil && !slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, ".sst") })
}

// listener notes damage, which whoever reads is told of as well: Pebble would end the process.
func (s *Store) listener() *pebble.EventListener {
	return &pebble.EventListener{DataCorruption: func(info pebble.DataCorruptionInfo) {
		s.opts.Log.Error("state on disk is damaged", "file", info.Path, "err", info.Details)
	}}
}

// filters lets a look-up of a key that is not there read nothing.
func filters() (levels [7]pebble.LevelOptions) {
	for i := range levels {
		levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return levels
}

// stored returns the LSM for reading; nil when there is none yet.
func (s *Store) stored() (*pebble.DB, error) {
	if _, err := s.opts.FS.Stat(s.opts.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return s.db()
}

// quiet passes Pebble's complaints on, and leaves out its chat.
type quiet struct {
	log  *slog.Logger
	disk *patience
}

func (quiet) Infof(string, ...any) {}
func (q quiet) Errorf(format string, a ...any) {
	q.log.Error("state store", "pebble", fmt.Sprintf(format, a...))
}
func (q quiet) Fatalf(format string, a ...any) {
	if q.disk.ended.Load() {
		runtime.Goexit() // on a full disk, as the node stops
	}
	panic("FATAL: state store: " + fmt.Sprintf(format, a...))
}

// Close closes the store. Uncommitted changes are lost, committed ones since the last snapshot are in the changelog.
func (s *Store) Close() error {
	s.dbMu.Lock()
	defer s.dbMu.Unlock()
	if s.lsm == nil {
		return nil
	}
	if s.disk.end() {
		return nil // it waits for room: what it was to keep is in the changelog
	}
	if err := s.lsm.Close(); err != nil {
		return fmt.Errorf("state: close: %w", err)
	}
	return nil
}

// Open gives a task its partition at a committed version, and starts a batch in it. Changes that an earlier attempt of the
// batch left are taken back. State that is not here is restored from snapshot and changelog.
func (s *Store) Open(ctx context.Context, query, op string, partition, parts int, version int64) (*Partition, error) {
	p := s.partition(Slot{query, op, partition, parts})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rollback()
	if p.version != version || p.damaged {
		if err := p.restore(ctx, version); err != nil {
			return nil, err
		}
	}
	p.begin()
	return p, nil
}

func (s *Store) partition(slot Slot) *Partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[slot]
	if p == nil {
		p = newPartition(s, slot)
		s.parts[slot] = p
	}
	return p
}

// of returns the partitions of a query.
func (s *Store) of(query string) []*Partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*Partition
	for slot, p := range s.parts {
		if slot.Query == query {
			list = append(list, p)
		}
	}
	return list
}

// Commit makes the changes of the batch that leads to version the committed ones, in every partition that took part in it.
// A partition that did not, because its tasks ran elsewhere, stays behind and catches up from the changelog when asked.
func (s *Store) Commit(query string, version int64) error {
	for _, p := range s.of(query) {
		if err := p.commitTo(version); err != nil {
			return err
		}
	}
	return s.fit()
}

func (p *Partition) commitTo(version int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.open || p.version != version-1 {
		return nil
	}
	return p.commit(version)
}

// Abort takes back the changes of the open batch.
func (s *Store) Abort(query string) error {
	for _, p := range s.of(query) {
		p.Rollback()
	}
	return nil
}

// fit adds up what is in memory and evicts what is too much.
func (s *Store) fit() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	bytes, keys := int64(0), int64(0)
	for _, p := range s.parts {
		bytes += p.bytes.Load()
		keys += p.keys.Load()
	}
	for _, p := range s.parts {
		if s.opts.Memory <= 0 || bytes <= s.opts.Memory {
			break
		}
		freed, err := p.shed(bytes - s.opts.Memory/2)
		if err != nil {
			return err
		}
		bytes -= freed
	}
	s.bytes.Store(bytes)
	s.keys.Store(keys)
	return nil
}

// shed evicts from a partition that is between batches.
func (p *Partition) shed(n int64) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		return 0, nil
	}
	before := p.bytes.Load()
	if err := p.evict(n); err != nil {
		return 0, err
	}
	return before - p.bytes.Load(), nil
}

// Bytes is what is in memory and Keys the number of keys, evicted ones included, as of the last commit.
func (s *Store) Bytes() int64 { return s.bytes.Load() }
func (s *Store) Keys() int64  { return s.keys.Load() }

// Snapshot writes a partition's committed state to disk, as much of it as changed since the last snapshot. position is the
// changelog position after the delta of the committed version; a restore replays from there.
func (s *Store) Snapshot(query, op string, partition, parts int, position int64) error {
	p := s.partition(Slot{query, op, partition, parts})
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.saveSnapshot(position)
}

// SnapshotQuery snapshots every partition of a query that is here. positions has, by partition, the changelog position
// after the deltas of the committed version; a partition that is not in it is replayed from the changelog's start.
func (s *Store) SnapshotQuery(query string, positions map[int]int64) error {
	for _, p := range s.of(query) {
		position, ok := positions[p.slot.Partition]
		if !ok {
			position = -1
		}
		if err := s.Snapshot(query, p.slot.Op, p.slot.Partition, p.slot.Parts, position); err != nil {
			return err
		}
	}
	return nil
}

// Slots lists the partitions of a query that are here, with their committed versions.
func (s *Store) Slots(query string) map[Slot]int64 {
	out := map[Slot]int64{}
	for _, p := range s.of(query) {
		p.mu.Lock()
		out[p.slot] = p.version
		p.mu.Unlock()
	}
	return out
}

// Forget drops a query's partitions from memory; with disk set from disk too, as when the query is dropped.
func (s *Store) Forget(query string, disk bool) error {
	s.mu.Lock()
	for slot := range s.parts {
		if slot.Query == query {
			delete(s.parts, slot)
		}
	}
	s.mu.Unlock()
	if !disk {
		return nil
	}
	s.pastMu.Lock()
	err := s.opts.FS.RemoveAll(s.keptDir(query))
	s.pastMu.Unlock()
	if err != nil {
		return fmt.Errorf("state: forget %s: %w", query, err)
	}
	db, err := s.stored()
	if db == nil {
		return err
	}
	for _, kind := range []byte{rowKey, metaKey} {
		prefix := queryPrefix(kind, query)
		if err := db.DeleteRange(prefix, prefixEnd(prefix), pebble.Sync); err != nil {
			return fmt.Errorf("state: forget %s: %w", query, err)
		}
	}
	return nil
}

// Checkpoint makes a consistent copy of the LSM in dir, by hard links.
func (s *Store) Checkpoint(dir string) error {
	db, err := s.db()
	if err != nil {
		return err
	}
	if err := db.Checkpoint(dir, pebble.WithFlushedWAL()); err != nil {
		return fmt.Errorf("state: checkpoint: %w", err)
	}
	return nil
}
