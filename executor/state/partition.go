package state

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Slot names a partition of an operator's state.
type Slot struct {
	Query     string
	Op        string
	Partition int
	Parts     int
}

func (s Slot) String() string {
	return fmt.Sprintf("%s/%s[%d of %d]", s.Query, s.Op, s.Partition, s.Parts)
}

// Partition is the keyed state of one operator in one partition; it implements rdd.State for the task that has opened it.
type Partition struct {
	slot  Slot
	store *Store
	from  int // key groups [from, to) are the partition's
	to    int

	mu       sync.Mutex // held by the store and by batch-wise methods, not by Get and Put, which the one task calls
	version  int64      // committed; -1 is empty
	position int64      // of the changelog, after the last delta that the snapshot holds; -1 is its start
	snapshot int64      // version of the snapshot in Pebble; -1 when there is none
	damaged  bool       // Pebble cannot be read
	open     bool       // a batch has opened it since the last Commit or Rollback
	seq      uint64     // number of the batch that is open; entries with it have their undo record

	tables map[int64]*table
	order  []int64 // buckets, ascending
	last   *table  // the bucket that was touched last
	pool   chunkPool

	undo      []undo
	undoBytes []byte
	deltaRoom int      // size of the last delta
	dropped   []*table // by the open batch
	scratch   []ordered

	bytes, keys atomic.Int64 // of all tables, as of the last commit, eviction or reload
	buf         []byte
}

// undo is what an entry was when the open batch first changed it.
type undo struct {
	t        *table
	n        uint32
	inserted bool
	flags    uint8
	batch    uint64
	off, len uint32 // of the old value in undoBytes
}

func newPartition(store *Store, slot Slot) *Partition {
	p := &Partition{slot: slot, store: store, version: -1, position: -1, snapshot: -1, tables: map[int64]*table{}}
	p.from, p.to = slot.groups()
	return p
}

// Op is the operator's id.
func (p *Partition) Op() string { return p.slot.Op }

// Version is the committed version.
func (p *Partition) Version() int64 { return p.version }

// bucket returns the table of a bucket; nil when there is none and make is false.
func (p *Partition) bucket(bucket int64, make bool) *table {
	if t := p.last; t != nil && t.bucket == bucket {
		return t
	}
	t := p.tables[bucket]
	if t == nil {
		if !make {
			return nil
		}
		t = p.addTable(bucket)
	}
	p.last = t
	return t
}

// lookup returns the entry of a key, dead ones included, or -1. What is only in Pebble is fetched.
func (p *Partition) lookup(t *table, hash uint64, keyGroup int, key []byte) (int, error) {
	if n := t.find(hash, keyGroup, key); n >= 0 || !t.partial {
		return n, nil
	}
	return p.fetch(t, hash, keyGroup, key)
}

func (p *Partition) addTable(bucket int64) *table {
	t := &table{bucket: bucket, arena: arena{pool: &p.pool}}
	p.setTable(t)
	return t
}

func (p *Partition) setTable(t *table) {
	if p.tables[t.bucket] == nil {
		at, _ := slices.BinarySearch(p.order, t.bucket)
		p.order = slices.Insert(p.order, at, t.bucket)
	}
	p.tables[t.bucket] = t
	p.last = nil
}

// count brings the partition's counters up to date with a table.
func (p *Partition) count(t *table) {
	bytes, keys := t.memory(), t.keyCount()
	p.bytes.Add(bytes - t.counted)
	p.keys.Add(keys - t.keys)
	t.counted, t.keys = bytes, keys
}

// discard hands on the memory of a table that is gone for good.
func (p *Partition) discard(t *table) {
	t.arena.free()
	p.bytes.Add(-t.counted)
	p.keys.Add(-t.keys)
	t.counted, t.keys = 0, 0
}

func (p *Partition) removeTable(bucket int64) {
	if p.tables[bucket] != nil {
		at, _ := slices.BinarySearch(p.order, bucket)
		p.order = slices.Delete(p.order, at, at+1)
		delete(p.tables, bucket)
	}
	p.last = nil
}

