package expr

import (
	"math"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
)

// castFunction stands for Cast nodes in programs.
var castFunction = &Function{Name: "cast"}

// zonedCast reports whether a conversion depends on the session's time zone.
func zonedCast(from, to column.Type) bool {
	if from.IsNested() && from.Kind == to.Kind && len(from.Fields) == len(to.Fields) {
		for i := range from.Fields {
			if zonedCast(from.Fields[i].Type, to.Fields[i].Type) {
				return true
			}
		}
		return false
	}
	z := func(a, b column.Type) bool {
		return a.Kind == column.Timestamp && (b.Kind == column.String || b.Kind == column.Date || b.Kind == column.TimestampNTZ)
	}
	return z(from, to) || z(to, from) || from.IsNested() && to.Kind == column.String || from.Kind == column.Variant
}

// caster is one conversion: what the kernels below need to say about a row that cannot be converted.
type caster struct {
	from, to column.Type
	try      bool
}

// bad makes row i null under try_cast and without ANSI, and an error otherwise.
func (c *caster) bad(k *kctx, i int, err func() error) {
	if !k.ok(i) {
		return
	}
	if c.try || !k.ctx.ANSI {
		k.null(i)
		return
	}
	k.fail(i, err())
}

// castKernel is the loop that converts from one type to another; the pair is allowed (CanCast).
func castKernel(from, to column.Type, try bool) kernel {
	c := &caster{from: from, to: to, try: try}
	switch {
	case from.Kind == column.Null && to.IsNested():
		return func(_ *kctx, _ []*column.Vector, out *column.Vector) { *out = *column.Nulls(to, out.N) }
	case from.Kind == column.Null:
		return func(*kctx, []*column.Vector, *column.Vector) {}
	case from.Kind == to.Kind && isInterval(to.Kind) && cutsInterval(from, to):
		return c.ints(func(_ *kctx, v int64) (int64, bool) { return to.CutInterval(v), true })
	case from.Kind == to.Kind && isInterval(to.Kind):
		return retype(to)
	case from.Kind == column.Time && to.Kind == column.Time:
		return c.ints(func(_ *kctx, v int64) (int64, bool) { return column.TruncateTime(v, int(to.Precision)), true })
	case from.Equal(to):
		return copyKernel
	case from.Kind == column.Variant:
		return fromVariant(nil, to, try)
	case to.Kind == column.Variant:
		return toVariant(nil)
	case to.Kind == column.String:
		return c.toText()
	case from.Kind == column.String:
		return c.fromText()
	case from.Kind == column.Time:
		return c.fromClock
	case from.IsNested():
		return c.nested
	case from.Kind == column.Bool && to.Kind != column.Timestamp:
		return c.fromBool()
	case to.Kind == column.Bool:
		return c.toBool
	case from.Kind == column.Decimal || to.Kind == column.Decimal:
		return c.decimal()
	case from.IsNumeric() && to.IsNumeric():
		return c.numbers()
	case from.Kind == column.Binary || to.Kind == column.Binary:
		return c.binary
	}
	return c.times()
}

// cutsInterval reports whether the last unit of to is larger than that of from.
func cutsInterval(from, to column.Type) bool {
	_, f := from.IntervalUnits()
	_, t := to.IntervalUnits()
	return t < f
}

// retype is a copy under another type of the same storage.
func retype(to column.Type) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		copyKernel(k, args, out)
		out.Type = to
	}
}

func copyKernel(k *kctx, args []*column.Vector, out *column.Vector) {
	valid := out.Valid
	*out = *args[0]
	if args[0].Const && k.n > 1 {
		*out = *column.Expand(args[0], k.n)
	}
	out.Valid = valid
}

// numbers converts between fixed-width numbers.
func (c *caster) numbers() kernel {
	switch c.from.Kind.Storage() {
	case column.StorageI8:
		return numbersFrom[int8](c)
	case column.StorageI16:
		return numbersFrom[int16](c)
	case column.StorageI32:
		return numbersFrom[int32](c)
	case column.StorageI64:
		return numbersFrom[int64](c)
	case column.StorageF32:
		return numbersFrom[float32](c)
	}
	return numbersFrom[float64](c)
}

func numbersFrom[S number](c *caster) kernel {
	switch c.to.Kind.Storage() {
	case column.StorageI8:
		return narrow[S, int8](c)
	case column.StorageI16:
		return narrow[S, int16](c)
	case column.StorageI32:
		return narrow[S, int32](c)
	case column.StorageI64:
		return narrow[S, int64](c)
	case column.StorageF32:
		return widen[S, float32]
	}
	return widen[S, float64]
}

