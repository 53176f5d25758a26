package expr

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// timePattern is a pattern in the letters of Java's DateTimeFormatter, cut into runs: yyyy-MM-dd HH:mm:ss.SSS.
type timePattern struct {
	parts []patternPart
}

type patternPart struct {
	letter  byte // 0 for literal text
	n       int
	literal string
}

const patternLetters = "yuMLdDEaHhKkmsSQqzZXxVGeF"

func compilePattern(s string) (*timePattern, error) {
	p := &timePattern{}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\'':
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return nil, errPattern(s, "a quote is not closed")
			}
			text := s[i+1 : i+1+end]
			if text == "" {
				text = "'"
			}
			p.parts = append(p.parts, patternPart{literal: text})
			i += end + 2
		case c == '[' || c == ']':
			i++ // optional sections are read when they are there and always written
		case c|32 >= 'a' && c|32 <= 'z':
			n := 1
			for i+n < len(s) && s[i+n] == c {
				n++
			}
			if !strings.ContainsRune(patternLetters, rune(c)) {
				return nil, errPattern(s, "the letter "+string(rune(c))+" means nothing")
			}
			p.parts = append(p.parts, patternPart{letter: c, n: n})
			i += n
		default:
			p.parts = append(p.parts, patternPart{literal: string(rune(c))})
			i++
		}
	}
	return p, nil
}

func errPattern(pattern, why string) error {
	return usererr.New("INVALID_DATETIME_PATTERN.WITH_SUGGESTION", "22007", "Unrecognized datetime pattern: %s: %s.", pattern, why).
		WithFix("Use letters such as yyyy, MM, dd, HH, mm, ss and SSS; put other text between quotes.")
}

// format appends a wall-clock reading; offset and zone are those of its instant.
func (p *timePattern) format(dst []byte, local int64, offset int, zone string) []byte {
	days, us := column.SplitMicros(local)
	y, m, d := column.CivilFromDays(days)
	for _, part := range p.parts {
		n := part.n
		switch part.letter {
		case 0:
			dst = append(dst, part.literal...)
		case 'y', 'u':
			if n == 2 {
				dst = padInt(dst, int64(y%100), 2)
			} else {
				dst = padInt(dst, int64(y), n)
			}
		case 'M', 'L':
			dst = nameOrNumber(dst, monthNames[m-1], int64(m), n)
		case 'd':
			dst = padInt(dst, int64(d), n)
		case 'D':
			dst = padInt(dst, dayOfYear(days), n)
		case 'E':
			dst = nameOrNumber(dst, dayNames[weekdayOf(days)], 0, max(n, 3))
		case 'e':
			dst = padInt(dst, (weekdayOf(days)+1)%7+1, n)
		case 'F':
			dst = padInt(dst, int64(d-1)/7+1, n)
		case 'Q', 'q':
			dst = nameOrNumber(dst, "Q"+strconv.Itoa((m+2)/3), int64((m+2)/3), n)
		case 'a':
			dst = append(dst, [...]string{"AM", "PM"}[boolInt(us >= 12*microsHour)]...)
		case 'H':
			dst = padInt(dst, us/microsHour, n)
		case 'k':
			dst = padInt(dst, (us/microsHour+23)%24+1, n)
		case 'h':
			dst = padInt(dst, (us/microsHour+11)%12+1, n)
		case 'K':
			dst = padInt(dst, us/microsHour%12, n)
		case 'm':
			dst = padInt(dst, us/microsMinute%60, n)
		case 's':
			dst = padInt(dst, us/microsSecond%60, n)
		case 'S':
			frac := padInt(nil, us%microsSecond*1000, 9)
			dst = append(dst, frac[:min(n, 9)]...)
		case 'G':
			dst = append(dst, [...]string{"BC", "AD"}[boolInt(y > 0)]...)
		case 'V', 'z':
			dst = append(dst, zone...)
		default:
			dst = appendOffset(dst, part.letter, n, offset)
		}
	}
	return dst
}

