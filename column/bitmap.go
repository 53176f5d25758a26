package column

import "math/bits"

// Bitmaps are words of 64 rows, the lowest bit first. Bits past the last row are unspecified.

func bit(words []uint64, i int) bool { return words[uint(i)>>6]>>(uint(i)&63)&1 != 0 }

// tailMask has the bits of the last word that belong to the first n rows.
func tailMask(n int) uint64 {
	if n&63 == 0 {
		return ^uint64(0)
	}
	return 1<<(uint(n)&63) - 1
}

// CountSet is the number of set bits among the first n; a nil bitmap counts as all set.
func CountSet(words []uint64, n int) int {
	if words == nil {
		return n
	}
	full, c := n>>6, 0
	for _, w := range words[:full] {
		c += bits.OnesCount64(w)
	}
	if n&63 != 0 {
		c += bits.OnesCount64(words[full] & tailMask(n))
	}
	return c
}

// NullCount is the number of null rows.
func (v *Vector) NullCount() int {
	if v.Type.Kind == Null {
		return v.N
	}
	n := v.N
	if v.Const {
		n = min(n, 1)
	}
	return n - CountSet(v.Valid, n)
}

// HasNulls reports whether any row is null.
func (v *Vector) HasNulls() bool {
	return v.Type.Kind == Null && v.N > 0 || v.Valid != nil && v.NullCount() > 0
}

// AndValid returns the bitmap of rows set in both a and b (nil means all set), nil when both are nil. dst is reused.
func AndValid(dst, a, b []uint64, n int) []uint64 {
	if a == nil {
		a = b
	}
	if a == nil {
		return nil
	}
	dst = resize(dst, (n+63)/64)
	if b == nil {
		copy(dst, a)
		return dst
	}
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] & b[i]
	}
	return dst
}

// sliceBits returns n bits of words from bit from on, without copying when from is a multiple of 64.
func sliceBits(words []uint64, from, n int) []uint64 {
	if words == nil {
		return nil
	}
	at, shift := from>>6, uint(from)&63
	if shift == 0 {
		return words[at : at+(n+63)/64]
	}
	out := make([]uint64, (n+63)/64)
	for i := range out {
		w := words[at+i] >> shift
		if at+i+1 < len(words) {
			w |= words[at+i+1] << (64 - shift)
		}
		out[i] = w
	}
	return out
}

// appendBits writes n bits of src (nil: all set) at bit position at of dst, which is long enough.
func appendBits(dst []uint64, at int, src []uint64, n int) {
	for i := 0; i < n; {
		d, s := uint(at+i)&63, uint(i)&63
		take := min(64-int(max(d, s)), n-i)
		w := ^uint64(0)
		if src != nil {
			w = src[i>>6] >> s
		}
		mask := ^uint64(0) >> (64 - uint(take)) << d
		p := &dst[(at+i)>>6]
		*p = *p&^mask | w<<d&mask
		i += take
	}
}

// PackBools packs bools into bitmap words, reusing dst.
func PackBools(dst []uint64, src []bool) []uint64 {
	dst = resize(dst, (len(src)+63)/64)
	for w := range dst {
		part := src[w*64 : min(w*64+64, len(src))]
		var x uint64
		for i, b := range part {
			var y uint64
			if b {
				y = 1
			}
			x |= y << uint(i)
		}
		dst[w] = x
	}
	return dst
}

// SelectTrue returns the rows where cond is valid and true, in order, reusing dst.
func SelectTrue(dst []int32, cond *Vector, n int) []int32 {
	if cond.Const {
		if n == 0 || !cond.IsValid(0) || !cond.Bools[0] {
			return dst[:0]
		}
		return AllRows(dst, n)
	}
	dst = resize(dst, n)
	if cond.Type.Kind == Null {
		return dst[:0]
	}
	k := 0
	if cond.Valid == nil {
		for i, b := range cond.Bools[:n] {
			dst[k] = int32(i)
			inc := 0
			if b {
				inc = 1
			}
			k += inc
		}
		return dst[:k]
	}
	for i, b := range cond.Bools[:n] {
		dst[k] = int32(i)
		inc := 0
		if b {
			inc = 1
		}
		k += inc & int(cond.Valid[uint(i)>>6]>>(uint(i)&63))
	}
	return dst[:k]
}

// SelectValid returns the rows of v that are not null, reusing dst.
func SelectValid(dst []int32, v *Vector, n int) []int32 {
	if v.Type.Kind == Null {
		return dst[:0]
	}
	if v.Valid == nil {
		return AllRows(dst, n)
	}
	return bitmapRows(resize(dst, n), v.Valid, n)
}

func bitmapRows(dst []int32, words []uint64, n int) []int32 {
	k := 0
	for w := 0; w*64 < n; w++ {
		x := words[w]
		if (w+1)*64 > n {
			x &= tailMask(n)
		}
		for ; x != 0; x &= x - 1 {
			dst[k] = int32(w*64 + bits.TrailingZeros64(x))
			k++
		}
	}
	return dst[:k]
}

// AllRows is 0 … n-1, reusing dst.
func AllRows(dst []int32, n int) []int32 {
	dst = resize(dst, n)
	for i := range dst {
		dst[i] = int32(i)
	}
	return dst
}
