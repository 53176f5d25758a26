package expr

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
)

// toText converts anything to its text.
func (c *caster) toText() kernel {
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		t, v, loc := k.text(), args[0], k.ctx.location()
		if v.Type.Kind == column.Decimal && !k.ctx.ANSI {
			c.scientific(k, t, v)
			return
		}
		if v.Type.Kind == column.Binary {
			for i := 0; i < k.n; i++ {
				t.buf = append(t.buf, strings.ToValidUTF8(v.Str(i), "\uFFFD")...)
				t.end(i)
			}
			t.done()
			return
		}
		for i := 0; i < k.n; i++ {
			if k.ok(i) {
				t.buf = appendText(t.buf, v, i, loc)
			}
			t.end(i)
		}
		t.done()
	}
}

// scientific writes decimals as Java's BigDecimal.toString does: with an exponent when they are tiny. Spark does without ANSI.
func (c *caster) scientific(k *kctx, t text, v *column.Vector) {
	for i := 0; i < k.n; i++ {
		if k.ok(i) {
			t.buf = appendScientific(t.buf, v.Dec[i].Text(int(v.Type.Scale)), int(v.Type.Scale))
		}
		t.end(i)
	}
	t.done()
}

// appendScientific appends a decimal in plain form, or, when its first digit stands behind six zeros of the fraction, with an exponent: 1.2E-7.
func appendScientific(dst []byte, plain string, scale int) []byte {
	sign := ""
	if plain[0] == '-' {
		sign, plain = "-", plain[1:]
	}
	digits := strings.TrimLeft(strings.Replace(plain, ".", "", 1), "0")
	if digits == "" {
		digits = "0"
	}
	exponent := len(digits) - 1 - scale
	if exponent >= -6 {
		return append(append(dst, sign...), plain...)
	}
	dst = append(append(dst, sign...), digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	return strconv.AppendInt(append(dst, 'E'), int64(exponent), 10)
}

// appendText appends row i of v, which is valid, as CAST(v AS STRING) has it.
func appendText(dst []byte, v *column.Vector, i int, loc *time.Location) []byte {
	i = constRow(v, i)
	switch v.Type.Kind {
	case column.Bool:
		return strconv.AppendBool(dst, v.Bools[i])
	case column.Int8, column.Int16, column.Int32, column.Int64:
		return strconv.AppendInt(dst, intAt(v, i), 10)
	case column.Float32:
		return column.AppendFloat(dst, float64(v.F32[i]), 32)
	case column.Float64:
		return column.AppendFloat(dst, v.F64[i], 64)
	case column.Decimal:
		return append(dst, v.Dec[i].Text(int(v.Type.Scale))...)
	case column.String, column.Binary:
		return append(dst, v.Bytes(i)...)
	case column.Date:
		return column.AppendDate(dst, v.I32[i])
	case column.Timestamp:
		return column.AppendTimestamp(dst, v.I64[i], loc)
	case column.TimestampNTZ:
		return column.AppendTimestamp(dst, v.I64[i], time.UTC)
	case column.IntervalYM:
		return column.AppendInterval(dst, int64(v.I32[i]), v.Type)
	case column.IntervalDT:
		return column.AppendInterval(dst, v.I64[i], v.Type)
	case column.Time:
		return column.AppendTime(dst, v.I64[i])
	case column.Calendar:
		return column.CalendarOf(v.Dec[i]).AppendText(dst)
	case column.Variant:
		dst, _ = v.Variant(i).AppendJSON(dst, loc)
		return dst
	}
	return appendNestedText(dst, v, i, loc)
}

func appendNestedText(dst []byte, v *column.Vector, i int, loc *time.Location) []byte {
	member := func(kid *column.Vector, j int) {
		if !kid.IsValid(j) {
			dst = append(dst, "null"...)
			return
		}
		dst = appendText(dst, kid, j, loc)
	}
	sep := func(first bool) {
		if !first {
			dst = append(dst, ", "...)
		}
	}
	switch v.Type.Kind {
	case column.List:
		dst = append(dst, '[')
		for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
			sep(j == v.Offs[i])
			member(v.Kids[0], int(j))
		}
		return append(dst, ']')
	case column.Map:
		dst = append(dst, '{')
		for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
			sep(j == v.Offs[i])
			member(v.Kids[0], int(j))
			dst = append(dst, " -> "...)
			member(v.Kids[1], int(j))
		}
		return append(dst, '}')
	case column.Struct:
		dst = append(dst, '{')
		for f, kid := range v.Kids {
			sep(f == 0)
			member(kid, i)
		}
		return append(dst, '}')
	}
	return append(dst, "NULL"...)
}

