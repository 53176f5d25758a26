package expr

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/streamflow/streamflow/column"
)

// parser reads the expressions of examples and tests: SQL as far as they use it.
type parser struct {
	toks []string
	at   int
	cols []*Attr
}

func parseExpr(t testing.TB, text string, cols ...*Attr) Expr {
	t.Helper()
	e, err := tryParse(text, cols...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

func tryParse(text string, cols ...*Attr) (e Expr, err error) {
	p := &parser{toks: lex(text), cols: cols}
	defer func() {
		if r := recover(); r != nil {
			if pe, ok := r.(error); ok {
				err = pe
				return
			}
			panic(r)
		}
	}()
	e = p.expr(0)
	if p.at != len(p.toks) {
		return nil, fmt.Errorf("test parser: rest %q", p.toks[p.at:])
	}
	return e, nil
}

func lex(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		c := s[i]
		j := i + 1
		switch {
		case c == ' ':
			i++
			continue
		case c == '\'':
			for j < len(s) && s[j] != '\'' {
				j++
			}
			j++
		case unicode.IsDigit(rune(c)):
			for j < len(s) && (unicode.IsDigit(rune(s[j])) || s[j] == '.' || strings.ContainsRune("DLSY", rune(s[j]))) {
				j++
			}
		case unicode.IsLetter(rune(c)) || c == '_':
			for j < len(s) && (unicode.IsLetter(rune(s[j])) || unicode.IsDigit(rune(s[j])) || s[j] == '_') {
				j++
			}
		default:
			for _, op := range []string{"<=>", "<>", "<=", ">=", "!=", "==", "||"} {
				if strings.HasPrefix(s[i:], op) {
					j = i + len(op)
					break
				}
			}
		}
		out = append(out, s[i:j])
		i = j
	}
	return out
}

func (p *parser) peek() string {
	if p.at < len(p.toks) {
		return strings.ToLower(p.toks[p.at])
	}
	return ""
}

func (p *parser) next() string { p.at++; return p.toks[p.at-1] }

func (p *parser) take(s string) bool {
	if p.peek() == s {
		p.at++
		return true
	}
	return false
}

func (p *parser) call(name string, args ...Expr) Expr {
	e, err := ResolveCall(&UnresolvedCall{Name: name, Args: args})
	if err != nil {
		panic(err)
	}
	return e
}

var levels = map[string]int{"or": 1, "and": 2, "is": 4, "=": 5, "==": 5, "!=": 5, "<>": 5, "<": 5, ">": 5, "<=": 5, ">=": 5, "<=>": 5, "like": 5, "ilike": 5, "rlike": 5, "between": 5, "in": 5,
	"|": 6, "^": 7, "&": 8, "||": 9, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10, "div": 10}

func (p *parser) expr(min int) Expr {
	left := p.unary()
	for {
		op := p.peek()
		lv, ok := levels[op]
		if !ok || lv < min {
			return left
		}
		p.next()
		switch op {
		case "is":
			name := "is"
			if p.take("not") {
				name += " not"
			}
			left = p.call(name+" "+strings.ToLower(p.next()), left)
		case "between":
			lo := p.expr(6)
			p.next()
			left = p.call("between", left, lo, p.expr(6))
		case "in":
			p.next()
			args := append([]Expr{left}, p.args(")")...)
			left = p.call("in", args...)
		default:
			left = p.call(op, left, p.expr(lv+1))
		}
	}
}

func (p *parser) args(end string) []Expr {
	var out []Expr
	for !p.take(end) {
		out = append(out, p.expr(0))
		p.take(",")
	}
	return out
}

func (p *parser) unary() Expr {
	switch {
	case p.take("not"):
		return p.call("not", p.expr(3))
	case p.take("-"):
		return p.call("negative", p.expr(11))
	case p.take("~"):
		return p.call("~", p.expr(11))
	case p.take("("):
		e := p.expr(0)
		p.next()
		return e
	}
	return p.primary()
}

func (p *parser) primary() Expr {
	tok := p.next()
	switch c := tok[0]; {
	case c == '\'':
		return Lit(tok[1 : len(tok)-1])
	case unicode.IsDigit(rune(c)):
		return numberLit(tok)
	}
	switch low := strings.ToLower(tok); low {
	case "null":
		return Lit(nil)
	case "true", "false":
		return Lit(low == "true")
	case "date", "timestamp", "interval":
		if p.at < len(p.toks) && p.toks[p.at][0] == '\'' {
			text := p.next()
			return typed(low, text[1:len(text)-1])
		}
	case "cast", "try_cast":
		p.next()
		e := p.expr(0)
		p.next()
		name := p.next()
		for depth := 0; depth > 0 || p.peek() != ")"; {
			switch p.peek() {
			case "(", "<":
				depth++
			case ")", ">":
				depth--
			}
			name += " " + p.next()
		}
		p.next()
		return p.call(low, e, Lit(name))
	}
	if p.take("(") {
		return p.call(tok, p.args(")")...)
	}
	for _, a := range p.cols {
		if a.Name == tok {
			return a
		}
	}
	panic(fmt.Errorf("test parser: unknown column %s", tok))
}

func typed(kind, text string) Expr {
	if kind == "interval" {
		iv, ok := ParseInterval(text)
		if !ok {
			panic(fmt.Errorf("test parser: interval %s", text))
		}
		if iv.Months != 0 {
			return &Literal{int64(iv.Months), column.Of(column.IntervalYM)}
		}
		return &Literal{iv.Micros, column.Of(column.IntervalDT)}
	}
	t, _ := column.ParseType(kind)
	l, err := EvalLiteral(&Cast{Child: Lit(text), To: t})
	if err != nil {
		panic(err)
	}
	return l
}

func numberLit(tok string) Expr {
	digits := strings.TrimRight(tok, "DLSY")
	to := map[string]column.Kind{"D": column.Float64, "L": column.Int64, "S": column.Int16, "Y": column.Int8}[tok[len(digits):]]
	if to == column.Null {
		to = column.Int32
		if v, err := strconv.ParseInt(digits, 10, 64); err == nil && !fitsInt(v, to) {
			to = column.Int64
		}
		if strings.Contains(digits, ".") {
			_, frac, _ := strings.Cut(digits, ".")
			d, _ := parseDec([]byte(digits), len(frac))
			return &Literal{column.Dec128(d), column.DecimalOf(len(digits)-1, len(frac))}
		}
	}
	l, err := EvalLiteral(&Cast{Child: Lit(digits), To: column.Of(to)})
	if err != nil {
		panic(err)
	}
	return l
}
