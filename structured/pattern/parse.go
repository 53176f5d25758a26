package pattern

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error is a mistake in the text of a pattern. At is the byte at which it was found.
type Error struct {
	At      int
	Message string
	Fix     string
}

func (e *Error) Error() string { return fmt.Sprintf("pattern: at byte %d: %s", e.At, e.Message) }

// maxDepth bounds nesting, maxRepeat the numbers of a quantifier.
const (
	maxDepth  = 100
	maxRepeat = 10_000
)

// Parse reads the text between the brackets of PATTERN ( … ):
//
//	pattern    = sequence { "|" sequence }
//	sequence   = { primary [ quantifier ] }
//	primary    = name | "^" | "$" | "(" pattern ")" | "{-" pattern "-}" | PERMUTE "(" pattern { "," pattern } ")"
//	quantifier = ( "*" | "+" | "?" | "{" n "}" | "{" [n] "," [m] "}" ) [ "?" ]
//
// White space and SQL's comments may stand between them. Errors are *Error.
func Parse(text string) (n *Node, err error) {
	p := &parser{src: text}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			n, err = nil, r
		default:
			panic(r)
		}
	}()
	n = p.alternatives()
	p.blank()
	if p.i < len(p.src) {
		p.fail("", "%s is not expected here", p.near())
	}
	if len(n.Vars()) == 0 {
		p.fail("Name at least one variable: PATTERN (A B+).", "the pattern has no variable")
	}
	return n, nil
}

// parser walks the text. Mistakes are panics of *Error, which Parse recovers.
type parser struct {
	src   string
	i     int
	depth int
}

func (p *parser) fail(fix, format string, args ...any) {
	panic(&Error{At: p.i, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// near is what stands at the current place, for messages.
func (p *parser) near() string {
	if p.i >= len(p.src) {
		return "the end of the pattern"
	}
	if n := wordLen(p.src[p.i:]); n > 0 {
		return p.src[p.i : p.i+n]
	}
	_, size := utf8.DecodeRuneInString(p.src[p.i:])
	return strconv.Quote(p.src[p.i : p.i+size])
}

// blank skips white space and comments.
func (p *parser) blank() {
	for p.i < len(p.src) {
		rest := p.src[p.i:]
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case unicode.IsSpace(r):
			p.i += size
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			p.i += n
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest, "*/")
			if n < 0 {
				p.fail("Close it with */.", "a comment is never closed")
			}
			p.i += n + 2
		default:
			return
		}
	}
}

// symbol takes s if it comes next.
func (p *parser) symbol(s string) bool {
	p.blank()
	if !strings.HasPrefix(p.src[p.i:], s) {
		return false
	}
	p.i += len(s)
	return true
}

func (p *parser) need(s string) {
	if !p.symbol(s) {
		p.fail("", "%s is not expected here: %q is missing", p.near(), s)
	}
}

func (p *parser) alternatives() *Node {
	if p.depth++; p.depth > maxDepth {
		p.fail("Leave out brackets that mean nothing.", "the pattern nests deeper than %d levels", maxDepth)
	}
	defer func() { p.depth-- }()
	first := p.sequence()
	if !p.symbol("|") {
		return first
	}
	alt := &Node{Kind: Alt, Kids: []*Node{first, p.sequence()}}
	for p.symbol("|") {
		alt.Kids = append(alt.Kids, p.sequence())
	}
	return alt
}

func (p *parser) sequence() *Node {
	var kids []*Node
	for {
		n := p.primary()
		if n == nil {
			break
		}
		kids = append(kids, p.quantified(n))
	}
	if len(kids) == 1 {
		return kids[0]
	}
	return &Node{Kind: Seq, Kids: kids}
}

// primary is nil when none comes next.
func (p *parser) primary() *Node {
	switch {
	case p.symbol("^"):
		return &Node{Kind: Start}
	case p.symbol("$"):
		return &Node{Kind: End}
	case p.symbol("{-"):
		n := p.alternatives()
		p.need("-}")
		return &Node{Kind: Exclude, Kids: []*Node{n}}
	case p.symbol("("):
		n := p.alternatives()
		p.need(")")
		return n
	case p.i < len(p.src) && p.src[p.i] == '`':
		return &Node{Kind: Var, Name: p.backquoted()}
	}
	n := wordLen(p.src[p.i:])
	if n == 0 {
		return nil
	}
	name := p.src[p.i : p.i+n]
	p.i += n
	if strings.EqualFold(name, "PERMUTE") && p.symbol("(") {
		return p.permute()
	}
	return &Node{Kind: Var, Name: name}
}

func (p *parser) permute() *Node {
	n := &Node{Kind: Permute, Kids: []*Node{p.alternatives()}}
	for p.symbol(",") {
		n.Kids = append(n.Kids, p.alternatives())
	}
	p.need(")")
	return n
}

func (p *parser) backquoted() string {
	var b strings.Builder
	for i := p.i + 1; i < len(p.src); i++ {
		if p.src[i] != '`' {
			b.WriteByte(p.src[i])
			continue
		}
		if i+1 < len(p.src) && p.src[i+1] == '`' {
			b.WriteByte('`')
			i++
			continue
		}
		if b.Len() == 0 {
			p.fail("", "a name is empty")
		}
		p.i = i + 1
		return b.String()
	}
	p.fail("Close it with `.", "a quoted name is never closed")
	return ""
}

// quantified attaches the quantifier that comes next, if one does.
func (p *parser) quantified(n *Node) *Node {
	p.blank()
	at := p.i
	q := &Node{Kind: Repeat, Kids: []*Node{n}, Max: Unbounded}
	switch {
	case p.symbol("*"):
	case p.symbol("+"):
		q.Min = 1
	case p.symbol("?"):
		q.Max = 1
	case strings.HasPrefix(p.src[p.i:], "{") && !strings.HasPrefix(p.src[p.i:], "{-"):
		p.i++
		p.times(q)
	default:
		return n
	}
	if n.Kind == Start || n.Kind == End {
		p.i = at
		p.fail("Leave the quantifier out.", "an anchor cannot be repeated")
	}
	q.Reluctant = p.symbol("?")
	return q
}

// times is what stands between braces: n, n, or n,m or ,m.
func (p *parser) times(q *Node) {
	low, ok := p.number()
	q.Min = low
	if !p.symbol(",") {
		if !ok {
			p.fail("Write {n}, {n,}, {n,m} or {,m}.", "%s is not expected here: a number is missing", p.near())
		}
		q.Max = low
	} else if high, ok := p.number(); ok {
		q.Max = high
	}
	if q.Max == 0 || q.Max != Unbounded && q.Max < q.Min {
		p.fail("Write the smaller number first; the larger one is at least 1.", "the quantifier {%d,%d} matches nothing", q.Min, q.Max)
	}
	p.need("}")
}

func (p *parser) number() (int, bool) {
	p.blank()
	start := p.i
	for p.i < len(p.src) && p.src[p.i] >= '0' && p.src[p.i] <= '9' {
		p.i++
	}
	if start == p.i {
		return 0, false
	}
	n, err := strconv.Atoi(p.src[start:p.i])
	if err != nil || n > maxRepeat {
		p.i = start
		p.fail("", "a quantifier counts to %d at most", maxRepeat)
	}
	return n, true
}

// wordLen is the length of the name that s begins with: a letter or underscore, then those and digits.
func wordLen(s string) int {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r) && !unicode.IsMark(r)) {
			return i
		}
	}
	return len(s)
}
