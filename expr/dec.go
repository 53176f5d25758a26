package expr

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"

	"github.com/streamflow/streamflow/column"
)

// dec is a 128-bit signed integer with the arithmetic of decimals.
type dec column.Dec128

// pow10 holds 10^0 … 10^38.
var pow10 = func() (p [maxPrecision + 1]dec) {
	p[0] = dec{Lo: 1}
	for i := 1; i < len(p); i++ {
		p[i], _ = p[i-1].mul(dec{Lo: 10})
	}
	return p
}()

func decFromInt(v int64) dec { return dec{Lo: uint64(v), Hi: v >> 63} }

func (d dec) neg() dec {
	lo, borrow := bits.Sub64(0, d.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(d.Hi), borrow)
	return dec{Lo: lo, Hi: int64(hi)}
}

func (d dec) abs() dec {
	if d.Hi < 0 {
		return d.neg()
	}
	return d
}

func (d dec) sign() int {
	switch {
	case d.Hi < 0:
		return -1
	case d.Hi == 0 && d.Lo == 0:
		return 0
	}
	return 1
}

func (d dec) cmp(o dec) int {
	switch {
	case d.Hi < o.Hi || d.Hi == o.Hi && d.Lo < o.Lo:
		return -1
	case d == o:
		return 0
	}
	return 1
}

// add returns d+o; ok is false when 128 bits do not hold it.
func (d dec) add(o dec) (r dec, ok bool) {
	lo, carry := bits.Add64(d.Lo, o.Lo, 0)
	hi, _ := bits.Add64(uint64(d.Hi), uint64(o.Hi), carry)
	r = dec{Lo: lo, Hi: int64(hi)}
	return r, (d.Hi < 0) != (o.Hi < 0) || (r.Hi < 0) == (d.Hi < 0)
}

// mul returns d*o; ok is false when 127 bits do not hold the magnitude.
func (d dec) mul(o dec) (r dec, ok bool) {
	neg := (d.Hi < 0) != (o.Hi < 0)
	a, b := d.abs(), o.abs()
	if a.Hi != 0 && b.Hi != 0 {
		return dec{}, false
	}
	if a.Hi != 0 {
		a, b = b, a
	}
	hi, lo := bits.Mul64(a.Lo, b.Lo)
	if b.Hi != 0 {
		over, mid := bits.Mul64(a.Lo, uint64(b.Hi))
		var carry uint64
		hi, carry = bits.Add64(hi, mid, 0)
		if over != 0 || carry != 0 {
			return dec{}, false
		}
	}
	if hi>>63 != 0 {
		return dec{}, false
	}
	r = dec{Lo: lo, Hi: int64(hi)}
	if neg {
		r = r.neg()
	}
	return r, true
}

// quoRem divides magnitudes: d and o are not negative and o is not zero.
func (d dec) quoRem(o dec) (q, r dec) {
	if o.Hi == 0 {
		hi, rem := uint64(d.Hi)/o.Lo, uint64(d.Hi)%o.Lo
		lo, rem := bits.Div64(rem, d.Lo, o.Lo)
		return dec{Lo: lo, Hi: int64(hi)}, dec{Lo: rem}
	}
	if d.cmp(o) < 0 {
		return dec{}, d
	}
	bq, br := new(big.Int).QuoRem(column.Dec128(d).Big(), column.Dec128(o).Big(), new(big.Int))
	q, _ = decFromBig(bq)
	r, _ = decFromBig(br)
	return q, r
}

// divRound is d/o rounded half away from zero.
func (d dec) divRound(o dec) dec {
	neg := (d.Hi < 0) != (o.Hi < 0)
	o = o.abs()
	q, r := d.abs().quoRem(o)
	rest, _ := o.add(r.neg())
	if r.cmp(rest) >= 0 {
		q, _ = q.add(dec{Lo: 1})
	}
	if neg {
		return q.neg()
	}
	return q
}