func widen[S, D number](k *kctx, args []*column.Vector, out *column.Vector) {
	src, dst := slice[S](args[0]), slice[D](out)
	for i, x := range src[:k.n] {
		dst[i] = D(x)
	}
}

// narrow converts to an integer type and finds the rows that it does not hold.
func narrow[S number, D integer](c *caster) kernel {
	if c.from.IsInteger() && c.to.Kind > c.from.Kind {
		return widen[S, D]
	}
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		src, dst := slice[S](args[0]), slice[D](out)
		for i, x := range src[:k.n] {
			d, ok := convert[S, D](x)
			dst[i] = d
			if ok || !k.ok(i) {
				continue
			}
			switch {
			case c.try:
				k.null(i)
			case k.ctx.ANSI:
				k.fail(i, errCastOverflow(numberText(x), c.from, c.to))
			default:
				dst[i] = wrapped[S, D](x)
			}
		}
	}
}

// convert truncates towards zero; without fit, floats go to the nearest end of the range (NaN to 0) and integers wrap.
func convert[S number, D integer](x S) (D, bool) {
	if half := S(1) / 2; half == 0 {
		d := D(x)
		return d, S(d) == x
	}
	f := math.Trunc(float64(x))
	lo, hi := limits[D]()
	switch {
	case f != f:
		return 0, false
	case f < float64(lo):
		return lo, false
	case f >= -float64(lo):
		return hi, false
	}
	return D(f), true
}

// wrapped is what Java makes of a number that does not fit: floats go through the int that is nearest, then bits are cut off.
func wrapped[S number, D integer](x S) D {
	if lo, _ := limits[D](); int64(lo) > math.MinInt32 {
		i, _ := convert[S, int32](x)
		return D(i)
	}
	d, _ := convert[S, D](x)
	return d
}

func limits[D integer]() (lo, hi D) {
	lo = 1
	for lo > 0 {
		lo <<= 1
	}
	return lo, ^lo
}

func numberText[S number](x S) string {
	if half := S(1) / 2; half == 0 {
		return strconv.FormatInt(int64(x), 10)
	}
	return string(column.AppendFloat(nil, float64(x), 64)) + "D"
}

func (c *caster) fromBool() kernel {
	one := column.Dec128(pow10[c.to.Scale%(maxPrecision+1)])
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		for i, x := range args[0].Bools[:k.n] {
			v := boolInt(x)
			switch out.Type.Kind.Storage() {
			case column.StorageF32:
				out.F32[i] = float32(v)
			case column.StorageF64:
				out.F64[i] = float64(v)
			case column.StorageDec:
				out.Dec[i] = column.Dec128{}
				if x {
					out.Dec[i] = one
				}
			default:
				setInt(out, i, int64(v))
			}
		}
	}
}

// setInt writes an integer, date, timestamp or interval.
func setInt(out *column.Vector, i int, v int64) {
	switch out.Type.Kind.Storage() {
	case column.StorageI8:
		out.I8[i] = int8(v)
	case column.StorageI16:
		out.I16[i] = int16(v)
	case column.StorageI32:
		out.I32[i] = int32(v)
	default:
		out.I64[i] = v
	}
}

func (c *caster) toBool(k *kctx, args []*column.Vector, out *column.Vector) {
	v := args[0]
	for i := range out.Bools {
		switch v.Type.Kind.Storage() {
		case column.StorageF32:
			out.Bools[i] = v.F32[i] != 0
		case column.StorageF64:
			out.Bools[i] = v.F64[i] != 0
		case column.StorageDec:
			out.Bools[i] = v.Dec[i] != column.Dec128{}
		default:
			out.Bools[i] = intAt(v, i) != 0
		}
	}
}

// binary converts integers to their big-endian bytes.
func (c *caster) binary(k *kctx, args []*column.Vector, out *column.Vector) {
	width := map[column.Kind]int{column.Int8: 1, column.Int16: 2, column.Int32: 4, column.Int64: 8}[c.from.Kind]
	t := k.text()
	for i := 0; i < k.n; i++ {
		for b := width - 1; b >= 0; b-- {
			t.buf = append(t.buf, byte(intAt(args[0], i)>>(8*b)))
		}
		t.end(i)
	}
	t.done()
}

// decimal converts between decimals, and between decimals and numbers or timestamps.
func (c *caster) decimal() kernel {
	from, to := c.from, c.to
	switch {
	case from.Kind == column.Decimal && to.Kind == column.Decimal:
		return c.rescale
	case to.Kind == column.Decimal:
		return c.toDecimal
	}
	return c.fromDecimal
}

func (c *caster) rescale(k *kctx, args []*column.Vector, out *column.Vector) {
	from, to := int(c.from.Scale), int(c.to.Scale)
	for i := range out.Dec {
		if !k.ok(i) {
			continue
		}
		c.setDec(k, i, dec(args[0].Dec[i]), from, to)
	}
}

