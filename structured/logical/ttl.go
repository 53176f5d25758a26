package logical

import (
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
)

// ttlUnits are microseconds, by the singular of a unit or its short form.
var ttlUnits = map[string]float64{"millisecond": 1e3, "ms": 1e3, "second": 1e6, "s": 1e6, "minute": 60e6, "m": 60e6, "min": 60e6, "hour": 3600e6,
	"h": 3600e6, "day": 86400e6, "d": 86400e6, "week": 7 * 86400e6, "w": 7 * 86400e6}

// maxTTL is a hundred years.
const maxTTL = 100 * 366 * 86400e6

// ParseTTL reads how long state is kept, "90s", "1 hour" or "1 day 12 hours", as microseconds.
func ParseTTL(text string) (int64, error) {
	total := 0.0
	for rest := strings.TrimSpace(strings.ToLower(text)); rest != ""; {
		n, tail := cut(rest, "0123456789.")
		word, tail := cut(strings.TrimSpace(tail), "abcdefghijklmnopqrstuvwxyz")
		v, err := strconv.ParseFloat(n, 64)
		unit, ok := ttlUnits[word]
		if !ok {
			unit, ok = ttlUnits[strings.TrimSuffix(word, "s")]
		}
		if err != nil || !ok {
			return 0, badTTL(text)
		}
		total += v * unit
		rest = strings.TrimSpace(tail)
	}
	if total < 1e3 || total > maxTTL {
		return 0, badTTL(text)
	}
	return int64(total), nil
}

// cut splits s behind the longest start that is of chars.
func cut(s, chars string) (head, tail string) {
	n := len(s) - len(strings.TrimLeft(s, chars))
	return s[:n], s[n:]
}

func badTTL(text string) error {
	return usererr.New("INVALID_STATE_TTL", "22006", "State cannot be kept for %q.", text).WithFix("Write a time of a millisecond or more, such as 90s, 1 hour or 7 days.")
}
