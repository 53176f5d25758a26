package sql

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// str reads a string in either quote. A doubled quote stands for one; a raw string knows no escapes.
func (l *lexer) str(t *token, raw bool) {
	s := l.rest()
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); {
		switch {
		case s[i] == quote && !raw && i+1 < len(s) && s[i+1] == quote:
			b.WriteByte(quote)
			i += 2
		case s[i] == quote:
			t.kind, t.val = text, b.String()
			l.advance(i + 1)
			return
		case s[i] == '\\' && !raw && i+1 < len(s):
			i += unescape(&b, s[i:])
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	t.kind, t.val = unclosed, "string"
	l.advance(len(s))
}

// unescape writes what the escape sequence at the start of s means and returns its length. As in Spark, \% and \_ stay
// as they are for LIKE, and any other escaped character means itself.
func unescape(b *strings.Builder, s string) int {
	switch c := s[1]; c {
	case 'n':
		b.WriteByte('\n')
	case 't':
		b.WriteByte('\t')
	case 'r':
		b.WriteByte('\r')
	case 'b':
		b.WriteByte('\b')
	case 'Z':
		b.WriteByte(0x1a)
	case '%', '_':
		b.WriteString(s[:2])
	case 'u', 'U':
		n := 6
		if c == 'U' {
			n = 10
		}
		if len(s) >= n {
			if r, err := strconv.ParseUint(s[2:n], 16, 32); err == nil && utf8.ValidRune(rune(r)) {
				b.WriteRune(rune(r))
				return n
			}
		}
		b.WriteByte(c)
	case '0', '1':
		if len(s) >= 4 && isOctal(s[2]) && isOctal(s[3]) {
			v, _ := strconv.ParseUint(s[1:4], 8, 8)
			b.WriteRune(rune(v))
			return 4
		}
		if c == '0' {
			b.WriteByte(0)
		} else {
			b.WriteByte(c)
		}
	default:
		_, size := utf8.DecodeRuneInString(s[1:])
		b.WriteString(s[1 : 1+size])
		return 1 + size
	}
	return 2
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }
