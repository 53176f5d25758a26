package logical

import "testing"

func TestParseTTL(t *testing.T) {
	for text, want := range map[string]int64{"90s": 90e6, "1 hour": 3600e6, "1 day 12 hours": 36 * 3600e6, "5ms": 5000, "0.5 seconds": 500_000, " 2 WEEKS ": 14 * 86400e6, "1h30m": 5400e6} {
		if got, err := ParseTTL(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "hour", "1", "-1 hour", "0s", "1 fortnight", "1 hour x", "9999999 weeks", "1e9 days"} {
		if got, err := ParseTTL(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}
