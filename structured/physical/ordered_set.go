package physical

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/streamflow/streamflow/rdd"
)

// orderedSet keeps, for any number of owners, keys in byte order, each with some counts, in rdd.State. A small set is one
// row. A larger one is cut into chunks, so that an edit rewrites one chunk and the first or last keys are found by reading
// one: the head lists the chunks with their first keys.
//
//	fe owner        ─▶  version 0 n entry…                          small
//	                    version 1 next m (chunk n len first-key)…   large
//	fd owner chunk  ─▶  version n entry…
//	entry               len key count…      numbers are varints
//
// An owner is any self-delimiting key. A key whose counts are all 0 is not there.
type orderedSet struct {
	state rdd.State
	width int // counts of each key

	bucket int64
	group  int
	owner  []byte

	head   []byte // a copy of the owner's head row, empty when there is none
	chunks []chunkRef
	next   uint64
	large  bool
	key    []byte
	value  []byte
	bytes  []byte // copies of rows being read
	ents   []setEntry
	merged []setEntry
	counts []int64
}

// chunkRef is a chunk of a large set.
type chunkRef struct {
	id    uint64
	n     int
	first []byte
}

// setEntry is a key with its counts.
type setEntry struct {
	key    []byte
	counts []int64
}

const (
	setVersion  = 1
	setHead     = 0xFE // what state keys begin with; no column.AppendKey does
	setChunk    = 0xFD
	setSmall    = 0
	setLarge    = 1
	chunkBytes  = 4 << 10 // a chunk is split above, and a small set made large
	inlineBytes = 4 << 10
)

var errSet = errors.New("physical: damaged ordered set in state")

// open makes the set of an owner the one that the other methods work on.
func (s *orderedSet) open(bucket int64, group int, owner []byte) error {
	s.bucket, s.group, s.owner = bucket, group, append(s.owner[:0], owner...)
	s.chunks, s.large, s.next = s.chunks[:0], false, 0
	v, ok, err := s.state.Get(bucket, group, s.headKey())
	s.head = s.head[:0]
	if err != nil || !ok {
		return err
	}
	s.head = append(s.head, v...)
	if len(v) < 2 || v[0] != setVersion || v[1] > setLarge {
		return errSet
	}
	if v[1] == setLarge {
		s.large = true
		return s.readDirectory(s.head[2:])
	}
	return nil
}

func (s *orderedSet) headKey() []byte {
	s.key = append(append(s.key[:0], setHead), s.owner...)
	return s.key
}

func (s *orderedSet) chunkKey(id uint64) []byte {
	s.key = binary.AppendUvarint(append(append(s.key[:0], setChunk), s.owner...), id)
	return s.key
}

func (s *orderedSet) readDirectory(b []byte) error {
	r := setReader{b: b}
	s.next = r.uvarint()
	m := r.uvarint()
	for ; m > 0 && !r.bad; m-- {
		c := chunkRef{id: r.uvarint(), n: int(r.uvarint())}
		c.first = r.bytes()
		s.chunks = append(s.chunks, c)
	}
	if r.bad || len(r.b) > 0 {
		return errSet
	}
	return nil
}

// setReader reads varints and byte strings; bad stays set once something is cut short.
type setReader struct {
	b   []byte
	bad bool
}

func (r *setReader) uvarint() uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *setReader) varint() int64 {
	x, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *setReader) bytes() []byte {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// entries decodes entries behind their number, appending to dst. The keys lie in b.
func (s *orderedSet) entries(dst []setEntry, b []byte) ([]setEntry, error) {
	r := setReader{b: b}
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		e := setEntry{key: r.bytes()}
		at := len(s.counts)
		for range s.width {
			s.counts = append(s.counts, r.varint())
		}
		e.counts = s.counts[at:len(s.counts):len(s.counts)]
		dst = append(dst, e)
	}
	if r.bad || len(r.b) > 0 {
		return dst, errSet
	}
	return dst, nil
}

