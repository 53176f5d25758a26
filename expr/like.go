package expr

import (
	"bytes"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

func init() {
	register("string",
		&Function{Name: "like", in: params("s:str s:pattern s:escape?"), out: boolType, Usage: "str like pattern", Doc: "Matches a pattern in which % stands for any text and _ for one character; \\ takes the next one as it is.", Example: "'streamflow' like 'st%f_ow' -> true", cost: 15, kernel: likeKernel(false)},
		&Function{Name: "ilike", in: params("s:str s:pattern s:escape?"), out: boolType, Usage: "str ilike pattern", Doc: "LIKE without regard to case.", Example: "'Spark' ilike 'sp%' -> true", cost: 60, kernel: likeKernel(true)},
		&Function{Name: "rlike", Aliases: []string{"regexp", "regexp_like"}, in: params("s:str s:regex"), out: boolType, Usage: "str rlike regex", Doc: "True when a part of str matches the regular expression.", Example: "'abc123' rlike '[0-9]+' -> true", cost: 200, kernel: func(c *Call) kernel {
			re := newRegex(c.Args, 1)
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i := range out.Bools {
					if r := re.at(k, args[1], i); r != nil {
						out.Bools[i] = r.Match(args[0].Bytes(i))
					}
				}
			}
		}},
	)
}

// likeMatcher is a LIKE pattern cut at its % signs.
type likeMatcher struct {
	parts      [][]byte // the texts between the % signs; _ is wild when has says so
	open, shut bool     // begins and ends with %
	wild       bool     // some part has _
	any        [][]bool // by part and byte: true where a _ stands
	fold       bool
}

func compileLike(pattern string, escape byte, fold bool) (*likeMatcher, bool) {
	m := &likeMatcher{fold: fold}
	var part []byte
	var any []bool
	last := byte(0)
	if fold {
		pattern = strings.ToLower(pattern)
	}
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		last = 0
		switch {
		case c == escape:
			if i++; i == len(pattern) {
				return nil, false
			}
			part, any = append(part, pattern[i]), append(any, false)
		case c == '%':
			if i == 0 {
				m.open = true
			}
			if len(part) > 0 || i == 0 {
				if len(part) > 0 {
					m.parts, m.any = append(m.parts, part), append(m.any, any)
				}
				part, any = nil, nil
			}
			last = '%'
		case c == '_':
			part, any, m.wild = append(part, '_'), append(any, true), true
		default:
			part, any = append(part, c), append(any, false)
		}
	}
	m.shut = last == '%'
	if len(part) > 0 {
		m.parts, m.any = append(m.parts, part), append(m.any, any)
	}
	return m, true
}

func (m *likeMatcher) match(s []byte) bool {
	if m.fold {
		s = bytes.ToLower(s)
	}
	parts := m.parts
	if len(parts) == 0 {
		return m.open || m.shut || len(s) == 0
	}
	first, last := 0, len(parts)
	if !m.open {
		n, ok := m.prefix(s, 0)
		if !ok {
			return false
		}
		s, first = s[n:], 1
		if last == 1 {
			return m.shut || len(s) == 0
		}
	}
	if !m.shut {
		last--
	}
	for p := first; p < last; p++ {
		end, ok := m.find(s, p)
		if !ok {
			return false
		}
		s = s[end:]
	}
	return m.shut || m.suffix(s, last)
}

// prefix reports whether s starts with part p, and how many bytes that takes.
func (m *likeMatcher) prefix(s []byte, p int) (int, bool) {
	part := m.parts[p]
	if !m.wild {
		return len(part), bytes.HasPrefix(s, part)
	}
	at := 0
	for i, c := range part {
		if at >= len(s) {
			return 0, false
		}
		if m.any[p][i] {
			_, n := utf8.DecodeRune(s[at:])
			at += n
			continue
		}
		if s[at] != c {
			return 0, false
		}
		at++
	}
	return at, true
}

// find returns where the first place of part p in s ends.
func (m *likeMatcher) find(s []byte, p int) (int, bool) {
	if !m.wild {
		i := bytes.Index(s, m.parts[p])
		return i + len(m.parts[p]), i >= 0
	}
	for i := 0; i <= len(s); i++ {
		if n, ok := m.prefix(s[i:], p); ok {
			return i + n, true
		}
	}
	return 0, false
}

