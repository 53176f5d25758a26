package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Kept is a snapshot of a query that stays beside the newest one: a checkpoint of the LSM, whose files are links. With the
// changelog behind it every later version can be read.
type Kept struct {
	Version   int64
	At        time.Time     // when it was made, to the millisecond
	Positions map[int]int64 // by partition: where the changelog goes on after it, as in Snapshot
}

// keptRecord ends the name of the file that says that a checkpoint is whole.
const keptRecord = ".kept"

// Keep keeps the snapshot of a query that was just written with SnapshotQuery, and lets go of kept ones that are not needed
// to read the versions of the last retain. Two always stay. It returns, by partition, the changelog position of the oldest
// one: what is up to there is needed no more. The query is between two batches.
func (s *Store) Keep(query string, positions map[int]int64, now time.Time, retain time.Duration) (map[int]int64, error) {
	s.pastMu.Lock()
	defer s.pastMu.Unlock()
	list, err := s.kept(query)
	if err != nil {
		return nil, err
	}
	version, one := s.version(query)
	if !one {
		return nil, nil
	}
	if n := len(list); n == 0 || list[n-1].Version < version {
		k := Kept{Version: version, At: now.Truncate(time.Millisecond), Positions: maps.Clone(positions)}
		if err := s.keep(query, k); err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	for _, k := range surplus(list, now, retain) {
		if err := s.letGo(query, k.Version); err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(x Kept) bool { return x.Version == k.Version })
	}
	oldest := map[int]int64{}
	for p := range positions {
		oldest[p] = positions[p]
		for _, k := range list {
			at, ok := k.Positions[p]
			if !ok {
				at = -1
			}
			oldest[p] = min(oldest[p], at)
		}
	}
	return oldest, nil
}

// version is the committed version that all partitions of a query have that are here; one is false when there are none, or
// some are behind.
func (s *Store) version(query string) (version int64, one bool) {
	version = -1
	for _, v := range s.Slots(query) {
		if one && v != version {
			return -1, false
		}
		version, one = v, true
	}
	return version, one
}

// surplus says which of the kept snapshots, oldest first, can go: those before the newest one that is older than retain, and
// of the others those that lie closer together than an eighth of it. The last two stay.
func surplus(list []Kept, now time.Time, retain time.Duration) (gone []Kept) {
	first := 0
	for i := range len(list) - 1 {
		if !list[i].At.After(now.Add(-retain)) {
			first = i
		}
	}
	gone = append(gone, list[:first]...)
	last := first
	for i := first + 1; i < len(list)-2; i++ {
		if list[i+1].At.Sub(list[last].At) < retain/8 {
			gone = append(gone, list[i])
		} else {
			last = i
		}
	}
	return gone
}

// keptDir is where a query's kept snapshots are.
func (s *Store) keptDir(query string) string {
	return s.opts.FS.PathJoin(s.opts.Dir+"-kept", url.PathEscape(query))
}

func (s *Store) keptAt(query string, version int64) string {
	return s.opts.FS.PathJoin(s.keptDir(query), strconv.FormatInt(version, 10))
}

func (s *Store) keep(query string, k Kept) error {
	db, err := s.db()
	if err != nil {
		return err
	}
	dir := s.keptAt(query, k.Version)
	if err := s.opts.FS.RemoveAll(dir); err != nil { // of a crash
		return fmt.Errorf("state: keep version %d of %s: %w", k.Version, query, err)
	}
	var spans []pebble.CheckpointSpan
	for _, kind := range []byte{rowKey, metaKey} {
		prefix := queryPrefix(kind, query)
		spans = append(spans, pebble.CheckpointSpan{Start: prefix, End: prefixEnd(prefix)})
	}
	if err := db.Checkpoint(dir, pebble.WithFlushedWAL(), pebble.WithRestrictToSpans(spans)); err != nil {
		return fmt.Errorf("state: keep version %d of %s: %w", k.Version, query, err)
	}
	if err := writeWhole(s.opts.FS, s.keptDir(query), dir+keptRecord, encodeKept(k)); err != nil {
		return fmt.Errorf("state: keep version %d of %s: %w", k.Version, query, err)
	}
	return nil
}

// writeWhole makes a file that is there whole or not at all.
func writeWhole(fs vfs.FS, dir, name string, b []byte) error {
	f, err := fs.Create(name+".tmp", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := fs.Rename(name+".tmp", name); err != nil {
		return err
	}
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// letGo removes a kept snapshot: first the record, without which it is none.
func (s *Store) letGo(query string, version int64) error {
	dir := s.keptAt(query, version)
	if err := s.opts.FS.Remove(dir + keptRecord); err != nil {
		return fmt.Errorf("state: let version %d of %s go: %w", version, query, err)
	}
	if err := s.opts.FS.RemoveAll(dir); err != nil {
		return fmt.Errorf("state: let version %d of %s go: %w", version, query, err)
	}
	return nil
}

// Kept lists the snapshots that are kept of a query, oldest first.
func (s *Store) Kept(query string) ([]Kept, error) {
	s.pastMu.RLock()
	defer s.pastMu.RUnlock()
	return s.kept(query)
}

// kept leaves out a record that is damaged: its snapshot is of no use.
func (s *Store) kept(query string) ([]Kept, error) {
	names, err := s.opts.FS.List(s.keptDir(query))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state: kept versions of %s: %w", query, err)
	}
	var out []Kept
	for _, name := range names {
		number, ok := strings.CutSuffix(s.opts.FS.PathBase(name), keptRecord)
		version, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil {
			continue
		}
		b, err := readWhole(s.opts.FS, s.keptAt(query, version)+keptRecord)
		if err != nil {
			return nil, fmt.Errorf("state: kept version %d of %s: %w", version, query, err)
		}
		k, err := decodeKept(b)
		if err != nil || k.Version != version {
			s.opts.Log.Warn("record of a kept snapshot is damaged", "query", query, "version", version, "err", err)
			continue
		}
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b Kept) int { return int(max(-1, min(1, a.Version-b.Version))) })
	return out, nil
}

func readWhole(fs vfs.FS, name string) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// keptVersion is the version of the record's format; docs/format/state.md draws it.
const keptVersion = 1

func encodeKept(k Kept) []byte {
	b := []byte{keptVersion}
	b = binary.LittleEndian.AppendUint64(b, uint64(k.Version))
	b = binary.LittleEndian.AppendUint64(b, uint64(k.At.UnixMilli()))
	b = binary.AppendUvarint(b, uint64(len(k.Positions)))
	for _, p := range slices.Sorted(maps.Keys(k.Positions)) {
		b = binary.AppendVarint(binary.AppendUvarint(b, uint64(p)), k.Positions[p])
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var errKept = errors.New("state: damaged record of a kept snapshot")

func decodeKept(b []byte) (Kept, error) {
	const head = 1 + 8 + 8
	if len(b) < head+1+4 || b[0] != keptVersion || crc32.Checksum(b[:len(b)-4], castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return Kept{}, errKept
	}
	k := Kept{Version: int64(binary.LittleEndian.Uint64(b[1:])), At: time.UnixMilli(int64(binary.LittleEndian.Uint64(b[9:]))), Positions: map[int]int64{}}
	r := bytes.NewReader(b[head : len(b)-4])
	n, err := binary.ReadUvarint(r)
	for ; err == nil && n > 0; n-- {
		var p uint64
		var at int64
		if p, err = binary.ReadUvarint(r); err == nil {
			at, err = binary.ReadVarint(r)
		}
		k.Positions[int(p)] = at
	}
	if err != nil || r.Len() > 0 {
		return Kept{}, errKept
	}
	return k, nil
}
