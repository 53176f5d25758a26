package column

import (
	"encoding/base64"
	"math"
	"time"
)

// member reads the value at i into row n of the column; col -1 skips it. It returns the position after it, or -1.
func (s *JSONScanner) member(col, i int) int {
	if col < 0 {
		return s.skip("", i, 0)
	}
	c := &s.cols[col]
	if i < len(s.rec) && s.rec[i] == 'n' && hasKey(s.rec, i, "null") && c.kind() != Variant {
		c.row = 0
		if c.nest != nil {
			c.nest.Truncate(s.n)
		}
		return i + 4
	}
	switch c.kind() {
	case Int64, Int32, Int16, Int8:
		i = s.intMember(col, c, i)
	case String:
		i = s.stringMember(col, c, i)
	case Float64, Float32:
		i = s.floatMember(col, c, i)
	case List, Struct, Map:
		c.nest.Truncate(s.n)
		i = s.nested(s.name(col), c.nest, i, 0)
	default:
		i = s.otherMember(col, c, i)
	}
	c.row = s.n + 1
	return i
}

func (c *jsonColumn) kind() Kind {
	if c.nest != nil {
		return c.nest.v.Type.Kind
	}
	return c.v.Type.Kind
}

func (s *JSONScanner) name(col int) string { return s.schema.Fields[col].Name }

func (s *JSONScanner) intMember(col int, c *jsonColumn, i int) int {
	x, next, why := scanInt(s.rec, i)
	v := c.v
	if next >= 0 {
		switch v.Type.Kind {
		case Int64:
			v.I64[s.n] = x
			return next
		case Int32:
			if v.I32[s.n] = int32(x); int64(int32(x)) == x {
				return next
			}
		case Int16:
			if v.I16[s.n] = int16(x); int64(int16(x)) == x {
				return next
			}
		default:
			if v.I8[s.n] = int8(x); int64(int8(x)) == x {
				return next
			}
		}
		why = "out of range"
	}
	return s.refuse(s.name(col), v.Type, i, why)
}

// refuse is the error for a value that the type does not take.
func (s *JSONScanner) refuse(field string, t Type, i int, why string) int {
	if why == "out of range" || why == "not a whole number" {
		return s.fail(field, i, "%s is %s for %s", s.found(i), why, t)
	}
	return s.fail(field, i, "expected %s, found %s", t, s.found(i))
}

func (s *JSONScanner) stringMember(col int, c *jsonColumn, i int) int {
	rec := s.rec
	if i < len(rec) && rec[i] == '"' {
		from := i + 1
		end, ascii := findQuote(rec, from)
		if ascii && end < len(rec) && rec[end] == '"' {
			s.put(&c.v.Views[s.n], rec[from:end])
			return end + 1
		}
		text, next := s.str(s.name(col), i)
		if next >= 0 {
			s.put(&c.v.Views[s.n], text)
		}
		return next
	}
	text, next := s.rawText(s.name(col), i)
	if next >= 0 {
		s.put(&c.v.Views[s.n], text)
	}
	return next
}

// rawText is the JSON text of a value, which is what a string column keeps of anything but a string.
func (s *JSONScanner) rawText(field string, i int) ([]byte, int) {
	next := s.skip(field, i, 0)
	if next < 0 {
		return nil, -1
	}
	text := s.rec[i:next]
	return appendValid(nil, text), next
}

// put stores a string value in the view, and its bytes, when long, in the scanner's buffer.
func (s *JSONScanner) put(w *View, text []byte) {
	if len(text) <= InlineLen {
		*w = MakeView(text, 0, 0)
		return
	}
	if len(s.buf)+len(text) > maxScanBuf && len(s.buf) > 0 {
		s.bufs = append(s.bufs, s.buf)
		s.buf = nil
	}
	*w = MakeView(text, uint32(len(s.bufs)), uint32(len(s.buf)))
	s.buf = append(s.buf, text...)
}

const maxScanBuf = 1 << 30

func (s *JSONScanner) floatMember(col int, c *jsonColumn, i int) int {
	x, next := s.float(s.name(col), c.v.Type, i)
	if next < 0 {
		return -1
	}
	if c.v.Type.Kind == Float64 {
		c.v.F64[s.n] = x
	} else {
		c.v.F32[s.n] = float32(x)
	}
	return next
}

