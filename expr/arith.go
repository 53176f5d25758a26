package expr

import (
	"math"
	"math/bits"

	"github.com/streamflow/streamflow/column"
)

func init() {
	bin := params("a:x a:y")
	arith := func(op, usage, doc, example string) *Function {
		return &Function{Name: op, in: bin, Usage: usage, Doc: doc, Example: example, flags: raw, cost: 1,
			kernel: func(c *Call) kernel { return arithKernel(op, c, false) }}
	}
	plus := arith("+", "x + y", "Adds numbers, days to a date, or an interval to a date or timestamp.", "1 + 2 -> 3")
	plus.in = params("a:x a:y?")
	minus := arith("-", "x - y", "Subtracts; between dates or timestamps the result is an interval.", "5 - 7 -> -2")
	minus.in = params("a:x a:y?")
	list := []*Function{plus, minus,
		arith("*", "x * y", "Multiplies.", "3 * 4 -> 12"),
		arith("/", "x / y", "Divides; integers give a double. Division by zero is an error.", "7 / 2 -> 3.5"),
		arith("%", "x % y", "The remainder of a division, with the sign of x.", "-7 % 3 -> -1"),
	}
	list[4].Aliases = []string{"mod"}
	for _, f := range list {
		f.rewrite = rewriteArith(f.Name, f.Name)
	}
	for _, t := range []struct{ name, op, doc, example string }{
		{"try_add", "+", "x + y, or null on overflow.", "try_add(9223372036854775807, 1) -> NULL"},
		{"try_subtract", "-", "x - y, or null on overflow.", "try_subtract(5, 3) -> 2"},
		{"try_multiply", "*", "x * y, or null on overflow.", "try_multiply(2147483647, 2) -> NULL"},
		{"try_divide", "/", "x / y, or null when y is 0.", "try_divide(1, 0) -> NULL"},
		{"try_mod", "%", "x % y, or null when y is 0.", "try_mod(7, 0) -> NULL"},
	} {
		op := t.op
		list = append(list, &Function{Name: t.name, in: bin, Doc: t.doc, Example: t.example, flags: raw, cost: 1,
			rewrite: rewriteArith(op, t.name), kernel: func(c *Call) kernel { return arithKernel(op, c, true) }})
	}
	list = append(list,
		&Function{Name: "div", in: bin, Usage: "x div y", Doc: "Divides and drops the fraction; the result is a bigint.", Example: "7 div 2 -> 3", flags: raw, cost: 3,
			rewrite: rewriteDiv, kernel: divKernel},
		&Function{Name: "pmod", in: bin, Doc: "The remainder of a division that is never negative for a positive y.", Example: "pmod(-7, 3) -> 2", flags: raw, cost: 3,
			rewrite: rewriteArith("%", "pmod"), kernel: func(c *Call) kernel { return arithKernel("pmod", c, false) }},
		&Function{Name: "negative", Aliases: []string{"negate"}, in: params("a:x"), Doc: "-x.", Example: "negative(5) -> -5", cost: 1,
			rewrite: rewriteNegative, kernel: negativeKernel},
		&Function{Name: "positive", in: params("N:x"), Doc: "x itself.", Example: "positive(5) -> 5", rewrite: rewritePositive},
	)
	register("operators", list...)
}

func rewriteDiv(args []Expr) (Expr, error) {
	a, b := args[0], args[1]
	ta, tb := numberSide(a, b), numberSide(b, a)
	if isInterval(ta.Kind) && ta.Kind == tb.Kind {
		return &Call{Fn: "div", Args: args, Typ: column.Of(column.Int64), Null: a.Nullable() || b.Nullable()}, nil
	}
	if !ta.IsInteger() && ta.Kind != column.Decimal || !tb.IsInteger() && tb.Kind != column.Decimal {
		if !ta.IsNumeric() || !tb.IsNumeric() {
			return nil, binaryMismatch("div", a, b)
		}
		long := column.Of(column.Int64)
		return &Call{Fn: "div", Args: []Expr{Coerce(a, long), Coerce(b, long)}, Typ: long, Null: a.Nullable() || b.Nullable()}, nil
	}
	t := column.Of(column.Int64)
	if ta.Kind == column.Decimal || tb.Kind == column.Decimal {
		t = widerDecimal(AsDecimal(ta), AsDecimal(tb))
	}
	return &Call{Fn: "div", Args: []Expr{Coerce(a, t), Coerce(b, t)}, Typ: column.Of(column.Int64), Null: a.Nullable() || b.Nullable()}, nil
}

