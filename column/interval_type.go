package column

import (
	"strconv"
	"strings"
)

// An interval type has a first and a last unit: INTERVAL DAY TO SECOND is the widest of days and time, INTERVAL YEAR TO
// MONTH that of months. They say how values are written and at which unit a cast cuts; values are stored alike. Types of
// different units are Equal.

// IntervalUnit is a unit that an interval type begins or ends with.
type IntervalUnit uint8

const (
	Day IntervalUnit = iota
	Hour
	Minute
	Second
	Year
	Month
)

var unitNames = [...]string{Day: "day", Hour: "hour", Minute: "minute", Second: "second", Year: "year", Month: "month"}

func (u IntervalUnit) String() string { return unitNames[u] }

// ParseIntervalUnit reads the name of a unit in any case.
func ParseIntervalUnit(s string) (IntervalUnit, bool) {
	for u, n := range unitNames {
		if strings.EqualFold(s, n) {
			return IntervalUnit(u), true
		}
	}
	return 0, false
}

// micros is the length of the units of days and time.
func (u IntervalUnit) micros() int64 {
	return [...]int64{microsPerDay, 3600 * microsPerSecond, 60 * microsPerSecond, microsPerSecond}[u]
}

// intervalUnits are the pairs of units by Type.Precision: the widest is 0, days alone are 1 as DayInterval has it.
var dayTimeUnits = [...][2]IntervalUnit{{Day, Second}, {Day, Day}, {Day, Hour}, {Day, Minute}, {Hour, Hour}, {Hour, Minute}, {Hour, Second},
	{Minute, Minute}, {Minute, Second}, {Second, Second}}

var yearMonthUnits = [...][2]IntervalUnit{{Year, Month}, {Year, Year}, {Month, Month}}

// IntervalOf is the interval type from one unit to another; ok is false when there is none.
func IntervalOf(from, to IntervalUnit) (t Type, ok bool) {
	for code, u := range dayTimeUnits {
		if u == [2]IntervalUnit{from, to} {
			return Type{Kind: IntervalDT, Precision: uint8(code)}, true
		}
	}
	for code, u := range yearMonthUnits {
		if u == [2]IntervalUnit{from, to} {
			return Type{Kind: IntervalYM, Precision: uint8(code)}, true
		}
	}
	return Type{}, false
}

// IntervalUnits are the first and the last unit of an interval type of months, or of days and time.
func (t Type) IntervalUnits() (from, to IntervalUnit) {
	list := dayTimeUnits[:]
	if t.Kind == IntervalYM {
		list = yearMonthUnits[:]
	}
	u := list[min(int(t.Precision), len(list)-1)]
	return u[0], u[1]
}

// WiderInterval is the interval type of all units of two of a kind.
func WiderInterval(a, b Type) Type {
	from, to := a.IntervalUnits()
	f, l := b.IntervalUnits()
	t, _ := IntervalOf(min(from, f), max(to, l))
	return t
}

// intervalName is the type's DDL form: interval day to second, interval hour.
func (t Type) intervalName() string {
	from, to := t.IntervalUnits()
	if from == to {
		return "interval " + from.String()
	}
	return "interval " + from.String() + " to " + to.String()
}

// CutInterval drops what is smaller than the type's last unit.
func (t Type) CutInterval(n int64) int64 {
	_, to := t.IntervalUnits()
	switch {
	case t.Kind == IntervalYM && to == Year:
		return n - n%12
	case t.Kind == IntervalDT && to != Second:
		return n - n%to.micros()
	}
	return n
}

// AppendInterval appends a value of an interval type as Spark casts it: INTERVAL '1 02:03:04.5' DAY TO SECOND.
func AppendInterval(dst []byte, n int64, t Type) []byte {
	from, to := t.IntervalUnits()
	dst = append(dst, "INTERVAL '"...)
	abs := uint64(n)
	if n < 0 {
		dst, abs = append(dst, '-'), -abs
	}
	if t.Kind == IntervalYM {
		dst = appendMonths(dst, abs, from, to)
	} else {
		dst = appendDayTime(dst, abs, from, to)
	}
	dst = append(append(dst, "' "...), strings.ToUpper(from.String())...)
	if from != to {
		dst = append(append(dst, " TO "...), strings.ToUpper(to.String())...)
	}
	return dst
}

