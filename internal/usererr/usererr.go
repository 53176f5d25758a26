// Package usererr is the one form in which a user's mistake travels: a stable code, what is wrong, where, and how to fix
// it. Codes are Spark's error conditions where Spark has one. Errors that are not the user's stay ordinary Go errors.
package usererr

import (
	"errors"
	"fmt"
	"strings"
)

// Error is a user's mistake. Every field but Code and Message may be empty.
type Error struct {
	Code     string            // stable condition, such as UNRESOLVED_COLUMN.WITH_SUGGESTION
	SQLState string            // five characters, such as 42703
	Message  string            // what is wrong, one sentence
	Fix      string            // what to do about it, one sentence
	Params   map[string]string // the condition's parameters, by name, for programs
	Text     string            // the SQL or expression text that Line and Col point into
	Line     int               // 1-based; 0 when there is no position
	Col      int               // 1-based, in characters
	Where    string            // a place that is not SQL text: a file, a config key, topic-partition@offset
}

// New returns an error with a code and a formatted message.
func New(code, sqlState, format string, args ...any) *Error {
	return &Error{Code: code, SQLState: sqlState, Message: fmt.Sprintf(format, args...)}
}

// WithFix, At and In add to e and return it.
func (e *Error) WithFix(format string, args ...any) *Error {
	e.Fix = fmt.Sprintf(format, args...)
	return e
}

func (e *Error) At(line, col int) *Error {
	e.Line, e.Col = line, col
	return e
}

func (e *Error) In(where string) *Error {
	e.Where = where
	return e
}

// With sets a parameter of the condition.
func (e *Error) With(name, value string) *Error {
	if e.Params == nil {
		e.Params = map[string]string{}
	}
	e.Params[name] = value
	return e
}

// Error is the one-line form: [CODE] message (where). fix SQLSTATE: 42703
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s] %s", e.Code, e.Message)
	if e.Where != "" {
		fmt.Fprintf(&b, " (%s)", e.Where)
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, " (line %d, column %d)", e.Line, e.Col)
	}
	if e.Fix != "" {
		b.WriteString(" " + e.Fix)
	}
	if e.SQLState != "" {
		b.WriteString(" SQLSTATE: " + e.SQLState)
	}
	return b.String()
}

// Detail is the form for people: the message, the line of text with a caret under the column, and the fix.
func (e *Error) Detail() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s] %s", e.Code, e.Message)
	if e.Where != "" {
		fmt.Fprintf(&b, "\n  in %s", e.Where)
	}
	if line, ok := e.line(); ok {
		fmt.Fprintf(&b, "\n  at line %d, column %d:\n    %s\n    %s^", e.Line, e.Col, line, pad(line, e.Col-1))
	}
	if e.Fix != "" {
		fmt.Fprintf(&b, "\n  %s", e.Fix)
	}
	return b.String()
}

func (e *Error) line() (string, bool) {
	lines := strings.Split(e.Text, "\n")
	if e.Line < 1 || e.Line > len(lines) || e.Text == "" {
		return "", false
	}
	return lines[e.Line-1], true
}

// pad is n columns of white space that keeps the tabs of line, so that the caret stands under its character.
func pad(line string, n int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i >= n {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	for b.Len() < n {
		b.WriteByte(' ')
	}
	return b.String()
}

// As finds a user's mistake in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
