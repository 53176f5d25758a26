package state

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/streamflow/streamflow/rdd"
)

// ViewPast calls view with a partition as it was at a committed version, of which nothing need be here: it is made anew from
// a kept snapshot and the changelog, in memory, beside the query, which may go on. base names the snapshot to begin with; -1
// is the newest that serves. ErrVersion says that what it takes is not kept any more.
func (s *Store) ViewPast(ctx context.Context, slot Slot, version, base int64, view func(rdd.State) error) error {
	return s.past(ctx, slot, version, base, func(p *Partition) error { return view(p) })
}

// Change is one change of a key between two versions. Key and Value are valid during the call that shows it.
type Change struct {
	Version    int64
	Deleted    bool
	Bucket     int64
	KeyGroup   int
	Key, Value []byte
}

// Changes visits what the versions from to to changed in a partition, in order; within a version what was dropped comes first.
// base is as in ViewPast.
func (s *Store) Changes(ctx context.Context, slot Slot, from, to, base int64, visit func(*Change) error) error {
	return s.past(ctx, slot, from-1, base, func(p *Partition) error {
		return p.replayTo(ctx, to, &feed{p: p, visit: visit})
	})
}

// past calls use with a partition at a version, over the newest kept snapshot that can be read, or over nothing when the
// changelog is whole.
func (s *Store) past(ctx context.Context, slot Slot, version, base int64, use func(*Partition) error) error {
	s.pastMu.RLock()
	defer s.pastMu.RUnlock()
	list, err := s.kept(slot.Query)
	if err != nil {
		return err
	}
	var damage []error
	for _, k := range slices.Backward(list) {
		if k.Version > version || base >= 0 && k.Version != base {
			continue
		}
		err := s.over(ctx, k, slot, version, use)
		if !damaged(err) {
			return err
		}
		s.opts.Log.Warn("kept snapshot is damaged; an older one is taken", "query", slot.Query, "version", k.Version, "err", err)
		damage = append(damage, err)
	}
	if base >= 0 {
		return errors.Join(append(damage, fmt.Errorf("%w: no snapshot of %s at version %d", ErrVersion, slot.Query, base))...)
	}
	none := &Store{opts: s.opts, readOnly: true}
	none.opts.Dir += "-none"
	p := newPartition(none, slot)
	if err := p.restore(ctx, version); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return errors.Join(append(damage, fmt.Errorf("%w: %w", ErrVersion, err))...)
	}
	return use(p)
}

// over calls use with a partition over a kept snapshot.
func (s *Store) over(ctx context.Context, k Kept, slot Slot, version int64, use func(*Partition) error) error {
	dir := s.keptAt(slot.Query, k.Version)
	db, err := pebble.Open(dir, &pebble.Options{FS: s.opts.FS, ReadOnly: true, EventListener: s.listener(), Logger: quiet{s.opts.Log, &s.disk}})
	if err != nil {
		return fmt.Errorf("%w: %w", errOpen, err)
	}
	old := &Store{opts: s.opts, readOnly: true, lsm: db}
	old.opts.Dir = dir
	p := newPartition(old, slot)
	err = p.restore(ctx, version)
	if err == nil {
		err = use(p)
	}
	return errors.Join(err, db.Close())
}

// errOpen says that an LSM cannot be opened.
var errOpen = errors.New("state: the store cannot be opened")

// damaged reports whether an error says that what is on disk is not what was written.
func damaged(err error) bool {
	return errors.Is(err, errOpen) || errors.Is(err, errMeta) || errors.Is(err, errKey) || pebble.IsCorruptionError(err)
}

// feed applies deltas to a partition and shows each change.
type feed struct {
	p       *Partition
	visit   func(*Change) error
	version int64
}

func (f *feed) at(version int64) { f.version = version }

func (f *feed) Put(bucket int64, keyGroup int, key, value []byte) error {
	if err := f.p.Put(bucket, keyGroup, key, value); err != nil {
		return err
	}
	return f.visit(&Change{Version: f.version, Bucket: bucket, KeyGroup: keyGroup, Key: key, Value: value})
}

func (f *feed) Delete(bucket int64, keyGroup int, key []byte) error {
	old, ok, err := f.p.Get(bucket, keyGroup, key)
	if err != nil || !ok {
		return err
	}
	if err := f.visit(&Change{Version: f.version, Deleted: true, Bucket: bucket, KeyGroup: keyGroup, Key: key, Value: old}); err != nil {
		return err
	}
	return f.p.Delete(bucket, keyGroup, key)
}

func (f *feed) DropBucket(bucket int64) error {
	var failed error
	err := f.p.Scan(bucket, func(keyGroup int, key, value []byte) bool {
		failed = f.visit(&Change{Version: f.version, Deleted: true, Bucket: bucket, KeyGroup: keyGroup, Key: key, Value: value})
		return failed == nil
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	return f.p.DropBucket(bucket)
}
