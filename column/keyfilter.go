package column

import (
	"math"
	"math/bits"
)

// KeyFilter says of values whether they may be among the keys that it was made of: no for most that are not, never no for one
// that is. Whole numbers, dates and times that lie close together have a bit each, which is exact; all else is a Bloom filter
// with blocks of one word (Putze, Sanders and Singler, 2007). A null is never among the keys.
type KeyFilter struct {
	// Count is the number of keys that it was made of, with repeated ones.
	Count int64
	// Low and High bound the keys, when Ranged: whole numbers, dates and times. Without keys Low > High.
	Low, High int64
	Ranged    bool
	// Exact: bit i of Words stands for the value Low + i. Otherwise Words are the blocks of a Bloom filter over Hash.
	Exact bool
	Words []uint64
}

const (
	mostExactBits  = 1 << 27 // 16 MiB
	sparsestExact  = 256     // bits for a key, beyond which a Bloom filter is smaller by far
	smallestExact  = 1 << 18 // bits that are worth it however few the keys
	bloomKeyBits   = 16
	mostBloomWords = 1 << 22 // 32 MiB
)

// NewKeyFilter makes the filter of the values of vectors of one type.
func NewKeyFilter(keys ...*Vector) *KeyFilter {
	f := &KeyFilter{Low: math.MaxInt64, High: math.MinInt64}
	for _, v := range keys {
		f.Ranged = isWhole(v.Type)
		f.Count += int64(v.N)
		if f.Ranged {
			f.bound(v)
		}
	}
	if f.Count == 0 {
		f.Ranged, f.Exact = true, true
		return f
	}
	if span := f.span(); f.Ranged && span < mostExactBits && (span < smallestExact || span/uint64(f.Count) < sparsestExact) {
		f.Exact = true
		f.Words = make([]uint64, span>>6+1)
		for _, v := range keys {
			f.set(v)
		}
		return f
	}
	f.Words = make([]uint64, bloomWords(f.Count))
	var hashes []uint64
	for _, v := range keys {
		for from := 0; from < v.N; from += BatchRows {
			part := v.Slice(from, min(from+BatchRows, v.N))
			hashes = Hash(hashes, []*Vector{part}, part.N)
			f.add(part, hashes)
		}
	}
	return f
}

func bloomWords(keys int64) int {
	n := min(max(keys*bloomKeyBits/64, 1), mostBloomWords)
	return 1 << bits.Len64(uint64(n-1))
}

// isWhole reports whether the type's values are whole numbers of up to 64 bits.
func isWhole(t Type) bool {
	switch t.Kind.Storage() {
	case StorageI8, StorageI16, StorageI32, StorageI64:
		return true
	}
	return false
}

// span is High - Low, right also where it is more than an int64 holds; 0 without keys.
func (f *KeyFilter) span() uint64 {
	if f.Low > f.High {
		return 0
	}
	return uint64(f.High) - uint64(f.Low)
}

func (f *KeyFilter) bound(v *Vector) {
	switch v.Type.Kind.Storage() {
	case StorageI8:
		boundInts(f, v, v.I8)
	case StorageI16:
		boundInts(f, v, v.I16)
	case StorageI32:
		boundInts(f, v, v.I32)
	default:
		boundInts(f, v, v.I64)
	}
}

func boundInts[T int8 | int16 | int32 | int64](f *KeyFilter, v *Vector, vals []T) {
	for i, x := range vals[:v.N] {
		if v.Valid == nil || bit(v.Valid, i) {
			f.Low, f.High = min(f.Low, int64(x)), max(f.High, int64(x))
		}
	}
}

func (f *KeyFilter) set(v *Vector) {
	switch v.Type.Kind.Storage() {
	case StorageI8:
		setInts(f, v, v.I8)
	case StorageI16:
		setInts(f, v, v.I16)
	case StorageI32:
		setInts(f, v, v.I32)
	default:
		setInts(f, v, v.I64)
	}
}

func setInts[T int8 | int16 | int32 | int64](f *KeyFilter, v *Vector, vals []T) {
	for i, x := range vals[:v.N] {
		if v.Valid == nil || bit(v.Valid, i) {
			at := uint64(int64(x)) - uint64(f.Low)
			f.Words[at>>6] |= 1 << (at & 63)
		}
	}
}

// bloomMask is the three bits of a hash in its block; bloomBlock the block, among a power of two.
func bloomMask(h uint64) uint64 { return 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) }

func bloomBlock(h uint64, blocks int) uint64 { return h >> 20 & uint64(blocks-1) }

func (f *KeyFilter) add(v *Vector, hashes []uint64) {
	for i, h := range hashes[:v.N] {
		if v.IsValid(i) {
			f.Words[bloomBlock(h, len(f.Words))] |= bloomMask(h)
		}
	}
}