func nameOrNumber(dst []byte, name string, v int64, n int) []byte {
	switch {
	case n <= 2:
		return padInt(dst, v, n)
	case n == 3 && len(name) > 3:
		return append(dst, name[:3]...)
	}
	return append(dst, name...)
}

func padInt(dst []byte, v int64, width int) []byte {
	if v < 0 {
		dst, v = append(dst, '-'), -v
	}
	s := strconv.FormatInt(v, 10)
	for i := len(s); i < width; i++ {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}

// appendOffset writes Z, X and x in their widths.
func appendOffset(dst []byte, letter byte, n, offset int) []byte {
	if letter == 'X' && offset == 0 {
		return append(dst, 'Z')
	}
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = padInt(append(dst, sign), int64(offset/3600), 2)
	if letter != 'Z' && n == 1 && offset/60%60 == 0 {
		return dst
	}
	if letter == 'Z' && n >= 4 || letter != 'Z' && n >= 3 {
		dst = append(dst, ':')
	}
	return padInt(dst, int64(offset/60%60), 2)
}

// timeParts are what a pattern read from a text.
type timeParts struct {
	year, month, day, yday     int
	hour, minute, second, frac int64
	pm, half, hasZone          bool
	zone                       *time.Location
}

// parse reads text by the pattern: the instant, in loc when the text has no zone of its own.
func (p *timePattern) parse(s string, loc *time.Location) (int64, bool) {
	t := timeParts{year: 1970, month: 1, day: 1}
	for i, part := range p.parts {
		next := i+1 < len(p.parts) && p.parts[i+1].letter != 0 && unicode.IsLetter(rune(p.parts[i+1].letter))
		rest, ok := t.read(s, part, next)
		if !ok {
			return 0, false
		}
		s = rest
	}
	if s != "" {
		return 0, false
	}
	d, ok := civil(t.year, t.month, t.day)
	if t.yday > 0 {
		d, ok = column.DaysFromCivil(t.year, 1, 1)+t.yday-1, t.yday <= 366
	}
	if t.half {
		t.hour %= 12
		if t.pm {
			t.hour += 12
		}
	}
	if !ok || t.hour > 23 || t.minute > 59 || t.second > 59 {
		return 0, false
	}
	local := int64(d)*microsDay + t.hour*microsHour + t.minute*microsMinute + t.second*microsSecond + t.frac
	if t.hasZone {
		loc = t.zone
	}
	return column.FromLocal(local, loc), true
}

// read takes one part of the pattern from s. adjacent says that another number follows at once, so that the width counts.
func (t *timeParts) read(s string, p patternPart, adjacent bool) (string, bool) {
	switch p.letter {
	case 0:
		return strings.CutPrefix(s, p.literal)
	case 'a':
		if len(s) < 2 {
			return s, false
		}
		t.half, t.pm = true, strings.EqualFold(s[:2], "PM")
		return s[2:], t.pm || strings.EqualFold(s[:2], "AM")
	case 'E':
		return readName(s, dayNames, p.n, nil)
	case 'M', 'L':
		if p.n >= 3 {
			return readName(s, monthNames, p.n, &t.month)
		}
	case 'z', 'Z', 'X', 'x', 'V':
		return t.readZone(s)
	case 'G', 'Q', 'q', 'e', 'F':
		return s, false
	}
	limit := 19
	if adjacent || p.n >= 2 && !strings.ContainsRune("yu", rune(p.letter)) {
		limit = p.n
	}
	n := 0
	neg := strings.HasPrefix(s, "-") && (p.letter == 'y' || p.letter == 'u')
	if neg {
		s = s[1:]
	}
	for n < len(s) && n < limit && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == 0 || p.n >= 2 && n < p.n && p.letter != 'S' {
		return s, false
	}
	v, err := strconv.ParseInt(s[:n], 10, 64)
	if err != nil {
		return s, false
	}
	if neg {
		v = -v
	}
	switch p.letter {
	case 'y', 'u':
		if p.n == 2 && n == 2 {
			v += 2000
		}
		t.year = int(v)
	case 'M', 'L':
		t.month = int(v)
	case 'd':
		t.day = int(v)
	case 'D':
		t.yday = int(v)
	case 'H', 'k':
		t.hour = v % (24 + 100*int64(boolInt(p.letter == 'H')))
	case 'h', 'K':
		t.hour, t.half = v, true
	case 'm':
		t.minute = v
	case 's':
		t.second = v
	case 'S':
		digits := s[:n]
		for len(digits) < 6 {
			digits += "0"
		}
		t.frac, _ = strconv.ParseInt(digits[:6], 10, 64)
	}
	return s[n:], true
}

func readName(s string, names []string, n int, to *int) (string, bool) {
	for i, name := range names {
		if n == 3 {
			name = name[:3]
		}
		if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
			if to != nil {
				*to = i + 1
			}
			return s[len(name):], true
		}
	}
	return s, false
}

