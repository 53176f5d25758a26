package expr

import (
	"math/big"

	"github.com/streamflow/streamflow/column"
)

// decArith is + - * / % over decimals: the operands keep their own scales, the result is rounded to its.
func decArith(op string, ta, tb, to column.Type, try bool) kernel {
	sa, sb, s, p := int(ta.Scale), int(tb.Scale), int(to.Scale), int(to.Precision)
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		if (op == "+" || op == "-") && !args[0].Const && !args[1].Const && addDecFast(args[0].Dec, args[1].Dec, out.Dec, sa, sb, s, p, op == "-") {
			return
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

// addDecFast adds when all values are small; it reports false, having written rubbish, when one is not.
func addDecFast(a, b, dst []column.Dec128, sa, sb, s, p int, sub bool) bool {
	if s != max(sa, sb) || p < 19 && p != 0 {
		return false
	}
	fa, fb := int64(1), int64(1)
	if s-sa > 9 || s-sb > 9 {
		return false
	}
	for range s - sa {
		fa *= 10
	}
	for range s - sb {
		fb *= 10
	}
	const small = 1 << 30
	for i := range dst {
		x, y := int64(a[i].Lo), int64(b[i].Lo)
		if a[i].Hi != x>>63 || b[i].Hi != y>>63 || uint64(x+small) >= 2*small || uint64(y+small) >= 2*small {
			return false
		}
		r := x*fa + y*fb
		if sub {
			r = x*fa - y*fb
		}
		dst[i] = column.Dec128{Lo: uint64(r), Hi: r >> 63}
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
