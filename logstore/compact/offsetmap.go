package compact

import (
	"crypto/sha256"
	"encoding/binary"
)

// Map is the last offset of each key, by the first 16 bytes of the key's SHA-256: nobody can make two keys that meet. It takes
// 24 bytes for a key and never grows. Its slots are probed one after the other.
type Map struct {
	slots []slot
	n     int
	limit int

	// Latest is the last offset that was put; -1 before the first.
	Latest int64
}

type slot struct {
	hash [2]uint64
	next int64 // offset + 1; 0: empty
}

const slotBytes = 24

// NewMap returns a map that takes about so many bytes.
func NewMap(bytes int64) *Map {
	n := max(bytes/slotBytes, 16)
	return &Map{slots: make([]slot, n), limit: int(n - n/8), Latest: -1}
}

// Reset empties the map.
func (m *Map) Reset() {
	clear(m.slots)
	m.n, m.Latest = 0, -1
}

// Len is the number of keys.
func (m *Map) Len() int { return m.n }

// Put notes that a key's record stands at offset. Offsets come in ascending order. It is false, and nothing is noted, when the
// map is full.
func (m *Map) Put(key []byte, offset int64) bool {
	s := m.find(hash(key))
	if s.next == 0 {
		if m.n == m.limit {
			return false
		}
		m.n++
		s.hash = hash(key)
	}
	s.next = offset + 1
	m.Latest = offset
	return true
}

// Get is the last offset of a key, or -1.
func (m *Map) Get(key []byte) int64 { return m.find(hash(key)).next - 1 }

func hash(key []byte) [2]uint64 {
	h := sha256.Sum256(key)
	return [2]uint64{binary.LittleEndian.Uint64(h[:]), binary.LittleEndian.Uint64(h[8:])}
}

// find is the slot that has the hash, or the empty one where it belongs. There is always an empty one.
func (m *Map) find(h [2]uint64) *slot {
	i := h[0] % uint64(len(m.slots))
	for {
		s := &m.slots[i]
		if s.next == 0 || s.hash == h {
			return s
		}
		if i++; i == uint64(len(m.slots)) {
			i = 0
		}
	}
}