func appendEntries(dst []byte, list []setEntry) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, e := range list {
		dst = append(binary.AppendUvarint(dst, uint64(len(e.key))), e.key...)
		for _, c := range e.counts {
			dst = binary.AppendVarint(dst, c)
		}
	}
	return dst
}

func sizeOfEntries(list []setEntry) int {
	n := 0
	for _, e := range list {
		n += len(e.key) + 2 + len(e.counts)
	}
	return n
}

// chunk reads a chunk's entries into dst.
func (s *orderedSet) chunk(dst []setEntry, id uint64) ([]setEntry, error) {
	v, ok, err := s.state.Get(s.bucket, s.group, s.chunkKey(id))
	if err != nil {
		return dst, err
	}
	if !ok {
		return dst, nil // it has not changed for the operator's TTL
	}
	if len(v) < 1 || v[0] != setVersion {
		return dst, errSet
	}
	at := len(s.bytes)
	s.bytes = append(s.bytes, v...) // earlier entries keep what lay there before it grew
	return s.entries(dst, s.bytes[at:][1:])
}

// small reads the entries of a small set.
func (s *orderedSet) small(dst []setEntry) ([]setEntry, error) {
	if len(s.head) == 0 {
		return dst, nil
	}
	at := len(s.bytes)
	s.bytes = append(s.bytes, s.head...)
	return s.entries(dst, s.bytes[at:][2:])
}

// inSet reports whether a state key is that of a set; owner is whose, when it is the set's head.
func inSet(key []byte) (owner []byte, head, in bool) {
	if len(key) == 0 || key[0] != setHead && key[0] != setChunk {
		return nil, false, false
	}
	return key[1:], key[0] == setHead, true
}

// release forgets entries that were read.
func (s *orderedSet) release() { s.bytes, s.counts = s.bytes[:0], s.counts[:0] }

// visit hands out entries in order, or against it, until f returns false. The keys are valid until release.
func (s *orderedSet) visit(backward bool, f func(e setEntry) bool) error {
	if !s.large {
		list, err := s.small(s.ents[:0])
		s.ents = list
		if err == nil {
			each2(list, backward, f)
		}
		return err
	}
	for i := range s.chunks {
		if backward {
			i = len(s.chunks) - 1 - i
		}
		list, err := s.chunk(s.ents[:0], s.chunks[i].id)
		s.ents = list
		if err != nil {
			return err
		}
		if !each2(list, backward, f) {
			return nil
		}
	}
	return nil
}

func each2(list []setEntry, backward bool, f func(e setEntry) bool) bool {
	for i := range list {
		if backward {
			i = len(list) - 1 - i
		}
		if !f(list[i]) {
			return false
		}
	}
	return true
}

// apply adds the counts of edits, which are in order and have each key once, to those of the set. It returns how many edits
// took away what was not there, which they then do not.
func (s *orderedSet) apply(edits []setEntry) (unmatched int, err error) {
	if !s.large {
		list, err := s.small(s.ents[:0])
		s.ents = list
		if err != nil {
			return 0, err
		}
		merged, unmatched := mergeEntries(s.merged[:0], list, edits)
		s.merged = merged
		return unmatched, s.store(merged)
	}
	var refs []chunkRef
	for i, c := range s.chunks {
		n := len(edits)
		if i+1 < len(s.chunks) {
			n, _ = slices.BinarySearchFunc(edits, s.chunks[i+1].first, func(e setEntry, k []byte) int { return bytes.Compare(e.key, k) })
		}
		if n == 0 {
			refs = append(refs, c)
			continue
		}
		list, err := s.chunk(s.ents[:0], c.id)
		s.ents = list
		if err != nil {
			return 0, err
		}
		merged, missing := mergeEntries(s.merged[:0], list, edits[:n])
		s.merged = merged
		unmatched += missing
		edits = edits[n:]
		if refs, err = s.storeChunk(refs, c.id, merged); err != nil {
			return 0, err
		}
	}
	s.chunks = refs
	return unmatched, s.storeDirectory()
}

