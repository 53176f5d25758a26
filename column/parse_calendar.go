package column

import (
	"math"
	"strconv"
	"strings"
)

// calendarUnits are the parts of an interval as text: how many months, days or microseconds a unit is.
var calendarUnits = map[string]struct {
	months, days int32
	micros       int64
}{
	"year": {months: 12}, "month": {months: 1}, "week": {days: 7}, "day": {days: 1}, "hour": {micros: 3600 * microsPerSecond},
	"minute": {micros: 60 * microsPerSecond}, "second": {micros: microsPerSecond}, "millisecond": {micros: 1000}, "microsecond": {micros: 1},
}

// ParseCalendar reads an interval as Spark's cast does: perhaps the word interval, then numbers each with a unit from year
// to microsecond, in any order: "1 year 2 months -3 days 4.5 seconds". Only seconds have a fraction.
func ParseCalendar(s string) (c CalendarInterval, ok bool) {
	words := strings.Fields(strings.ToLower(s))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	if len(words) == 0 {
		return c, false
	}
	for len(words) > 0 {
		n := words[0]
		words = words[1:]
		if (n == "-" || n == "+") && len(words) > 0 {
			n, words = n+words[0], words[1:]
		}
		if len(words) == 0 || !c.add(n, strings.TrimSuffix(words[0], "s")) {
			return CalendarInterval{}, false
		}
		words = words[1:]
	}
	return c, true
}

// add adds n units.
func (c *CalendarInterval) add(n, unit string) bool {
	u, ok := calendarUnits[unit]
	whole, fraction, point := strings.Cut(n, ".")
	if !ok || point && (unit != "second" || len(fraction) > 9) || whole == "" && fraction == "" {
		return false
	}
	neg := strings.HasPrefix(whole, "-")
	if point && (whole == "" || whole == "-" || whole == "+") {
		whole += "0"
	}
	x, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return false
	}
	if !addPart(&c.Months, x, u.months) || !addPart(&c.Days, x, u.days) || !c.addMicros(x, u.micros) {
		return false
	}
	if fraction == "" {
		return true
	}
	p := dateParser{s: fraction}
	us := p.fraction()
	if neg {
		us = -us
	}
	return p.at == len(fraction) && c.addMicros(us, 1)
}

func addPart(to *int32, n int64, unit int32) bool {
	if unit == 0 || n == 0 {
		return true
	}
	if n > math.MaxInt32 || n < math.MinInt32 {
		return false
	}
	sum := int64(*to) + n*int64(unit)
	*to = int32(sum)
	return int64(*to) == sum
}

func (c *CalendarInterval) addMicros(n, unit int64) bool {
	if unit == 0 || n == 0 {
		return true
	}
	x := n * unit
	sum := c.Micros + x
	ok := x/unit == n && (sum > c.Micros) == (x > 0)
	c.Micros = sum
	return ok
}
