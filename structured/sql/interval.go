package sql

import (
	"math/big"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// units are the interval units in the singular. Months are the base of one family, microseconds of the other.
var (
	monthUnits = map[string]int64{"year": 12, "month": 1}
	microUnits = map[string]int64{"week": 7 * 86400e6, "day": 86400e6, "hour": 3600e6, "minute": 60e6, "second": 1e6, "millisecond": 1e3, "microsecond": 1}
	units      = map[string]bool{}
)

func init() {
	for u := range monthUnits {
		units[u] = true
	}
	for u := range microUnits {
		units[u] = true
	}
}

// unit is the singular of a unit word, or "".
func unit(word string) string {
	w := strings.ToLower(word)
	if units[w] {
		return w
	}
	if w = strings.TrimSuffix(w, "s"); units[w] {
		return w
	}
	return ""
}

// intervalAhead reports whether the token after INTERVAL makes it an interval rather than a column of that name.
func (p *parser) intervalAhead(next token) bool {
	if next.kind == text || next.kind == number {
		return true
	}
	if next.kind == op && (next.raw == "-" || next.raw == "+") {
		after := p.ahead(2)
		return (after.kind == text || after.kind == number) && p.ahead(3).kind == word && unit(p.ahead(3).raw) != ""
	}
	end := p.i + 2 // INTERVAL (expression) DAY and INTERVAL column DAY
	if next.kind == op && next.raw == "(" {
		end = p.matching(p.i+1) + 1
	} else if next.kind != word && next.kind != quoted {
		return false
	}
	return end < len(p.toks) && p.toks[end].kind == word && unit(p.toks[end].raw) != ""
}

// matching is the index of the bracket that closes the one at index i, or the last index.
func (p *parser) matching(i int) int {
	depth := 0
	for ; i < len(p.toks)-1; i++ {
		if t := p.toks[i]; t.kind == op && t.raw == "(" {
			depth++
		} else if t.kind == op && t.raw == ")" {
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(p.toks) - 1
}

// span is an interval being added up: months and microseconds.
type span struct {
	months, micros *big.Int
	sawMonths      bool
	sawMicros      bool
	from, to       column.IntervalUnit // the largest and the smallest unit written
}

// saw widens the span's units by one.
func (s *span) saw(u string) {
	unit := column.Second // milliseconds and microseconds are parts of it
	switch u {
	case "week":
		unit = column.Day
	default:
		if x, ok := column.ParseIntervalUnit(u); ok {
			unit = x
		}
	}
	if !s.sawMonths && !s.sawMicros {
		s.from, s.to = unit, unit
		return
	}
	s.from, s.to = min(s.from, unit), max(s.to, unit)
}

// typ is the interval type of the units.
func (s *span) typ() column.Type {
	t, _ := column.IntervalOf(s.from, s.to)
	return t
}

// interval reads INTERVAL in any of its forms:
//
//	INTERVAL '5 minutes'      INTERVAL 1 DAY 2 HOURS      INTERVAL '1' DAY      INTERVAL '1-2' YEAR TO MONTH
//	INTERVAL '1 02:03:04.5' DAY TO SECOND                 INTERVAL (expression) DAY
func (p *parser) interval() expr.Expr {
	at := p.expect("INTERVAL")
	next := p.peek()
	if next.kind == word || next.kind == quoted || next.kind == op && next.raw == "(" {
		return p.intervalOf(at)
	}
	s := span{months: new(big.Int), micros: new(big.Int)}
	if next.kind == text && (p.ahead(1).kind != word || unit(p.ahead(1).raw) == "") {
		p.take()
		if !s.addText(next.val) {
			panic(p.badInterval(next))
		}
		return p.intervalLit(at, s)
	}
	for n := 0; ; n++ {
		negative := false
		if n == 0 || p.atSymbol("-") || p.atSymbol("+") {
			negative = p.symbol("-")
			if !negative {
				p.symbol("+")
			}
		}
		v := p.peek()
		if v.kind != text && v.kind != number || n > 0 && (p.ahead(1).kind != word || unit(p.ahead(1).raw) == "") {
			if n == 0 {
				p.expected("interval value")
				p.fail()
			}
			break
		}
		p.take()
		p.intervalPart(&s, v, negative)
		if after := p.peek(); after.kind != text && after.kind != number {
			break
		}
	}
	return p.intervalLit(at, s)
}

// intervalPart is one value with its unit, or a value over a range of units (YEAR TO MONTH).
func (p *parser) intervalPart(s *span, v token, negative bool) {
	ut := p.peek()
	from := unit(p.name("unit such as DAY or HOUR"))
	if from == "" {
		panic(p.errorAt(ut, "INVALID_INTERVAL_FORMAT.INVALID_UNIT", "22006", "%s is no unit of time.", ut.show()).
			WithFix("Units are YEAR, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND and MICROSECOND."))
	}
	value := v.val
	if negative {
		value = "-" + value
	}
	ok := false
	if p.accept("TO") {
		to := unit(p.name("unit"))
		ok = s.addRange(value, from, to)
	} else {
		ok = s.addUnit(strings.TrimSpace(value), from)
	}
	if !ok {
		panic(p.badInterval(v))
	}
}

// intervalOf is INTERVAL expression unit: a product.
func (p *parser) intervalOf(at token) expr.Expr {
	e := p.binary(powUnary)
	ut := p.peek()
	u := unit(p.name("unit"))
	if u == "" {
		p.i--
		p.expected("unit such as DAY or HOUR")
		p.fail()
	}
	if n, ok := microUnits[u]; ok {
		return p.call(ut, "*", e, &expr.Literal{Value: n, Typ: column.Of(column.IntervalDT)})
	}
	return p.call(at, "*", e, &expr.Literal{Value: monthUnits[u], Typ: column.Of(column.IntervalYM)})
}

func (p *parser) intervalLit(at token, s span) expr.Expr {
	switch {
	case s.sawMonths && s.sawMicros:
		panic(p.errorAt(at, "_LEGACY_ERROR_TEMP_0029", "42601", "Cannot mix year-month and day-time fields in an interval literal.").
			WithFix("Add two intervals: … + INTERVAL 1 MONTH + INTERVAL 2 DAYS, or write make_interval(0, 1, 0, 2) or CAST('1 month 2 days' AS INTERVAL)."))
	case s.sawMonths && s.months.IsInt64() && int64(int32(s.months.Int64())) == s.months.Int64():
		return &expr.Literal{Value: s.months.Int64(), Typ: s.typ()}
	case !s.sawMonths && s.micros.IsInt64():
		return &expr.Literal{Value: s.micros.Int64(), Typ: s.typ()}
	}
	panic(p.errorAt(at, "INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION", "22006", "The interval is too long."))
}

func (p *parser) badInterval(t token) *usererr.Error {
	return p.errorAt(t, "INVALID_INTERVAL_FORMAT", "22006", "%s is no interval.", t.show()).With("input", t.raw).
		WithFix("Write INTERVAL '5 minutes', INTERVAL 1 DAY or INTERVAL '1-2' YEAR TO MONTH.")
}

// ParseInterval reads the text form of an interval, such as "5 minutes" or "1 day 2 hours", in microseconds; ok is false
// for other text and for months.
func ParseInterval(s string) (micros int64, ok bool) {
	v := span{months: new(big.Int), micros: new(big.Int)}
	ok = v.addText(s) && !v.sawMonths && v.micros.IsInt64()
	return v.micros.Int64(), ok
}
