package expr

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/streamflow/streamflow/column"
)

func outOf(k column.Kind) func([]Expr) (column.Type, error) {
	return func([]Expr) (column.Type, error) { return column.Of(k), nil }
}

// real is a function from doubles to doubles that is null where f is not defined by Spark either.
func real1(name, doc, example string, f func(float64) float64, aliases ...string) *Function {
	return &Function{Name: name, Aliases: aliases, in: params("d:x"), out: outOf(column.Float64), Doc: doc, Example: example, cost: 10,
		kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i, x := range args[0].F64[:k.n] {
					out.F64[i] = f(x)
				}
			}
		}}
}

// logs are null below their domain.
func log1(name, doc, example string, above float64, f func(float64) float64, aliases ...string) *Function {
	fn := real1(name, doc, example, f, aliases...)
	fn.null = always
	fn.kernel = func(*Call) kernel {
		return func(k *kctx, args []*column.Vector, out *column.Vector) {
			for i, x := range args[0].F64[:k.n] {
				if x <= above {
					k.null(i)
					continue
				}
				out.F64[i] = f(x)
			}
		}
	}
	return fn
}

func real2(name, in, doc, example string, f func(x, y float64) float64, aliases ...string) *Function {
	return &Function{Name: name, Aliases: aliases, in: params(in), out: outOf(column.Float64), Doc: doc, Example: example, cost: 20,
		kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				x, y := args[0].F64, args[1].F64
				for i := range out.F64 {
					out.F64[i] = f(x[i], y[i])
				}
			}
		}}
}

func constant(name, doc, example string, v float64) *Function {
	return macro(name, "", doc, example, func([]Expr) (Expr, error) { return Lit(v), nil })
}

