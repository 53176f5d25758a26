package expr

import (
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/streamflow/streamflow/column"
)

// jsonReader walks over one JSON text.
type jsonReader struct {
	s   []byte
	at  int
	loc *time.Location
}

func (r *jsonReader) space() {
	for r.at < len(r.s) && (r.s[r.at] == ' ' || r.s[r.at] == '\n' || r.s[r.at] == '\t' || r.s[r.at] == '\r') {
		r.at++
	}
}

// peek is the next byte that is no white space, 0 at the end.
func (r *jsonReader) peek() byte {
	r.space()
	if r.at < len(r.s) {
		return r.s[r.at]
	}
	return 0
}

func (r *jsonReader) take(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.at++
	return true
}

// value returns the text of the next value.
func (r *jsonReader) value() ([]byte, bool) {
	r.space()
	from := r.at
	ok := r.skip(0)
	return r.s[from:r.at], ok
}

// maxDepth bounds nesting, so that hostile text cannot exhaust the stack.
const maxDepth = 512

func (r *jsonReader) skip(depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch c := r.peek(); {
	case c == '"':
		return r.skipString()
	case c == '{':
		return r.object(func([]byte) bool { return r.skip(depth + 1) })
	case c == '[':
		return r.array(func() bool { return r.skip(depth + 1) })
	case c == 't':
		return r.word("true")
	case c == 'f':
		return r.word("false")
	case c == 'n':
		return r.word("null")
	case c == '-' || c >= '0' && c <= '9':
		for r.at < len(r.s) && numberByte(r.s[r.at]) {
			r.at++
		}
		return true
	}
	return false
}

func numberByte(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

func (r *jsonReader) word(w string) bool {
	if len(r.s)-r.at < len(w) || string(r.s[r.at:r.at+len(w)]) != w {
		return false
	}
	r.at += len(w)
	return true
}

func (r *jsonReader) skipString() bool {
	for r.at++; r.at < len(r.s); r.at++ {
		switch r.s[r.at] {
		case '\\':
			r.at++
		case '"':
			r.at++
			return true
		}
	}
	return false
}

// object reads an object; member is called at each value with its key and must read the value.
func (r *jsonReader) object(member func(key []byte) bool) bool {
	if !r.take('{') {
		return false
	}
	if r.take('}') {
		return true
	}
	for {
		r.space()
		key, ok := r.text()
		if !ok || !r.take(':') || !member(key) {
			return false
		}
		if r.take('}') {
			return true
		}
		if !r.take(',') {
			return false
		}
	}
}

func (r *jsonReader) array(elem func() bool) bool {
	if !r.take('[') {
		return false
	}
	if r.take(']') {
		return true
	}
	for {
		if !elem() {
			return false
		}
		if r.take(']') {
			return true
		}
		if !r.take(',') {
			return false
		}
	}
}

// text reads a string and resolves its escapes.
func (r *jsonReader) text() ([]byte, bool) {
	if r.peek() != '"' {
		return nil, false
	}
	from := r.at + 1
	if !r.skipString() {
		return nil, false
	}
	raw := r.s[from : r.at-1]
	for _, c := range raw {
		if c == '\\' {
			return unescape(raw)
		}
	}
	return raw, true
}

func unescape(s []byte) ([]byte, bool) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		if i++; i == len(s) {
			return nil, false
		}
		switch s[i] {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case '"', '\\', '/':
			out = append(out, s[i])
		case 'u':
			u, ok := hex4(s, i+1)
			if !ok {
				return nil, false
			}
			i += 4
			if utf16.IsSurrogate(u) && i+2 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
				if low, ok := hex4(s, i+3); ok {
					if both := utf16.DecodeRune(u, low); both != utf8.RuneError {
						u = both
						i += 6
					}
				}
			}
			out = utf8.AppendRune(out, u)
		default:
			return nil, false
		}
	}
	return out, true
}

