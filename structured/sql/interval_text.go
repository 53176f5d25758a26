package sql

import (
	"math/big"
	"strings"
)

// addText adds "1 day -2 hours 1.5 seconds", optionally after the word interval.
func (s *span) addText(t string) bool {
	words := strings.Fields(strings.ToLower(t))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	if len(words) == 0 || len(words)%2 != 0 {
		return false
	}
	for i := 0; i < len(words); i += 2 {
		u := unit(words[i+1])
		if u == "" || !s.addUnit(words[i], u) {
			return false
		}
	}
	return true
}

// addUnit adds a number of one unit. Only seconds and smaller may have a fraction.
func (s *span) addUnit(number, u string) bool {
	if len(number) > 40 {
		return false
	}
	if strings.ContainsAny(number, "eE/_xX") {
		return false
	}
	v, ok := new(big.Rat).SetString(number)
	if !ok {
		return false
	}
	if n, ok := monthUnits[u]; ok {
		if !v.IsInt() {
			return false
		}
		s.saw(u)
		s.sawMonths = true
		s.months.Add(s.months, new(big.Int).Mul(v.Num(), big.NewInt(n)))
		return true
	}
	s.saw(u)
	s.sawMicros = true
	v.Mul(v, new(big.Rat).SetInt64(microUnits[u]))
	if !v.IsInt() && u != "second" && u != "millisecond" {
		return false
	}
	s.micros.Add(s.micros, new(big.Int).Quo(v.Num(), v.Denom()))
	return true
}

// order ranks the units that a range may span.
var order = map[string]int{"day": 1, "hour": 2, "minute": 3, "second": 4}

// addRange adds "1-2" (year to month) or "1 02:03:04.5" (day to second and its parts).
func (s *span) addRange(value, from, to string) bool {
	value = strings.TrimSpace(value)
	sign := ""
	if strings.HasPrefix(value, "-") || strings.HasPrefix(value, "+") {
		sign, value = strings.TrimPrefix(value[:1], "+"), value[1:]
		if strings.HasPrefix(value, "-") { // a sign before the string and another inside
			sign, value = "", value[1:]
		}
	}
	if from == "year" && to == "month" {
		y, m, ok := strings.Cut(value, "-")
		return ok && len(m) > 0 && len(m) <= 2 && plain(y) && plain(m) && s.addUnit(sign+y, "year") && s.addUnit(sign+m, "month")
	}
	if order[from] == 0 || order[to] <= order[from] {
		return false
	}
	if from == "day" {
		d, clock, ok := strings.Cut(value, " ")
		if !ok || !plain(d) || !s.addUnit(sign+d, "day") {
			return false
		}
		value, from = strings.TrimSpace(clock), "hour"
	}
	parts := strings.Split(value, ":")
	names := []string{"hour", "minute", "second"}[order[from]-2 : order[to]-1]
	if len(parts) != len(names) {
		return false
	}
	for i, part := range parts {
		if !plain(strings.Replace(part, ".", "", 1)) || !s.addUnit(sign+part, names[i]) {
			return false
		}
	}
	return true
}

// plain reports whether s is digits only.
func plain(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
