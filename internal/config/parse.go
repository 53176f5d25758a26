package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

type setter = func(c *Config, text string) error

func text(field func(*Config) *string) setter {
	return func(c *Config, s string) error { *field(c) = s; return nil }
}

func oneOf(field func(*Config) *string, allowed ...string) setter {
	return func(c *Config, s string) error {
		if !slices.Contains(allowed, s) {
			return fmt.Errorf("must be one of %s", strings.Join(allowed, ", "))
		}
		*field(c) = s
		return nil
	}
}

func flag(field func(*Config) *bool) setter {
	return func(c *Config, s string) error {
		v, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("must be true or false")
		}
		*field(c) = v
		return nil
	}
}

func count(field func(*Config) *int64, least int64) setter {
	return func(c *Config, s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < least {
			return fmt.Errorf("must be a whole number of at least %d", least)
		}
		*field(c) = n
		return nil
	}
}

func duration(field func(*Config) *time.Duration) setter {
	return func(c *Config, s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			return fmt.Errorf("must be a positive duration such as 30s, 10m or 24h")
		}
		*field(c) = d
		return nil
	}
}

func size(field func(*Config) *int64) setter {
	return func(c *Config, s string) error {
		n, err := ParseSize(s)
		if err != nil {
			return err
		}
		*field(c) = n
		return nil
	}
}

var units = []struct {
	suffix string
	bytes  int64
}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40}, {"kb", 1000}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}, {"b", 1}, {"", 1}}

// ParseSize reads a number of bytes with an optional unit: 512, 64KiB, 1GB, 1GiB.
func ParseSize(s string) (int64, error) {
	low := strings.ToLower(strings.TrimSpace(s))
	for _, u := range units {
		if num, ok := strings.CutSuffix(low, u.suffix); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(num), 10, 64)
			if err != nil || n < 0 || n > (1<<62)/u.bytes {
				break
			}
			return n * u.bytes, nil
		}
	}
	return 0, fmt.Errorf("must be a number of bytes such as 512MiB or 1GB")
}

// Voter is a node that keeps the metadata log, and its peer address.
type Voter struct {
	ID   int32
	Addr string
}

// ParseVoters reads ID@HOST:PORT, several of them separated by commas or as a YAML list.
func ParseVoters(s string) ([]Voter, error) {
	var out []Voter
	for _, x := range split(s) {
		id, addr, ok := strings.Cut(x, "@")
		n, err := strconv.ParseInt(id, 10, 32)
		if _, _, hostErr := net.SplitHostPort(addr); !ok || err != nil || n < 0 || hostErr != nil {
			return nil, fmt.Errorf("must be a list of ID@HOST:PORT such as 1@10.0.0.1:9093,2@10.0.0.2:9093,3@10.0.0.3:9093")
		}
		if slices.ContainsFunc(out, func(v Voter) bool { return v.ID == int32(n) }) {
			return nil, fmt.Errorf("must not name node %d twice", n)
		}
		out = append(out, Voter{int32(n), addr})
	}
	return out, nil
}

// split reads a list: elements separated by commas, or a YAML list in either form.
func split(s string) []string {
	var out []string
	for _, x := range strings.FieldsFunc(strings.Trim(strings.TrimSpace(s), "[]"), func(r rune) bool { return r == ',' || r == '\n' }) {
		x = strings.Trim(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(x), "- ")), `"'`)
		if x != "" {
			out = append(out, x)
		}
	}
	return out
}

func voters(field func(*Config) *[]Voter) setter {
	return func(c *Config, s string) (err error) {
		v, err := ParseVoters(s)
		if err == nil {
			*field(c) = v
		}
		return err
	}
}

func list(field func(*Config) *[]string) setter {
	return func(c *Config, s string) error { *field(c) = split(s); return nil }
}
