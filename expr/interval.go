package expr

import (
	"math"
	"strconv"
	"strings"
)

// Interval is a length of time as written: months have no fixed length, so they are kept apart.
type Interval struct {
	Months int32
	Micros int64
}

// unitMicros is the length of the units that have one.
var unitMicros = map[string]int64{
	"microsecond": 1, "millisecond": 1e3, "second": 1e6, "minute": 60e6, "hour": 3600e6, "day": 86400e6, "week": 7 * 86400e6,
	"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6, "d": 86400e6,
	"micro": 1, "milli": 1e3, "sec": 1e6, "min": 60e6,
}

var unitMonths = map[string]int64{"month": 1, "mon": 1, "quarter": 3, "year": 12}

// ParseInterval reads "10 minutes", "1 hour 30 minutes", "1.5 seconds", "interval '2 days'": numbers each
// followed by a unit, in any order and case; also '1-2' (years-months) and '1 02:03:04.5' (days and clock), and
// the forms in which such intervals are printed.
func ParseInterval(s string) (Interval, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if rest, ok := strings.CutPrefix(s, "interval"); ok {
		return parseQuoted(strings.TrimSpace(rest))
	}
	if iv, ok := parseUnits(s); ok {
		return iv, true
	}
	if iv, ok := parseYearMonth(s); ok {
		return iv, true
	}
	return parseDayClock(s)
}

// parseQuoted reads what follows the word interval: '…' with perhaps the range of fields after it.
func parseQuoted(s string) (Interval, bool) {
	if !strings.HasPrefix(s, "'") {
		return parseUnits(s)
	}
	body, field, ok := strings.Cut(s[1:], "'")
	if !ok {
		return Interval{}, false
	}
	field = strings.TrimSpace(field)
	switch {
	case field == "":
		return ParseInterval(body)
	case !strings.Contains(field, " to "):
		return parseUnits(strings.TrimSpace(body) + " " + field)
	case field == "year to month":
		return parseYearMonth(body)
	}
	return parseDayClock(body)
}

// parseUnits reads pairs of number and unit.
func parseUnits(s string) (Interval, bool) {
	var iv Interval
	words := splitUnits(s)
	if len(words) == 0 || len(words)%2 != 0 {
		return iv, false
	}
	for i := 0; i < len(words); i += 2 {
		unit := words[i+1]
		months, isMonths := unitMonths[strings.TrimSuffix(unit, "s")]
		micros, ok := unitMicros[unit]
		if !ok {
			micros, ok = unitMicros[strings.TrimSuffix(unit, "s")]
		}
		switch {
		case isMonths:
			n, err := strconv.ParseInt(words[i], 10, 32)
			total := int64(iv.Months) + n*months
			if err != nil || int64(int32(total)) != total {
				return iv, false
			}
			iv.Months = int32(total)
		case ok:
			n, ok := scaled(words[i], micros)
			sum := iv.Micros + n
			if !ok || (sum > iv.Micros) != (n > 0) && n != 0 {
				return iv, false
			}
			iv.Micros = sum
		default:
			return iv, false
		}
	}
	return iv, true
}

// splitUnits separates numbers from words: "1h30m" is 1 h 30 m.
func splitUnits(s string) []string {
	var out []string
	kind := byte(0)
	start := 0
	flush := func(end int) {
		if kind != 0 {
			out = append(out, s[start:end])
		}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		k := byte('w')
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			k = 0
		case c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+':
			k = 'n'
		}
		if k != kind {
			flush(i)
			start, kind = i, k
		}
	}
	flush(len(s))
	return out
}

// scaled is the decimal number s times unit, exactly.
func scaled(s string, unit int64) (int64, bool) {
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimLeft(s, "+-")
	whole, frac, _ := strings.Cut(s, ".")
	if whole == "" && frac == "" || !digitsOnly(whole) || !digitsOnly(frac) {
		return 0, false
	}
	n, err := strconv.ParseInt("0"+whole, 10, 64)
	if err != nil || n > math.MaxInt64/unit-1 {
		return 0, false
	}
	n *= unit
	f, err := strconv.ParseFloat("0."+frac+"0", 64)
	if err != nil {
		return 0, false
	}
	n += int64(math.Round(f * float64(unit)))
	if neg {
		n = -n
	}
	return n, true
}

func parseYearMonth(s string) (Interval, bool) {
	neg := strings.HasPrefix(s, "-")
	y, m, ok := strings.Cut(strings.TrimLeft(s, "+-"), "-")
	years, err1 := strconv.ParseInt(y, 10, 32)
	months, err2 := strconv.ParseInt(m, 10, 32)
	total := years*12 + months
	if !ok || err1 != nil || err2 != nil || months > 11 || months < 0 || total > math.MaxInt32 {
		return Interval{}, false
	}
	if neg {
		total = -total
	}
	return Interval{Months: int32(total)}, true
}

// parseDayClock reads [-][d ]h:m[:s[.f]].
func parseDayClock(s string) (Interval, bool) {
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimLeft(s, "+-")
	day, clock, ok := strings.Cut(s, " ")
	if !ok {
		day, clock = "0", s
	}
	parts := strings.Split(clock, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return Interval{}, false
	}
	total, ok := scaled(day, 86400e6)
	for i, p := range parts {
		n, ok2 := scaled(p, [...]int64{3600e6, 60e6, 1e6}[i])
		ok = ok && ok2
		total += n
	}
	if neg {
		total = -total
	}
	return Interval{Micros: total}, ok
}