// Get returns the value of a key; see rdd.State.
func (p *Partition) Get(bucket int64, keyGroup int, key []byte) ([]byte, bool, error) {
	t := p.bucket(bucket, false)
	if t == nil {
		return nil, false, nil
	}
	n, err := p.lookup(t, hashKey(keyGroup, key), keyGroup, key)
	if err != nil || n < 0 || t.ents[n].flags&dead != 0 {
		return nil, false, err
	}
	return t.value(n), true, nil
}

// Put sets the value of a key, whose key group must be one of the partition's: rows are found by it after a restart.
func (p *Partition) Put(bucket int64, keyGroup int, key, value []byte) error {
	if keyGroup < p.from || keyGroup >= p.to {
		return fmt.Errorf("state: key group %d does not belong to %s, which has %d to %d: the operator's input is not partitioned by its key, or its state was written by another number of partitions",
			keyGroup, p.slot, p.from, p.to-1)
	}
	t := p.bucket(bucket, true)
	hash := hashKey(keyGroup, key)
	n, err := p.lookup(t, hash, keyGroup, key)
	if err != nil {
		return err
	}
	if n < 0 {
		n = t.insert(hash, keyGroup, key)
		t.ents[n].batch = p.seq
		p.undo = append(p.undo, undo{t: t, n: uint32(n), inserted: true})
	} else {
		p.touch(t, n)
		if e := &t.ents[n]; e.flags&dead != 0 {
			e.flags &^= dead
			t.live++
		}
	}
	t.set(n, value)
	return nil
}

// Delete removes a key.
func (p *Partition) Delete(bucket int64, keyGroup int, key []byte) error {
	t := p.bucket(bucket, false)
	if t == nil {
		return nil
	}
	n, err := p.lookup(t, hashKey(keyGroup, key), keyGroup, key)
	if err != nil || n < 0 || t.ents[n].flags&dead != 0 {
		return err
	}
	p.touch(t, n)
	t.ents[n].flags |= dead
	t.live--
	return nil
}

// touch saves what an entry was, the first time in a batch that it changes.
func (p *Partition) touch(t *table, n int) {
	e := &t.ents[n]
	if e.batch == p.seq {
		return
	}
	off := len(p.undoBytes)
	p.undoBytes = append(p.undoBytes, t.value(n)...)
	p.undo = append(p.undo, undo{t: t, n: uint32(n), flags: e.flags, batch: e.batch, off: uint32(off), len: e.vlen})
	e.batch = p.seq
}

// Buckets returns the buckets <= upTo that hold anything, ascending.
func (p *Partition) Buckets(upTo int64) ([]int64, error) {
	var out []int64
	for _, b := range p.order {
		if b > upTo {
			break
		}
		t := p.tables[b]
		holds := t.live > 0
		if !holds && t.partial {
			if err := p.Scan(b, func(int, []byte, []byte) bool { holds = true; return false }); err != nil {
				return nil, err
			}
		}
		if holds {
			out = append(out, b)
		}
	}
	return out, nil
}

// Scan visits the pairs of a bucket in order; visit must not change the state.
func (p *Partition) Scan(bucket int64, visit func(keyGroup int, key, value []byte) bool) error {
	t := p.tables[bucket]
	if t == nil {
		return nil
	}
	p.scratch = t.inOrder(p.scratch)
	if t.partial {
		return p.scanBoth(t, p.scratch, visit)
	}
	for _, o := range p.scratch {
		if !visit(int(t.ents[o.n].keyGroup), t.key(int(o.n)), t.value(int(o.n))) {
			break
		}
	}
	return nil
}

// DropBucket removes a bucket and all it holds.
func (p *Partition) DropBucket(bucket int64) error {
	if t := p.tables[bucket]; t != nil {
		if t.partial && p.store.readOnly {
			return p.deleteAll(t)
		}
		p.removeTable(bucket)
		p.dropped = append(p.dropped, t)
	}
	return nil
}

// deleteAll deletes the keys of a partial table one by one: what is in a snapshot that others read too stays there.
func (p *Partition) deleteAll(t *table) error {
	type pair struct {
		group int
		key   []byte
	}
	var all []pair
	err := p.Scan(t.bucket, func(keyGroup int, key, _ []byte) bool {
		all = append(all, pair{keyGroup, bytes.Clone(key)})
		return true
	})
	for _, x := range all {
		if err == nil {
			err = p.Delete(t.bucket, x.group, x.key)
		}
	}
	return err
}
