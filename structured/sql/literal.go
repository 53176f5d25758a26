package sql

import (
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// numberLit is the value of a number token: int, bigint or decimal by size, decimal with a point, double with an
// exponent, or what the suffix says.
func (p *parser) numberLit(t token, negative bool) expr.Expr {
	s := t.val
	if negative {
		s = "-" + s
	}
	switch t.suffix {
	case "L":
		return p.integer(t, s, column.Int64, 64)
	case "S":
		return p.integer(t, s, column.Int16, 16)
	case "Y":
		return p.integer(t, s, column.Int8, 8)
	case "D":
		return p.float(t, s, column.Float64, 64)
	case "F":
		return p.float(t, s, column.Float32, 32)
	case "BD":
		return p.decimal(t, s)
	}
	switch {
	case strings.ContainsAny(s, "eE"):
		return p.float(t, s, column.Float64, 64)
	case strings.Contains(s, "."):
		return p.decimal(t, s)
	}
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		if int64(int32(v)) == v {
			return &expr.Literal{Value: v, Typ: column.Of(column.Int32)}
		}
		return &expr.Literal{Value: v, Typ: column.Of(column.Int64)}
	}
	return p.decimal(t, s)
}

func (p *parser) integer(t token, s string, k column.Kind, bits int) expr.Expr {
	v, err := strconv.ParseInt(s, 10, bits)
	if err != nil {
		panic(p.badNumber(t, k.String()))
	}
	return &expr.Literal{Value: v, Typ: column.Of(k)}
}

func (p *parser) float(t token, s string, k column.Kind, bits int) expr.Expr {
	v, err := strconv.ParseFloat(s, bits)
	if err != nil {
		panic(p.badNumber(t, k.String()))
	}
	return &expr.Literal{Value: v, Typ: column.Of(k)}
}

func (p *parser) badNumber(t token, typ string) *usererr.Error {
	return p.errorAt(t, "INVALID_NUMERIC_LITERAL_RANGE", "22003", "The number %s is outside the range of %s, or not of its form.", t.show(), typ).
		With("rawStrippedQualifier", t.raw).WithFix("Use a wider type's suffix, or none.")
}

// decimal is an exact number; its precision and scale are as written.
func (p *parser) decimal(t token, s string) expr.Expr {
	exp := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n > 100 || n < -100 {
			panic(p.badNumber(t, "decimal(38,38)"))
		}
		exp, s = n, s[:i]
	}
	whole, frac, _ := strings.Cut(s, ".")
	scale := len(frac) - exp
	unscaled, ok := new(big.Int).SetString(whole+frac, 10)
	if !ok {
		panic(p.badNumber(t, "decimal"))
	}
	if scale < 0 {
		unscaled.Mul(unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-scale)), nil))
		scale = 0
	}
	precision := max(len(new(big.Int).Abs(unscaled).String()), scale)
	if precision > 38 {
		panic(p.errorAt(t, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003", "The number %s needs a precision of %d, but decimals have at most 38 digits.", t.show(), precision).
			WithFix("Write it as a double: %se0.", strings.TrimSuffix(strings.ToUpper(t.val), "BD")))
	}
	return &expr.Literal{Value: dec128(unscaled), Typ: column.DecimalOf(precision, scale)}
}

// dec128 is v in two's complement; it must fit.
func dec128(v *big.Int) column.Dec128 {
	if v.Sign() < 0 {
		v = new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	lo := new(big.Int).And(v, new(big.Int).SetUint64(^uint64(0)))
	return column.Dec128{Lo: lo.Uint64(), Hi: int64(new(big.Int).Rsh(v, 64).Uint64())}
}

// typedLiterals are the words that make a typed literal of the string after them.
var typedLiterals = set("DATE TIME TIMESTAMP TIMESTAMP_LTZ TIMESTAMP_NTZ X")

func (p *parser) typedLit(w string) expr.Expr {
	p.take()
	t := p.peek()
	s := p.str()
	switch w {
	case "X":
		b, err := hex.DecodeString(strings.Repeat("0", len(s)%2) + s)
		if err != nil {
			panic(p.badTyped(t, "X", "hexadecimal digits, such as X'1CAFE'"))
		}
		return &expr.Literal{Value: b, Typ: column.Of(column.Binary)}
	case "DATE":
		d, ok := column.ParseDate(s)
		if !ok {
			panic(p.badTyped(t, "DATE", "a date such as DATE '2024-02-29'"))
		}
		return &expr.Literal{Value: int64(d), Typ: column.Of(column.Date)}
	case "TIME":
		us, ok := column.ParseTime(s)
		if !ok {
			panic(p.badTyped(t, "TIME", "a time of day such as TIME '12:30:00.5'"))
		}
		return &expr.Literal{Value: us, Typ: column.TimeOf(column.MaxTimePrecision)}
	}
	return p.timestamp(t, w, s)
}

// timestamp is TIMESTAMP '…'. Without a zone in the text it means the session's zone, which is known only when the
// statement is analysed: it stays a cast of the string then.
func (p *parser) timestamp(t token, w, s string) expr.Expr {
	us, ok := column.ParseTimestamp(s, time.UTC)
	if !ok {
		panic(p.badTyped(t, w, "a time such as TIMESTAMP '2024-02-29 12:30:00' or '2024-02-29T12:30:00Z'"))
	}
	if w == "TIMESTAMP_NTZ" {
		return &expr.Literal{Value: us, Typ: column.Of(column.TimestampNTZ)}
	}
	if other, _ := column.ParseTimestamp(s, time.FixedZone("", 3600)); other != us {
		return &expr.Cast{Child: expr.Lit(s), To: column.Of(column.Timestamp)}
	}
	return &expr.Literal{Value: us, Typ: column.Of(column.Timestamp)}
}

func (p *parser) badTyped(t token, typ, want string) *usererr.Error {
	return p.errorAt(t, "INVALID_TYPED_LITERAL", "42604", "The value %s is not of type %s.", t.show(), typ).
		With("valueType", typ).With("value", t.raw).WithFix("Write %s.", want)
}
