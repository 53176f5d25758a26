package column

import (
	"encoding/binary"
	"strconv"
	"unsafe"
)

// eightDigits reports whether the eight bytes of w are digits.
func eightDigits(w uint64) bool {
	return (w&0xF0F0F0F0F0F0F0F0)|((w+0x0606060606060606)&0xF0F0F0F0F0F0F0F0)>>4 == 0x3333333333333333
}

// eightValue is the number that eight digits, the first in the lowest byte, spell.
func eightValue(w uint64) uint64 {
	w -= 0x3030303030303030
	w = w*10 + w>>8
	return ((w&0x000000FF000000FF)*0x000F424000000064 + (w>>16&0x000000FF000000FF)*0x0000271000000001) >> 32
}

// scanUint reads digits from i on: their value, where they end, and whether they fit into 64 bits.
func scanUint(b []byte, i int) (x uint64, end int, ok bool) {
	from := i
	if i+8 <= len(b) {
		if w := binary.LittleEndian.Uint64(b[i:]); eightDigits(w) {
			x = eightValue(w)
			i += 8
			if i+8 <= len(b) {
				if w := binary.LittleEndian.Uint64(b[i:]); eightDigits(w) {
					x = x*100_000_000 + eightValue(w)
					i += 8
				}
			}
		}
	}
	for i < len(b) && b[i]-'0' <= 9 {
		d := uint64(b[i] - '0')
		if i-from >= 19 && (x > (1<<64-1-d)/10) {
			return 0, i, false
		}
		x = x*10 + d
		i++
	}
	return x, i, true
}

// scanInt reads a JSON integer at i. next < 0 means that there is none: why then says what is wrong.
func scanInt(b []byte, i int) (x int64, next int, why string) {
	neg := i < len(b) && b[i] == '-'
	from := i
	if neg {
		from++
	}
	u, end, ok := scanUint(b, from)
	switch {
	case end == from, end > from+1 && b[from] == '0':
		return 0, -1, "no number"
	case end < len(b) && (b[end] == '.' || b[end]|0x20 == 'e'):
		return 0, -1, "not a whole number"
	case !ok, u > 1<<63, u == 1<<63 && !neg:
		return 0, -1, "out of range"
	}
	if neg {
		return -int64(u), end, ""
	}
	return int64(u), end, ""
}

// numberEnd returns where the JSON number at i ends, or -1, and whether it is whole.
func numberEnd(b []byte, i int) (end int, whole bool) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	from := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if i == from || i > from+1 && b[from] == '0' {
		return -1, false
	}
	whole = true
	if i < len(b) && b[i] == '.' {
		whole = false
		from = i + 1
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
		}
		if i == from {
			return -1, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		whole = false
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		from = i
		for ; i < len(b) && b[i]-'0' <= 9; i++ {
		}
		if i == from {
			return -1, false
		}
	}
	return i, whole
}

var powersOfTen = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
	1e19, 1e20, 1e21, 1e22}

// scanFloat reads a JSON number at i; next < 0 when there is none. Numbers of up to 15 digits and no exponent are exact
// by one division; the others go through strconv.
func scanFloat(b []byte, i int) (x float64, next int) {
	from := i
	neg := i < len(b) && b[i] == '-'
	if neg {
		i++
	}
	digits := i
	u, end, ok := scanUint(b, i)
	if end == i || end > i+1 && b[i] == '0' {
		return 0, -1
	}
	n, frac := end-digits, 0
	if end < len(b) && b[end] == '.' {
		f := end + 1
		for end = f; end < len(b) && b[end]-'0' <= 9; end++ {
			if n+end-f < 18 {
				u = u*10 + uint64(b[end]-'0')
			}
		}
		if frac = end - f; frac == 0 {
			return 0, -1
		}
	}
	if !ok || n+frac > 15 || end < len(b) && b[end]|0x20 == 'e' {
		return slowFloat(b, from)
	}
	x = float64(u)
	if frac > 0 {
		x /= powersOfTen[frac]
	}
	if neg {
		x = -x
	}
	return x, end
}

func slowFloat(b []byte, i int) (float64, int) {
	end, _ := numberEnd(b, i)
	if end < 0 {
		return 0, -1
	}
	x, _ := strconv.ParseFloat(textOf(b[i:end]), 64)
	return x, end
}

func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// micros turns a number since the epoch into microseconds. Its size tells the unit: seconds up to the year 5138, then
// milliseconds, microseconds and nanoseconds, each for the same span.
func micros(x int64) (int64, bool) {
	a := x
	if a < 0 {
		a = -a
	}
	switch {
	case a < 0:
		return 0, false
	case a < 1e11:
		return x * 1_000_000, true
	case a < 1e14:
		return x * 1000, true
	case a < 1e17:
		return x, true
	}
	q := x / 1000
	if x%1000 < 0 {
		q--
	}
	return q, true
}
