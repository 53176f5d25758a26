package column

import (
	"strconv"
	"strings"
)

// ParseIntervalYM reads a year-month interval as months: "1-2", "-1-2" or the form INTERVAL '1-2' YEAR TO MONTH.
func ParseIntervalYM(s string) (int64, bool) {
	s, neg := intervalBody(s, "YEAR TO MONTH")
	years, months, ok := strings.Cut(s, "-")
	if !ok {
		return 0, false
	}
	y, err1 := strconv.ParseUint(years, 10, 31)
	m, err2 := strconv.ParseUint(months, 10, 31)
	n := int64(y)*12 + int64(m)
	if err1 != nil || err2 != nil || m > 11 || n > 1<<31-1 {
		return 0, false
	}
	if neg {
		n = -n
	}
	return n, true
}

// ParseIntervalDT reads a day-time interval as microseconds: "1 02:03:04.5", or the form INTERVAL '…' DAY TO SECOND.
func ParseIntervalDT(s string) (int64, bool) {
	s, neg := intervalBody(s, "DAY TO SECOND")
	days, clock, ok := strings.Cut(s, " ")
	if !ok {
		return 0, false
	}
	d, err := strconv.ParseUint(days, 10, 27)
	p := dateParser{s: clock}
	us, ok := p.clock()
	if err != nil || !ok || p.at != len(clock) {
		return 0, false
	}
	n := int64(d)*microsPerDay + us
	if neg {
		n = -n
	}
	return n, n != 0 || d == 0
}

// intervalBody strips INTERVAL '…' unit from a literal and its sign.
func intervalBody(s, unit string) (body string, neg bool) {
	s = strings.TrimSpace(s)
	if len(s) > 9 && strings.EqualFold(s[:9], "INTERVAL ") {
		s = strings.TrimSpace(s[9:])
		if n := len(s) - len(unit); n > 0 && strings.EqualFold(s[n:], unit) {
			s = strings.TrimSpace(s[:n])
		}
		s = strings.TrimSuffix(strings.TrimPrefix(s, "'"), "'")
	}
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return rest, true
	}
	return strings.TrimPrefix(s, "+"), false
}