func init() {
	register("math",
		&Function{Name: "abs", in: params("N:x"), out: typeOfFirst, Doc: "The absolute value of a number or interval.", Example: "abs(-5) -> 5", cost: 1, kernel: absKernel},
		rounding("ceil", "The least whole number not below x; with digits, rounded up to them.", "ceil(1.2) -> 2", "ceiling"),
		rounding("floor", "The greatest whole number not above x; with digits, rounded down to them.", "floor(-1.2) -> -2"),
		rounding("round", "Rounds to digits after the point (0), halves away from zero.", "round(2.5) -> 3"),
		rounding("bround", "Rounds to digits after the point (0), halves to the even neighbour.", "bround(2.5) -> 2"),
		real1("rint", "The nearest whole number as a double, halves to even.", "rint(2.5D) -> 2.0", math.RoundToEven),
		real1("sqrt", "The square root; NaN below 0.", "sqrt(16) -> 4.0", math.Sqrt),
		real1("cbrt", "The cube root.", "cbrt(27) -> 3.0", math.Cbrt),
		real1("exp", "e to the power x.", "exp(0) -> 1.0", math.Exp),
		real1("expm1", "exp(x) - 1, exact near 0.", "expm1(0) -> 0.0", math.Expm1),
		log1("ln", "The natural logarithm; null for 0 and below.", "ln(1) -> 0.0", 0, math.Log),
		log1("log2", "The logarithm to base 2; null for 0 and below.", "log2(8) -> 3.0", 0, math.Log2),
		log1("log10", "The logarithm to base 10; null for 0 and below.", "log10(100) -> 2.0", 0, math.Log10),
		log1("log1p", "ln(1 + x); null for -1 and below.", "log1p(0) -> 0.0", -1, math.Log1p),
		&Function{Name: "log", in: params("d:base d:x?"), out: outOf(column.Float64), null: always, Usage: "log([base, ]x)", Doc: "The logarithm to a base, e when there is none.", Example: "log(10, 1000) -> 2.9999999999999996", cost: 20, kernel: logKernel},
		real2("pow", "d:x d:y", "x to the power y.", "pow(2, 10) -> 1024.0", math.Pow, "power"),
		real1("sin", "The sine.", "sin(0) -> 0.0", math.Sin), real1("cos", "The cosine.", "cos(0) -> 1.0", math.Cos),
		real1("tan", "The tangent.", "tan(0) -> 0.0", math.Tan), real1("asin", "The inverse sine.", "asin(0) -> 0.0", math.Asin),
		real1("acos", "The inverse cosine.", "acos(1) -> 0.0", math.Acos), real1("atan", "The inverse tangent.", "atan(0) -> 0.0", math.Atan),
		real1("sinh", "The hyperbolic sine.", "sinh(0) -> 0.0", math.Sinh), real1("cosh", "The hyperbolic cosine.", "cosh(0) -> 1.0", math.Cosh),
		real1("tanh", "The hyperbolic tangent.", "tanh(0) -> 0.0", math.Tanh), real1("asinh", "The inverse hyperbolic sine.", "asinh(0) -> 0.0", math.Asinh),
		real1("acosh", "The inverse hyperbolic cosine.", "acosh(1) -> 0.0", math.Acosh), real1("atanh", "The inverse hyperbolic tangent.", "atanh(0) -> 0.0", math.Atanh),
		real1("cot", "1 / tan(x).", "round(cot(1), 6) -> 0.642093", func(x float64) float64 { return 1 / math.Tan(x) }),
		real1("sec", "1 / cos(x).", "sec(0) -> 1.0", func(x float64) float64 { return 1 / math.Cos(x) }),
		real1("csc", "1 / sin(x).", "round(csc(1), 6) -> 1.188395", func(x float64) float64 { return 1 / math.Sin(x) }),
		real1("degrees", "Radians as degrees.", "degrees(0) -> 0.0", func(x float64) float64 { return x * (180 / math.Pi) }),
		real1("radians", "Degrees as radians.", "radians(0) -> 0.0", func(x float64) float64 { return x / 180 * math.Pi }),
		signOf(),
		real2("atan2", "d:y d:x", "The angle of the point (x, y).", "atan2(0, 1) -> 0.0", math.Atan2),
		real2("hypot", "d:x d:y", "The square root of x² + y².", "hypot(3, 4) -> 5.0", math.Hypot),
		constant("pi", "The number pi.", "pi() -> 3.141592653589793", math.Pi),
		constant("e", "The number e.", "e() -> 2.718281828459045", math.E),
		&Function{Name: "factorial", in: params("i:n"), out: outOf(column.Int64), null: always, Doc: "n!; null outside 0 to 20.", Example: "factorial(5) -> 120", cost: 5, kernel: factorialKernel},
		&Function{Name: "width_bucket", in: params("d:x d:min d:max l:buckets"), out: outOf(column.Int64), null: always, Doc: "The number of the bucket that x falls in, of so many equal ones between min and max.", Example: "width_bucket(5.3, 0.2, 10.6, 5) -> 3", cost: 10, kernel: widthBucket},
		&Function{Name: "conv", in: params("s:num i:from i:to"), out: outOf(column.String), null: always, Doc: "Converts a number between bases 2 to 36.", Example: "conv('100', 2, 10) -> 4", cost: 60, kernel: convKernel},
		&Function{Name: "bin", in: params("l:n"), out: outOf(column.String), Doc: "The binary digits of n.", Example: "bin(13) -> 1101", cost: 30, kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				t := k.text()
				for i, x := range args[0].I64[:k.n] {
					t.buf = strconv.AppendUint(t.buf, uint64(x), 2)
					t.end(i)
				}
				t.done()
			}
		}},
	)
	register("bitwise",
		bitwise("&", "x & y", "The bits set in both.", "5 & 3 -> 1"),
		bitwise("|", "x | y", "The bits set in either.", "5 | 3 -> 7"),
		bitwise("^", "x ^ y", "The bits set in one of the two.", "5 ^ 3 -> 6"),
		&Function{Name: "~", Aliases: []string{"bitwise_not"}, in: params("I:x"), out: typeOfFirst, Usage: "~x", Doc: "All bits flipped.", Example: "~5 -> -6", cost: 1, kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i := 0; i < k.n; i++ {
					setInt(out, i, ^intAt(args[0], i))
				}
			}
		}},
		shift("shiftleft", "<<", "Shifts bits to the left.", "shiftleft(1, 4) -> 16"),
		shift("shiftright", ">>", "Shifts bits to the right, keeping the sign.", "shiftright(-16, 2) -> -4"),
		shift("shiftrightunsigned", ">>>", "Shifts bits to the right, filling with zeros.", "shiftrightunsigned(-1, 31) -> 1"),
		&Function{Name: "bit_count", in: params("l:x"), out: outOf(column.Int32), Doc: "How many bits are set.", Example: "bit_count(7) -> 3", cost: 1, kernel: intToInt(func(x int64) int64 { return int64(bits.OnesCount64(uint64(x))) })},
		&Function{Name: "getbit", Aliases: []string{"bit_get"}, in: params("l:x i:pos"), out: outOf(column.Int8), Doc: "Bit pos of x, counted from the right, from 0.", Example: "getbit(11, 1) -> 1", cost: 1, kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i := range out.I8 {
					p := args[1].I32[i]
					if p < 0 || p > 63 {
						if k.ok(i) {
							k.fail(i, errBadValue("getbit", "pos", strconv.Itoa(int(p))))
						}
						continue
					}
					out.I8[i] = int8(args[0].I64[i] >> p & 1)
				}
			}
		}},
	)
}

