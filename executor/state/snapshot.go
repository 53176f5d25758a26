package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/cockroachdb/pebble/v2"
)

// flushBytes bounds one write to Pebble.
const flushBytes = 4 << 20

// snapshot writes what Pebble does not have, and then the record that says so. It is called between batches.
func (p *Partition) saveSnapshot(position int64) error {
	if p.open {
		return fmt.Errorf("state: snapshot of %s in the middle of a batch", p.slot)
	}
	db, err := p.store.db()
	if err != nil {
		return err
	}
	b := db.NewBatch()
	defer func() { b.Close() }()
	for _, bucket := range append([]int64{}, p.order...) {
		if err := p.saveTable(p.tables[bucket], &b); err != nil {
			return err
		}
	}
	if err := b.Set(p.metaKey(), encodeMeta(meta{p.version, position, p.slot.Parts}), nil); err != nil {
		return err
	}
	if err := b.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("state: snapshot of %s: %w", p.slot, err)
	}
	p.snapshot, p.position = p.version, position
	return nil
}

// saveTable adds a bucket's changes to the write *b, which it commits and replaces when it has grown large.
func (p *Partition) saveTable(t *table, b **pebble.Batch) error {
	if t.unsaved == 0 && len(t.tombs) == 0 {
		return nil
	}
	for _, x := range t.tombs {
		if err := (*b).Delete(p.appendRow(t.bucket, x.keyGroup, []byte(x.key)), nil); err != nil {
			return err
		}
	}
	t.tombs = nil
	for n := range t.ents {
		e := &t.ents[n]
		if e.flags&dirty == 0 || e.flags&removed != 0 {
			continue
		}
		if err := (*b).Set(p.appendRow(t.bucket, e.keyGroup, t.key(n)), t.value(n), nil); err != nil {
			return err
		}
		e.flags = e.flags&^dirty | inStore
		if (*b).Len() > flushBytes {
			if err := p.flush(b); err != nil {
				return err
			}
		}
	}
	t.unsaved, t.saved = 0, true
	if t.live == 0 {
		p.removeTable(t.bucket)
		p.discard(t)
	}
	return nil
}

func (p *Partition) flush(b **pebble.Batch) error {
	if err := (*b).Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("state: write %s: %w", p.slot, err)
	}
	(*b).Close()
	*b = p.store.lsm.NewBatch()
	return nil
}

// evict moves buckets to Pebble until about n bytes are free. It is called between batches.
func (p *Partition) evict(n int64) error {
	db, err := p.store.db()
	if err != nil {
		return err
	}
	freed := int64(0)
	b := db.NewBatch()
	defer func() { b.Close() }()
	var gone []*table
	for i := len(p.order) - 1; i >= 0 && freed < n; i-- { // the newest buckets are the last to be needed again
		t := p.tables[p.order[i]]
		if t.evicted || t.live == 0 {
			continue
		}
		if err := p.saveTable(t, &b); err != nil {
			return err
		}
		freed += t.memory()
		gone = append(gone, t)
	}
	if err := p.flush(&b); err != nil {
		return err
	}
	for _, t := range gone {
		t.arena.free()
		*t = table{bucket: t.bucket, arena: t.arena, saved: true, evicted: true, live: t.live, counted: t.counted, keys: t.keys}
		p.count(t)
	}
	p.pool.free = nil
	p.last = nil
	return nil
}

// load brings an evicted bucket back.
func (p *Partition) load(t *table) error {
	seq := p.seq
	t.live = 0 // insert counts
	err := p.scanStored(t.bucket, func(kg int, key, value []byte) bool {
		n := t.insert(hashKey(kg, key), kg, key)
		t.set(n, value)
		t.ents[n].flags = inStore
		t.ents[n].batch = seq - 1
		return true
	})
	if err != nil {
		return err
	}
	t.evicted = false
	p.count(t)
	return nil
}

// scanStored visits a bucket in Pebble in order.
func (p *Partition) scanStored(bucket int64, visit func(keyGroup int, key, value []byte) bool) error {
	db, err := p.store.stored()
	if db == nil {
		return err
	}
	from, to := p.bounds(bucket)
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return fmt.Errorf("state: read %s: %w", p.slot, err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		_, kg, key, err := splitRow(it.Key(), len(from)-10)
		if err != nil {
			return errors.Join(err, it.Close())
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if !visit(kg, key, value) {
			break
		}
	}
	return it.Close()
}

// dropStored removes the partition's share of a bucket from Pebble.
func (p *Partition) dropStored(bucket int64) error {
	db, err := p.store.stored()
	if db == nil {
		return err
	}
	from, to := p.bounds(bucket)
	if err := db.DeleteRange(from, to, pebble.NoSync); err != nil {
		return fmt.Errorf("state: drop a bucket of %s: %w", p.slot, err)
	}
	return nil
}

// storedBuckets finds the buckets in Pebble that the partition has a share of.
func (p *Partition) storedBuckets() ([]int64, error) {
	db, err := p.store.stored()
	if db == nil {
		return nil, err
	}
	prefix := appendName(nil, rowKey, p.slot)
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefixEnd(prefix)})
	if err != nil {
		return nil, fmt.Errorf("state: read %s: %w", p.slot, err)
	}
	var out []int64
	lo, hi := p.slot.groups()
	for ok := it.First(); ok; {
		bucket, kg, _, err := splitRow(it.Key(), len(prefix))
		if err != nil {
			return nil, errors.Join(err, it.Close())
		}
		switch {
		case kg < lo:
			from, _ := p.bounds(bucket)
			ok = it.SeekGE(from)
			continue
		case kg < hi:
			out = append(out, bucket)
		}
		if bucket == 1<<63-1 {
			break
		}
		ok = it.SeekGE(appendBucket(append([]byte{}, prefix...), bucket+1))
	}
	return out, it.Close()
}

// meta is a snapshot record.
type meta struct {
	version, position int64
	parts             int
}

const metaVersion = 1

func encodeMeta(m meta) []byte {
	b := []byte{metaVersion}
	b = binary.LittleEndian.AppendUint64(b, uint64(m.version))
	b = binary.LittleEndian.AppendUint64(b, uint64(m.position))
	b = binary.LittleEndian.AppendUint16(b, uint16(m.parts))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeMeta(b []byte) (meta, error) {
	const size = 1 + 8 + 8 + 2 + 4
	if len(b) != size || b[0] != metaVersion || crc32.Checksum(b[:size-4], castagnoli) != binary.LittleEndian.Uint32(b[size-4:]) {
		return meta{}, errors.New("state: damaged snapshot record")
	}
	return meta{int64(binary.LittleEndian.Uint64(b[1:])), int64(binary.LittleEndian.Uint64(b[9:])), int(binary.LittleEndian.Uint16(b[17:]))}, nil
}
