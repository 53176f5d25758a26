package column

import (
	"math"
	"strconv"
)

// AppendFloat appends a float as Spark casts it to a string (Java's form): 1.0, 1.0E10, 1.0E-4, NaN, Infinity. bits is
// 32 or 64.
func AppendFloat(dst []byte, x float64, bits int) []byte {
	switch {
	case math.IsNaN(x):
		return append(dst, "NaN"...)
	case math.IsInf(x, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(x, -1):
		return append(dst, "-Infinity"...)
	}
	if a := math.Abs(x); a == 0 || a >= 1e-3 && a < 1e7 {
		at := len(dst)
		dst = strconv.AppendFloat(dst, x, 'f', -1, bits)
		for _, c := range dst[at:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	at := len(dst)
	dst = strconv.AppendFloat(dst, x, 'e', -1, bits)
	if math.Abs(x) < 1e-30 && dst[at+1+boolInt(x < 0)] == 'e' {
		dst = twoDigits(dst, at, x, bits)
	}
	return javaExponent(dst, at)
}

// twoDigits replaces the only digit of a tiny number by the two that are nearest to it, if they mean the same number, as Java does: 4.9E-324.
func twoDigits(dst []byte, at int, x float64, bits int) []byte {
	two := strconv.AppendFloat(nil, x, 'e', 1, bits)
	if y, err := strconv.ParseFloat(string(two), bits); err != nil || y != x {
		return dst
	}
	return append(dst[:at], two...)
}

// javaExponent rewrites d[.ddd]e±dd, which starts at dst[at], as d.ddd|d.0 E[-]d.
func javaExponent(dst []byte, at int) []byte {
	e := at
	dot := false
	for dst[e] != 'e' {
		dot = dot || dst[e] == '.'
		e++
	}
	var exp [8]byte
	digits := append(exp[:0], dst[e+1:]...)
	dst = dst[:e]
	if !dot {
		dst = append(dst, ".0"...)
	}
	dst = append(dst, 'E')
	if digits[0] == '-' {
		dst = append(dst, '-')
	}
	digits = digits[1:]
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	return append(dst, digits...)
}