func (c *caster) setDec(k *kctx, i int, d dec, from, to int) {
	r, ok := d.rescale(from, to)
	if !ok || !r.fits(int(c.to.Precision)) {
		c.bad(k, i, func() error { return errDecimalRange(column.Dec128(d).Text(from), c.to) })
		return
	}
	k.out.Dec[i] = column.Dec128(r)
}

func (c *caster) toDecimal(k *kctx, args []*column.Vector, out *column.Vector) {
	v := args[0]
	for i := range out.Dec {
		if !k.ok(i) {
			continue
		}
		switch {
		case v.Type.Kind == column.Timestamp:
			c.setDec(k, i, decFromInt(v.I64[i]), 6, int(c.to.Scale))
		case v.Type.IsFloat():
			f := floatAt(v, i)
			d, ok := decFromFloat(f, int(c.to.Scale))
			if !ok || !d.fits(int(c.to.Precision)) {
				c.bad(k, i, func() error { return errDecimalRange(string(column.AppendFloat(nil, f, 64)), c.to) })
				continue
			}
			out.Dec[i] = column.Dec128(d)
		default:
			c.setDec(k, i, decFromInt(intAt(v, i)), 0, int(c.to.Scale))
		}
	}
}

// floatAt is row i of a float or double vector.
func floatAt(v *column.Vector, i int) float64 {
	i = constRow(v, i)
	if v.Type.Kind == column.Float32 {
		return float64(v.F32[i])
	}
	return v.F64[i]
}

func (c *caster) fromDecimal(k *kctx, args []*column.Vector, out *column.Vector) {
	s := int(c.from.Scale)
	for i := 0; i < k.n; i++ {
		if !k.ok(i) {
			continue
		}
		d := dec(args[0].Dec[i])
		switch {
		case c.to.Kind == column.Float64:
			out.F64[i] = d.float(s)
		case c.to.Kind == column.Float32:
			out.F32[i] = float32(d.float(s))
		case c.to.Kind == column.Timestamp:
			r, ok := d.rescale(s, 6)
			us, ok2 := r.int64()
			out.I64[i] = us
			if !ok || !ok2 {
				c.bad(k, i, func() error { return errCastOverflow(column.Dec128(d).Text(s), c.from, c.to) })
			}
		default:
			q, _ := d.abs().quoRem(pow10[s])
			if d.sign() < 0 {
				q = q.neg()
			}
			n, ok := q.int64()
			setInt(out, i, n)
			if fits := ok && fitsInt(n, c.to.Kind); !fits && !c.try && !k.ctx.ANSI {
				setInt(out, i, int64(q.Lo)) // the low bits, as Java does
			} else if !fits {
				c.bad(k, i, func() error { return errCastOverflow(column.Dec128(d).Text(s), c.from, c.to) })
			}
		}
	}
}

// times converts between dates, timestamps, intervals and numbers of seconds.
func (c *caster) times() kernel {
	const day, sec = 86400 * 1e6, 1e6
	from, to := c.from.Kind, c.to.Kind
	switch {
	case from == column.Date && to == column.Timestamp:
		return c.ints(func(k *kctx, v int64) (int64, bool) { return column.FromLocal(v*day, k.ctx.location()), true })
	case from == column.Date:
		return c.ints(func(_ *kctx, v int64) (int64, bool) { return v * day, true })
	case from == column.Bool:
		return func(_ *kctx, args []*column.Vector, out *column.Vector) {
			for i, x := range args[0].Bools[:out.N] {
				out.I64[i] = int64(boolInt(x)) // Spark: true is a microsecond
			}
		}
	case from == column.Timestamp && to == column.Date:
		return c.ints(func(k *kctx, v int64) (int64, bool) { return floorDiv(column.ToLocal(v, k.ctx.location()), day), true })
	case from == column.TimestampNTZ && to == column.Date:
		return c.ints(func(_ *kctx, v int64) (int64, bool) { return floorDiv(v, day), true })
	case from == column.Timestamp && to == column.TimestampNTZ:
		return c.ints(func(k *kctx, v int64) (int64, bool) { return column.ToLocal(v, k.ctx.location()), true })
	case from == column.TimestampNTZ:
		return c.ints(func(k *kctx, v int64) (int64, bool) { return column.FromLocal(v, k.ctx.location()), true })
	case from == column.Timestamp && c.to.IsFloat():
		return func(k *kctx, args []*column.Vector, out *column.Vector) {
			for i := 0; i < k.n; i++ {
				setFloat(out, i, float64(args[0].I64[i])/sec)
			}
		}
	case from == column.Timestamp:
		return c.ints(func(_ *kctx, v int64) (int64, bool) { s := floorDiv(v, sec); return s, fitsInt(s, to) })
	case to == column.Timestamp && c.from.IsFloat():
		return c.floatSeconds
	case to == column.Timestamp:
		return c.ints(func(_ *kctx, v int64) (int64, bool) { return saturatedMicros(v), true })
	case from == column.IntervalDT:
		return c.intervals(func(_ *kctx, v int64) (int64, bool) { return v / sec, fitsInt(v/sec, to) })
	case to == column.IntervalDT:
		return c.intervals(func(_ *kctx, v int64) (int64, bool) { r := v * sec; return r, r/sec == v })
	}
	return c.intervals(func(_ *kctx, v int64) (int64, bool) { return v, fitsInt(v, column.Int32) && fitsInt(v, to) })
}

