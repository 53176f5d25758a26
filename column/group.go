package column

import "unsafe"

// NoGroup is the id that Lookup gives to a row whose key is in no group.
const NoGroup = ^uint32(0)

// GroupTable numbers distinct keys in the order of their first appearance. Nulls are equal to each other. Slots are
// open-addressed and hold what most probes need to decide:
//
//	one fixed-width key:  slot = key word | group+1            one cache miss for a row
//	other keys:           slot = 32 hash bits | group+1  ─▶  row of key words (see keyLayout)
//
// The hash of every group is kept, so that growing and merging never hash again.
type GroupTable struct {
	layout    keyLayout
	single    bool // the one key is a fixed-width leaf
	oneString bool // the one key is a string or binary column
	rows      []uint64
	hashes    []uint64
	slots     []slot
	tags      []uint64
	mask      uint64
	n         int
	arena     byteArena
	words     []uint64
	long      longStrings
	nullID    uint32 // single: the null group's id + 1, 0 when there is none

	byCode  []uint32 // dictionary codes to groups, for the batch at hand or as long as the dictionary is codesOf
	codesOf *Vector  // a dictionary that never changes
	byCombo []uint32 // the same for combinations of codes
	keys    []*Builder
	oneKey  Vector    // the key column of a single table
	flat    []*Vector // the key columns of a table of flat keys
	cached  []*Vector
}

// slot is an entry of the single-key table; id is the group plus one, 0 for an empty slot.
type slot struct {
	key uint64
	id  uint32
	_   uint32
}

const (
	firstSlots = 1 << 10
	stage      = 64      // rows whose slots are touched together before any is probed
	bigSlots   = 1 << 15 // from this many slots on, probing in stages pays
)

// NewGroupTable returns an empty table over key columns of the types.
func NewGroupTable(types []Type) *GroupTable {
	t := &GroupTable{layout: newKeyLayout(types)}
	if len(types) == 1 && len(t.layout.leaves) == 1 && !t.layout.leaves[0].isBytes() {
		t.single = t.layout.leaves[0].words() == 1
	}
	t.oneString = len(types) == 1 && types[0].Kind.Storage() == StorageBytes
	t.alloc(firstSlots)
	return t
}

func (t *GroupTable) alloc(slots int) {
	t.mask = uint64(slots - 1)
	if t.single {
		t.slots = hugeSlice[slot](slots)
	} else {
		t.tags = hugeSlice[uint64](slots)
	}
}

// Len is the number of groups.
func (t *GroupTable) Len() int { return t.n }

// Hashes are the hashes of the groups, as Hash gives them; they live until the next Insert.
func (t *GroupTable) Hashes() []uint64 { return t.hashes }

// Bytes is the memory that the table holds.
func (t *GroupTable) Bytes() int64 {
	n := int64(cap(t.rows)+cap(t.hashes)+cap(t.tags)+cap(t.words))*8 + int64(cap(t.slots))*int64(unsafe.Sizeof(slot{}))
	for _, b := range t.arena.bufs {
		n += int64(cap(b))
	}
	for _, k := range t.keys {
		n += k.Size()
	}
	return n
}

// Reset empties the table and keeps its memory.
func (t *GroupTable) Reset() {
	t.n, t.nullID, t.codesOf = 0, 0, nil
	t.rows, t.hashes = t.rows[:0], t.hashes[:0]
	clear(t.slots)
	clear(t.tags)
	t.arena.reset()
	t.keys, t.cached = nil, nil
}

// Keys returns the key columns: row g is the key of group g. They live until the next Insert or Reset.
func (t *GroupTable) Keys() []*Vector {
	if t.cached == nil || t.cached[0].N != t.n {
		t.cached = t.KeyRange(0, t.n)
	}
	return t.cached
}

// KeyRange returns the keys of groups from … to-1, so that the keys of a large table need not all be made at once. They
// live until the next Insert, Reset, Keys or KeyRange.
func (t *GroupTable) KeyRange(from, to int) []*Vector {
	t.cached = nil
	if t.single {
		return []*Vector{t.singleKeys(from, to)}
	}
	if t.layout.flat {
		return t.flatKeys(from, to)
	}
	if t.keys == nil {
		for _, typ := range t.layout.types {
			t.keys = append(t.keys, NewBuilder(typ))
		}
	}
	for _, k := range t.keys {
		k.Reset()
	}
	t.layout.decode(t.rows, from, to, &t.arena, t.keys)
	out := make([]*Vector, len(t.keys))
	for i, k := range t.keys {
		out[i] = k.Finish()
	}
	return out
}

