package sql

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
)

type kind uint8

const (
	eof      kind = iota
	word          // an identifier or keyword
	quoted        // `identifier`, always a name
	text          // 'string' or "string"; val is decoded
	number        // val is the text without its suffix
	op            // operator or punctuation
	hint          // the start of a hint comment
	unclosed      // a string, comment or quoted name that the text ends in; val says which
)

// token is a piece of the text. off and end are byte offsets, pos counts lines and characters from 1.
type token struct {
	kind     kind
	raw      string
	val      string
	suffix   string // of a number: L S Y D F BD, in capitals
	off, end int
	pos      expr.Pos
}

// show is the token as an error message quotes it.
func (t token) show() string {
	if t.kind == eof {
		return "end of input"
	}
	s := t.raw
	if r := []rune(s); len(r) > 30 {
		s = string(r[:30]) + "…"
	}
	if t.kind == text || t.kind == unclosed {
		return s
	}
	return "'" + s + "'"
}

// is reports whether t is the keyword.
func (t token) is(keyword string) bool { return t.kind == word && strings.EqualFold(t.raw, keyword) }
