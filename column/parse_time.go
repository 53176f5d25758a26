package column

import (
	"strings"
	"time"
)

// ParseDate reads a date as Spark's cast does: [+-]y…y[-m[m][-d[d]]], with anything after the day that a space or T
// separates. Surrounding white space is ignored.
func ParseDate(s string) (int32, bool) {
	p := dateParser{s: strings.TrimSpace(s)}
	days, ok := p.date()
	if !ok || p.at < len(p.s) && (p.parts < 3 || p.s[p.at] != ' ' && p.s[p.at] != 'T') {
		return 0, false
	}
	if int(int32(days)) != days {
		return 0, false
	}
	return int32(days), true
}

// ParseTimestamp reads a timestamp as Spark's cast does: a date as ParseDate has it, then space or T, h[h][:m[m][:s[s]]]
// with a fraction of which six digits count, and a zone: Z, UTC, GMT, ±h[h][:mm[:ss]], or a region such as
// Europe/Berlin. Without a zone the reading is taken in loc.
func ParseTimestamp(s string, loc *time.Location) (int64, bool) {
	p := dateParser{s: strings.TrimSpace(s)}
	local, zone, ok := p.timestamp()
	if !ok {
		return 0, false
	}
	return p.instant(local, zone, loc)
}

// ParseTimestampNTZ reads a wall-clock timestamp; a zone is allowed and ignored.
func ParseTimestampNTZ(s string) (int64, bool) {
	p := dateParser{s: strings.TrimSpace(s)}
	local, zone, ok := p.timestamp()
	if ok && zone != "" {
		_, ok = p.instant(local, zone, time.UTC)
	}
	return local, ok
}

// dateParser walks over the text of a date or timestamp.
type dateParser struct {
	s     string
	at    int
	parts int // how many of year, month and day were there
}

// number reads from min to max digits.
func (p *dateParser) number(min, max int) (int, bool) {
	n, from := 0, p.at
	for p.at < len(p.s) && p.at-from < max && p.s[p.at]-'0' <= 9 {
		n = n*10 + int(p.s[p.at]-'0')
		p.at++
	}
	return n, p.at-from >= min
}

func (p *dateParser) take(c byte) bool {
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *dateParser) date() (days int, ok bool) {
	neg := p.take('-')
	if !neg {
		p.take('+')
	}
	year, ok := p.number(4, 7)
	if !ok {
		return 0, false
	}
	if neg {
		year = -year
	}
	month, day := 1, 1
	p.parts = 1
	if p.take('-') {
		if month, ok = p.number(1, 2); !ok {
			return 0, false
		}
		p.parts = 2
		if p.take('-') {
			if day, ok = p.number(1, 2); !ok {
				return 0, false
			}
			p.parts = 3
		}
	}
	if month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month) {
		return 0, false
	}
	return DaysFromCivil(year, month, day), true
}

func (p *dateParser) timestamp() (local int64, zone string, ok bool) {
	days, ok := p.date()
	if !ok {
		return 0, "", false
	}
	// Years beyond ±292 000 do not fit into microseconds.
	if days > 106_751_990 || days < -106_751_990 {
		return 0, "", false
	}
	local = int64(days) * microsPerDay
	if p.at == len(p.s) {
		return local, "", true
	}
	if p.parts < 3 || !p.take(' ') && !p.take('T') {
		return 0, "", false
	}
	if p.at == len(p.s) {
		return 0, "", false
	}
	clock, ok := p.clock()
	return local + clock, strings.TrimSpace(p.s[p.at:]), ok
}

func (p *dateParser) clock() (int64, bool) {
	hour, ok := p.number(1, 2)
	if !ok || hour > 23 {
		return 0, false
	}
	minute, second, micros := 0, 0, int64(0)
	if p.take(':') {
		if minute, ok = p.number(1, 2); !ok || minute > 59 {
			return 0, false
		}
		if p.take(':') {
			if second, ok = p.number(1, 2); !ok || second > 59 {
				return 0, false
			}
			if p.take('.') {
				micros = p.fraction()
			}
		}
	}
	return int64(hour*3600+minute*60+second)*microsPerSecond + micros, true
}

// fraction reads any number of digits, of which six count.
func (p *dateParser) fraction() int64 {
	micros, scale := int64(0), int64(100_000)
	for p.at < len(p.s) && p.s[p.at]-'0' <= 9 {
		micros += int64(p.s[p.at]-'0') * scale
		scale /= 10
		p.at++
	}
	return micros
}

func (p *dateParser) instant(local int64, zone string, loc *time.Location) (int64, bool) {
	if zone == "" {
		return FromLocal(local, loc), true
	}
	if zone == "Z" {
		return local, true
	}
	named, ok := ParseZone(zone)
	if !ok {
		return 0, false
	}
	return FromLocal(local, named), true
}

// ParseZone resolves a time zone as Spark writes it: Z, UTC, GMT, UT, an offset such as +02:00, either of these with an
// offset (UTC+2), or a region.
func ParseZone(s string) (*time.Location, bool) {
	switch s {
	case "Z", "UTC", "GMT", "UT":
		return time.UTC, true
	}
	offset := s
	for _, prefix := range [...]string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			offset = rest
			break
		}
	}
	if offset != "" && (offset[0] == '+' || offset[0] == '-') {
		return parseOffset(offset)
	}
	if s == "" || s == "Local" {
		return nil, false
	}
	loc, err := time.LoadLocation(s)
	return loc, err == nil
}

// parseOffset reads ±h, ±hh, ±hhmm, ±hh:mm and ±hh:mm:ss up to 18 hours.
func parseOffset(s string) (*time.Location, bool) {
	p := dateParser{s: s, at: 1}
	h, ok := p.number(1, 2)
	m, sec := 0, 0
	if ok && p.at < len(s) {
		colon := p.take(':')
		if m, ok = p.number(2-boolInt(colon), 2); ok && colon && p.take(':') {
			sec, ok = p.number(2, 2)
		}
	}
	total := h*3600 + m*60 + sec
	if !ok || p.at != len(s) || m > 59 || sec > 59 || total > 18*3600 {
		return nil, false
	}
	if s[0] == '-' {
		total = -total
	}
	if total == 0 {
		return time.UTC, true
	}
	return time.FixedZone(s, total), true
}
