package expr

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// javaReplacement turns $1 and \$ of Java's replacement texts into Go's ${1} and $$.
func javaReplacement(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			if s[i] == '$' {
				b.WriteByte('$')
			}
			b.WriteByte(s[i])
		case c == '$':
			j := i + 1
			for j < len(s) && s[j] >= '0' && s[j] <= '9' {
				j++
			}
			if j == i+1 {
				b.WriteString("$")
				continue
			}
			b.WriteString("${" + s[i+1:j] + "}")
			i = j - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func regexText(name, in, doc, example string, null nullRule, f func(k *kctx, re *pattern, dst []byte, a []*column.Vector, i int) []byte) *Function {
	return &Function{Name: name, in: params(in), out: outOf(column.String), null: null, Doc: doc, Example: example, cost: 300,
		kernel: func(c *Call) kernel {
			re := newRegex(c.Args, 1)
			return rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				if r := re.at(k, a[1], i); r != nil {
					return f(k, r, dst, a, i)
				}
				return dst
			})(c)
		}}
}

func regexInt(name, doc, example string, f func(re *pattern, s []byte) int) *Function {
	return &Function{Name: name, in: params("s:str s:regex"), out: outOf(column.Int32), Doc: doc, Example: example, cost: 300,
		kernel: func(c *Call) kernel {
			re := newRegex(c.Args, 1)
			return rowInt(func(k *kctx, a []*column.Vector, i int) int64 {
				if r := re.at(k, a[1], i); r != nil {
					return int64(f(r, a[0].Bytes(i)))
				}
				return 0
			})(c)
		}}
}

func group(k *kctx, a []*column.Vector, i int, re *pattern, fn string) (int, bool) {
	g := 1
	if len(a) > 2 {
		g = int(a[2].I32[i])
	}
	if g < 0 || g > re.NumSubexp() {
		k.fail(i, usererr.New("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "22023", "The value of parameter idx in `%s` is invalid: expects group index between 0 and %d, but got %d.", fn, re.NumSubexp(), g))
		return 0, false
	}
	return g, true
}

func init() {
	register("string",
		regexText("regexp_replace", "s:str s:regex s:by i:pos?", "Every match replaced; $1 stands for the first group.", "regexp_replace('100-200', '([0-9]+)', 'n$1') -> n100-n200", ifArgs,
			func(k *kctx, re *pattern, dst []byte, a []*column.Vector, i int) []byte {
				s := a[0].Bytes(i)
				if len(a) == 4 {
					head := runeRange(s, 0, int(a[3].I32[i])-1)
					dst, s = append(dst, head...), s[len(head):]
				}
				return append(dst, re.ReplaceAll(s, []byte(javaReplacement(a[2].Str(i))))...)
			}),
		regexText("regexp_extract", "s:str s:regex i:group?", "A group (the first) of the first match; empty when there is none.", "regexp_extract('100-200', '([0-9]+)-([0-9]+)', 2) -> 200", ifArgs,
			func(k *kctx, re *pattern, dst []byte, a []*column.Vector, i int) []byte {
				g, ok := group(k, a, i, re, "regexp_extract")
				m := re.FindSubmatch(a[0].Bytes(i))
				if !ok || m == nil {
					return dst
				}
				return append(dst, m[g]...)
			}),
		regexText("regexp_substr", "s:str s:regex", "The first match; null when there is none.", "regexp_substr('abc123', '[0-9]+') -> 123", always,
			func(k *kctx, re *pattern, dst []byte, a []*column.Vector, i int) []byte {
				m := re.Find(a[0].Bytes(i))
				if m == nil {
					k.null(i)
				}
				return append(dst, m...)
			}),
		&Function{Name: "regexp_extract_all", in: params("s:str s:regex i:group?"), out: func([]Expr) (column.Type, error) { return column.ListOf(column.Of(column.String), false), nil }, Doc: "A group (the first) of every match.", Example: "regexp_extract_all('a1b2', '([0-9])') -> [1, 2]", cost: 400,
			kernel: func(c *Call) kernel {
				re := newRegex(c.Args, 1)
				return build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
					if r := re.at(k, a[1], i); r != nil {
						if g, ok := group(k, a, i, r, "regexp_extract_all"); ok {
							for _, m := range r.FindAllSubmatch(a[0].Bytes(i), -1) {
								b.Kid(0).AppendBytes(m[g])
							}
						}
					}
					b.CloseRow()
				})(c)
			}},
		regexInt("regexp_count", "How many times the regular expression matches.", "regexp_count('a1b2', '[0-9]') -> 2", func(re *pattern, s []byte) int { return len(re.FindAllIndex(s, -1)) }),
		regexInt("regexp_instr", "The position of the first match, from 1; 0 when there is none.", "regexp_instr('ab1', '[0-9]') -> 3", func(re *pattern, s []byte) int {
			m := re.FindIndex(s)
			if m == nil {
				return 0
			}
			return len([]rune(string(s[:m[0]]))) + 1
		}),
		&Function{Name: "split", in: params("s:str s:regex i:limit?"), out: func([]Expr) (column.Type, error) { return column.ListOf(column.Of(column.String), false), nil }, Doc: "The parts between matches of a regular expression, at most limit of them.", Example: "split('a,b,c', ',') -> [a, b, c]", cost: 200,
			kernel: func(c *Call) kernel {
				re := newRegex(c.Args, 1)
				return build(func(k *kctx, b *column.Builder, a []*column.Vector, i int) {
					if r := re.at(k, a[1], i); r != nil {
						limit := -1
						if len(a) == 3 && a[2].I32[i] > 0 {
							limit = int(a[2].I32[i])
						}
						splitInto(b.Kid(0), r, a[0].Str(i), limit)
					}
					b.CloseRow()
				})(c)
			}},
		&Function{Name: "format_string", Aliases: []string{"printf"}, in: params("s:format a*"), out: outOf(column.String), Doc: "Text by a format of Java's printf: %s, %d, %x, %.2f, %c, %b, %e, %%.", Example: "format_string('%s has %05.1f', 'a', 2.5D) -> a has 002.5", cost: 300, flags: ownNulls | zoned, kernel: formatString},
		&Function{Name: "format_number", in: params("n:x i:digits"), out: outOf(column.String), null: always, Doc: "The number with thousands separated by commas and so many digits after the point.", Example: "format_number(12345.678D, 2) -> 12,345.68", cost: 200,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				d := int(a[1].I32[i])
				if d < 0 {
					k.null(i)
					return dst
				}
				if d > 1000 {
					k.fail(i, errBadValue("format_number", "digits", strconv.Itoa(d)))
					return dst
				}
				return appendGrouped(dst, numberDigits(a[0], i, d))
			})},
	)
}

