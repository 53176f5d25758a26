package column

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unsafe"
)

const (
	hashK0   = 0x9E3779B97F4A7C15
	hashK1   = 0xD6E8FEB86659FD93
	hashK2   = 0xA0761D6478BD642F
	hashNull = 0x5851F42D4C957F2D
)

// fold mixes two words into one by a full multiplication.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// hashWord hashes one 64-bit value.
func hashWord(x uint64) uint64 { return fold(x^hashK0, hashK1) }

// hashTwo hashes the words of an inline string, a decimal or another 128-bit value.
func hashTwo(a, b uint64) uint64 { return fold(a^hashK0, b^hashK1) ^ bits.RotateLeft64(b, 29)*hashK2 }

// Hash writes a hash of each of the n rows to dst, which is reused. Rows with equal values have equal hashes whatever
// represents them: every integer width, views or dictionary, -0.0 or 0.0, any NaN. A null has a fixed hash.
func Hash(dst []uint64, cols []*Vector, n int) []uint64 {
	dst = resize(dst, n)
	if len(cols) == 0 {
		clear(dst)
		return dst
	}
	hashColumn(dst, cols[0], n)
	if len(cols) == 1 {
		return dst
	}
	next := make([]uint64, n)
	for _, c := range cols[1:] {
		hashColumn(next, c, n)
		combine(dst, next)
	}
	return dst
}

// combine folds the hashes of a further column into dst; the order of columns matters.
func combine(dst, next []uint64) {
	next = next[:len(dst)]
	for i, h := range next {
		dst[i] = fold(dst[i]^hashK2, h|1) ^ bits.RotateLeft64(h, 23)
	}
}

func hashColumn(dst []uint64, v *Vector, n int) {
	if v.Const {
		one := *v
		one.Const, one.N = false, 1
		var h [1]uint64
		hashColumn(h[:], &one, 1)
		for i := range dst {
			dst[i] = h[0]
		}
		return
	}
	switch v.Type.Kind.Storage() {
	case StorageNone:
		for i := range dst {
			dst[i] = hashNull
		}
		return
	case StorageBool:
		for i, b := range v.Bools[:n] {
			x := uint64(0)
			if b {
				x = 1
			}
			dst[i] = hashWord(x)
		}
	case StorageI8:
		hashInts(dst, v.I8)
	case StorageI16:
		hashInts(dst, v.I16)
	case StorageI32:
		hashInts(dst, v.I32)
	case StorageI64:
		hashInts(dst, v.I64)
	case StorageF32:
		for i, x := range v.F32[:n] {
			dst[i] = hashWord(floatBits(float64(x)))
		}
	case StorageF64:
		for i, x := range v.F64[:n] {
			dst[i] = hashWord(floatBits(x))
		}
	case StorageDec:
		for i, d := range v.Dec[:n] {
			dst[i] = hashTwo(d.Lo, uint64(d.Hi))
		}
	case StorageBytes:
		hashStrings(dst, v, n)
	case StorageList:
		hashLists(dst, v, n)
	case StorageStruct:
		// A struct of one null member is not the null struct.
		for i, h := range Hash(nil, v.Kids, n) {
			dst[i] = h ^ hashK2
		}
	}
	if v.Valid != nil {
		hashNulls(dst, v.Valid)
	}
}

func hashInts[T Integer](dst []uint64, src []T) {
	src = src[:len(dst)]
	for i, x := range src {
		dst[i] = fold(uint64(int64(x))^hashK0, hashK1)
	}
}

func hashNulls(dst []uint64, valid []uint64) {
	for w, x := range valid[:(len(dst)+63)/64] {
		for x = ^x; x != 0; x &= x - 1 {
			i := w*64 + bits.TrailingZeros64(x)
			if i >= len(dst) {
				return
			}
			dst[i] = hashNull
		}
	}
}

// floatBits is the bit pattern of x with one zero and one NaN, so that equal values have equal bits.
func floatBits(x float64) uint64 {
	if x == 0 {
		return 0
	}
	if x != x {
		return 0x7FF8000000000000
	}
	return math.Float64bits(x)
}

// words is the view as two words: length and prefix, then the rest.
func (w *View) words() (uint64, uint64) {
	p := (*[2]uint64)(unsafe.Pointer(w))
	return p[0], p[1]
}

func hashStrings(dst []uint64, v *Vector, n int) {
	if v.Codes != nil {
		hashCodes(dst, v, n)
		return
	}
	views := v.Views[:n]
	for i := range views {
		w := &views[i]
		if w.Len <= InlineLen {
			a, b := w.words()
			dst[i] = hashTwo(a, b)
		} else {
			dst[i] = hashBytes(v.Bufs[w.buf][w.off : w.off+w.Len])
		}
	}
}

// hashCodes hashes each dictionary entry once when that is less work than hashing each row.
func hashCodes(dst []uint64, v *Vector, n int) {
	if v.Dict.fixed != nil && v.Dict.N > 0 {
		if dict := v.Dict.fixed.hashesOf(v.Dict, n); dict != nil {
			for i, c := range v.Codes[:n] {
				dst[i] = dict[c]
			}
			return
		}
	}
	if v.Dict.N > n {
		for i := range dst {
			dst[i] = hashText(v.Bytes(i))
		}
		return
	}
	if v.Dict.N == 0 {
		clear(dst)
		return
	}
	dict := make([]uint64, v.Dict.N)
	hashColumn(dict, v.Dict, v.Dict.N)
	for i, c := range v.Codes[:n] {
		dst[i] = dict[c]
	}
}

// hashText is the hash that Hash gives to a string.
func hashText(b []byte) uint64 {
	if len(b) > InlineLen {
		return hashBytes(b)
	}
	w := MakeView(b, 0, 0)
	x, y := w.words()
	return hashTwo(x, y)
}

// hashBytes hashes a string longer than InlineLen, 16 bytes a step and the last 16 overlapping.
func hashBytes(b []byte) uint64 {
	h := uint64(len(b)) * hashK2
	tail := b[len(b)-8:]
	for len(b) >= 16 {
		h = fold(binary.LittleEndian.Uint64(b)^h^hashK0, binary.LittleEndian.Uint64(b[8:])^hashK1)
		b = b[16:]
	}
	if len(b) >= 8 {
		h = fold(binary.LittleEndian.Uint64(b)^h^hashK0, hashK2)
	}
	return fold(binary.LittleEndian.Uint64(tail)^h, hashK1)
}

func hashLists(dst []uint64, v *Vector, n int) {
	from, to := v.Offs[0], v.Offs[n]
	kids := make([]*Vector, len(v.Kids))
	for i, k := range v.Kids {
		kids[i] = k.Slice(int(from), int(to))
	}
	elems := Hash(nil, kids, int(to-from))
	for i := range dst {
		h := hashWord(uint64(v.Offs[i+1] - v.Offs[i]))
		for _, e := range elems[v.Offs[i]-from : v.Offs[i+1]-from] {
			h = fold(h^hashK2, e|1) ^ bits.RotateLeft64(e, 23)
		}
		dst[i] = h
	}
}
