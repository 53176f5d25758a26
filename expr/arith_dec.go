package expr

import (
	"math/big"

	"github.com/streamflow/streamflow/column"
)

// decArith is + - * / % over decimals: the operands keep their own scales, the result is rounded to its.
func decArith(op string, ta, tb, to column.Type, try bool) kernel {
	sa, sb, s, p := int(ta.Scale), int(tb.Scale), int(to.Scale), int(to.Precision)
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		if fastDec(op, args[0], args[1], out.Dec, sa, sb, s) {
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