func hex4(s []byte, at int) (rune, bool) {
	if at+4 > len(s) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s[at:at+4]), 16, 32)
	return rune(v), err == nil
}

// into reads a value as type t into b. A value of another type is null; false means that the text is no JSON.
func (r *jsonReader) into(b *column.Builder, t column.Type, depth int) bool {
	if depth > maxDepth {
		return false
	}
	c := r.peek()
	switch {
	case t.Kind == column.Variant:
		raw, ok := r.value()
		return ok && appendJSONVariant(b, raw)
	case c == 'n':
		b.AppendNull()
		return r.word("null")
	case t.Kind == column.Struct && c == '{':
		return r.structInto(b, t, depth)
	case t.Kind == column.Map && c == '{':
		ok := r.object(func(key []byte) bool {
			appendScalar(b.Kid(0), t.Fields[0].Type, key, true, r.loc)
			return r.into(b.Kid(1), t.Fields[1].Type, depth+1)
		})
		b.CloseRow()
		return ok
	case t.Kind == column.List && c == '[':
		ok := r.array(func() bool { return r.into(b.Kid(0), t.Elem(), depth+1) })
		b.CloseRow()
		return ok
	}
	if c == '"' {
		s, ok := r.text()
		if ok {
			appendScalar(b, t, s, true, r.loc)
		}
		return ok
	}
	raw, ok := r.value()
	if ok {
		appendScalar(b, t, raw, false, r.loc)
	}
	return ok
}

func (r *jsonReader) structInto(b *column.Builder, t column.Type, depth int) bool {
	seen := make([]bool, len(t.Fields))
	schema := column.Schema{Fields: t.Fields}
	ok := r.object(func(key []byte) bool {
		f := schema.Index(string(key))
		if f < 0 || seen[f] {
			return r.skip(depth + 1)
		}
		seen[f] = true
		return r.into(b.Kid(f), t.Fields[f].Type, depth+1)
	})
	for f := range seen {
		if b.Kid(f).Len() <= b.Len() {
			b.Kid(f).AppendNull()
		}
	}
	b.CloseRow()
	return ok
}

// appendScalar converts the text of a value; quoted says that it was a JSON string.
func appendScalar(b *column.Builder, t column.Type, s []byte, quoted bool, loc *time.Location) {
	switch t.Kind {
	case column.String:
		b.AppendBytes(s)
		return
	case column.Bool:
		if !quoted && (s[0] == 't' || s[0] == 'f') {
			b.AppendBool(s[0] == 't')
			return
		}
	case column.Int8, column.Int16, column.Int32, column.Int64:
		if v, err := strconv.ParseInt(string(s), 10, 64); err == nil && !quoted && fitsInt(v, t.Kind) {
			b.AppendI64(v)
			return
		}
	case column.Float32, column.Float64:
		if f, ok := parseFloat(string(s), 64); ok && (!quoted || f != f || f-f != 0) {
			b.AppendF64(f)
			return
		}
	case column.Decimal:
		if d, ok := parseDec(s, int(t.Scale)); ok && !quoted && d.fits(int(t.Precision)) {
			b.AppendDec(column.Dec128(d))
			return
		}
	case column.Date:
		if d, ok := column.ParseDate(string(s)); ok && quoted {
			b.AppendI64(int64(d))
			return
		}
	case column.Time:
		if us, ok := column.ParseTime(string(s)); ok && quoted {
			b.AppendI64(column.TruncateTime(us, int(t.Precision)))
			return
		}
	case column.Calendar:
		if c, ok := column.ParseCalendar(string(s)); ok && quoted {
			b.AppendDec(c.Dec())
			return
		}
	case column.Timestamp, column.TimestampNTZ:
		if t.Kind == column.TimestampNTZ {
			loc = time.UTC
		}
		if us, ok := column.ParseTimestamp(string(s), loc); ok && quoted {
			b.AppendI64(us)
			return
		}
	}
	b.AppendNull()
}