func setFloat(out *column.Vector, i int, f float64) {
	if out.Type.Kind == column.Float32 {
		out.F32[i] = float32(f)
	} else {
		out.F64[i] = f
	}
}

func (c *caster) floatSeconds(k *kctx, args []*column.Vector, out *column.Vector) {
	for i := range out.I64 {
		f := floatAt(args[0], i) * 1e6
		out.I64[i] = int64(f)
		if f != f || math.Abs(f) >= 1<<63 {
			switch {
			case math.Abs(f) <= math.MaxFloat64: // Spark: the ends of the range
				out.I64[i] = math.MaxInt64
				if f < 0 {
					out.I64[i] = math.MinInt64
				}
			default:
				text := string(column.AppendFloat(nil, floatAt(args[0], i), 64))
				c.bad(k, i, func() error { return errCastInput(text, c.from, c.to) })
			}
		}
	}
}

// saturatedMicros are seconds as microseconds, or the end of the range.
func saturatedMicros(v int64) int64 {
	switch r := v * 1e6; {
	case r/1e6 == v:
		return r
	case v < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

// intervals is ints where what does not fit is an error without ANSI too, as in Spark.
func (c *caster) intervals(f func(k *kctx, v int64) (int64, bool)) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		for i := 0; i < k.n; i++ {
			if !k.ok(i) {
				continue
			}
			v := intAt(args[0], i)
			r, ok := f(k, v)
			setInt(out, i, r)
			switch {
			case !ok && c.try:
				k.null(i)
			case !ok:
				k.fail(i, errCastOverflow(strconv.FormatInt(v, 10), c.from, c.to))
			}
		}
	}
}

func (c *caster) ints(f func(k *kctx, v int64) (int64, bool)) kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		for i := 0; i < k.n; i++ {
			if !k.ok(i) {
				continue
			}
			v := intAt(args[0], i)
			r, ok := f(k, v)
			setInt(out, i, r)
			if !ok {
				c.bad(k, i, func() error { return errCastOverflow(strconv.FormatInt(v, 10), c.from, c.to) })
			}
		}
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// nested converts the members of lists, maps and structs.
func (c *caster) nested(k *kctx, args []*column.Vector, out *column.Vector) {
	src := args[0]
	if src.Const {
		src = column.Expand(src, k.n)
	}
	valid := out.Valid
	*out = column.Vector{Type: c.to, N: src.N, Valid: valid, Offs: src.Offs, Kids: make([]*column.Vector, len(src.Kids))}
	for f, kid := range src.Kids {
		from, to := c.from.Fields[f].Type, c.to.Fields[f].Type
		if from.Equal(to) {
			out.Kids[f] = kid
			continue
		}
		out.Kids[f] = c.member(k, kid, from, to)
	}
}

func (c *caster) member(k *kctx, kid *column.Vector, from, to column.Type) *column.Vector {
	n := kid.N
	sub := &kctx{ctx: k.ctx, n: n, out: &column.Vector{}}
	prep(sub.out, to, n)
	sub.strict([]*column.Vector{kid})
	castKernel(from, to, c.try)(sub, []*column.Vector{kid}, sub.out)
	for j, r := range sub.errs.Rows {
		k.fail(rowOfMember(k.out, c.from, int(r)), sub.errs.Errs[j])
	}
	return sub.out
}

// rowOfMember is the row that member j of a list, map or struct vector belongs to.
func rowOfMember(v *column.Vector, t column.Type, j int) int {
	if t.Kind == column.Struct {
		return j
	}
	for i := 0; i < v.N; i++ {
		if int(v.Offs[i+1]) > j {
			return i
		}
	}
	return v.N - 1
}

// parseBool reads Spark's words for true and false.
func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "t", "true", "y", "yes", "1":
		return true, true
	case "f", "false", "n", "no", "0":
		return false, true
	}
	return false, false
}