func rewriteNegative(args []Expr) (Expr, error) {
	a := args[0]
	switch t := a.DataType(); {
	case t.Kind == column.String || t.Kind == column.Null:
		a = Coerce(a, column.Of(column.Float64))
	case t.Kind == column.Calendar:
		return call("subtract_calendars", &Literal{column.Dec128{}, t}, a)
	case !t.IsNumeric() && !isInterval(t.Kind):
		return nil, unexpectedType("negative", 0, a, `"NUMERIC" or "INTERVAL"`)
	}
	if l, ok := a.(*Literal); ok && l.Value != nil {
		if n := negated(l); n != nil {
			return n, nil
		}
	}
	return &Call{Fn: "negative", Args: []Expr{a}, Typ: a.DataType(), Null: a.Nullable()}, nil
}

// negated is the literal -l, nil when it overflows.
func negated(l *Literal) Expr {
	switch v := l.Value.(type) {
	case int64:
		if fitsInt(-v, l.Typ.Kind) && v != math.MinInt64 {
			return &Literal{-v, l.Typ}
		}
	case float64:
		return &Literal{-v, l.Typ}
	case column.Dec128:
		return &Literal{column.Dec128(dec(v).neg()), l.Typ}
	}
	return nil
}

// arithKernel is the loop for op over the type of the result.
func arithKernel(op string, c *Call, try bool) kernel {
	if try {
		op = map[string]string{"+": "+", "-": "-", "*": "*", "/": "/", "%": "%"}[op]
	}
	switch c.Typ.Kind.Storage() {
	case column.StorageI8:
		return intArith[int8](op, c.Typ.Kind, try)
	case column.StorageI16:
		return intArith[int16](op, c.Typ.Kind, try)
	case column.StorageI32:
		return intArith[int32](op, c.Typ.Kind, try)
	case column.StorageI64:
		return intArith[int64](op, c.Typ.Kind, try)
	case column.StorageF32:
		return floatArith[float32](op, try)
	case column.StorageF64:
		return floatArith[float64](op, try)
	case column.StorageDec:
		return decArith(op, c.Args[0].DataType(), c.Args[1].DataType(), c.Typ, try)
	}
	panic("BUG: arithmetic over " + c.Typ.String())
}

var tryNames = map[string]string{"+": "try_add", "-": "try_subtract", "*": "try_multiply", "/": "try_divide", "%": "try_mod"}

// overflow is what a row does that overflows: null under try, error under ANSI, else the wrapped value stays.
func (k *kctx) overflow(i int, try bool, err error) {
	switch {
	case !k.ok(i):
	case try:
		k.null(i)
	case k.ctx.ANSI:
		k.fail(i, err)
	}
}

// zero is what a row does that divides by zero.
func (k *kctx) zero(i int, try bool, err error) {
	if !k.ok(i) {
		return
	}
	if try {
		k.null(i)
	} else {
		k.ansi(i, err)
	}
}

func intArith[T integer](op string, kind column.Kind, try bool) kernel {
	err := errOverflow(kind, tryNames[op])
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		a, b, dst := slice[T](args[0]), slice[T](args[1]), slice[T](out)
		ca, cb := args[0].Const && k.n > 1, args[1].Const && k.n > 1
		var bad T
		switch {
		case op == "+" && !ca && !cb:
			bad = addVV(dst, a, b)
		case op == "+" && cb:
			bad = addVC(dst, a, b[0])
		case op == "+":
			bad = addVC(dst, b, a[0])
		case op == "-" && !ca && !cb:
			bad = subVV(dst, a, b)
		case op == "-" && cb:
			bad = subVC(dst, a, b[0])
		case op == "-":
			bad = subCV(dst, a[0], b)
		case op == "*":
			mulInts(k, dst, a, b, ca, cb, try, err)
			return
		default:
			modInts(k, op, dst, a, b, ca, cb, try)
			return
		}
		if bad < 0 {
			overflowRows(k, op, a, b, ca, cb, try, err)
		}
	}
}

// The loops below return a number that is negative when some row overflowed.

func addVV[T integer](dst, a, b []T) (bad T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i, x := range a {
		r := x + b[i]
		bad |= (x ^ r) & (b[i] ^ r)
		dst[i] = r
	}
	return bad
}

func addVC[T integer](dst, a []T, c T) (bad T) {
	a = a[:len(dst)]
	for i, x := range a {
		r := x + c
		bad |= (x ^ r) & (c ^ r)
		dst[i] = r
	}
	return bad
}

