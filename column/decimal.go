package column

import (
	"math/big"
	"strconv"
	"strings"
)

// MaxPrecision is the most digits that a decimal has.
const MaxPrecision = 38

// Big is d as a big integer.
func (d Dec128) Big() *big.Int {
	b := new(big.Int).SetInt64(d.Hi)
	b.Lsh(b, 64)
	return b.Add(b, new(big.Int).SetUint64(d.Lo))
}

// Text is d / 10^scale in plain decimal notation with exactly scale digits after the point.
func (d Dec128) Text(scale int) string {
	s := d.Big().String()
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	if scale > 0 {
		if len(s) <= scale {
			s = strings.Repeat("0", scale-len(s)+1) + s
		}
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if neg {
		s = "-" + s
	}
	return s
}

// Cmp orders two decimals of the same scale.
func (d Dec128) Cmp(e Dec128) int {
	switch {
	case d.Hi != e.Hi && d.Hi < e.Hi, d.Hi == e.Hi && d.Lo < e.Lo:
		return -1
	case d == e:
		return 0
	}
	return 1
}

// AppendText appends Text.
func (d Dec128) AppendText(dst []byte, scale int) []byte {
	if d.Hi != int64(d.Lo)>>63 {
		return append(dst, d.Text(scale)...)
	}
	n := d.Lo
	if d.Hi < 0 {
		dst, n = append(dst, '-'), -n
	}
	var digits [20]byte
	text := strconv.AppendUint(digits[:0], n, 10)
	if scale == 0 {
		return append(dst, text...)
	}
	if len(text) <= scale {
		dst = append(dst, '0', '.')
		for range scale - len(text) {
			dst = append(dst, '0')
		}
		return append(dst, text...)
	}
	dst = append(append(dst, text[:len(text)-scale]...), '.')
	return append(dst, text[len(text)-scale:]...)
}
