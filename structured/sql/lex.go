package sql

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/streamflow/streamflow/expr"
)

// lexer cuts text into tokens. It never fails: a character that starts nothing becomes an op token that no rule accepts.
type lexer struct {
	src       string
	i         int // next byte
	line, col int // position of src[i]
	hints     int // open hint comments
	out       []token
}

// lex returns the tokens of src, an eof token last.
func lex(src string) []token {
	l := &lexer{src: src, line: 1, col: 1}
	for {
		l.blank()
		t := l.next()
		l.out = append(l.out, t)
		if t.kind == eof {
			return l.out
		}
	}
}

// advance moves over n bytes, keeping line and column.
func (l *lexer) advance(n int) {
	for end := l.i + n; l.i < end; {
		r, size := utf8.DecodeRuneInString(l.src[l.i:])
		l.i += size
		if r == '\n' {
			l.line, l.col = l.line+1, 1
		} else {
			l.col++
		}
	}
}

func (l *lexer) rest() string { return l.src[l.i:] }

func (l *lexer) has(prefix string) bool { return strings.HasPrefix(l.rest(), prefix) }

// blank skips white space and comments. A bracketed comment that never ends stays for next to report.
func (l *lexer) blank() {
	for l.i < len(l.src) {
		r, size := utf8.DecodeRuneInString(l.rest())
		switch {
		case unicode.IsSpace(r) || r == '\ufeff':
			l.advance(size)
		case l.has("--"):
			n := strings.IndexByte(l.rest(), '\n')
			if n < 0 {
				n = len(l.rest())
			}
			l.advance(n)
		case l.has("/*") && !l.has("/*+"):
			n := commentLen(l.rest())
			if n < 0 {
				return
			}
			l.advance(n)
		default:
			return
		}
	}
}

// commentLen is the length of the bracketed comment that s starts with, nested ones included, or -1 if it never ends.
func commentLen(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); {
		switch s[i : i+2] {
		case "/*":
			depth, i = depth+1, i+2
		case "*/":
			depth, i = depth-1, i+2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return -1
}

func (l *lexer) next() token {
	t := token{off: l.i, pos: expr.Pos{Line: l.line, Col: l.col}}
	if l.i >= len(l.src) {
		t.end = l.i
		return t
	}
	l.scan(&t)
	t.raw, t.end = l.src[t.off:l.i], l.i
	if t.kind == word {
		t.val = t.raw
	}
	return t
}

// scan consumes one token and sets its kind and value.
func (l *lexer) scan(t *token) {
	c := l.src[l.i]
	r, _ := utf8.DecodeRuneInString(l.rest())
	switch {
	case l.has("/*+"):
		t.kind = hint
		l.hints++
		l.advance(3)
	case l.has("/*"):
		t.kind, t.val = unclosed, "comment"
		l.advance(len(l.rest()))
	case l.hints > 0 && l.has("*/"):
		t.kind = op
		l.hints--
		l.advance(2)
	case c == '\'' || c == '"':
		l.str(t, false)
	case (c == 'r' || c == 'R') && l.i+1 < len(l.src) && (l.src[l.i+1] == '\'' || l.src[l.i+1] == '"'):
		l.advance(1)
		l.str(t, true)
	case c == '`':
		l.backquoted(t)
	case isDigit(c) || c == '.' && l.i+1 < len(l.src) && isDigit(l.src[l.i+1]) && !l.afterName():
		l.number(t)
	case r == '_' || unicode.IsLetter(r):
		t.kind = word
		l.advance(wordLen(l.rest()))
	default:
		t.kind = op
		l.advance(opLen(l.rest()))
	}
}

// afterName reports whether the byte before is part of a name, a call or an index, so that a dot is a field access.
func (l *lexer) afterName() bool {
	if l.i == 0 {
		return false
	}
	c := l.src[l.i-1]
	return c == '`' || c == ')' || c == ']' || c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func wordLen(s string) int {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			return i
		}
	}
	return len(s)
}

// ops are the operators of more than one character, longest first.
var ops = []string{"<=>", ">>>", "==", "!=", "<>", "<=", ">=", "||", "&&", "::", "->", "=>", "<<", ">>", "|>"}

func opLen(s string) int {
	for _, o := range ops {
		if strings.HasPrefix(s, o) {
			return len(o)
		}
	}
	_, size := utf8.DecodeRuneInString(s)
	return size
}

// number reads digits, a fraction, an exponent and a type suffix. Digits that run into letters of no suffix are a name,
// such as 2001_flights.
func (l *lexer) number(t *token) {
	s := l.rest()
	n := digits(s, 0)
	whole := n
	if n < len(s) && s[n] == '.' && !(n+1 < len(s) && isNameStart(s[n+1:])) {
		n = digits(s, n+1)
	}
	if e := exponent(s, n); e > 0 {
		n = e
	}
	tail := wordLen(s[n:])
	suffix := strings.ToUpper(s[n : n+tail])
	switch suffix {
	case "", "L", "S", "Y", "D", "F", "BD":
		t.kind, t.val, t.suffix = number, s[:n], suffix
		l.advance(n + tail)
	default:
		if n == whole || whole > 0 && s[whole] != '.' {
			t.kind = word
			l.advance(whole + wordLen(s[whole:]))
			return
		}
		t.kind, t.val = number, s[:n]
		l.advance(n)
	}
}

// isNameStart reports whether s starts with a letter that is neither an exponent nor a number's suffix, so that the dot
// before it is a field access.
func isNameStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	if r != '_' && !unicode.IsLetter(r) {
		return false
	}
	switch strings.ToUpper(s[:wordLen(s)]) {
	case "D", "F", "BD":
		return false
	}
	return exponent(s, 0) == 0
}

func digits(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// exponent is the end of e[+-]digits at s[i:], or 0 when there is none.
func exponent(s string, i int) int {
	if i >= len(s) || s[i] != 'e' && s[i] != 'E' {
		return 0
	}
	j := i + 1
	if j < len(s) && (s[j] == '+' || s[j] == '-') {
		j++
	}
	if end := digits(s, j); end > j {
		return end
	}
	return 0
}

// backquoted reads `name`, in which two backquotes stand for a backquote.
func (l *lexer) backquoted(t *token) {
	s := l.rest()
	for i := 1; i < len(s); i++ {
		if s[i] != '`' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '`' {
			i++
			continue
		}
		t.kind, t.val = quoted, strings.ReplaceAll(s[1:i], "``", "`")
		l.advance(i + 1)
		return
	}
	t.kind, t.val = unclosed, "quoted name"
	l.advance(len(s))
}