// fromText parses.
func (c *caster) fromText() kernel {
	parse := c.parser()
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		if c.to.Kind == column.Binary {
			t := k.text()
			for i := 0; i < k.n; i++ {
				t.set(i, args[0].Bytes(i))
			}
			t.done()
			return
		}
		for i := 0; i < k.n; i++ {
			if !k.ok(i) {
				continue
			}
			s := args[0].Str(i)
			if !parse(k, i, s) {
				c.bad(k, i, func() error { return errCastInput(strings.Clone(s), c.from, c.to) })
			}
		}
	}
}

// parser returns a function that parses s into row i and reports whether it could.
func (c *caster) parser() func(k *kctx, i int, s string) bool {
	switch c.to.Kind {
	case column.Bool:
		return func(k *kctx, i int, s string) (ok bool) { k.out.Bools[i], ok = parseBool(s); return ok }
	case column.Int8, column.Int16, column.Int32, column.Int64:
		return c.parseInt
	case column.Float32, column.Float64:
		return func(k *kctx, i int, s string) bool {
			f, ok := parseFloat(s, map[bool]int{true: 32, false: 64}[c.to.Kind == column.Float32])
			setFloat(k.out, i, f)
			return ok
		}
	case column.Decimal:
		return c.parseDecimal
	case column.Date:
		return func(k *kctx, i int, s string) (ok bool) { k.out.I32[i], ok = column.ParseDate(s); return ok }
	case column.Timestamp:
		return func(k *kctx, i int, s string) (ok bool) {
			k.out.I64[i], ok = column.ParseTimestamp(s, k.ctx.location())
			return ok
		}
	case column.TimestampNTZ:
		return func(k *kctx, i int, s string) (ok bool) { k.out.I64[i], ok = column.ParseTimestampNTZ(s); return ok }
	case column.Time:
		return func(k *kctx, i int, s string) bool {
			us, ok := column.ParseTime(s)
			k.out.I64[i] = column.TruncateTime(us, int(c.to.Precision))
			return ok
		}
	case column.Calendar:
		return func(k *kctx, i int, s string) bool {
			iv, ok := column.ParseCalendar(s)
			k.out.Dec[i] = iv.Dec()
			return ok
		}
	case column.IntervalDT, column.IntervalYM:
		return func(k *kctx, i int, s string) bool {
			n, ok := column.ParseInterval(s, c.to)
			if !ok && strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
				n, ok = looseInterval(s, c.to)
			}
			setInt(k.out, i, n)
			return ok
		}
	}
	return func(*kctx, int, string) bool { return false }
}

// parseInt reads an integer. Without ANSI a fraction is dropped.
func (c *caster) parseInt(k *kctx, i int, s string) bool {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil && !k.ctx.ANSI {
		if whole, frac, ok := strings.Cut(s, "."); ok && digitsOnly(frac) {
			v, err = strconv.ParseInt(whole, 10, 64)
		}
	}
	if strings.ContainsRune(s, '_') {
		return false
	}
	setInt(k.out, i, v)
	return err == nil && fitsInt(v, c.to.Kind)
}

func digitsOnly(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// parseFloat reads a double as Java does, with Spark's words for infinity and NaN in any case.
func parseFloat(s string, bits int) (float64, bool) {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	switch strings.ToLower(s) {
	case "nan":
		return math.NaN(), true
	case "infinity", "+infinity", "inf", "+inf":
		return math.Inf(1), true
	case "-infinity", "-inf":
		return math.Inf(-1), true
	}
	if n := len(s); n > 1 && (s[n-1] == 'd' || s[n-1] == 'D' || s[n-1] == 'f' || s[n-1] == 'F') {
		s = s[:n-1]
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, bits)
	return f, err == nil || math.IsInf(f, 0)
}

func (c *caster) parseDecimal(k *kctx, i int, s string) bool {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	d, ok := parseDec([]byte(s), int(c.to.Scale))
	if !ok {
		return false
	}
	if !d.fits(int(c.to.Precision)) {
		c.bad(k, i, func() error { return errDecimalRange(strings.Clone(s), c.to) })
		return true
	}
	k.out.Dec[i] = column.Dec128(d)
	return true
}

// looseInterval reads an interval in words, such as 2 days 3 hours, which Spark takes only as a literal.
func looseInterval(s string, t column.Type) (int64, bool) {
	iv, ok := ParseInterval(s)
	if t.Kind == column.IntervalYM {
		return t.CutInterval(int64(iv.Months)), ok && iv.Micros == 0
	}
	return t.CutInterval(iv.Micros), ok && iv.Months == 0
}