func (m *likeMatcher) suffix(s []byte, p int) bool {
	if !m.wild {
		return bytes.HasSuffix(s, m.parts[p])
	}
	for i := 0; i <= len(s); i++ {
		if utf8.RuneStart(at0(s, i)) {
			if n, ok := m.prefix(s[i:], p); ok && i+n == len(s) {
				return true
			}
		}
	}
	return false
}

func at0(s []byte, i int) byte {
	if i < len(s) {
		return s[i]
	}
	return 0
}

func likeKernel(fold bool) func(*Call) kernel {
	return func(c *Call) kernel {
		var fixed *likeMatcher
		last := map[string]*likeMatcher{}
		return func(k *kctx, args []*column.Vector, out *column.Vector) {
			if args[1].Const && (len(args) < 3 || args[2].Const) && k.n > 0 {
				if fixed == nil && k.ok(0) || fixed == nil && hasValid(k) {
					fixed = patternOf(args, 0, fold)
				}
				if fixed == nil && hasValid(k) {
					k.failAll(errEscape(args[1].Str(0)))
					return
				}
				for i := range out.Bools {
					out.Bools[i] = fixed != nil && fixed.match(args[0].Bytes(i))
				}
				return
			}
			for i := range out.Bools {
				if !k.ok(i) {
					continue
				}
				key := args[1].Str(i)
				m, ok := last[key]
				if !ok || len(args) == 3 {
					m = patternOf(args, i, fold)
					if len(last) > 100 {
						clear(last)
					}
					last[strings.Clone(key)] = m
				}
				if m == nil {
					k.fail(i, errEscape(strings.Clone(key)))
					continue
				}
				out.Bools[i] = m.match(args[0].Bytes(i))
			}
		}
	}
}

func hasValid(k *kctx) bool {
	for i := 0; i < k.n; i++ {
		if k.ok(i) {
			return true
		}
	}
	return false
}

func patternOf(args []*column.Vector, i int, fold bool) *likeMatcher {
	escape := byte('\\')
	if len(args) == 3 {
		if e := args[2].Bytes(i); len(e) == 1 {
			escape = e[0]
		}
	}
	m, ok := compileLike(strings.Clone(args[1].Str(i)), escape, fold)
	if !ok {
		return nil
	}
	return m
}

func errEscape(pattern string) error {
	return usererr.New("INVALID_FORMAT.ESC_AT_THE_END", "42601", "The LIKE pattern '%s' ends with its escape character.", pattern).
		WithFix("Write the escape character twice to match it.")
}

// regexes keeps compiled patterns of constant and changing pattern arguments.
type regexes struct {
	arg   int
	cache map[string]*pattern
	bad   map[string]error
	fixed *pattern
}

func newRegex(args []Expr, arg int) *regexes {
	r := &regexes{arg: arg, cache: map[string]*pattern{}, bad: map[string]error{}}
	if l, ok := Transform(args[arg], Fold).(*Literal); ok && l.Value != nil {
		r.fixed, _ = compileRegex(l.Value.(string))
	}
	return r
}

var regexCache sync.Map

func compileRegex(s string) (*pattern, error) {
	if re, ok := regexCache.Load(s); ok {
		return re.(*pattern), nil
	}
	re, err := compileRegexPattern(s)
	if err == nil {
		regexCache.Store(s, re)
	}
	return re, err
}

// at is the pattern of row i; nil when the row is null or the pattern does not compile, which fails the row.
func (r *regexes) at(k *kctx, v *column.Vector, i int) *pattern {
	if !k.ok(i) {
		return nil
	}
	if r.fixed != nil {
		return r.fixed
	}
	s := v.Str(i)
	if re := r.cache[s]; re != nil {
		return re
	}
	if err := r.bad[s]; err != nil {
		k.fail(i, err)
		return nil
	}
	s = strings.Clone(s)
	re, err := compileRegexPattern(s)
	if err != nil {
		bad := usererr.New("INVALID_PARAMETER_VALUE.PATTERN", "22023", "The value of parameter regexp is invalid: %q does not compile: %v", s, err).
			WithFix("Use RE2 syntax: look-ahead, look-behind and back references do not exist.")
		r.bad[s] = bad
		k.fail(i, bad)
		return nil
	}
	if len(r.cache) > 100 {
		clear(r.cache)
	}
	r.cache[s] = re
	return re
}
