package column

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// findQuote returns the position of the first quote, backslash or control character from i on, or len(b), and whether
// all bytes before it are ASCII. It looks at eight bytes at once.
func findQuote(b []byte, i int) (int, bool) {
	seen := uint64(0)
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		q, e := w^ones*'"', w^ones*'\\'
		stop := ((q-ones)&^q | (e-ones)&^e | (w-ones*0x20)&^w) & highs
		if stop != 0 {
			n := bits.TrailingZeros64(stop) &^ 7
			seen |= w & (1<<uint(n) - 1)
			return i + n>>3, seen&highs == 0
		}
		seen |= w
	}
	ascii := seen&highs == 0
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < 0x20 {
			break
		} else if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	return i, ascii
}

// escaped reads the rest of a string that has something special at position at.
func (s *JSONScanner) escaped(field string, from, at int) ([]byte, int) {
	rec := s.rec
	s.text = append(s.text[:0], rec[from:at]...)
	for at < len(rec) {
		switch c := rec[at]; {
		case c == '"':
			if !utf8.Valid(s.text) {
				s.text = appendValid(nil, s.text)
			}
			return s.text, at + 1
		case c == '\\':
			if at = s.escape(field, at); at < 0 {
				return nil, -1
			}
		case c < 0x20:
			return nil, s.fail(field, at, "a string holds the raw control character %#x", c)
		default:
			end, _ := findQuote(rec, at)
			s.text = append(s.text, rec[at:end]...)
			at = end
		}
	}
	return nil, s.fail(field, from, "a string is not closed")
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads the escape at the backslash at and appends what it stands for.
func (s *JSONScanner) escape(field string, at int) int {
	if at+1 >= len(s.rec) {
		return s.fail(field, at, "a string is not closed")
	}
	c := s.rec[at+1]
	if c != 'u' {
		if escapes[c] == 0 {
			return s.fail(field, at, "\\%c is no JSON escape", c)
		}
		s.text = append(s.text, escapes[c])
		return at + 2
	}
	r, ok := hex4(s.rec, at+2)
	if !ok {
		return s.fail(field, at, "four hexadecimal digits must follow \\u")
	}
	at += 6
	if utf16.IsSurrogate(r) {
		low, ok := rune(0), false
		if at+1 < len(s.rec) && s.rec[at] == '\\' && s.rec[at+1] == 'u' {
			low, ok = hex4(s.rec, at+2)
		}
		pair := utf16.DecodeRune(r, low)
		if ok && pair != utf8.RuneError {
			r, at = pair, at+6
		} else {
			r = utf8.RuneError
		}
	}
	s.text = utf8.AppendRune(s.text, r)
	return at
}

func hex4(b []byte, i int) (rune, bool) {
	if i+4 > len(b) {
		return 0, false
	}
	r := rune(0)
	for _, c := range b[i : i+4] {
		switch {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// found describes the value at i for an error.
func (s *JSONScanner) found(i int) string {
	if i >= len(s.rec) {
		return "the end of the record"
	}
	end := min(len(s.rec), i+24)
	switch c := s.rec[i]; {
	case c == '"':
		stop, _ := findQuote(s.rec, i+1)
		end = min(end, stop+1, len(s.rec))
		return "the string " + string(s.rec[i:end])
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '-' || c-'0' <= 9:
		for j := i; j < end; j++ {
			if c := s.rec[j]; c == ',' || c == '}' || c == ']' || c <= ' ' {
				end = j
			}
		}
		return string(s.rec[i:end])
	default:
		for j := i; j < end; j++ {
			if c := s.rec[j]; c == ',' || c == '}' || c == ']' || c <= ' ' {
				end = j
			}
		}
		return "'" + string(s.rec[i:max(end, min(i+1, len(s.rec)))]) + "'"
	}
}

// skip reads over a value that nobody wants, checking its form.
func (s *JSONScanner) skip(field string, i, depth int) int {
	rec := s.rec
	if i >= len(rec) || depth > maxJSONDepth {
		return s.fail(field, i, "expected a value, found %s", s.found(i))
	}
	switch c := rec[i]; {
	case c == '"':
		_, i = s.str(field, i)
		return i
	case c == '{':
		return s.skipObject(field, i+1, depth)
	case c == '[':
		return s.skipArray(field, i+1, depth)
	case c == 't' && hasKey(rec, i, "true"), c == 'n' && hasKey(rec, i, "null"):
		return i + 4
	case c == 'f' && hasKey(rec, i, "false"):
		return i + 5
	}
	end, _ := numberEnd(rec, i)
	if end < 0 {
		return s.fail(field, i, "expected a value, found %s", s.found(i))
	}
	return end
}

const maxJSONDepth = 512

func (s *JSONScanner) skipObject(field string, i, depth int) int {
	if i = skipSpace(s.rec, i); i < len(s.rec) && s.rec[i] == '}' {
		return i + 1
	}
	for {
		if _, i = s.key(i); i < 0 {
			return -1
		}
		if i = s.skip(field, i, depth+1); i < 0 {
			return -1
		}
		more, next := s.separator(field, i, '}')
		if next < 0 || !more {
			return next
		}
		i = next
	}
}

func (s *JSONScanner) skipArray(field string, i, depth int) int {
	if i = skipSpace(s.rec, i); i < len(s.rec) && s.rec[i] == ']' {
		return i + 1
	}
	for {
		if i = s.skip(field, i, depth+1); i < 0 {
			return -1
		}
		more, next := s.separator(field, i, ']')
		if next < 0 || !more {
			return next
		}
		i = next
	}
}

// separator reads the comma before the next element, or the closing bracket.
func (s *JSONScanner) separator(field string, i int, closing byte) (more bool, next int) {
	i = skipSpace(s.rec, i)
	if i < len(s.rec) && s.rec[i] == ',' {
		return true, skipSpace(s.rec, i+1)
	}
	if i < len(s.rec) && s.rec[i] == closing {
		return false, i + 1
	}
	return false, s.fail(field, i, "expected a comma or %c, found %s", closing, s.found(i))
}
