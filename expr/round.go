package expr

import (
	"math"
	"strconv"

	"github.com/streamflow/streamflow/column"
)

// rounding is ceil, floor, round or bround. Without digits the first two give whole numbers.
func rounding(name, doc, example string, aliases ...string) *Function {
	return &Function{Name: name, Aliases: aliases, in: params("n:x i:digits?"), Doc: doc, Example: example, cost: 15,
		out:    func(args []Expr) (column.Type, error) { return roundedType(name, args) },
		kernel: func(c *Call) kernel { return roundKernel(name, c) }}
}

// literalDigits is the constant digits argument, 0 when there is none.
func literalDigits(args []Expr) (int, bool) {
	if len(args) < 2 {
		return 0, true
	}
	l, ok := Transform(args[1], Fold).(*Literal)
	if !ok || l.Value == nil {
		return 0, false
	}
	return int(l.Value.(int64)), true
}

func roundedType(name string, args []Expr) (column.Type, error) {
	t := args[0].DataType()
	whole := name == "ceil" || name == "floor"
	digits, ok := literalDigits(args)
	if !ok {
		return t, unexpectedType(name, 1, args[1], "constant \"INT\"")
	}
	switch {
	case t.Kind == column.Decimal && whole && len(args) == 1 && t.Scale == 0:
		return t, nil
	case t.Kind == column.Decimal && whole && len(args) == 1:
		return column.DecimalOf(min(maxPrecision, int(t.Precision)-int(t.Scale)+1), 0), nil
	case t.Kind == column.Decimal:
		s := min(int(t.Scale), max(digits, 0))
		return column.DecimalOf(min(maxPrecision, max(int(t.Precision)-int(t.Scale)+s+1, 1-min(digits, 0))), s), nil
	case whole && len(args) == 1:
		return column.Of(column.Int64), nil
	case whole && t.IsFloat():
		return column.Of(column.Float64), nil
	}
	return t, nil
}

func roundKernel(name string, c *Call) kernel {
	digits, _ := literalDigits(c.Args)
	from, to := c.Args[0].DataType(), c.Typ
	err := errOverflow(to.Kind, "")
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		v := args[0]
		for i := 0; i < k.n; i++ {
			if !k.ok(i) {
				continue
			}
			switch {
			case from.Kind == column.Decimal:
				r, ok := roundDec(name, dec(v.Dec[i]), int(from.Scale), digits, int(to.Scale))
				if !ok || !r.fits(int(to.Precision)) {
					k.ansi(i, errDecimalRange(v.Dec[i].Text(int(from.Scale)), to))
					continue
				}
				out.Dec[i] = column.Dec128(r)
			case from.IsFloat() && to.IsInteger():
				r, ok := convert[float64, int64](roundWhole(name, floatAt(v, i)))
				out.I64[i] = r
				if !ok {
					k.overflow(i, false, err)
				}
			case from.IsFloat():
				setFloat(out, i, roundFloat(name, floatAt(v, i), digits, from.Kind == column.Float32))
			default:
				r, ok := roundInt(name, intAt(v, i), digits)
				setInt(out, i, r)
				if !ok || !fitsInt(r, to.Kind) {
					k.overflow(i, false, err)
				}
			}
		}
	}
}

func roundWhole(name string, x float64) float64 {
	switch name {
	case "ceil":
		return math.Ceil(x)
	case "floor":
		return math.Floor(x)
	case "bround":
		return math.RoundToEven(x)
	}
	return math.Round(x)
}

// roundFloat rounds the decimal text of x, as Java's BigDecimal does: 2.675 to two digits is 2.68.
func roundFloat(name string, x float64, digits int, single bool) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) || digits > 300 {
		return x
	}
	if digits == 0 {
		return roundWhole(name, x)
	}
	bits := 64
	if single {
		bits = 32
	}
	num, exp, ok := splitNumber(strconv.AppendFloat(nil, math.Abs(x), 'e', -1, bits))
	if !ok || -exp <= digits {
		return x
	}
	d := dec{}
	for _, c := range num {
		d, _ = d.mul(dec{Lo: 10})
		d, _ = d.add(dec{Lo: uint64(c - '0')})
	}
	if x < 0 {
		d = d.neg()
	}
	drop := -exp - digits
	if drop > maxPrecision {
		drop = maxPrecision
	}
	r := divMode(name, d, pow10[drop])
	f, err := strconv.ParseFloat(column.Dec128(r).Text(0)+"e"+strconv.Itoa(-digits), 64)
	if err != nil {
		return x
	}
	return f
}

// divMode is d/o as a whole number, rounded as the function rounds.
func divMode(name string, d, o dec) dec {
	q, r := d.abs().quoRem(o)
	neg := d.sign() < 0
	up := false
	switch name {
	case "ceil":
		up = r.sign() != 0 && !neg
	case "floor":
		up = r.sign() != 0 && neg
	default:
		rest, _ := o.add(r.neg())
		c := r.cmp(rest)
		up = c > 0 || c == 0 && (name == "round" || q.Lo&1 == 1)
	}
	if up {
		q, _ = q.add(dec{Lo: 1})
	}
	if neg {
		return q.neg()
	}
	return q
}

// roundDec rounds d, which has from fraction digits, to digits of them and returns it with to.
func roundDec(name string, d dec, from, digits, to int) (dec, bool) {
	if digits >= from {
		return d.rescale(from, to)
	}
	drop := from - digits
	if drop > maxPrecision {
		return dec{}, true
	}
	return divMode(name, d, pow10[drop]).rescale(digits, to)
}

func roundInt(name string, x int64, digits int) (int64, bool) {
	if digits >= 0 {
		return x, true
	}
	if -digits > 19 {
		return 0, true
	}
	r, ok := divMode(name, decFromInt(x), pow10[-digits]).mul(pow10[-digits])
	v, fits := r.int64()
	return v, ok && fits
}