func (t *timeParts) readZone(s string) (string, bool) {
	n := 0
	for n < len(s) && s[n] != ' ' && s[n] != ']' && s[n] != ')' {
		n++
	}
	name := s[:n]
	if len(name) == 5 && (name[0] == '+' || name[0] == '-') && digitsOnly(name[1:]) {
		name = name[:3] + ":" + name[3:]
	}
	loc, ok := column.ParseZone(name)
	t.zone, t.hasZone = loc, true
	return s[n:], ok
}

// patterns keeps compiled patterns of a format argument.
type patterns struct {
	cache map[string]*timePattern
	bad   map[string]error
}

func newPatterns() *patterns {
	return &patterns{cache: map[string]*timePattern{}, bad: map[string]error{}}
}

// at is the pattern of row i, nil when it is no pattern, which fails the row.
func (p *patterns) at(k *kctx, s string, i int) *timePattern {
	if t := p.cache[s]; t != nil {
		return t
	}
	err := p.bad[s]
	if err == nil {
		t, e := compilePattern(strings.Clone(s))
		if e == nil {
			p.cache[strings.Clone(s)] = t
			return t
		}
		err, p.bad[strings.Clone(s)] = e, e
	}
	k.fail(i, err)
	return nil
}

func errParseTime(value, pattern string) error {
	return usererr.New("CANNOT_PARSE_TIMESTAMP", "22007", "The text '%s' does not follow the pattern '%s'.", strings.Clone(value), strings.Clone(pattern)).
		WithFix("Use `try_to_timestamp` to tolerate invalid input and return NULL instead.")
}

func init() {
	def := "yyyy-MM-dd HH:mm:ss"
	register("date and time",
		&Function{Name: "date_format", in: params("t:ts s:pattern"), out: outOf(column.String), flags: zoned, Doc: "A date or timestamp as text, by a pattern of Java's DateTimeFormatter.", Example: "date_format(TIMESTAMP'2026-03-15 13:45:07', 'dd.MM.yyyy HH:mm') -> 15.03.2026 13:45", cost: 150,
			kernel: func(*Call) kernel { return formatKernel(1, "") }},
		&Function{Name: "from_unixtime", in: params("l:seconds s:pattern?"), out: outOf(column.String), flags: zoned, Doc: "Seconds since 1970 as text in the session's time zone, by a pattern (" + def + ").", Example: "from_unixtime(0, 'yyyy') -> 1970", cost: 150,
			kernel: func(*Call) kernel { return formatKernel(microsSecond, def) }},
		toTime("to_timestamp", column.Timestamp, false), toTime("to_timestamp_ltz", column.Timestamp, false), toTime("to_timestamp_ntz", column.TimestampNTZ, false),
		toTime("to_date", column.Date, false), toTime("try_to_timestamp", column.Timestamp, true), toTime("try_to_date", column.Date, true),
		&Function{Name: "unix_timestamp", Aliases: []string{"to_unix_timestamp"}, in: params("a:time? s:pattern?"), Doc: "Seconds since 1970 of a time, of a text by a pattern (" + def + "), or of now.", Example: "unix_timestamp('1970-01-01 00:00:10') -> 10", rewrite: func(a []Expr) (Expr, error) {
			if len(a) == 0 {
				a = []Expr{mustCall("current_timestamp")}
			}
			if a[0].DataType().Kind == column.String {
				if len(a) == 1 {
					a = append(a[:1:1], Lit(def))
				}
				ts, err := call("to_timestamp", a...)
				if err != nil {
					return nil, err
				}
				a = []Expr{ts}
			}
			return call("unix_seconds", a[0])
		}},
	)
}

