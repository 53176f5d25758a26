package expr

import (
	"math/big"
	"math/bits"

	"github.com/streamflow/streamflow/column"
)

// decArith is + - * / % over decimals: the operands keep their own scales, the result is rounded to its.
func decArith(op string, ta, tb, to column.Type, try bool) kernel {
	sa, sb, s, p := int(ta.Scale), int(tb.Scale), int(to.Scale), int(to.Precision)
	var dense [2][]column.Dec128
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		if op == "+" || op == "-" || op == "*" {
			for j, v := range args {
				if v.Const {
					dense[j] = resize(dense[j], k.n)
					fill(dense[j], v.Dec[0])
				}
			}
			x, y := args[0].Dec, args[1].Dec
			if args[0].Const {
				x = dense[0]
			}
			if args[1].Const {
				y = dense[1]
			}
			if fastDec(op, x, y, out.Dec, sa, sb, s, p) {
				return
			}
		}
		for i := range out.Dec {
			if !k.ok(i) {
				continue
			}
			x, y := dec(args[0].Dec[constRow(args[0], i)]), dec(args[1].Dec[constRow(args[1], i)])
			if (op == "/" || op == "%" || op == "pmod") && y.sign() == 0 {
				err := errDivideByZero
				if op != "/" {
					err = errModByZero
				}
				k.zero(i, try, err)
				continue
			}
			r, ok := decOp(op, x, y, sa, sb, s)
			if !ok || !r.fits(p) {
				if try || !k.ctx.ANSI {
					k.null(i)
				} else {
					k.fail(i, errDecimalRange("The result", to))
				}
				continue
			}
			out.Dec[i] = column.Dec128(r)
		}
	}
}

// fastDec computes + - * of small values without checks; it reports false, having written rubbish, when a value is not
// small. A result type below 38 digits holds every result, and * keeps all digits there.
func fastDec(op string, a, b, dst []column.Dec128, sa, sb, s, p int) bool {
	if p == maxPrecision || op == "*" && s != sa+sb {
		return false
	}
	fa, fb := int64(1), int64(1)
	if op != "*" {
		if s != max(sa, sb) || s-min(sa, sb) > 9 {
			return false
		}
		fa, fb = int64(pow10[s-sa].Lo), int64(pow10[s-sb].Lo)
	}
	small := int64(1<<62) / max(fa, fb)
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		x, y := int64(a[i].Lo), int64(b[i].Lo)
		if a[i].Hi != x>>63 || b[i].Hi != y>>63 || uint64(x+small) >= uint64(2*small) || uint64(y+small) >= uint64(2*small) {
			return false
		}
		switch op {
		case "*":
			hi, lo := bits.Mul64(uint64(x), uint64(y))
			hi -= uint64(x>>63&y) + uint64(y>>63&x)
			dst[i] = column.Dec128{Lo: lo, Hi: int64(hi)}
		case "+":
			r := x*fa + y*fb
			dst[i] = column.Dec128{Lo: uint64(r), Hi: r >> 63}
		default:
			r := x*fa - y*fb
			dst[i] = column.Dec128{Lo: uint64(r), Hi: r >> 63}
		}
	}
	return true
}

func decOp(op string, x, y dec, sa, sb, s int) (dec, bool) {
	switch op {
	case "*":
		if r, ok := x.mul(y); ok {
			return r.rescale(sa+sb, s)
		}
		return bigDec(op, x, y, sa, sb, s)
	case "/":
		// x/10^sa / (y/10^sb) at scale s is x * 10^(s-sa+sb) / y.
		if e := s - sa + sb; e >= 0 && e <= maxPrecision {
			if n, ok := x.mul(pow10[e]); ok {
				return n.divRound(y), true
			}
		}
		return bigDec(op, x, y, sa, sb, s)
	}
	common := max(sa, sb)
	a, ok1 := x.rescale(sa, common)
	b, ok2 := y.rescale(sb, common)
	if !ok1 || !ok2 {
		return bigDec(op, x, y, sa, sb, s)
	}
	var r dec
	ok := true
	switch op {
	case "+":
		r, ok = a.add(b)
	case "-":
		r, ok = a.add(b.neg())
	default:
		r = remDec(op, a, b)
	}
	if !ok {
		return bigDec(op, x, y, sa, sb, s)
	}
	return r.rescale(common, s)
}

func remDec(op string, a, b dec) dec {
	_, r := a.abs().quoRem(b.abs())
	if a.sign() < 0 {
		r = r.neg()
	}
	if op == "pmod" && r.sign() < 0 {
		r, _ = r.add(b)
		return remDec("%", r, b)
	}
	return r
}

// bigDec is decOp without limits on the intermediate values.
func bigDec(op string, x, y dec, sa, sb, s int) (dec, bool) {
	a, b := column.Dec128(x).Big(), column.Dec128(y).Big()
	switch op {
	case "*":
		return roundBig(a.Mul(a, b), sa+sb-s)
	case "/":
		if e := s - sa + sb; e >= 0 {
			a.Mul(a, pow10Big(e))
		} else {
			b.Mul(b, pow10Big(-e))
		}
		return quoBig(a, b)
	}
	common := max(sa, sb)
	a.Mul(a, pow10Big(common-sa))
	b.Mul(b, pow10Big(common-sb))
	switch op {
	case "+":
		a.Add(a, b)
	case "-":
		a.Sub(a, b)
	default:
		a.Rem(a, b)
		if op == "pmod" && a.Sign() < 0 {
			a.Add(a, b)
			a.Rem(a, b)
		}
	}
	return roundBig(a, common-s)
}

func pow10Big(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// roundBig drops digits from the end, rounding half away from zero.
func roundBig(a *big.Int, digits int) (dec, bool) {
	if digits <= 0 {
		return decFromBig(a.Mul(a, pow10Big(-digits)))
	}
	return quoBig(a, pow10Big(digits))
}

func quoBig(a, b *big.Int) (dec, bool) {
	neg := a.Sign()*b.Sign() < 0
	a, b = new(big.Int).Abs(a), new(big.Int).Abs(b)
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Lsh(r, 1).Cmp(b) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	if neg {
		q.Neg(q)
	}
	return decFromBig(q)
}