// float reads a number, or one of the strings that name what JSON numbers cannot.
func (s *JSONScanner) float(field string, t Type, i int) (float64, int) {
	if i < len(s.rec) && s.rec[i] == '"' {
		text, next := s.str(field, i)
		if next < 0 {
			return 0, -1
		}
		switch string(text) {
		case "NaN":
			return math.NaN(), next
		case "Infinity", "+Infinity", "INF", "+INF":
			return math.Inf(1), next
		case "-Infinity", "-INF":
			return math.Inf(-1), next
		}
		return 0, s.refuse(field, t, i, "")
	}
	x, next := scanFloat(s.rec, i)
	if next < 0 {
		return 0, s.refuse(field, t, i, "")
	}
	return x, next
}

func (s *JSONScanner) otherMember(col int, c *jsonColumn, i int) int {
	v, field := c.v, s.name(col)
	switch v.Type.Kind {
	case Bool:
		x, next := s.boolean(field, i)
		v.Bools[s.n] = x
		return next
	case Timestamp, TimestampNTZ, IntervalDT, Time:
		x, next := s.long(field, v.Type, i)
		v.I64[s.n] = x
		return next
	case Date, IntervalYM:
		x, next := s.long(field, v.Type, i)
		v.I32[s.n] = int32(x)
		return next
	case Decimal:
		x, next := s.decimal(field, v.Type, i)
		v.Dec[s.n] = x
		return next
	case Calendar:
		x, next := s.calendar(field, i)
		v.Dec[s.n] = x
		return next
	case Binary, Variant:
		read := s.binary
		if v.Type.Kind == Variant {
			read = s.variant
		}
		x, next := read(field, i)
		if next >= 0 {
			s.put(&v.Views[s.n], x)
		}
		return next
	}
	return s.skip(field, i, 0)
}

func (s *JSONScanner) boolean(field string, i int) (bool, int) {
	switch {
	case hasKey(s.rec, i, "true"):
		return true, i + 4
	case hasKey(s.rec, i, "false"):
		return false, i + 5
	}
	return false, s.refuse(field, Of(Bool), i, "")
}

// long reads a value of a date, timestamp or interval type, from text or a number.
func (s *JSONScanner) long(field string, t Type, i int) (int64, int) {
	if i < len(s.rec) && s.rec[i] == '"' {
		text, next := s.str(field, i)
		if next < 0 {
			return 0, -1
		}
		x, ok := parseLong(textOf(text), t)
		if !ok {
			return 0, s.refuse(field, t, i, "")
		}
		return x, next
	}
	x, next, why := scanInt(s.rec, i)
	if next < 0 && why == "not a whole number" && t.Kind == Timestamp {
		if f, end := scanFloat(s.rec, i); end >= 0 && math.Abs(f) < 1e11 {
			return int64(math.Floor(f * 1e6)), end
		}
	}
	if next < 0 {
		return 0, s.refuse(field, t, i, why)
	}
	ok := true
	switch t.Kind {
	case Timestamp, TimestampNTZ:
		x, ok = micros(x)
	case Date, IntervalYM:
		ok = x == int64(int32(x))
	case Time:
		return 0, s.refuse(field, t, i, "")
	}
	if !ok {
		return 0, s.refuse(field, t, i, "out of range")
	}
	return x, next
}

func parseLong(text string, t Type) (int64, bool) {
	switch t.Kind {
	case Timestamp:
		return ParseTimestamp(text, time.UTC)
	case TimestampNTZ:
		return ParseTimestampNTZ(text)
	case Date:
		d, ok := ParseDate(text)
		return int64(d), ok
	case Time:
		us, ok := ParseTime(text)
		return TruncateTime(us, int(t.Precision)), ok
	default:
		return ParseInterval(text, t)
	}
}

func (s *JSONScanner) decimal(field string, t Type, i int) (Dec128, int) {
	var text []byte
	next := -1
	if i < len(s.rec) && s.rec[i] == '"' {
		if text, next = s.str(field, i); next < 0 {
			return Dec128{}, -1
		}
	} else if next, _ = numberEnd(s.rec, i); next >= 0 {
		text = s.rec[i:next]
	}
	if next < 0 {
		return Dec128{}, s.refuse(field, t, i, "")
	}
	d, ok := ParseDecimal(textOf(text), int(t.Precision), int(t.Scale))
	if !ok {
		return Dec128{}, s.refuse(field, t, i, "out of range")
	}
	return d, next
}

func (s *JSONScanner) binary(field string, i int) ([]byte, int) {
	text, next := s.str(field, i)
	if next < 0 {
		return nil, -1
	}
	out, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return nil, s.refuse(field, Of(Binary), i, "")
	}
	return out, next
}
