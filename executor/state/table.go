package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/zeebo/xxh3"
)

// table is the content of one bucket: an open-addressing hash table of entries whose bytes lie in an arena. Nothing in it
// but a few slice headers holds pointers, so the garbage collector passes millions of keys by.
type table struct {
	bucket int64
	slots  []uint32 // entry number + 1; 0 is free; linear probing, at most 3/4 full
	ents   []entry
	free   []uint32 // numbers of removed entries
	live   int      // entries that are not dead
	arena  arena
	waste  int64 // bytes of the arena that nothing refers to

	unsaved int   // entries that Pebble does not have as they are
	saved   bool  // Pebble has something of this bucket
	partial bool  // a key that is not here may be in Pebble; a deleted one stays here, dead, until Pebble has forgotten it
	away    int64 // live keys of a partial table that are only in Pebble
	tombs   []tomb

	counted, keys int64 // what the partition's counters have of this table
}

// tomb is a removed key that Pebble still has.
type tomb struct {
	keyGroup uint16
	key      string
}

// entry is one key. batch is the sequence number of the batch that last changed it.
type entry struct {
	hash             uint64
	key, val         uint64
	batch            uint64
	klen, vlen, vcap uint32
	keyGroup         uint16
	flags            uint8
}

const (
	entryBytes = 48

	dead    = 1 << 0 // deleted by a batch that is not committed, or of a partial table by any
	inStore = 1 << 1 // Pebble has the key
	dirty   = 1 << 2 // Pebble does not have this value
	removed = 1 << 3 // free for another key
)

func hashKey(keyGroup int, key []byte) uint64 {
	return xxh3.Hash(key) ^ uint64(keyGroup)*0x9E3779B97F4A7C15
}

// find returns the entry of a key, dead ones included, or -1.
func (t *table) find(hash uint64, keyGroup int, key []byte) int {
	if len(t.slots) == 0 {
		return -1
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			return -1
		}
		e := &t.ents[s-1]
		if e.hash == hash && int(e.keyGroup) == keyGroup && bytes.Equal(t.arena.at(e.key, e.klen), key) {
			return int(s - 1)
		}
	}
}

// insert adds a key that is not there, without a value, and returns its entry number.
func (t *table) insert(hash uint64, keyGroup int, key []byte) int {
	if (len(t.ents)-len(t.free)+1)*4 > len(t.slots)*3 {
		t.rehash(max(8, 2*len(t.slots)))
	}
	n := len(t.ents)
	if k := len(t.free); k > 0 {
		n = int(t.free[k-1])
		t.free = t.free[:k-1]
	} else {
		t.ents = append(t.ents, entry{})
	}
	pos, b := t.arena.alloc(len(key))
	copy(b, key)
	t.ents[n] = entry{hash: hash, key: pos, klen: uint32(len(key)), keyGroup: uint16(keyGroup)}
	t.link(n)
	t.live++
	return n
}

// link puts an entry into the first free slot of its chain.
func (t *table) link(n int) {
	mask := uint64(len(t.slots) - 1)
	i := t.ents[n].hash & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = uint32(n + 1)
}

func (t *table) rehash(size int) {
	t.slots = make([]uint32, size)
	for n := range t.ents {
		if t.ents[n].flags&removed == 0 {
			t.link(n)
		}
	}
}

// set stores the value of an entry, in place when it fits.
func (t *table) set(n int, value []byte) {
	e := &t.ents[n]
	if need := uint32(len(value)); need > e.vcap {
		room := need
		if e.vcap > 0 {
			room += need / 2 // it grows: leave it room
		}
		t.waste += int64(e.vcap)
		e.val, _ = t.arena.alloc(int(room))
		e.vcap = room
	}
	e.vlen = uint32(len(value))
	copy(t.arena.at(e.val, e.vlen), value)
}

func (t *table) value(n int) []byte { return t.arena.at(t.ents[n].val, t.ents[n].vlen) }
func (t *table) key(n int) []byte   { return t.arena.at(t.ents[n].key, t.ents[n].klen) }

// remove takes an entry out of the table for good. Slots behind it move up, so that chains have no holes.
func (t *table) remove(n int) {
	mask := uint64(len(t.slots) - 1)
	i := t.ents[n].hash & mask
	for t.slots[i] != uint32(n+1) {
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; t.slots[j] != 0; j = (j + 1) & mask {
		home := t.ents[t.slots[j]-1].hash & mask
		if (j-home)&mask >= (j-i)&mask { // the entry at j may stand at i: i is not before its home
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = 0
	e := &t.ents[n]
	t.waste += int64(e.klen + e.vcap)
	*e = entry{flags: removed}
	t.free = append(t.free, uint32(n))
}

// compact rewrites the arena when most of it is waste.
func (t *table) compact() {
	if t.waste < chunkSize || t.waste*2 < t.arena.bytes {
		return
	}
	old := t.arena
	t.arena = arena{pool: old.pool}
	for n := range t.ents {
		e := &t.ents[n]
		if e.flags&removed != 0 {
			continue
		}
		key, value := old.at(e.key, e.klen), old.at(e.val, e.vlen)
		pos, b := t.arena.alloc(len(key))
		copy(b, key)
		e.key = pos
		pos, b = t.arena.alloc(len(value))
		copy(b, value)
		e.val, e.vcap = pos, e.vlen
	}
	t.waste = 0
	old.free()
}

func (t *table) memory() int64 {
	return t.arena.bytes + int64(cap(t.ents))*entryBytes + int64(len(t.slots)+cap(t.free))*4 + int64(cap(t.tombs))*48
}

// keyCount is how many live keys the bucket has, here and in Pebble.
func (t *table) keyCount() int64 { return int64(t.live) + t.away }

// inOrder returns the live entries by key group and key, of a partial table the dead ones too.
func (t *table) inOrder(scratch []ordered) []ordered {
	list := scratch[:0]
	without := uint8(dead | removed)
	if t.partial {
		without = removed
	}
	for n := range t.ents {
		e := &t.ents[n]
		if e.flags&without == 0 {
			list = append(list, ordered{uint64(e.keyGroup)<<48 | prefix(t.key(n)), uint32(n)})
		}
	}
	slices.SortFunc(list, func(a, b ordered) int {
		if c := cmp.Compare(a.word, b.word); c != 0 {
			return c
		}
		return bytes.Compare(t.key(int(a.n)), t.key(int(b.n)))
	})
	return list
}

// ordered is an entry with the key group and the first six bytes of its key in front.
type ordered struct {
	word uint64
	n    uint32
}

func prefix(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key) >> 16
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:]) >> 16
}