// splitInto is Java's split: an empty pattern cuts between characters, and a limit bounds the number of parts.
func splitInto(b *column.Builder, re *pattern, s string, limit int) {
	at, n := 0, 1
	for _, m := range re.FindAllStringIndex(s, -1) {
		if limit > 0 && n == limit {
			break
		}
		if m[1] == 0 || m[0] == m[1] && m[0] == len(s) {
			continue // an empty match at either end cuts nothing off
		}
		b.AppendString(s[at:m[0]])
		at = m[1]
		n++
	}
	b.AppendString(s[at:])
}

func numberDigits(v *column.Vector, i, digits int) string {
	switch {
	case v.Type.Kind == column.Decimal:
		x, scale := v.Dec[constRow(v, i)], int(v.Type.Scale)
		if digits > scale {
			point := "."
			if scale > 0 {
				point = ""
			}
			return x.Text(scale) + point + strings.Repeat("0", digits-scale)
		}
		d, _ := roundDec("bround", dec(x), scale, digits, digits)
		return column.Dec128(d).Text(digits)
	case v.Type.IsFloat():
		return strconv.FormatFloat(floatAt(v, i), 'f', digits, 64)
	case digits > 0:
		return strconv.FormatInt(intAt(v, i), 10) + "." + strings.Repeat("0", digits)
	}
	return strconv.FormatInt(intAt(v, i), 10)
}

func appendGrouped(dst []byte, s string) []byte {
	if strings.HasPrefix(s, "-") {
		dst, s = append(dst, '-'), s[1:]
	}
	whole, frac, ok := strings.Cut(s, ".")
	for i, c := range []byte(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, c)
	}
	if ok {
		dst = append(append(dst, '.'), frac...)
	}
	return dst
}

var javaVerb = regexp.MustCompile(`%(\d+\$)?([-#+ 0,(]*)(\d+)?(\.\d+)?([a-zA-Z%])`)

// formatString translates Java's format into Go's for each row; the verbs are few and mean the same.
func formatString(c *Call) kernel {
	return rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
		if !a[0].IsValid(i) {
			k.null(i)
			return dst
		}
		next := 1
		return append(dst, javaVerb.ReplaceAllStringFunc(a[0].Str(i), func(verb string) string {
			m := javaVerb.FindStringSubmatch(verb)
			if m[5] == "%" {
				return "%"
			}
			if m[5] == "n" {
				return "\n"
			}
			at := next
			if m[1] != "" {
				at, _ = strconv.Atoi(strings.TrimSuffix(m[1], "$"))
			} else {
				next++
			}
			if at < 1 || at >= len(a) {
				k.fail(i, errBadValue("format_string", "format", "it asks for more arguments than there are"))
				return ""
			}
			return formatOne(k, a[at], i, m[2], m[3], m[4], m[5])
		})...)
	})(c)
}

func formatOne(k *kctx, v *column.Vector, i int, flags, width, prec, verb string) string {
	grouped := strings.Contains(flags, ",")
	flags = strings.ReplaceAll(flags, ",", "")
	spec := "%" + flags + width
	lower := strings.ToLower(verb)
	var out string
	switch {
	case !v.IsValid(i):
		return fmt.Sprintf("%"+strings.Trim(flags, "0+ #(")+width+"s", "null")
	case lower == "s" || lower == "b":
		out = fmt.Sprintf(spec+prec+"s", string(appendText(nil, v, i, k.ctx.location())))
	case v.Type.IsInteger() && strings.Contains("dxoc", lower):
		out = fmt.Sprintf(spec+lower, intAt(v, i))
	case v.Type.IsNumeric() && strings.Contains("feg", lower):
		out = fmt.Sprintf(spec+prec+lower, asFloat(v, i))
	default:
		k.fail(i, errBadValue("format_string", "format", "%"+verb+" does not fit a "+v.Type.String()))
		return ""
	}
	if grouped {
		out = string(appendGrouped(nil, out))
	}
	if verb != lower {
		out = strings.ToUpper(out)
	}
	return out
}

// asFloat is row i of any number as a double.
func asFloat(v *column.Vector, i int) float64 {
	switch {
	case v.Type.IsFloat():
		return floatAt(v, i)
	case v.Type.Kind == column.Decimal:
		return dec(v.Dec[constRow(v, i)]).float(int(v.Type.Scale))
	}
	return float64(intAt(v, i))
}
