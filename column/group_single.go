package column

import (
	"math"
	"sync/atomic"
	"unsafe"
)

// singleWords is the key word of each row of a fixed-width column. 64-bit integers are used where they lie.
func singleWords(dst []uint64, v *Vector, n int) []uint64 {
	if v.Type.Kind.Storage() == StorageI64 {
		return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(v.I64))), n)
	}
	l := keyLayout{width: 1}
	dst = resize(dst, n)
	switch v.Type.Kind.Storage() {
	case StorageI32:
		encodeInts(dst, v.I32[:n], 0, l.width)
	case StorageI16:
		encodeInts(dst, v.I16[:n], 0, l.width)
	case StorageI8:
		encodeInts(dst, v.I8[:n], 0, l.width)
	case StorageBool:
		for i, x := range v.Bools[:n] {
			dst[i] = uint64(boolInt(x))
		}
	case StorageF32:
		for i, x := range v.F32[:n] {
			dst[i] = floatBits(float64(x))
		}
	case StorageF64:
		for i, x := range v.F64[:n] {
			dst[i] = floatBits(x)
		}
	default:
		clear(dst)
	}
	return dst
}

// home spreads hash bits that a partitioner may already have used over the slot index.
func home(h uint64) uint64 { return h * hashK0 >> 20 }

func (t *GroupTable) findSingle(gids []uint32, words []uint64, v *Vector, hashes []uint64, insert bool) {
	for from := 0; from < len(gids); from += stage {
		to := min(from+stage, len(gids))
		if len(t.slots) >= bigSlots {
			touchSlots(t.slots, t.mask, hashes[from:to])
		}
		if v.Valid == nil {
			t.probeSingle(gids[from:to], words[from:to], hashes[from:to], insert)
			continue
		}
		for i := from; i < to; i++ {
			if bit(v.Valid, i) {
				t.probeSingle(gids[i:i+1], words[i:i+1], hashes[i:i+1], insert)
			} else {
				gids[i] = t.nullGroup(insert)
			}
		}
	}
}

// touched keeps the compiler from leaving the loads out; it is stored to about never.
var touched atomic.Uint64

// touchSlots loads the home slots of a stage of rows with loads that do not depend on each other, so that the cache
// misses overlap.
func touchSlots(slots []slot, mask uint64, hashes []uint64) {
	acc := uint64(0)
	for _, h := range hashes {
		acc += slots[home(h)&mask].key
	}
	if acc == 1 {
		touched.Store(acc)
	}
}

func (t *GroupTable) probeSingle(gids []uint32, words, hashes []uint64, insert bool) {
	slots, mask := t.slots, t.mask
	words, hashes = words[:len(gids)], hashes[:len(gids)]
	for i := range gids {
		k := words[i]
		s := home(hashes[i]) & mask
		for {
			e := &slots[s&uint64(len(slots)-1)]
			if e.key == k && e.id != 0 {
				gids[i] = e.id - 1
				break
			}
			if e.id == 0 {
				gids[i] = NoGroup
				if insert {
					gids[i] = t.addSingle(e, k, hashes[i])
					slots, mask = t.slots, t.mask
				}
				break
			}
			s = (s + 1) & mask
		}
	}
}

// addSingle makes a group in the empty slot e and grows the table when it is more than half full.
func (t *GroupTable) addSingle(e *slot, key, hash uint64) uint32 {
	g := uint32(t.n)
	*e = slot{key: key, id: g + 1}
	t.push(hash)
	t.rows = append(grown(t.rows, 1), key)
	if t.n > len(t.slots)/2 {
		t.growSingle()
	}
	return g
}

func (t *GroupTable) push(hash uint64) {
	t.n++
	t.hashes = append(grown(t.hashes, 1), hash)
}

func (t *GroupTable) nullGroup(insert bool) uint32 {
	if t.nullID == 0 {
		if !insert {
			return NoGroup
		}
		t.push(hashNull)
		t.rows = append(t.rows, 0)
		t.nullID = uint32(t.n)
	}
	return t.nullID - 1
}

func (t *GroupTable) growSingle() {
	t.alloc(len(t.slots) * 2 * growth(len(t.slots)))
	for g, h := range t.hashes {
		if uint32(g)+1 == t.nullID {
			continue
		}
		s := home(h) & t.mask
		for t.slots[s].id != 0 {
			s = (s + 1) & t.mask
		}
		t.slots[s] = slot{key: t.rows[g], id: uint32(g) + 1}
	}
}

// growth makes small tables grow faster, so that few rehashes happen on the way up.
func growth(slots int) int {
	if slots < 1<<18 {
		return 2
	}
	return 1
}

// singleKeys turns the key words of groups from … to-1 back into a column.
func (t *GroupTable) singleKeys(from, to int) *Vector {
	v := t.oneKey.Reset(t.layout.types[0], to-from)
	words := t.rows[from:to]
	switch v.Type.Kind.Storage() {
	case StorageI64:
		copy(v.I64, unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(words))), len(words)))
	case StorageI32:
		decodeInts(v.I32, words)
	case StorageI16:
		decodeInts(v.I16, words)
	case StorageI8:
		decodeInts(v.I8, words)
	case StorageBool:
		for i, w := range words {
			v.Bools[i] = w != 0
		}
	case StorageF32:
		for i, w := range words {
			v.F32[i] = float32(math.Float64frombits(w))
		}
	case StorageF64:
		for i, w := range words {
			v.F64[i] = math.Float64frombits(w)
		}
	}
	if null := int(t.nullID) - 1; null >= from && null < to {
		v.SetNull(null - from)
	}
	return v
}

func decodeInts[T Integer](dst []T, words []uint64) {
	for i, w := range words {
		dst[i] = T(w)
	}
}
