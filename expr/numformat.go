package expr

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// numFormat is a format of to_number and to_char: [MI | S] [$] digits [. digits] [$] [MI | S | PR], where digits are 9 and 0 with
// group separators, comma or G, between them, and the point may be a D.
type numFormat struct {
	whole, frac string // of '9', '0' and ','
	dollar      bool
	sign        byte // 0, 'S', 'M' or 'P' (angle brackets around negative numbers)
	front       bool // the sign stands in front
}

func parseNumFormat(s string) (f numFormat, ok bool) {
	s = strings.ToUpper(s)
	s = strings.NewReplacer("G", ",", "D", ".").Replace(s)
	take := func(prefix bool, word string) bool {
		if prefix && strings.HasPrefix(s, word) {
			s = s[len(word):]
			return true
		}
		if !prefix && strings.HasSuffix(s, word) {
			s = s[:len(s)-len(word)]
			return true
		}
		return false
	}
	switch {
	case take(true, "MI"):
		f.sign, f.front = 'M', true
	case take(true, "S"):
		f.sign, f.front = 'S', true
	case take(false, "PR"):
		f.sign = 'P'
	case take(false, "MI"):
		f.sign = 'M'
	case take(false, "S"):
		f.sign = 'S'
	}
	f.dollar = take(true, "$") || take(false, "$")
	f.whole, f.frac, _ = strings.Cut(s, ".")
	if f.digits(f.whole)+f.digits(f.frac) == 0 || strings.Trim(f.whole, "09,") != "" || strings.Trim(f.frac, "09") != "" {
		return f, false
	}
	if strings.HasPrefix(f.whole, ",") || strings.HasSuffix(f.whole, ",") || strings.Contains(f.whole, ",,") {
		return f, false
	}
	return f, f.digits(f.whole)+len(f.frac) <= 38
}

func (numFormat) digits(s string) int { return len(s) - strings.Count(s, ",") }

func (f numFormat) typ() column.Type {
	return column.DecimalOf(max(f.digits(f.whole)+len(f.frac), 1), len(f.frac))
}

// parse reads a text of the format: digits and point, with a minus in front when it is negative.
func (f numFormat) parse(s string) (string, bool) {
	s = strings.TrimSpace(s)
	negative := false
	cut := func(set string, front bool) byte {
		if s == "" {
			return 0
		}
		at := len(s) - 1
		if front {
			at = 0
		}
		c := s[at]
		if strings.IndexByte(set, c) < 0 {
			return 0
		}
		if front {
			s = s[1:]
		} else {
			s = s[:at]
		}
		return c
	}
	switch f.sign {
	case 'S':
		negative = cut("+-", f.front) == '-'
	case 'M':
		negative = cut("-", f.front) == '-'
	case 'P':
		if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
			negative, s = true, s[1:len(s)-1]
		}
	}
	if f.dollar {
		if cut("$", true) == 0 && cut("$", false) == 0 {
			return "", false
		}
	}
	whole, frac, point := strings.Cut(s, ".")
	if !f.fits(whole) || len(frac) > len(f.frac) || strings.Trim(frac, "0123456789") != "" || point && f.frac == "" {
		return "", false
	}
	out := strings.ReplaceAll(whole, ",", "")
	if out == "" && frac == "" {
		return "", false
	}
	out = "0" + out + "." + frac + "0"
	if negative {
		out = "-" + out
	}
	return out, true
}

// fits compares the digits before the point with the format from the right. A format that begins with 0 wants all of them.
func (f numFormat) fits(s string) bool {
	if len(s) > len(f.whole) || strings.HasPrefix(f.whole, "0") && len(s) != len(f.whole) {
		return false
	}
	tail := f.whole[len(f.whole)-len(s):]
	for i := range len(s) {
		digit := s[i] >= '0' && s[i] <= '9'
		if digit != (tail[i] != ',') || !digit && s[i] != ',' {
			return false
		}
	}
	return !strings.HasPrefix(s, ",")
}

// format writes a number, given as its digits before and behind the point; one that does not fit is all #.
func (f numFormat) format(negative bool, whole, frac string) string {
	whole = strings.TrimLeft(whole, "0")
	frac = strings.TrimRight(frac, "0")
	if len(whole) > f.digits(f.whole) || len(frac) > len(f.frac) {
		s := strings.Repeat("#", len(f.whole))
		if f.frac != "" {
			s += "." + strings.Repeat("#", len(f.frac))
		}
		return s
	}
	var b []byte
	at := len(whole) - f.digits(f.whole) // below 0: a place in front of the number
	begun := false
	for _, p := range []byte(f.whole) {
		switch {
		case p == ',' && begun:
			b = append(b, ',')
		case p == ',':
			b = append(b, ' ')
		case at >= 0:
			b, begun = append(b, whole[at]), true
			at++
		case p == '0':
			b, begun = append(b, '0'), true
			at++
		default:
			b = append(b, ' ')
			at++
		}
	}
	out := string(b)
	if f.frac != "" {
		out += "." + frac + strings.Repeat("0", len(f.frac)-len(frac))
	}
	return f.signed(negative, out)
}

