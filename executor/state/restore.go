package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// restore brings the partition to a committed version: from where it is when that is before it, else from the snapshot,
// else from nothing; then by the changelog.
func (p *Partition) restore(ctx context.Context, version int64) error {
	if p.version < 0 || p.version > version || p.damaged {
		if err := p.reset(ctx, version); err != nil {
			return err
		}
	}
	if p.version == version {
		return nil
	}
	if p.store.opts.Changelog == nil {
		return fmt.Errorf("%w: %s is at version %d, not %d, and there is no changelog", ErrVersion, p.slot, p.version, version)
	}
	if err := p.replay(ctx, version); err != nil {
		p.clear()
		return fmt.Errorf("state: replay the changelog of %s: %w", p.slot, err)
	}
	p.version = version
	return nil
}

// clear empties the partition.
func (p *Partition) clear() {
	p.tables, p.order, p.last = map[int64]*table{}, nil, nil
	p.undo, p.undoBytes, p.dropped = nil, nil, nil
	p.version, p.position, p.snapshot, p.damaged = -1, -1, -1, false
	p.bytes.Store(0)
	p.keys.Store(0)
}

// reset goes back to the snapshot, or to the end of the shape before, or to nothing when there is neither or the query is
// new. A snapshot that does not fit is not thrown away: the changelog before it may be gone.
func (p *Partition) reset(ctx context.Context, version int64) error {
	p.clear()
	if version < 0 {
		return p.wipe()
	}
	m, ok, err := p.readMeta()
	if err != nil {
		return err
	}
	shapes, i := p.shape(version)
	switch {
	case i > 0 && (!ok || m.parts != p.slot.Parts || m.version < shapes[i].From):
		return p.takeOver(ctx, shapes[i-1], shapes[i].From)
	case !ok:
		if parts, err := p.otherShape(); err != nil || parts > 0 {
			return errors.Join(err, fmt.Errorf("%w: the snapshot of %s was written by %d partitions; run the query with as many", ErrVersion, p.slot, parts))
		}
		return p.wipe()
	case m.parts != p.slot.Parts:
		return fmt.Errorf("%w: the snapshot of %s was written by %d partitions; run the query with as many", ErrVersion, p.slot, m.parts)
	case m.version > version:
		return fmt.Errorf("%w: the snapshot of %s is of version %d, after version %d", ErrVersion, p.slot, m.version, version)
	}
	buckets, err := p.storedBuckets()
	if err != nil {
		return err
	}
	for _, b := range buckets {
		t := p.addTable(b)
		t.saved, t.partial, t.away = true, true, m.keys[b]
		p.count(t)
	}
	p.version, p.snapshot, p.position = m.version, m.version, m.position
	return nil
}

// otherShape is the number of partitions of a snapshot of the operator that were others, 0 when there is none.
func (p *Partition) otherShape() (parts int, err error) {
	db, err := p.store.stored()
	if db == nil {
		return 0, err
	}
	prefix := appendName(nil, metaKey, p.slot)
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefixEnd(prefix)})
	if err != nil {
		return 0, fmt.Errorf("state: read %s: %w", p.slot, err)
	}
	for ok := it.First(); ok && err == nil && parts == 0; ok = it.Next() {
		var m meta
		if m, err = decodeMeta(it.Value()); err == nil && m.parts != p.slot.Parts {
			parts = m.parts
		}
	}
	return parts, errors.Join(err, it.Close())
}

func (p *Partition) readMeta() (meta, bool, error) {
	db, err := p.store.stored()
	if db == nil {
		return meta{}, false, err
	}
	v, c, err := db.Get(p.metaKey())
	if errors.Is(err, pebble.ErrNotFound) {
		v, c, err = db.Get(p.oldMetaKey())
	}
	if errors.Is(err, pebble.ErrNotFound) {
		return meta{}, false, nil
	}
	if err != nil {
		return meta{}, false, fmt.Errorf("state: read %s: %w", p.slot, err)
	}
	defer c.Close()
	m, err := decodeMeta(v)
	return m, err == nil, err
}

// wipe removes from Pebble what an earlier life of the query left in the partition's key groups.
func (p *Partition) wipe() error {
	if p.store.readOnly {
		return nil
	}
	buckets, err := p.storedBuckets()
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if err := p.dropStored(b); err != nil {
			return err
		}
	}
	db, err := p.store.stored()
	if db == nil {
		return err
	}
	if err := errors.Join(db.Delete(p.metaKey(), pebble.NoSync), db.Delete(p.oldMetaKey(), pebble.NoSync)); err != nil {
		return fmt.Errorf("state: wipe %s: %w", p.slot, err)
	}
	return nil
}

// replay applies the deltas up to version, version by version.
func (p *Partition) replay(ctx context.Context, version int64) error {
	return p.replayTo(ctx, version, p)
}

// replayTo does so through to, which changes the partition.
func (p *Partition) replayTo(ctx context.Context, version int64, to target) error {
	shown, _ := to.(*feed)
	at := p.version
	p.begin()
	err := p.store.opts.Changelog(ctx, p.slot, p.position, func(piece []byte, _ int64) error {
		v, err := DeltaVersion(piece)
		if err != nil || v <= p.version || v > version {
			return err // the snapshot has it, or it was never committed
		}
		if v < at {
			return fmt.Errorf("%w: version %d after %d", errDelta, v, at)
		}
		if v > at {
			if err := p.commit(v - 1); err != nil {
				return err
			}
			p.begin()
			at = v
		}
		if shown != nil {
			shown.at(v)
		}
		return applyDelta(piece, to)
	})
	if err != nil {
		return err
	}
	return p.commit(version)
}