// rescale changes the number of fraction digits, rounding half up; ok is false on overflow.
func (d dec) rescale(from, to int) (r dec, ok bool) {
	switch {
	case to == from:
		return d, true
	case to > from:
		if to-from > maxPrecision {
			return dec{}, d.sign() == 0
		}
		return d.mul(pow10[to-from])
	case from-to > maxPrecision:
		return dec{}, true
	}
	return d.divRound(pow10[from-to]), true
}

// fits reports whether d has at most that many digits.
func (d dec) fits(precision int) bool { return d.abs().cmp(pow10[precision]) < 0 && d.abs().Hi >= 0 }

func decFromBig(b *big.Int) (dec, bool) {
	if b.BitLen() > 127 {
		return dec{}, false
	}
	abs := new(big.Int).Abs(b)
	lo := new(big.Int).And(abs, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	hi := new(big.Int).Rsh(abs, 64).Uint64()
	d := dec{Lo: lo, Hi: int64(hi)}
	if b.Sign() < 0 {
		d = d.neg()
	}
	return d, true
}

// int64 is d as an integer; ok is false when it does not fit.
func (d dec) int64() (int64, bool) { return int64(d.Lo), d.Hi == int64(d.Lo)>>63 }

// float is d / 10^scale as the nearest double.
func (d dec) float(scale int) float64 {
	if v, ok := d.int64(); ok && scale <= 22 && v > -1<<53 && v < 1<<53 {
		return float64(v) / math.Pow10(scale)
	}
	f, _ := strconv.ParseFloat(column.Dec128(d).Text(scale), 64)
	return f
}

// decFromFloat rounds the shortest decimal text of f to scale digits, as Java's BigDecimal(Double.toString(f)) does.
func decFromFloat(f float64, scale int) (dec, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dec{}, false
	}
	return parseDec(strconv.AppendFloat(nil, f, 'e', -1, 64), scale)
}

// parseDec reads a number such as -12.50 or 1e3 and rounds it half up to scale digits after the point.
func parseDec(s []byte, scale int) (dec, bool) {
	neg := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg, s = s[0] == '-', s[1:]
	}
	digits, exp, ok := splitNumber(s)
	if !ok {
		return dec{}, false
	}
	shift := scale + exp
	d, ok := dec{}, true
	// Digits below the scale only matter for rounding: the first of them decides.
	keep := len(digits) + min(shift, 0)
	for i := 0; i < keep && ok; i++ {
		if d, ok = d.mul(dec{Lo: 10}); ok {
			d, ok = d.add(dec{Lo: uint64(digits[i] - '0')})
		}
	}
	if shift < 0 && keep >= 0 && keep < len(digits) && digits[keep] >= '5' {
		d, _ = d.add(dec{Lo: 1})
	}
	if shift > 0 && d.sign() != 0 {
		if shift > maxPrecision {
			return dec{}, false
		}
		if d, ok = d.mul(pow10[shift]); !ok {
			return d, false
		}
	}
	if neg {
		d = d.neg()
	}
	return d, ok
}

// splitNumber returns the significant digits of an unsigned number text and the power of ten of the last one.
func splitNumber(s []byte) (digits []byte, exp int, ok bool) {
	digits = make([]byte, 0, len(s))
	seen, point := false, false
	i := 0
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			seen = true
			if len(digits) > 0 || c != '0' {
				digits = append(digits, c)
			}
			if point {
				exp--
			}
		case c == '.' && !point:
			point = true
		default:
			goto exponent
		}
	}
exponent:
	if !seen {
		return nil, 0, false
	}
	if i < len(s) {
		if s[i] != 'e' && s[i] != 'E' {
			return nil, 0, false
		}
		e, err := strconv.Atoi(string(s[i+1:]))
		if err != nil || e > 1000 || e < -1000 {
			return nil, 0, false
		}
		exp += e
	}
	return digits, exp, true
}
