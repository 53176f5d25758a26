package column

import "strings"

// AppendTime appends a time of day as Spark casts it to a string: HH:mm:ss with as many digits of the fraction as it has.
func AppendTime(dst []byte, us int64) []byte {
	s := int(us / microsPerSecond)
	dst = append2(dst, s/3600)
	dst = append2(append(dst, ':'), s/60%60)
	dst = append2(append(dst, ':'), s%60)
	return appendFraction(dst, us%microsPerSecond)
}

// ParseTime reads a time of day as Spark's cast does: [T]h[h]:m[m][:s[s][.f…]] of 24 hours, or of 12 hours with AM or PM
// behind it. Six digits of the fraction count.
func ParseTime(s string) (us int64, ok bool) {
	s = strings.TrimSpace(s)
	afternoon, half := false, false
	if n := len(s); n > 2 && (s[n-1]|0x20 == 'm') {
		afternoon, half = s[n-2]|0x20 == 'p', s[n-2]|0x20 == 'p' || s[n-2]|0x20 == 'a'
		if !half {
			return 0, false
		}
		s = strings.TrimSpace(s[:n-2])
	}
	p := dateParser{s: s}
	p.take('T')
	from := p.at
	us, ok = p.clock()
	if !ok || p.at != len(s) || !strings.Contains(s[from:], ":") {
		return 0, false
	}
	if half {
		hour := us / (3600 * microsPerSecond)
		if hour < 1 || hour > 12 {
			return 0, false
		}
		us %= 12 * 3600 * microsPerSecond
		if afternoon {
			us += 12 * 3600 * microsPerSecond
		}
	}
	return us, true
}

// truncations is the microseconds that a time of so many digits is a multiple of.
var truncations = [MaxTimePrecision + 1]int64{1_000_000, 100_000, 10_000, 1000, 100, 10, 1}

// TruncateTime drops the digits of the fraction that time(precision) does not have.
func TruncateTime(us int64, precision int) int64 { return us - us%truncations[precision] }