func subVV[T integer](dst, a, b []T) (bad T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i, x := range a {
		r := x - b[i]
		bad |= (x ^ b[i]) & (x ^ r)
		dst[i] = r
	}
	return bad
}

func subVC[T integer](dst, a []T, c T) (bad T) {
	a = a[:len(dst)]
	for i, x := range a {
		r := x - c
		bad |= (x ^ c) & (x ^ r)
		dst[i] = r
	}
	return bad
}

func subCV[T integer](dst []T, c T, b []T) (bad T) {
	b = b[:len(dst)]
	for i, x := range b {
		r := c - x
		bad |= (c ^ x) & (c ^ r)
		dst[i] = r
	}
	return bad
}

func overflowRows[T integer](k *kctx, op string, a, b []T, ca, cb, try bool, err error) {
	for i := 0; i < k.n; i++ {
		x, y := pickConst(a, ca, i), pickConst(b, cb, i)
		r := x + y
		over := (x^r)&(y^r) < 0
		if op == "-" {
			r = x - y
			over = (x^y)&(x^r) < 0
		}
		if over {
			k.overflow(i, try, err)
		}
	}
}

func pickConst[T any](s []T, constant bool, i int) T {
	if constant {
		return s[0]
	}
	return s[i]
}

func mulInts[T integer](k *kctx, dst, a, b []T, ca, cb, try bool, err error) {
	if ca {
		a, b, ca, cb = b, a, cb, ca
	}
	var bad bool
	if cb {
		bad = mulVC(dst, a, b[0])
	} else {
		bad = mulVV(dst, a, b)
	}
	if !bad {
		return
	}
	for i := range dst {
		if _, over := mulOne(pickConst(a, ca, i), pickConst(b, cb, i)); over {
			k.overflow(i, try, err)
		}
	}
}

// mulOne is the wrapped product and whether it overflowed: the high half must repeat the sign of the low one.
func mulOne[T integer](x, y T) (T, bool) {
	hi, lo := bits.Mul64(uint64(int64(x)), uint64(int64(y)))
	hi -= uint64(int64(x)>>63&int64(y)) + uint64(int64(y)>>63&int64(x))
	r := T(lo)
	return r, int64(r) != int64(lo) || int64(hi) != int64(lo)>>63
}

func mulVV[T integer](dst, a, b []T) (bad bool) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i, x := range a {
		r, over := mulOne(x, b[i])
		dst[i] = r
		bad = bad || over
	}
	return bad
}

func mulVC[T integer](dst, a []T, c T) (bad bool) {
	a = a[:len(dst)]
	for i, x := range a {
		r, over := mulOne(x, c)
		dst[i] = r
		bad = bad || over
	}
	return bad
}

func modInts[T integer](k *kctx, op string, dst, a, b []T, ca, cb, try bool) {
	for i := range dst {
		x, y := pickConst(a, ca, i), pickConst(b, cb, i)
		if y == 0 {
			dst[i] = 0
			k.zero(i, try, errModByZero)
			continue
		}
		if y == -1 {
			dst[i] = 0
			continue
		}
		r := x % y
		if op == "pmod" && r < 0 {
			r = (r + y) % y
		}
		dst[i] = r
	}
}

func floatArith[T float](op string, try bool) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		a, b, dst := slice[T](args[0]), slice[T](args[1]), slice[T](out)
		ca, cb := args[0].Const && k.n > 1, args[1].Const && k.n > 1
		switch op {
		case "+":
			floatAdd(dst, a, b, ca, cb)
		case "-":
			floatSub(dst, a, b, ca, cb)
		case "*":
			floatMul(dst, a, b, ca, cb)
		case "/":
			floatDiv(k, dst, a, b, ca, cb, try)
		default:
			floatMod(k, op, dst, a, b, ca, cb, try)
		}
	}
}

func floatAdd[T float](dst, a, b []T, ca, cb bool) {
	switch {
	case ca:
		a, b, cb = b, a, true
		fallthrough
	case cb:
		c := b[0]
		for i, x := range a[:len(dst)] {
			dst[i] = x + c
		}
	default:
		a, b = a[:len(dst)], b[:len(dst)]
		for i, x := range a {
			dst[i] = x + b[i]
		}
	}
}

func floatSub[T float](dst, a, b []T, ca, cb bool) {
	switch {
	case ca:
		c := a[0]
		for i, x := range b[:len(dst)] {
			dst[i] = c - x
		}
	case cb:
		c := b[0]
		for i, x := range a[:len(dst)] {
			dst[i] = x - c
		}
	default:
		a, b = a[:len(dst)], b[:len(dst)]
		for i, x := range a {
			dst[i] = x - b[i]
		}
	}
}