// signed puts currency and sign between the spaces in front of a number and its digits.
func (f numFormat) signed(negative bool, s string) string {
	digits := strings.TrimLeft(s, " ")
	space := s[:len(s)-len(digits)]
	if f.dollar {
		digits = "$" + digits
	}
	sign := " "
	switch {
	case negative:
		sign = "-"
	case f.sign == 'S':
		sign = "+"
	}
	switch {
	case f.sign == 0 && negative:
		return space + "-" + digits
	case f.sign == 0:
		return space + digits
	case f.sign == 'P' && negative:
		return space + "<" + digits + ">"
	case f.sign == 'P':
		return " " + space + digits + " "
	case f.front:
		return space + sign + digits
	}
	return space + digits + sign
}

func badNumFormat(fn, format string) error {
	return usererr.New("INVALID_FORMAT.MISMATCH_INPUT", "42601", "The format %q of %s is invalid.", format, fn).WithFix("Write digits as 9 or 0, such as '999,990.99', with S, MI, PR or $ at an end.")
}

func init() {
	number := func(name, doc, example string, try bool) *Function {
		return &Function{Name: name, in: params("s:str s:format"), null: always, Doc: doc, Example: example, cost: 200,
			out: func(a []Expr) (column.Type, error) {
				text, ok := literalText(a[1])
				if !ok {
					return column.Type{}, unexpectedType(name, 1, a[1], "constant text")
				}
				f, ok := parseNumFormat(text)
				if !ok {
					return column.Type{}, badNumFormat(name, text)
				}
				return f.typ(), nil
			},
			kernel: func(c *Call) kernel {
				text, _ := literalText(c.Args[1])
				f, _ := parseNumFormat(text)
				return func(k *kctx, a []*column.Vector, out *column.Vector) {
					for i := range out.Dec {
						if !k.ok(i) {
							continue
						}
						s, ok := f.parse(a[0].Str(i))
						var d column.Dec128
						if ok {
							d, ok = column.ParseDecimal(s, int(c.Typ.Precision), int(c.Typ.Scale))
						}
						switch {
						case ok:
							out.Dec[i] = d
						case try:
							k.null(i)
						default:
							k.fail(i, usererr.New("INVALID_FORMAT.MISMATCH_INPUT", "42601", "The input %q does not match the format %q.", a[0].Str(i), text))
						}
					}
				}
			}}
	}
	register("conversion",
		number("to_number", "The number that a text of a format stands for, such as '$999,990.99'.", "to_number('$1,454.50', '$9,999.99') -> 1454.50", false),
		number("try_to_number", "to_number, or null when the text is not of the format.", "try_to_number('12a', '999') -> NULL", true),
		&Function{Name: "to_char", Aliases: []string{"to_varchar"}, in: params("a:x s:format"), Doc: "A number in a format such as '$999,990.99', a date or timestamp in one of date_format, or bytes as base64, hex or utf-8.", Example: "to_char(12454.8, '$99,999.90') -> $12,454.80", cost: 200, rewrite: rewriteToChar,
			kernel: func(c *Call) kernel {
				text, _ := literalText(c.Args[1])
				f, _ := parseNumFormat(text)
				scale := int(c.Args[0].DataType().Scale)
				return rowText(func(_ *kctx, dst []byte, a []*column.Vector, i int) []byte {
					s := a[0].Dec[constRow(a[0], i)].Text(scale)
					digits, negative := strings.CutPrefix(s, "-")
					whole, frac, _ := strings.Cut(digits, ".")
					return append(dst, f.format(negative, whole, frac)...)
				})(c)
			}},
	)
}

func rewriteToChar(args []Expr) (Expr, error) {
	format, ok := literalText(args[1])
	if !ok {
		return nil, unexpectedType("to_char", 1, args[1], "constant text")
	}
	switch t := args[0].DataType(); {
	case t.IsTemporal():
		return call("date_format", args[0], args[1])
	case t.Kind == column.Binary:
		fn := map[string]string{"BASE64": "base64", "HEX": "hex", "UTF-8": "decode"}[strings.ToUpper(format)]
		switch fn {
		case "":
			return nil, badNumFormat("to_char", format)
		case "decode":
			return call("decode", args[0], Lit("UTF-8"))
		}
		return call(fn, args[0])
	}
	f, ok := parseNumFormat(format)
	if !ok {
		return nil, badNumFormat("to_char", format)
	}
	x := args[0]
	if x.DataType().Kind != column.Decimal {
		if !x.DataType().IsNumeric() {
			return nil, unexpectedType("to_char", 0, x, `"NUMERIC"`)
		}
		x = Coerce(x, column.DecimalOf(38, max(len(f.frac), 8)))
	}
	return &Call{Fn: "to_char", Args: []Expr{x, args[1]}, Typ: column.Of(column.String), Null: x.Nullable()}, nil
}
