package expr

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// pattern is a regular expression. When every match has a text that does not vary, at a distance from its beginning that is
// bounded, that text is looked for first: where it is not, there is no match, and where it is, the expression is tried at
// the few places at which a match can begin. That is many times quicker than to try it everywhere.
//
//	(&|^)channel_id=([^&]*)      the text is channel_id=, 0 or 1 bytes behind the beginning
type pattern struct {
	*regexp.Regexp
	text     []byte         // empty: the expression is tried everywhere
	min, max int            // bytes of a match before the text
	first    *regexp.Regexp // matches at the beginning of a subject only
	later    *regexp.Regexp // the same for the rest of a subject: the beginning of the subject is not there
}

// farthest is how far behind the beginning of a match its text may stand.
const farthest = 32

func compileRegexPattern(s string) (*pattern, error) {
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, err
	}
	p := &pattern{Regexp: re}
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil || looksBack(tree) {
		return p, nil
	}
	text, low, high := fixedText(tree.Simplify())
	if len(text) < 2 || high > farthest {
		return p, nil
	}
	first, err1 := regexp.Compile(`\A(?:` + s + `)`)
	later, err2 := regexp.Compile(`\A(?:` + withoutBegin(tree).String() + `)`)
	if err1 == nil && err2 == nil {
		p.text, p.min, p.max, p.first, p.later = text, low, high, first, later
	}
	return p, nil
}

// Match reports whether a part of s matches.
func (p *pattern) Match(s []byte) bool {
	if len(p.text) == 0 {
		return p.Regexp.Match(s)
	}
	_, ok := p.find(s, func(re *regexp.Regexp, s []byte) bool { return re.Match(s) })
	return ok
}

// FindSubmatch is the first match and its groups.
func (p *pattern) FindSubmatch(s []byte) (groups [][]byte) {
	if len(p.text) == 0 {
		return p.Regexp.FindSubmatch(s)
	}
	p.find(s, func(re *regexp.Regexp, s []byte) bool {
		groups = re.FindSubmatch(s)
		return groups != nil
	})
	return groups
}

// find tries the places at which a match can begin, from left to right, and returns the first at which there is one.
func (p *pattern) find(s []byte, match func(*regexp.Regexp, []byte) bool) (at int, ok bool) {
	next := 0
	for from := 0; ; {
		i := bytes.Index(s[from:], p.text)
		if i < 0 {
			return 0, false
		}
		text := from + i
		for at := max(next, text-p.max); at <= text-p.min; at++ {
			re := p.later
			if at == 0 {
				re = p.first
			}
			if match(re, s[at:]) {
				return at, true
			}
			next = at + 1
		}
		from = text + 1
	}
}

// looksBack reports whether what matches may depend on more of what is before it than whether there is something.
func looksBack(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpBeginLine:
		return true
	}
	for _, sub := range re.Sub {
		if looksBack(sub) {
			return true
		}
	}
	return false
}

// withoutBegin is the expression with the beginning of the subject as something that there is not.
func withoutBegin(re *syntax.Regexp) *syntax.Regexp {
	if re.Op == syntax.OpBeginText {
		return &syntax.Regexp{Op: syntax.OpNoMatch}
	}
	out := *re
	out.Sub = make([]*syntax.Regexp, len(re.Sub))
	for i, sub := range re.Sub {
		out.Sub[i] = withoutBegin(sub)
	}
	return &out
}

// fixedText is the longest text that a concatenation has in each of its matches, and how many bytes are before it.
func fixedText(re *syntax.Regexp) (text []byte, low, high int) {
	list := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		list = re.Sub
	}
	low0, high0 := 0, 0
	for _, e := range list {
		if e.Op == syntax.OpLiteral && e.Flags&syntax.FoldCase == 0 {
			if b := []byte(string(e.Rune)); len(b) > len(text) && !bytes.ContainsRune(b, utf8.RuneError) {
				text, low, high = b, low0, high0
			}
		}
		l, h, bounded := width(e)
		if !bounded {
			break
		}
		low0, high0 = low0+l, high0+h
	}
	return text, low, high
}

// width is how many bytes a match of the expression has. A byte that is no UTF-8 is matched as a character of one byte.
func width(re *syntax.Regexp) (low, high int, bounded bool) {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpEndText, syntax.OpEndLine:
		return 0, 0, true
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if re.Flags&syntax.FoldCase != 0 { // another case may have another length
				low, high = low+1, high+utf8.UTFMax
				continue
			}
			low, high = low+min(utf8.RuneLen(r), 1), high+utf8.RuneLen(r)
		}
		return low, high, true
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1, utf8.UTFMax, true
	case syntax.OpCapture:
		return width(re.Sub[0])
	case syntax.OpQuest:
		_, high, bounded = width(re.Sub[0])
		return 0, high, bounded
	case syntax.OpConcat:
		for _, e := range re.Sub {
			l, h, ok := width(e)
			if !ok {
				return 0, 0, false
			}
			low, high = low+l, high+h
		}
		return low, high, true
	case syntax.OpAlternate:
		for i, e := range re.Sub {
			l, h, ok := width(e)
			if !ok {
				return 0, 0, false
			}
			if i == 0 {
				low = l
			}
			low, high = min(low, l), max(high, h)
		}
		return low, high, true
	}
	return 0, 0, false
}