// Select writes to dst which of the first n rows may be among the keys, in order. hashes is memory for it to use; both are
// returned for the next call.
func (f *KeyFilter) Select(dst []int32, hashes []uint64, v *Vector, n int) ([]int32, []uint64) {
	if v.Const {
		return AllRows(dst, n), hashes
	}
	dst = resize(dst, n)
	if !f.Exact || !isWhole(v.Type) {
		hashes = Hash(hashes, []*Vector{v}, n)
		return f.selectHashes(dst, hashes, v, n), hashes
	}
	if len(f.Words) == 0 {
		return dst[:0], hashes
	}
	switch v.Type.Kind.Storage() {
	case StorageI8:
		dst = selectExact(f, dst, v.I8[:n])
	case StorageI16:
		dst = selectExact(f, dst, v.I16[:n])
	case StorageI32:
		dst = selectExact(f, dst, v.I32[:n])
	default:
		dst = selectExact(f, dst, v.I64[:n])
	}
	return validOnly(dst, v), hashes
}

func selectExact[T int8 | int16 | int32 | int64](f *KeyFilter, dst []int32, vals []T) []int32 {
	low, span, words := uint64(f.Low), f.span(), f.Words
	k := 0
	for i, x := range vals {
		at := uint64(int64(x)) - low
		dst[k] = int32(i)
		inc := 0
		if at <= span {
			inc = int(words[at>>6] >> (at & 63) & 1)
		}
		k += inc
	}
	return dst[:k]
}

func (f *KeyFilter) selectHashes(dst []int32, hashes []uint64, v *Vector, n int) []int32 {
	if f.Exact || len(f.Words) == 0 { // of no keys
		return dst[:0]
	}
	k := 0
	for i, h := range hashes[:n] {
		m := bloomMask(h)
		dst[k] = int32(i)
		inc := 0
		if f.Words[bloomBlock(h, len(f.Words))]&m == m {
			inc = 1
		}
		k += inc
	}
	return validOnly(dst[:k], v)
}

// validOnly keeps the rows that are not null.
func validOnly(sel []int32, v *Vector) []int32 {
	if v.Valid == nil && v.Type.Kind != Null {
		return sel
	}
	out := sel[:0]
	for _, r := range sel {
		if v.IsValid(int(r)) {
			out = append(out, r)
		}
	}
	return out
}

// Excludes reports whether no value between two bounds can be among the keys: whole numbers, dates and times, as Value has
// them.
func (f *KeyFilter) Excludes(low, high any) bool {
	if f.Ranged && f.Low > f.High {
		return true
	}
	lo, ok1 := low.(int64)
	hi, ok2 := high.(int64)
	if !f.Ranged || !ok1 || !ok2 {
		return false
	}
	if hi < f.Low || lo > f.High {
		return true
	}
	if !f.Exact {
		return false
	}
	from, to := uint64(max(lo, f.Low))-uint64(f.Low), uint64(min(hi, f.High))-uint64(f.Low)
	for w := from >> 6; w <= to>>6; w++ {
		word := f.Words[w]
		if w == from>>6 {
			word &= ^uint64(0) << (from & 63)
		}
		if w == to>>6 {
			word &= ^uint64(0) >> (63 - to&63)
		}
		if word != 0 {
			return false
		}
	}
	return true
}

// Bytes is the filter's size in memory.
func (f *KeyFilter) Bytes() int64 { return int64(len(f.Words))*8 + 64 }

// Union is a filter that says no only where all do. Filters of one type of key are of one shape or another; where shapes do not
// go together, the union says less than it could.
func Union(filters ...*KeyFilter) *KeyFilter {
	var some []*KeyFilter
	out := &KeyFilter{Low: math.MaxInt64, High: math.MinInt64, Ranged: true, Exact: true}
	for _, f := range filters {
		if f.Count == 0 {
			continue
		}
		some = append(some, f)
		out.Count += f.Count
		out.Ranged, out.Exact = out.Ranged && f.Ranged, out.Exact && f.Exact
		out.Low, out.High = min(out.Low, f.Low), max(out.High, f.High)
	}
	switch {
	case len(some) == 0:
	case len(some) == 1:
		return some[0]
	case out.Exact && out.span() < mostExactBits:
		out.Words = make([]uint64, out.span()>>6+1)
		for _, f := range some {
			out.or(f)
		}
	default:
		out.Exact = false
		out.Words = bloomUnion(some)
	}
	return out
}

// or adds the bits of an exact filter whose values lie within f's.
func (f *KeyFilter) or(o *KeyFilter) {
	shift := uint64(o.Low) - uint64(f.Low)
	word, by := shift>>6, shift&63
	for i, w := range o.Words {
		if w == 0 {
			continue
		}
		f.Words[word+uint64(i)] |= w << by
		if high := w >> (64 - by); by > 0 && high != 0 {
			f.Words[word+uint64(i)+1] |= high
		}
	}
}

// bloomUnion folds Bloom filters to the smallest one's blocks; nothing is excluded when one of them is none.
func bloomUnion(filters []*KeyFilter) []uint64 {
	n := math.MaxInt
	for _, f := range filters {
		if f.Exact {
			return []uint64{^uint64(0)}
		}
		n = min(n, len(f.Words))
	}
	out := make([]uint64, n)
	for _, f := range filters {
		for i, w := range f.Words {
			out[i&(n-1)] |= w
		}
	}
	return out
}
