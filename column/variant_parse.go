package column

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ParseVariant reads one JSON text into b, which begins anew. Whole numbers become integers, numbers with a point decimals
// as long as 38 digits hold them, all others doubles. why says what is wrong, empty when nothing is: "duplicate key" with
// the key, or "malformed".
func (b *VariantBuilder) ParseVariant(json []byte) (why, key string) {
	b.Reset()
	p := variantParser{b: b, s: json}
	if !p.value(0) || p.peek() != 0 || p.at != len(json) {
		if p.twice != "" {
			return "duplicate key", p.twice
		}
		return "malformed", ""
	}
	return "", ""
}

// variantParser walks over JSON text.
type variantParser struct {
	b     *VariantBuilder
	s     []byte
	at    int
	twice string
	text  []byte // memory for strings with escapes
}

// peek is the next byte that is no white space, 0 at the end.
func (p *variantParser) peek() byte {
	p.at = skipSpace(p.s, p.at)
	if p.at < len(p.s) {
		return p.s[p.at]
	}
	return 0
}

func (p *variantParser) take(c byte) bool {
	if p.peek() != c || p.at == len(p.s) {
		return false
	}
	p.at++
	return true
}

func (p *variantParser) value(depth int) bool {
	if depth > maxVariantDepth {
		return false
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, ok := p.str()
		p.b.Text(s)
		return ok
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case hasKey(p.s, p.at, "null"):
		p.b.Null()
		p.at += 4
	case hasKey(p.s, p.at, "true"):
		p.b.Bool(true)
		p.at += 4
	case hasKey(p.s, p.at, "false"):
		p.b.Bool(false)
		p.at += 5
	default:
		return false
	}
	return true
}

func (p *variantParser) object(depth int) bool {
	p.at++
	start := p.b.Len()
	var list []VariantMember
	for more := !p.take('}'); more; {
		if p.peek() != '"' {
			return false
		}
		key, ok := p.str()
		if !ok {
			return false
		}
		list = append(list, p.b.Key(key))
		if !p.take(':') || !p.value(depth+1) {
			return false
		}
		if more = p.take(','); !more && !p.take('}') {
			return false
		}
	}
	p.twice = string(p.b.EndObject(start, list))
	return p.twice == ""
}

func (p *variantParser) array(depth int) bool {
	p.at++
	start := p.b.Len()
	var at []int
	for more := !p.take(']'); more; {
		at = append(at, p.b.Len())
		if !p.value(depth + 1) {
			return false
		}
		if more = p.take(','); !more && !p.take(']') {
			return false
		}
	}
	p.b.EndArray(start, at)
	return true
}

// str reads a string; the result is valid until the next call.
func (p *variantParser) str() ([]byte, bool) {
	from := p.at + 1
	for i := from; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '"':
			p.at = i + 1
			return p.s[from:i], true
		case c < 0x20:
			return nil, false
		case c == '\\':
			return p.escaped(from, i)
		}
	}
	return nil, false
}

// escaped reads the rest of a string from its first backslash.
func (p *variantParser) escaped(from, i int) ([]byte, bool) {
	p.text = append(p.text[:0], p.s[from:i]...)
	for i < len(p.s) {
		switch c := p.s[i]; {
		case c == '"':
			p.at = i + 1
			return p.text, true
		case c < 0x20:
			return nil, false
		case c == '\\':
			var ok bool
			if p.text, i, ok = appendUnescaped(p.text, p.s, i); !ok {
				return nil, false
			}
		default:
			p.text = append(p.text, c)
			i++
		}
	}
	return nil, false
}

// number reads a number in JSON's strict form.
func (p *variantParser) number() bool {
	from := p.at
	p.skip('-')
	whole := p.digits()
	if whole == 0 || whole > 1 && p.s[p.at-whole] == '0' {
		return false
	}
	plain := true
	if p.skip('.') {
		if plain = false; p.digits() == 0 {
			return false
		}
	}
	exponent := p.skip('e') || p.skip('E')
	if exponent {
		if !p.skip('-') {
			p.skip('+')
		}
		if p.digits() == 0 {
			return false
		}
	}
	text := textOf(p.s[from:p.at])
	if plain && !exponent {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			p.b.Int(n)
			return true
		}
	}
	if exponent || !p.decimal(text) {
		f, err := strconv.ParseFloat(text, 64)
		p.b.Double(f)
		return err == nil || f != 0 // too large is Infinity, as in Java
	}
	return true
}

func (p *variantParser) skip(c byte) bool {
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *variantParser) digits() int {
	from := p.at
	for p.at < len(p.s) && p.s[p.at]-'0' <= 9 {
		p.at++
	}
	return p.at - from
}

// decimal appends digits with an optional point as a decimal; false when there are more than 38.
func (p *variantParser) decimal(text string) bool {
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > MaxPrecision || len(text) > 2*MaxPrecision {
		return false
	}
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return false
	}
	d, ok := DecFromBig(n, MaxPrecision)
	if ok {
		digits := len(new(big.Int).Abs(n).String())
		p.b.Decimal(d, digits, len(fraction))
	}
	return ok
}

// appendUnescaped appends what the escape at the backslash at stands for.
func appendUnescaped(dst, s []byte, at int) (out []byte, next int, ok bool) {
	if at+1 >= len(s) {
		return dst, at, false
	}
	if c := s[at+1]; c != 'u' {
		return append(dst, escapes[c]), at + 2, escapes[c] != 0
	}
	r, ok := hex4(s, at+2)
	if !ok {
		return dst, at, false
	}
	at += 6
	if utf16.IsSurrogate(r) {
		low, pair := rune(0), false
		if at+1 < len(s) && s[at] == '\\' && s[at+1] == 'u' {
			low, pair = hex4(s, at+2)
		}
		if r = utf16.DecodeRune(r, low); pair && r != utf8.RuneError {
			at += 6
		}
	}
	return utf8.AppendRune(dst, r), at, true
}
