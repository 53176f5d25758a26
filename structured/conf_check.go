package structured

import (
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
)

// checkConf refuses values that the engine could not use.
func checkConf(key, value string) error {
	switch key {
	case ConfTimeZone:
		if _, err := LoadZone(value); err != nil {
			return usererr.New("INVALID_CONF_VALUE.TIME_ZONE", "22022",
				"The value %q in the config %q is invalid. Cannot resolve the given timezone.", value, key).
				With("confName", key).With("confValue", value).WithFix(`Write a zone such as "Europe/Berlin" or "+02:00".`)
		}
	case ConfShuffleParts:
		if n, err := strconv.Atoi(value); err != nil || n < 1 {
			return badConf(key, value, "a positive number")
		}
	case ConfANSI, ConfCaseSensitive:
		if v := strings.ToLower(value); v != "true" && v != "false" {
			return badConf(key, value, "true or false")
		}
	default:
		return checkAdaptive(key, value)
	}
	return nil
}

func badConf(key, value, want string) error {
	return usererr.New("INVALID_CONF_VALUE.TYPE_MISMATCH", "22022", "The value %q in the config %q is invalid: it must be %s.", value, key, want).
		With("confName", key).With("confValue", value)
}

// LoadZone finds a time zone in one of the forms that Spark takes: a region, an offset such as +02:00 or GMT+2, or Z.
func LoadZone(name string) (*time.Location, error) {
	if name == "Z" || name == "" {
		return time.UTC, nil
	}
	if off, ok := zoneOffset(name); ok {
		return time.FixedZone(name, off), nil
	}
	return time.LoadLocation(name)
}

// zoneOffset reads +2, +02:00 and +02:00:00, with or without GMT, UTC or UT before it, as seconds east.
func zoneOffset(name string) (int, bool) {
	s := name
	for _, p := range []string{"GMT", "UTC", "UT"} {
		s = strings.TrimPrefix(s, p)
	}
	if len(s) < 2 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	total := 0
	for i, part := range strings.Split(s[1:], ":") {
		n, err := strconv.Atoi(part)
		if err != nil || i > 2 || len(part) > 2 || n < 0 || n > 59 || i == 0 && n > 18 {
			return 0, false
		}
		total += n * [...]int{3600, 60, 1}[i]
	}
	if s[0] == '-' {
		total = -total
	}
	return total, true
}
