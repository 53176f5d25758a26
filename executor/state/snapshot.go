package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"

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
	m := meta{version: p.version, position: position, parts: p.slot.Parts, keys: map[int64]int64{}}
	for bucket, t := range p.tables {
		m.keys[bucket] = t.keyCount()
	}
	if err := errors.Join(b.Delete(p.oldMetaKey(), nil), b.Set(p.metaKey(), encodeMeta(m), nil)); err != nil {
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
		if e.flags&dead != 0 { // of a partial table
			if err := (*b).Delete(p.appendRow(t.bucket, e.keyGroup, t.key(n)), nil); err != nil {
				return err
			}
			t.remove(n)
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
	if t.live == 0 && !t.partial {
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

// evict moves buckets to Pebble until about n bytes are free. It is called between batches. Of a bucket that was moved,
// entries come back one by one, when they are touched.
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
		if len(t.ents) == len(t.free) {
			continue
		}
		if err := p.saveTable(t, &b); err != nil {
			return err
		}
		if p.tables[t.bucket] != t {
			continue // there was nothing left in it
		}
		freed += t.memory()
		gone = append(gone, t)
	}
	if err := p.flush(&b); err != nil {
		return err
	}
	for _, t := range gone {
		t.arena.free()
		*t = table{bucket: t.bucket, arena: t.arena, saved: true, partial: true, away: t.keyCount(), counted: t.counted, keys: t.keys}
		p.count(t)
	}
	p.pool.free = nil
	p.last = nil
	return nil
}

// fetch brings the entry of a key from Pebble, if it has it.
func (p *Partition) fetch(t *table, hash uint64, keyGroup int, key []byte) (int, error) {
	db, err := p.store.stored()
	if db == nil {
		return -1, err
	}
	v, c, err := db.Get(p.appendRow(t.bucket, uint16(keyGroup), key))
	if errors.Is(err, pebble.ErrNotFound) {
		return -1, nil
	}
	if err != nil {
		return -1, p.unreadable(err)
	}
	n := t.insert(hash, keyGroup, key)
	t.set(n, v)
	t.ents[n].flags, t.ents[n].batch = inStore, p.seq-1
	t.away--
	return n, c.Close()
}

// unreadable notes that Pebble cannot give what it was given: the next opening restores the partition from elsewhere.
func (p *Partition) unreadable(err error) error {
	if pebble.IsCorruptionError(err) {
		p.damaged = true
	}
	return fmt.Errorf("state: read %s: %w", p.slot, err)
}

// scanBoth visits a partial table in order: what is here, and what is only in Pebble.
func (p *Partition) scanBoth(t *table, here []ordered, visit func(keyGroup int, key, value []byte) bool) error {
	more := true
	show := func(n int) {
		if e := &t.ents[n]; e.flags&dead == 0 {
			more = visit(int(e.keyGroup), t.key(n), t.value(n))
		}
	}
	err := p.scanStored(t.bucket, func(kg int, key, value []byte) bool {
		for more && len(here) > 0 {
			n := int(here[0].n)
			c := cmp.Compare(int(t.ents[n].keyGroup), kg)
			if c == 0 {
				c = bytes.Compare(t.key(n), key)
			}
			if c > 0 {
				break
			}
			here = here[1:]
			show(n)
			if c == 0 {
				return more
			}
		}
		if more {
			more = visit(kg, key, value)
		}
		return more
	})
	for err == nil && more && len(here) > 0 {
		show(int(here[0].n))
		here = here[1:]
	}
	return err
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
			return errors.Join(p.unreadable(err), it.Close())
		}
		if !visit(kg, key, value) {
			break
		}
	}
	if err := it.Close(); err != nil {
		return p.unreadable(err)
	}
	return nil
}

// dropStored removes the partition's share of a bucket from Pebble.
func (p *Partition) dropStored(bucket int64) error {
	if p.store.readOnly {
		return nil
	}
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
	keys              map[int64]int64 // how many keys each bucket has
}

// Versions of the snapshot record: 1 has no keys.
const (
	metaVersion1 = 1
	metaVersion  = 2
)

var errMeta = errors.New("state: damaged snapshot record")

func encodeMeta(m meta) []byte {
	b := []byte{metaVersion}
	b = binary.LittleEndian.AppendUint64(b, uint64(m.version))
	b = binary.LittleEndian.AppendUint64(b, uint64(m.position))
	b = binary.LittleEndian.AppendUint16(b, uint16(m.parts))
	b = binary.AppendUvarint(b, uint64(len(m.keys)))
	for _, bucket := range slices.Sorted(maps.Keys(m.keys)) {
		b = binary.AppendVarint(binary.AppendVarint(b, bucket), m.keys[bucket])
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeMeta(b []byte) (meta, error) {
	const head = 1 + 8 + 8 + 2
	if len(b) < head+4 || b[0] > metaVersion || b[0] == 0 || crc32.Checksum(b[:len(b)-4], castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return meta{}, errMeta
	}
	m := meta{version: int64(binary.LittleEndian.Uint64(b[1:])), position: int64(binary.LittleEndian.Uint64(b[9:])), parts: int(binary.LittleEndian.Uint16(b[17:])), keys: map[int64]int64{}}
	r := deltaReader{b: b[head : len(b)-4]}
	if b[0] >= metaVersion {
		for n := r.uvarint(); n > 0 && r.err == nil; n-- {
			bucket := r.varint()
			m.keys[bucket] = r.varint()
		}
	}
	if r.err != nil || len(r.b) > 0 {
		return meta{}, errMeta
	}
	return m, nil
}