// formatKernel writes times; the first argument is in units of so many microseconds.
func formatKernel(unit int64, def string) kernel {
	pats := newPatterns()
	return func(k *kctx, a []*column.Vector, out *column.Vector) {
		t, loc := k.text(), k.ctx.location()
		for i := 0; i < k.n; i++ {
			if k.ok(i) {
				pattern := def
				if len(a) == 2 {
					pattern = a[1].Str(i)
				}
				if p := pats.at(k, pattern, i); p != nil {
					us := a[0].I64[i] * unit
					local := column.ToLocal(us, loc)
					zone := "UTC"
					if loc != time.UTC {
						zone, _ = time.UnixMicro(us).In(loc).Zone()
						if strings.Contains(pattern, "V") {
							zone = loc.String()
						}
					}
					t.buf = p.format(t.buf, local, int((local-us)/microsSecond), zone)
				}
			}
			t.end(i)
		}
		t.done()
	}
}

// toTime is to_timestamp and its kin: without a pattern a cast.
func toTime(name string, kind column.Kind, try bool) *Function {
	typ := column.Of(kind)
	doc := "Text as a " + typ.String() + ", by a pattern or as CAST reads it"
	if try {
		doc += "; null where it cannot be read"
	}
	example := map[column.Kind]string{column.Date: "('15.03.2026', 'dd.MM.yyyy') -> 2026-03-15", column.Timestamp: "('15.03.2026 13:45', 'dd.MM.yyyy HH:mm') -> 2026-03-15 13:45:00",
		column.TimestampNTZ: "('15.03.2026 13:45', 'dd.MM.yyyy HH:mm') -> 2026-03-15 13:45:00"}[kind]
	return &Function{Name: name, in: params("a:text s:pattern?"), out: outOf(kind), flags: zoned, Doc: doc + ".", Example: name + example, cost: 150,
		rewrite: func(a []Expr) (Expr, error) {
			if len(a) == 1 || a[0].DataType().IsTemporal() {
				if try {
					return ResolveCast(&Cast{Child: a[0], To: typ, Try: true})
				}
				if a[0].DataType().Equal(typ) {
					return a[0], nil
				}
				return ResolveCast(&Cast{Child: a[0], To: typ})
			}
			s := param{class: 's'}
			text, ok := s.fit(a[0])
			pattern, ok2 := s.fit(a[1])
			if !ok || !ok2 {
				return nil, unexpectedType(name, boolInt(ok), a[boolInt(ok)], `"STRING"`)
			}
			return &Call{Fn: name, Args: []Expr{text, pattern}, Typ: typ, Null: try || text.Nullable() || pattern.Nullable()}, nil
		},
		kernel: func(*Call) kernel {
			pats := newPatterns()
			return rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				p := pats.at(k, a[1].Str(i), i)
				if p == nil {
					return 0
				}
				loc := k.ctx.location()
				if kind != column.Timestamp {
					loc = time.UTC
				}
				us, ok := p.parse(strings.TrimSpace(a[0].Str(i)), loc)
				switch {
				case ok:
				case try || !k.ctx.ANSI:
					k.null(i)
				default:
					k.fail(i, errParseTime(a[0].Str(i), a[1].Str(i)))
				}
				if kind == column.Date {
					return floorDiv(us, microsDay)
				}
				return us
			})(nil)
		}}
}
