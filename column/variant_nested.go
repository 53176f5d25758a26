package column

import (
	"bytes"
	"encoding/binary"
)

// members is the frame of an object or array: where its ids and offsets are, and how wide.
type members struct {
	n             int
	ids, idWidth  int // 0 for arrays
	offs, offSize int
	data          int
}

// members reads the frame; ok is false when the value is neither object nor array, or cut off.
func (r VariantRef) members() (m members, ok bool) {
	v := r.Value
	if len(v) < 2 {
		return m, false
	}
	info := v[0] >> 2
	large := false
	switch v[0] & 3 {
	case basicObject:
		m.offSize, m.idWidth, large = int(info&3)+1, int(info>>2&3)+1, info>>4&1 != 0
	case basicArray:
		m.offSize, large = int(info&3)+1, info>>2&1 != 0
	default:
		return m, false
	}
	m.ids, m.n = 2, int(v[1])
	if large {
		if len(v) < 5 {
			return m, false
		}
		m.ids, m.n = 5, int(binary.LittleEndian.Uint32(v[1:]))
	}
	if m.n > len(v) {
		return m, false
	}
	m.offs = m.ids + m.n*m.idWidth
	m.data = m.offs + (m.n+1)*m.offSize
	return m, m.data <= len(v)
}

// Len is the number of members of an object or elements of an array, 0 for other values.
func (r VariantRef) Len() int {
	m, ok := r.members()
	if !ok {
		return 0
	}
	return m.n
}

// at is member or element i.
func (r VariantRef) at(m members, i int) (VariantRef, bool) {
	off := littleEndian(r.Value[m.offs+i*m.offSize:], m.offSize)
	if off >= len(r.Value)-m.data {
		return VariantRef{}, false
	}
	return VariantRef{r.Meta, r.Value[m.data+off:]}, true
}

// At is element i of an array; false when it is none or has no such element.
func (r VariantRef) At(i int) (VariantRef, bool) {
	m, ok := r.members()
	if !ok || m.idWidth != 0 || i < 0 || i >= m.n {
		return VariantRef{}, false
	}
	return r.at(m, i)
}

// Member is member i of an object in the order of the keys; false when it is none or has no such member.
func (r VariantRef) Member(i int) (key []byte, v VariantRef, ok bool) {
	m, ok := r.members()
	if !ok || m.idWidth == 0 || i < 0 || i >= m.n {
		return nil, v, false
	}
	if key, ok = r.key(r.id(m, i)); !ok {
		return nil, v, false
	}
	v, ok = r.at(m, i)
	return key, v, ok
}

func (r VariantRef) id(m members, i int) int {
	return littleEndian(r.Value[m.ids+i*m.idWidth:], m.idWidth)
}

// Field is the member of an object by key, found by halving since members lie in the order of their keys.
func (r VariantRef) Field(key []byte) (VariantRef, bool) {
	m, ok := r.members()
	if !ok || m.idWidth == 0 {
		return VariantRef{}, false
	}
	lo, hi := 0, m.n
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		k, ok := r.key(r.id(m, mid))
		if !ok {
			return VariantRef{}, false
		}
		switch c := bytes.Compare(k, key); {
		case c == 0:
			return r.at(m, mid)
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return VariantRef{}, false
}

// fieldByID is the member of an object whose key is the dictionary's entry id.
func (r VariantRef) fieldByID(id int) (VariantRef, bool) {
	m, ok := r.members()
	if !ok || m.idWidth == 0 {
		return VariantRef{}, false
	}
	if m.idWidth == 1 {
		if i := bytes.IndexByte(r.Value[m.ids:m.ids+m.n], byte(id)); i >= 0 && id < 256 {
			return r.at(m, i)
		}
		return VariantRef{}, false
	}
	for i := range m.n {
		if r.id(m, i) == id {
			return r.at(m, i)
		}
	}
	return VariantRef{}, false
}

// Size is the number of bytes of the value; false when they are no variant. Only the outermost frame is looked at.
func (r VariantRef) Size() (int, bool) {
	switch k := r.Kind(); k {
	case VariantBad:
		return 0, false
	case VariantObject, VariantArray:
		m, ok := r.members()
		if !ok {
			return 0, false
		}
		end := m.data + littleEndian(r.Value[m.offs+m.n*m.offSize:], m.offSize)
		return end, end <= len(r.Value)
	}
	h := r.Value[0]
	if h&3 == basicShortString {
		return 1 + int(h>>2), true
	}
	if size := primitives[h>>2].size; size >= 0 {
		return 1 + size, true
	}
	return 5 + int(binary.LittleEndian.Uint32(r.Value[1:])), true
}

// Append appends the value as a variant of its own: the metadata and the value's bytes.
func (r VariantRef) Append(dst []byte) ([]byte, bool) {
	n, ok := r.Size()
	if !ok {
		return dst, false
	}
	return append(append(dst, r.Meta...), r.Value[:n]...), true
}

// Valid reports whether the value can be read to its ends, however deep.
func (r VariantRef) Valid() bool {
	nodes := len(r.Value)
	return r.valid(0, &nodes)
}

// valid counts values down: a sound variant has a byte for each, so members that lie upon each other do not last long.
func (r VariantRef) valid(depth int, nodes *int) bool {
	k := r.Kind()
	*nodes--
	if k == VariantBad || depth > maxVariantDepth || *nodes < 0 {
		return false
	}
	if k != VariantObject && k != VariantArray {
		return true
	}
	if _, ok := r.Size(); !ok {
		return false
	}
	for i := range r.Len() {
		elem, ok := r.At(i)
		if k == VariantObject {
			_, elem, ok = r.Member(i)
		}
		if !ok || !elem.valid(depth+1, nodes) {
			return false
		}
	}
	return true
}

// maxVariantDepth bounds how deep arrays and objects are nested, as Spark's JSON parser does.
const maxVariantDepth = 1000