// intToInt is a kernel from one integer-like argument to an integer-like result.
func intToInt(f func(int64) int64) func(*Call) kernel {
	return func(*Call) kernel {
		return func(k *kctx, args []*column.Vector, out *column.Vector) {
			for i := 0; i < k.n; i++ {
				setInt(out, i, f(intAt(args[0], i)))
			}
		}
	}
}

func signum(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

func absKernel(c *Call) kernel {
	err := errOverflow(c.Typ.Kind, "")
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		v := args[0]
		switch c.Typ.Kind.Storage() {
		case column.StorageF32:
			for i, x := range v.F32[:k.n] {
				out.F32[i] = float32(math.Abs(float64(x)))
			}
		case column.StorageF64:
			for i, x := range v.F64[:k.n] {
				out.F64[i] = math.Abs(x)
			}
		case column.StorageDec:
			for i, x := range v.Dec[:k.n] {
				out.Dec[i] = column.Dec128(dec(x).abs())
			}
		default:
			for i := 0; i < k.n; i++ {
				x := intAt(v, i)
				if x < 0 {
					x = -x
				}
				setInt(out, i, x)
				if x < 0 || !fitsInt(x, c.Typ.Kind) {
					k.overflow(i, false, err)
				}
			}
		}
	}
}

func logKernel(c *Call) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		for i := range out.F64 {
			base, x := math.E, args[0].F64[i]
			if len(args) == 2 {
				base, x = x, args[1].F64[i]
			}
			if x <= 0 || base <= 0 {
				k.null(i)
				continue
			}
			if len(args) == 1 {
				out.F64[i] = math.Log(x)
			} else {
				out.F64[i] = math.Log(x) / math.Log(base)
			}
		}
	}
}

func factorialKernel(*Call) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		for i, n := range args[0].I32[:k.n] {
			if n < 0 || n > 20 {
				k.null(i)
				continue
			}
			f := int64(1)
			for j := int64(2); j <= int64(n); j++ {
				f *= j
			}
			out.I64[i] = f
		}
	}
}

func widthBucket(*Call) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		for i := range out.I64 {
			x, lo, hi, n := args[0].F64[i], args[1].F64[i], args[2].F64[i], args[3].I64[i]
			if n <= 0 || n == math.MaxInt64 || lo == hi || x != x || math.IsInf(lo, 0) || math.IsInf(hi, 0) || lo != lo || hi != hi {
				k.null(i)
				continue
			}
			pos, width := x-lo, hi-lo
			if lo > hi {
				pos, width = lo-x, lo-hi
			}
			switch {
			case pos < 0:
				out.I64[i] = 0
			case pos >= width:
				out.I64[i] = n + 1
			default:
				out.I64[i] = int64(float64(n)*pos/width) + 1
			}
		}
	}
}