// mergeEntries adds b to a; both are in order.
func mergeEntries(dst, a, b []setEntry) (out []setEntry, unmatched int) {
	for len(a) > 0 || len(b) > 0 {
		c := 0
		switch {
		case len(a) == 0:
			c = 1
		case len(b) == 0:
			c = -1
		default:
			c = bytes.Compare(a[0].key, b[0].key)
		}
		switch {
		case c < 0:
			dst, a = append(dst, a[0]), a[1:]
		case c > 0:
			if negative(b[0].counts) {
				unmatched++
			}
			if keepPositive(b[0].counts) {
				dst = append(dst, b[0])
			}
			b = b[1:]
		default:
			for i, n := range b[0].counts {
				a[0].counts[i] += n
			}
			if negative(a[0].counts) {
				unmatched++
			}
			if keepPositive(a[0].counts) {
				dst = append(dst, a[0])
			}
			a, b = a[1:], b[1:]
		}
	}
	return dst, unmatched
}

func negative(counts []int64) bool {
	for _, n := range counts {
		if n < 0 {
			return true
		}
	}
	return false
}

// keepPositive makes negative counts 0 and reports whether anything is left.
func keepPositive(counts []int64) bool {
	left := false
	for i, n := range counts {
		counts[i] = max(n, 0)
		left = left || n > 0
	}
	return left
}

// replace makes list, in order, the content of the set.
func (s *orderedSet) replace(list []setEntry) error {
	for _, c := range s.chunks {
		if err := s.state.Delete(s.bucket, s.group, s.chunkKey(c.id)); err != nil {
			return err
		}
	}
	s.chunks, s.large = s.chunks[:0], false
	return s.store(list)
}

// store writes a set that was small.
func (s *orderedSet) store(list []setEntry) error {
	if len(list) == 0 {
		if len(s.head) == 0 {
			return nil
		}
		s.head = s.head[:0]
		return s.state.Delete(s.bucket, s.group, s.headKey())
	}
	if sizeOfEntries(list) > inlineBytes && len(list) > 1 {
		s.large = true
		refs, err := s.storeChunk(nil, s.next, list)
		if err != nil {
			return err
		}
		s.chunks = refs
		return s.storeDirectory()
	}
	s.value = appendEntries(append(s.value[:0], setVersion, setSmall), list)
	s.head = append(s.head[:0], s.value...)
	return s.state.Put(s.bucket, s.group, s.headKey(), s.value)
}

// storeChunk writes entries under a chunk's id, and under new ones what is too much for it, and lists them. An empty chunk
// goes.
func (s *orderedSet) storeChunk(refs []chunkRef, id uint64, list []setEntry) ([]chunkRef, error) {
	if len(list) == 0 {
		return refs, s.state.Delete(s.bucket, s.group, s.chunkKey(id))
	}
	pieces := 1
	if size := sizeOfEntries(list); size > chunkBytes {
		pieces = min(len(list), 1+size/(chunkBytes/2)) // half full, so that there is room
	}
	for i := range pieces {
		part := list[i*len(list)/pieces : (i+1)*len(list)/pieces]
		s.next = max(s.next, id+1)
		s.value = appendEntries(append(s.value[:0], setVersion), part)
		if err := s.state.Put(s.bucket, s.group, s.chunkKey(id), s.value); err != nil {
			return refs, err
		}
		refs = append(refs, chunkRef{id: id, n: len(part), first: slices.Clone(part[0].key)})
		id = s.next
	}
	return refs, nil
}

func (s *orderedSet) storeDirectory() error {
	if len(s.chunks) == 0 {
		s.large, s.head = false, s.head[:0]
		return s.state.Delete(s.bucket, s.group, s.headKey())
	}
	b := binary.AppendUvarint(append(s.value[:0], setVersion, setLarge), s.next)
	b = binary.AppendUvarint(b, uint64(len(s.chunks)))
	for _, c := range s.chunks {
		b = binary.AppendUvarint(binary.AppendUvarint(b, c.id), uint64(c.n))
		b = append(binary.AppendUvarint(b, uint64(len(c.first))), c.first...)
	}
	s.value = b
	return s.state.Put(s.bucket, s.group, s.headKey(), b)
}
