package structured

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
)

var unitMicros = map[string]int64{"microsecond": 1, "millisecond": 1e3, "second": 1e6, "minute": 60e6, "hour": 3600e6,
	"day": 86400e6, "week": 7 * 86400e6, "month": 31 * 86400e6, "year": 12 * 31 * 86400e6}

// ParseDelay reads "10 minutes" or "1 hour 30 seconds" as microseconds. A month counts 31 days, as in Spark's watermarks.
func ParseDelay(text string) (int64, error) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	if len(words) == 0 || len(words)%2 != 0 {
		return 0, badDelay(text)
	}
	var total float64
	for ; len(words) > 0; words = words[2:] {
		n, err := strconv.ParseFloat(words[0], 64)
		unit, ok := unitMicros[strings.TrimSuffix(words[1], "s")]
		if err != nil || !ok || math.IsNaN(n) {
			return 0, badDelay(text)
		}
		total += n * float64(unit)
	}
	if total < 0 {
		return 0, usererr.New("INVALID_DELAY", "22006", "The delay threshold %q should not be negative.", text)
	}
	if total > math.MaxInt64/2 {
		return 0, badDelay(text)
	}
	return int64(math.Round(total)), nil
}

func badDelay(text string) *usererr.Error {
	return usererr.New("CANNOT_PARSE_INTERVAL", "22006", "Unable to parse %q as an interval.", text).
		With("intervalString", text).WithFix(`Write an interval such as "10 minutes".`)
}

// FormatDelay is a delay in its largest whole unit: "10 minutes".
func FormatDelay(micros int64) string {
	for _, u := range []string{"day", "hour", "minute", "second", "millisecond"} {
		if size := unitMicros[u]; micros != 0 && micros%size == 0 {
			return fmt.Sprintf("%d %ss", micros/size, u)
		}
	}
	return fmt.Sprintf("%d microseconds", micros)
}