func floatMul[T float](dst, a, b []T, ca, cb bool) {
	switch {
	case ca:
		a, b, cb = b, a, true
		fallthrough
	case cb:
		c := b[0]
		for i, x := range a[:len(dst)] {
			dst[i] = x * c
		}
	default:
		a, b = a[:len(dst)], b[:len(dst)]
		for i, x := range a {
			dst[i] = x * b[i]
		}
	}
}

func floatDiv[T float](k *kctx, dst, a, b []T, ca, cb, try bool) {
	if cb && b[0] != 0 && !ca {
		c := b[0]
		for i, x := range a[:len(dst)] {
			dst[i] = x / c
		}
		return
	}
	for i := range dst {
		y := pickConst(b, cb, i)
		if y == 0 {
			dst[i] = 0
			k.zero(i, try, errDivideByZero)
			continue
		}
		dst[i] = pickConst(a, ca, i) / y
	}
}

func floatMod[T float](k *kctx, op string, dst, a, b []T, ca, cb, try bool) {
	for i := range dst {
		x, y := float64(pickConst(a, ca, i)), float64(pickConst(b, cb, i))
		if y == 0 {
			dst[i] = 0
			k.zero(i, try, errModByZero)
			continue
		}
		r := math.Mod(x, y)
		if op == "pmod" && r < 0 {
			r = math.Mod(r+y, y)
		}
		dst[i] = T(r)
	}
}

func divKernel(c *Call) kernel {
	t := c.Args[0].DataType()
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		for i := range out.I64 {
			x, y := args[0], args[1]
			if t.Kind == column.Decimal {
				divDec(k, i, dec(x.Dec[constRow(x, i)]), dec(y.Dec[constRow(y, i)]))
				continue
			}
			divInt(k, i, intAt(x, i), intAt(y, i))
		}
	}
}

func divInt(k *kctx, i int, x, y int64) {
	switch {
	case y == 0:
		k.out.I64[i] = 0
		k.zero(i, false, errDivideByZero)
	case x == math.MinInt64 && y == -1:
		k.out.I64[i] = x
		k.overflow(i, false, errOverflow(column.Int64, ""))
	default:
		k.out.I64[i] = x / y
	}
}

func divDec(k *kctx, i int, x, y dec) {
	if y.sign() == 0 {
		k.zero(i, false, errDivideByZero)
		return
	}
	q, _ := x.abs().quoRem(y.abs())
	if x.sign()*y.sign() < 0 {
		q = q.neg()
	}
	v, ok := q.int64()
	k.out.I64[i] = v
	if !ok {
		k.overflow(i, false, errOverflow(column.Int64, ""))
	}
}

// constRow is the storage row of row i.
func constRow(v *column.Vector, i int) int {
	if v.Const {
		return 0
	}
	return i
}

// intAt is row i of an integer, date, timestamp or interval vector.
func intAt(v *column.Vector, i int) int64 {
	i = constRow(v, i)
	switch v.Type.Kind.Storage() {
	case column.StorageI8:
		return int64(v.I8[i])
	case column.StorageI16:
		return int64(v.I16[i])
	case column.StorageI32:
		return int64(v.I32[i])
	}
	return v.I64[i]
}

func negativeKernel(c *Call) kernel {
	zero := literalVector(&Literal{zeroValue(c.Typ), c.Typ})
	sub := arithKernel("-", &Call{Typ: c.Typ, Args: []Expr{c.Args[0], c.Args[0]}}, false)
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		if c.Typ.IsFloat() { // 0 - 0 would lose the sign of -0
			negateFloats(args[0], out)
			return
		}
		sub(k, []*column.Vector{zero, args[0]}, out)
	}
}

func negateFloats(v, out *column.Vector) {
	for i := range out.F64 {
		out.F64[i] = -v.F64[constRow(v, i)]
	}
	for i := range out.F32 {
		out.F32[i] = -v.F32[constRow(v, i)]
	}
}

func zeroValue(t column.Type) any {
	switch t.Kind.Storage() {
	case column.StorageF32, column.StorageF64:
		return float64(0)
	case column.StorageDec:
		return column.Dec128{}
	}
	return int64(0)
}

// rewritePositive is x where x is a number or an interval, and a string as a double.
func rewritePositive(args []Expr) (Expr, error) {
	e, ok := at(params("N:x"), 0).fit(args[0])
	if !ok {
		return nil, unexpectedType("positive", 0, args[0], classNames['N'].text)
	}
	return e, nil
}
