package column

import (
	"encoding/binary"
	"math/big"
	"math/bits"
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

var bigPowers = func() (p [2*MaxPrecision + 1]*big.Int) {
	p[0] = big.NewInt(1)
	for i := 1; i < len(p); i++ {
		p[i] = new(big.Int).Mul(p[i-1], big.NewInt(10))
	}
	return p
}()

// pow10Big is 10^n; the caller must not change it.
func pow10Big(n int) *big.Int { return bigPowers[n] }

// DecFromBig is x as a decimal, false when it has more digits than precision.
func DecFromBig(x *big.Int, precision int) (Dec128, bool) {
	if x.CmpAbs(pow10Big(precision)) >= 0 {
		return Dec128{}, false
	}
	var b [16]byte
	new(big.Int).Abs(x).FillBytes(b[:])
	d := Dec128{Lo: binary.BigEndian.Uint64(b[8:]), Hi: int64(binary.BigEndian.Uint64(b[:8]))}
	if x.Sign() < 0 {
		d = d.Neg()
	}
	return d, true
}

// Neg is -d.
func (d Dec128) Neg() Dec128 {
	lo, borrow := bits.Sub64(0, d.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(d.Hi), borrow)
	return Dec128{Lo: lo, Hi: int64(hi)}
}

// ParseDecimal reads digits with an optional sign, point and exponent as an unscaled integer of the scale, rounding half
// up as Spark does; false for text that is no number or that needs more digits than precision.
func ParseDecimal(text string, precision, scale int) (Dec128, bool) {
	text = strings.TrimSpace(text)
	if d, ok := quickDecimal(text, precision, scale); ok {
		return d, true
	}
	return slowDecimal(text, precision, scale)
}

// quickDecimal serves plain numbers of up to 18 digits with no more digits after the point than scale.
func quickDecimal(text string, precision, scale int) (Dec128, bool) {
	i, neg := 0, false
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		neg = text[i] == '-'
		i++
	}
	n, digits, point := int64(0), 0, -1
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c-'0' <= 9:
			n = n*10 + int64(c-'0')
			digits++
		case c == '.' && point < 0:
			point = digits
		default:
			return Dec128{}, false
		}
	}
	frac := 0
	if point >= 0 {
		frac = digits - point
	}
	if digits == 0 || frac > scale || digits-frac+scale > min(18, precision) {
		return Dec128{}, false
	}
	for ; frac < scale; frac++ {
		n *= 10
	}
	if neg {
		n = -n
	}
	return DecFromInt(n), true
}

// DecFromInt is n as an unscaled 128-bit integer.
func DecFromInt(n int64) Dec128 { return Dec128{Lo: uint64(n), Hi: n >> 63} }

func slowDecimal(text string, precision, scale int) (Dec128, bool) {
	if !plainNumber(text) {
		return Dec128{}, false
	}
	mantissa, exponent := text, 0
	if e := strings.IndexAny(text, "eE"); e >= 0 {
		mantissa = text[:e]
		var err error
		if exponent, err = strconv.Atoi(text[e+1:]); err != nil {
			return Dec128{}, false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return Dec128{}, false
	}
	if n.Sign() == 0 {
		return Dec128{}, true
	}
	shift := exponent - len(fraction) + scale
	switch {
	case shift > MaxPrecision:
		return Dec128{}, false
	case shift >= 0:
		n.Mul(n, pow10Big(shift))
	default:
		n = roundQuotient(n, -shift)
	}
	return DecFromBig(n, precision)
}

// roundQuotient is n / 10^digits, half away from zero.
func roundQuotient(n *big.Int, digits int) *big.Int {
	if digits > len(n.String())+1 {
		return new(big.Int)
	}
	by := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	q, r := new(big.Int).QuoRem(n, by, new(big.Int))
	if r.Abs(r).Lsh(r, 1).Cmp(by) >= 0 {
		q.Add(q, big.NewInt(int64(n.Sign())))
	}
	return q
}

// plainNumber reports whether text is [+-]digits[.digits][e[+-]digits] with a digit before the exponent.
func plainNumber(text string) bool {
	i, digits := 0, 0
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		digits++
	}
	if i < len(text) && text[i] == '.' {
		for i++; i < len(text) && text[i]-'0' <= 9; i++ {
			digits++
		}
	}
	if digits == 0 || i == len(text) {
		return digits > 0
	}
	if text[i]|0x20 != 'e' {
		return false
	}
	if i++; i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	from := i
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
	}
	return i > from && i == len(text)
}