func (t *GroupTable) flatKeys(from, to int) []*Vector {
	if t.flat == nil {
		for range t.layout.leaves {
			t.flat = append(t.flat, &Vector{})
		}
	}
	t.layout.decodeFlat(t.rows, from, to, &t.arena, t.flat)
	return append([]*Vector{}, t.flat...)
}

// Insert writes the group of each of the n rows to gids, which is reused, making groups for new keys. hashes are those
// that Hash gives for keys.
func (t *GroupTable) Insert(gids []uint32, keys []*Vector, hashes []uint64, n int) []uint32 {
	t.cached = nil
	return t.find(gids, keys, hashes, n, true)
}

// Lookup is Insert without new groups: rows whose key is unknown get NoGroup.
func (t *GroupTable) Lookup(gids []uint32, keys []*Vector, hashes []uint64, n int) []uint32 {
	return t.find(gids, keys, hashes, n, false)
}

func (t *GroupTable) find(gids []uint32, keys []*Vector, hashes []uint64, n int, insert bool) []uint32 {
	gids = resize(gids, n)
	hashes = hashes[:n]
	switch {
	case len(keys) == 0:
		t.findEmptyKey(gids, insert)
	case len(keys) == 1 && keys[0].Codes != nil && keys[0].Dict.N <= n && keys[0].Dict.N > 0:
		t.findCodes(gids, keys[0], hashes, insert)
	case t.single:
		t.words = singleWords(t.words, keys[0], n)
		t.findSingle(gids, t.words, keys[0], hashes, insert)
	case t.oneString && keys[0].Codes == nil:
		t.findStrings(gids, keys[0], hashes, insert)
	default:
		t.words = t.layout.encode(t.words, keys, n, &t.long)
		t.findRows(gids, hashes, insert)
	}
	return gids
}

// findEmptyKey serves a table without key columns: one group for everything.
func (t *GroupTable) findEmptyKey(gids []uint32, insert bool) {
	id := uint32(0)
	if t.n == 0 && len(gids) > 0 {
		if insert {
			t.n, t.hashes, t.rows = 1, append(t.hashes, 0), append(t.rows, 0)
		} else {
			id = NoGroup
		}
	}
	for i := range gids {
		gids[i] = id
	}
}

// forgetCodes makes byCode room for n codes whose groups are not known.
func (t *GroupTable) forgetCodes(n int) {
	t.codesOf = nil
	t.byCode = resize(t.byCode, n)
	for i := range t.byCode {
		t.byCode[i] = NoGroup
	}
}

// findCodes resolves each dictionary entry once, when its first row comes by.
func (t *GroupTable) findCodes(gids []uint32, v *Vector, hashes []uint64, insert bool) {
	n := len(gids)
	t.forgetCodes(v.Dict.N)
	var firsts []int32
	for i, c := range v.Codes[:n] {
		if t.byCode[c] == NoGroup && v.IsValid(i) {
			t.byCode[c] = 0
			firsts = append(firsts, int32(i))
		}
	}
	if v.Valid != nil {
		if null := firstNull(v, n); null >= 0 {
			firsts = insertSorted(firsts, null)
		}
	}
	few := Take(nil, v, firsts)
	h := gather(nil, hashes, firsts, false)
	t.words = t.layout.encode(t.words, []*Vector{few}, len(firsts), &t.long)
	ids := make([]uint32, len(firsts))
	t.findRows(ids, h, insert)
	nullID := NoGroup
	for i, r := range firsts {
		if v.IsValid(int(r)) {
			t.byCode[v.Codes[r]] = ids[i]
		} else {
			nullID = ids[i]
		}
	}
	for i, c := range v.Codes[:n] {
		gids[i] = t.byCode[c]
	}
	if v.Valid != nil {
		for i := range gids {
			if !bit(v.Valid, i) {
				gids[i] = nullID
			}
		}
	}
}

func firstNull(v *Vector, n int) int32 {
	for i := range n {
		if !bit(v.Valid, i) {
			return int32(i)
		}
	}
	return -1
}

func insertSorted(s []int32, x int32) []int32 {
	at := len(s)
	for at > 0 && s[at-1] > x {
		at--
	}
	s = append(s, 0)
	copy(s[at+1:], s[at:])
	s[at] = x
	return s
}