func appendMonths(dst []byte, months uint64, from, to IntervalUnit) []byte {
	switch {
	case from == Month:
		return strconv.AppendUint(dst, months, 10)
	case to == Year:
		return strconv.AppendUint(dst, months/12, 10)
	}
	dst = append(strconv.AppendUint(dst, months/12, 10), '-')
	return strconv.AppendUint(dst, months%12, 10)
}

func appendDayTime(dst []byte, us uint64, from, to IntervalUnit) []byte {
	for u := from; u <= to; u++ {
		switch {
		case u == from:
		case u == Hour:
			dst = append(dst, ' ')
		default:
			dst = append(dst, ':')
		}
		n := us / uint64(u.micros())
		us %= uint64(u.micros())
		if u != Day && n < 10 {
			dst = append(dst, '0')
		}
		dst = strconv.AppendUint(dst, n, 10)
	}
	if to == Second {
		return appendFraction(dst, int64(us))
	}
	return dst
}

// ParseInterval reads a value of an interval type: the text between the quotes of its literal, or the whole literal, whose
// units count then.
func ParseInterval(s string, t Type) (int64, bool) {
	s = strings.TrimSpace(s)
	from, to := t.IntervalUnits()
	if len(s) > 9 && strings.EqualFold(s[:9], "INTERVAL ") {
		body, tail, ok := quotedInterval(strings.TrimSpace(s[9:]))
		if !ok {
			return 0, false
		}
		words := strings.Fields(tail)
		if len(words) == 3 && strings.EqualFold(words[1], "TO") {
			words = []string{words[0], words[2]}
		}
		if len(words) == 0 || len(words) > 2 {
			return 0, false
		}
		var ok1, ok2 bool
		from, ok1 = ParseIntervalUnit(words[0])
		to, ok2 = ParseIntervalUnit(words[len(words)-1])
		typ, ok := IntervalOf(from, to)
		if !ok || !ok1 || !ok2 || typ.Kind != t.Kind {
			return 0, false
		}
		s = body
	}
	n, ok := parseUnits(s, from, to)
	return t.CutInterval(n), ok
}

// quotedInterval splits '…' units, with a sign before the quote or within.
func quotedInterval(s string) (body, tail string, ok bool) {
	sign := ""
	if rest, neg := strings.CutPrefix(s, "-"); neg {
		sign, s = "-", rest
	}
	if !strings.HasPrefix(s, "'") {
		return "", "", false
	}
	body, tail, ok = strings.Cut(s[1:], "'")
	if rest, neg := strings.CutPrefix(body, "-"); neg && sign != "" {
		return rest, tail, ok
	}
	return sign + body, tail, ok
}

// parseUnits reads numbers from unit to unit: d h:m:s.f, or y-m.
func parseUnits(s string, from, to IntervalUnit) (int64, bool) {
	rest, neg := strings.CutPrefix(s, "-")
	if !neg {
		rest = strings.TrimPrefix(s, "+")
	}
	n, ok := int64(0), true
	if from >= Year {
		n, ok = parseMonths(rest, from, to)
	} else {
		n, ok = parseDayTime(rest, from, to)
	}
	if neg {
		n = -n
	}
	return n, ok
}

func parseMonths(s string, from, to IntervalUnit) (int64, bool) {
	years, months := s, "0"
	ok := true
	switch {
	case from == Month:
		years, months = "0", s
	case to == Month:
		years, months, ok = strings.Cut(s, "-")
	}
	y, err1 := strconv.ParseUint(years, 10, 31)
	m, err2 := strconv.ParseUint(months, 10, 31)
	n := int64(y)*12 + int64(m)
	return n, ok && err1 == nil && err2 == nil && (from == Month || m <= 11) && n <= 1<<31-1
}

func parseDayTime(s string, from, to IntervalUnit) (int64, bool) {
	total := int64(0)
	for u := from; u <= to; u++ {
		part := s
		if u < to {
			sep := ":"
			if u == Day {
				sep = " "
			}
			var ok bool
			if part, s, ok = strings.Cut(s, sep); !ok {
				return 0, false
			}
		}
		fraction := ""
		if u == Second {
			part, fraction, _ = strings.Cut(part, ".")
		}
		n, err := strconv.ParseUint(part, 10, 63)
		if err != nil || u != from && n >= [...]uint64{Hour: 24, Minute: 60, Second: 60}[u] || n > (1<<63-1)/uint64(u.micros()) {
			return 0, false
		}
		p := dateParser{s: fraction}
		add := int64(n)*u.micros() + p.fraction()
		if p.at != len(fraction) || total+add < total {
			return 0, false
		}
		total += add
	}
	return total, true
}