func convKernel(*Call) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		t := k.text()
		for i := 0; i < k.n; i++ {
			s, from, to := args[0].Str(i), int(args[1].I32[i]), int(args[2].I32[i])
			r, ok := conv(s, from, to)
			if !ok {
				k.null(i)
			}
			t.set(i, []byte(r))
		}
		t.done()
	}
}

// conv reads as many digits of s as belong to base from; a negative to means signed output.
func conv(s string, from, to int) (string, bool) {
	abs := to
	if abs < 0 {
		abs = -abs
	}
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	if from < 2 || from > 36 || abs < 2 || abs > 36 || s == "" {
		return "", false
	}
	var v uint64
	for i := 0; i < len(s); i++ {
		d := digitOf(s[i])
		if d < 0 || d >= from {
			break
		}
		hi, lo := bits.Mul64(v, uint64(from))
		sum, carry := bits.Add64(lo, uint64(d), 0)
		if hi != 0 || carry != 0 {
			v = math.MaxUint64
			break
		}
		v = sum
	}
	if neg {
		v = -v
	}
	if to < 0 && int64(v) < 0 {
		return "-" + upperASCII(strconv.FormatUint(-v, abs)), true
	}
	return upperASCII(strconv.FormatUint(v, abs)), true
}

func digitOf(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return -1
}

func upperASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 32
		}
	}
	return string(b)
}

func bitwise(op, usage, doc, example string) *Function {
	return &Function{Name: op, in: params("I=:x I=:y"), out: typeOfFirst, Usage: usage, Doc: doc, Example: example, cost: 1,
		kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				a, b := args[0], args[1]
				switch op {
				case "&":
					for i := 0; i < k.n; i++ {
						setInt(out, i, intAt(a, i)&intAt(b, i))
					}
				case "|":
					for i := 0; i < k.n; i++ {
						setInt(out, i, intAt(a, i)|intAt(b, i))
					}
				default:
					for i := 0; i < k.n; i++ {
						setInt(out, i, intAt(a, i)^intAt(b, i))
					}
				}
			}
		}}
}

func shift(name, op, doc, example string) *Function {
	return &Function{Name: name, Aliases: []string{op}, in: params("I:x i:n"), Doc: doc, Example: example, cost: 1,
		out: func(args []Expr) (column.Type, error) {
			if args[0].DataType().Kind == column.Int64 {
				return column.Of(column.Int64), nil
			}
			return column.Of(column.Int32), nil
		},
		kernel: func(c *Call) kernel {
			which := map[string]int{"<<": 0, ">>": 1, ">>>": 2}[op]
			wide := c.Typ.Kind == column.Int64
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i := 0; i < k.n && !wide; i++ {
					x, n := int32(intAt(args[0], i)), args[1].I32[i]&31
					out.I32[i] = [...]int32{x << n, x >> n, int32(uint32(x) >> n)}[which]
				}
				for i := 0; i < k.n && wide; i++ {
					x, n := intAt(args[0], i), args[1].I32[i]&63
					out.I64[i] = [...]int64{x << n, x >> n, int64(uint64(x) >> n)}[which]
				}
			}
		}}
}

// signOf is signum of numbers and of intervals.
func signOf() *Function {
	f := real1("signum", "-1.0, 0.0 or 1.0 by the sign of x, a number or an interval.", "signum(-3) -> -1.0", signum, "sign")
	f.in = params("N:x")
	f.rewrite = func(args []Expr) (Expr, error) {
		args, err := f.fitArgs(args)
		if err != nil {
			return nil, err
		}
		x := args[0]
		if isInterval(x.DataType().Kind) {
			to := column.Of(column.Int64)
			if x.DataType().Kind == column.IntervalDT {
				to = column.DecimalOf(20, 6)
			}
			x = &Cast{Child: x, To: to}
		}
		return &Call{Fn: "signum", Args: []Expr{Coerce(x, column.Of(column.Float64))}, Typ: column.Of(column.Float64), Null: x.Nullable()}, nil
	}
	return f
}
