package expr

import (
	"math/bits"

	"github.com/streamflow/streamflow/column"
)

// fastDec computes + - * of decimals that all fit into 64 bits with room to spare, in machine words and without looking at
// rows one by one. It reports false, having written nothing, when a value is larger. The result, which has less than 125
// bits, is within 38 digits; the types' rules make it fit where the result type has fewer.
func fastDec(op string, a, b *column.Vector, dst []column.Dec128, sa, sb, s int) bool {
	x, y := decimals(a, len(dst)), decimals(b, len(dst))
	switch op {
	case "*":
		if s != sa+sb {
			return false
		}
		wide := decWidth(x) + decWidth(y)
		switch {
		case wide > 124:
			return false
		case wide > 62:
			return mulWide(dst, x, y)
		}
		return mulNarrow(dst, x, y)
	case "+", "-":
		if s != max(sa, sb) || s-min(sa, sb) > 18 {
			return false
		}
		fa, fb := int64(pow10[s-sa].Lo), int64(pow10[s-sb].Lo)
		if decWidth(x)+bits.Len64(uint64(fa)) > 61 || decWidth(y)+bits.Len64(uint64(fb)) > 61 {
			return false
		}
		if op == "-" {
			fb = -fb
		}
		return addNarrow(dst, x, y, fa, fb)
	}
	return false
}

// decimals are the values of v; one for a constant.
func decimals(v *column.Vector, n int) []column.Dec128 {
	if v.Const {
		return v.Dec[:1]
	}
	return v.Dec[:n]
}

// decWidth is how many bits the largest magnitude of a takes without its sign, 127 when more than 63.
func decWidth(a []column.Dec128) int {
	var low, high uint64
	for i := range a {
		x := int64(a[i].Lo)
		sign := x >> 63
		low |= uint64(x ^ sign)
		high |= uint64(a[i].Hi ^ sign)
	}
	if high != 0 {
		return 127
	}
	return bits.Len64(low)
}

func mulNarrow(dst, x, y []column.Dec128) bool {
	if len(x) == 1 {
		x, y = y, x
	}
	if len(y) == 1 {
		c := int64(y[0].Lo)
		for i := range x {
			r := int64(x[i].Lo) * c
			dst[i] = column.Dec128{Lo: uint64(r), Hi: r >> 63}
		}
		return len(x) == len(dst)
	}
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		r := int64(x[i].Lo) * int64(y[i].Lo)
		dst[i] = column.Dec128{Lo: uint64(r), Hi: r >> 63}
	}
	return true
}

func mulWide(dst, x, y []column.Dec128) bool {
	if len(x) != len(dst) || len(y) != len(dst) {
		return mulByConst(dst, x, y)
	}
	for i := range dst {
		dst[i] = mulWords(x[i].Lo, y[i].Lo)
	}
	return true
}

func mulByConst(dst, x, y []column.Dec128) bool {
	if len(x) == 1 {
		x, y = y, x
	}
	for i := range x {
		dst[i] = mulWords(x[i].Lo, y[0].Lo)
	}
	return len(x) == len(dst)
}

// mulWords is the product of two signed words.
func mulWords(x, y uint64) column.Dec128 {
	hi, lo := bits.Mul64(x, y)
	hi -= uint64(int64(x)>>63)&y + uint64(int64(y)>>63)&x
	return column.Dec128{Lo: lo, Hi: int64(hi)}
}

func addNarrow(dst, x, y []column.Dec128, fa, fb int64) bool {
	if len(x) == 1 {
		x, y, fa, fb = y, x, fb, fa
	}
	if len(y) == 1 {
		c := int64(y[0].Lo) * fb
		for i := range x {
			r := int64(x[i].Lo)*fa + c
			dst[i] = column.Dec128{Lo: uint64(r), Hi: r >> 63}
		}
		return len(x) == len(dst)
	}
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		r := int64(x[i].Lo)*fa + int64(y[i].Lo)*fb
		dst[i] = column.Dec128{Lo: uint64(r), Hi: r >> 63}
	}
	return true
}
