package expr

import (
	"bytes"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/streamflow/streamflow/column"
)

// textFn is a function from one string to another.
func textFn(name, doc, example string, cost int, f func(dst, s []byte) []byte, aliases ...string) *Function {
	return &Function{Name: name, Aliases: aliases, in: params("s"), out: outOf(column.String), Doc: doc, Example: example, cost: cost,
		kernel: func(*Call) kernel { return eachText(f) }}
}

// rowText is a kernel whose row i is what f appends; f may null or fail the row.
func rowText(f func(k *kctx, dst []byte, args []*column.Vector, i int) []byte) func(*Call) kernel {
	return func(*Call) kernel {
		return func(k *kctx, args []*column.Vector, out *column.Vector) {
			t := k.text()
			for i := 0; i < k.n; i++ {
				if k.ok(i) {
					t.buf = f(k, t.buf, args, i)
				}
				t.end(i)
			}
			t.done()
		}
	}
}

// textTo is a function with a string or binary first argument and an int result.
func textToInt(name, in, doc, example string, f func(args []*column.Vector, i int) int, aliases ...string) *Function {
	return &Function{Name: name, Aliases: aliases, in: params(in), out: outOf(column.Int32), Doc: doc, Example: example, cost: 15,
		kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i := range out.I32 {
					if k.ok(i) {
						out.I32[i] = int32(f(args, i))
					}
				}
			}
		}}
}

func textTest(name, doc, example string, f func(s, t []byte) bool) *Function {
	return &Function{Name: name, in: params("y:str y:part"), out: boolType, Doc: doc, Example: example, cost: 10,
		kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i := range out.Bools {
					out.Bools[i] = f(args[0].Bytes(i), args[1].Bytes(i))
				}
			}
		}}
}

// trimFn cuts spaces, or the characters of another argument: chars stands before the text in trim, ltrim and rtrim, as in TRIM(chars FROM str), and behind it in btrim.
func trimFn(name, doc, example string, left, right bool) *Function {
	return &Function{Name: name, in: params("s:chars s:str?"), out: outOf(column.String), Usage: name + "([chars, ]str)", Doc: doc, Example: example, cost: 15,
		kernel: rowText(func(k *kctx, dst []byte, args []*column.Vector, i int) []byte {
			s, cut := args[0].Bytes(i), " "
			if len(args) == 2 {
				s, cut = args[1].Bytes(i), args[0].Str(i)
			}
			return append(dst, trimmed(s, cut, left, right)...)
		})}
}

func btrim() *Function {
	return &Function{Name: "btrim", in: params("y:str y:chars?"), out: typeOfFirst, Doc: "Without spaces, or characters of chars, at both ends; bytes of a binary.", Example: "btrim('xxaxx', 'x') -> a", cost: 15,
		kernel: rowText(func(k *kctx, dst []byte, args []*column.Vector, i int) []byte {
			s, cut := args[0].Bytes(i), " "
			if len(args) == 2 {
				cut = args[1].Str(i)
			}
			if args[0].Type.Kind == column.Binary {
				return append(dst, trimmedBytes(s, []byte(cut))...)
			}
			return append(dst, trimmed(s, cut, true, true)...)
		})}
}

func trimmed(s []byte, cut string, left, right bool) []byte {
	if left {
		s = bytes.TrimLeft(s, cut)
	}
	if right {
		s = bytes.TrimRight(s, cut)
	}
	return s
}

func trimmedBytes(s, cut []byte) []byte {
	for len(s) > 0 && bytes.IndexByte(cut, s[0]) >= 0 {
		s = s[1:]
	}
	for len(s) > 0 && bytes.IndexByte(cut, s[len(s)-1]) >= 0 {
		s = s[:len(s)-1]
	}
	return s
}

func init() {
	register("string",
		textFn("upper", "All letters in upper case.", "upper('aÄ') -> AÄ", 20, appendUpper, "ucase"),
		textFn("lower", "All letters in lower case.", "lower('AÄ') -> aä", 20, appendLower, "lcase"),
		textFn("initcap", "The first letter of each word in upper case, the others in lower case.", "initcap('hello wORLD') -> Hello World", 40, appendInitcap),
		textFn("soundex", "The Soundex code of a word.", "soundex('Miller') -> M460", 40, appendSoundex),
		trimFn("trim", "Without spaces, or characters of chars, at both ends.", "trim('  a  ') -> a", true, true),
		trimFn("ltrim", "Without spaces, or characters of chars, at the start.", "ltrim('x', 'xxa') -> a", true, false),
		trimFn("rtrim", "Without spaces, or characters of chars, at the end.", "rtrim('x', 'axx') -> a", false, true),
		btrim(),
		textToInt("length", "y:str", "The number of characters, or bytes of a binary.", "length('äb') -> 2", func(a []*column.Vector, i int) int {
			if a[0].Type.Kind == column.Binary {
				return len(a[0].Bytes(i))
			}
			return utf8.RuneCount(a[0].Bytes(i))
		}, "char_length", "character_length", "len"),
		textToInt("octet_length", "y:str", "The number of bytes.", "octet_length('ä') -> 2", func(a []*column.Vector, i int) int { return len(a[0].Bytes(i)) }),
		textToInt("bit_length", "y:str", "The number of bits.", "bit_length('ab') -> 16", func(a []*column.Vector, i int) int { return 8 * len(a[0].Bytes(i)) }),
		textToInt("ascii", "s", "The code point of the first character, 0 when there is none.", "ascii('a') -> 97", func(a []*column.Vector, i int) int {
			r, n := utf8.DecodeRune(a[0].Bytes(i))
			return int(r) * boolInt(n > 0)
		}),
		textToInt("instr", "s:str s:part", "The position of part in str, from 1; 0 when it is not there.", "instr('streamflow', 'flow') -> 7", func(a []*column.Vector, i int) int {
			return positionOf(a[0].Bytes(i), a[1].Bytes(i), 1)
		}),
		textToInt("locate", "s:part s:str i:start?", "The position of part in str at or after start, from 1; 0 when it is not there.", "locate('b', 'abab', 3) -> 4", func(a []*column.Vector, i int) int {
			start := 1
			if len(a) == 3 {
				start = int(a[2].I32[i])
			}
			return positionOf(a[1].Bytes(i), a[0].Bytes(i), start)
		}, "position", "charindex"),
		textToInt("levenshtein", "s:a s:b i:limit?", "The edit distance; -1 when above the limit.", "levenshtein('kitten', 'sitting') -> 3", func(a []*column.Vector, i int) int {
			d := levenshtein(a[0].Str(i), a[1].Str(i))
			if len(a) == 3 && d > int(a[2].I32[i]) {
				return -1
			}
			return d
		}),
		textToInt("find_in_set", "s:str s:list", "The position of str in a comma-separated list, from 1; 0 when it is not there.", "find_in_set('b', 'a,b,c') -> 2", func(a []*column.Vector, i int) int {
			if strings.Contains(a[0].Str(i), ",") {
				return 0
			}
			for j, s := range strings.Split(a[1].Str(i), ",") {
				if s == a[0].Str(i) {
					return j + 1
				}
			}
			return 0
		}),
		textTest("startswith", "True when str begins with part.", "startswith('flow', 'fl') -> true", bytes.HasPrefix),
		textTest("endswith", "True when str ends with part.", "endswith('flow', 'ow') -> true", bytes.HasSuffix),
		textTest("contains", "True when part is somewhere in str.", "contains('flow', 'lo') -> true", bytes.Contains),
		&Function{Name: "substring", Aliases: []string{"substr"}, in: params("y:str i:pos i:len?"), out: typeOfFirst, Doc: "The part from position pos (from 1, or from the end when negative), of len characters or to the end.", Example: "substring('streamflow', 7, 4) -> flow", cost: 20, kernel: substringKernel},
		&Function{Name: "left", in: params("y:str i:len"), out: typeOfFirst, Doc: "The first len characters, or bytes of a binary.", Example: "left('flow', 2) -> fl", cost: 20,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				return append(dst, part(a[0], i, 0, int(a[1].I32[i]))...)
			})},
		&Function{Name: "right", in: params("s:str i:len"), out: outOf(column.String), Doc: "The last len characters.", Example: "right('flow', 2) -> ow", cost: 20,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				s, n := a[0].Bytes(i), int(a[1].I32[i])
				count := utf8.RuneCount(s)
				if n <= 0 {
					return dst
				}
				return append(dst, runeRange(s, max(count-n, 0), count)...)
			})},
		&Function{Name: "substring_index", in: params("s:str s:delim i:count"), out: outOf(column.String), Doc: "The text before the count-th delim, or after the count-th from the end when negative.", Example: "substring_index('a.b.c', '.', 2) -> a.b", cost: 40,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				return append(dst, substringIndex(a[0].Str(i), a[1].Str(i), int(a[2].I32[i]))...)
			})},
		&Function{Name: "concat_ws", in: params("s:sep a*"), out: outOf(column.String), Doc: "Joins strings, and the strings of arrays, with sep between; nulls are left out.", Example: "concat_ws('-', 'a', NULL, 'b') -> a-b", cost: 40, flags: ownNulls, rewrite: rewriteConcatWS, kernel: concatWS},
		&Function{Name: "replace", in: params("s:str s:search s:by?"), out: outOf(column.String), Doc: "Every occurrence of search replaced by another text, or removed.", Example: "replace('abcabc', 'b', 'x') -> axcaxc", cost: 40,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				search, by := a[1].Bytes(i), []byte(nil)
				if len(a) == 3 {
					by = a[2].Bytes(i)
				}
				if len(search) == 0 {
					return append(dst, a[0].Bytes(i)...)
				}
				return append(dst, bytes.ReplaceAll(a[0].Bytes(i), search, by)...)
			})},
		&Function{Name: "overlay", in: params("y=:str y=:by i:pos i:len?"), out: typeOfFirst, Doc: "Replaces len characters (as many as by has) from position pos.", Example: "overlay('Spark SQL', '_', 6) -> Spark_SQL", cost: 40,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				by, pos := a[1].Bytes(i), int(a[2].I32[i])
				n := size(a[1], i)
				if len(a) == 4 && a[3].I32[i] >= 0 {
					n = int(a[3].I32[i])
				}
				dst = append(dst, part(a[0], i, 0, pos-1)...)
				dst = append(dst, by...)
				return append(dst, part(a[0], i, max(pos-1, 0)+n, math.MaxInt)...)
			})},
		pad("lpad", "Padded at the start to len characters, or cut to them.", "lpad('7', 3, '0') -> 007", true),
		pad("rpad", "Padded at the end to len characters, or cut to them.", "rpad('7', 3, '0') -> 700", false),
		&Function{Name: "repeat", in: params("s:str i:n"), out: outOf(column.String), Doc: "The text n times.", Example: "repeat('ab', 2) -> abab", cost: 40,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				n := int(a[1].I32[i])
				if n > 0 && len(a[0].Bytes(i)) > maxText/n {
					k.fail(i, errTooLong("repeat"))
					return dst
				}
				for range n {
					dst = append(dst, a[0].Bytes(i)...)
				}
				return dst
			})},
		&Function{Name: "space", in: params("i:n"), out: outOf(column.String), Doc: "n spaces.", Example: "length(space(3)) -> 3", cost: 20,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				if a[0].I32[i] > maxText {
					k.fail(i, errTooLong("space"))
					return dst
				}
				for range a[0].I32[i] {
					dst = append(dst, ' ')
				}
				return dst
			})},
		&Function{Name: "translate", in: params("s:str s:from s:to"), out: outOf(column.String), Doc: "Each character of from replaced by the one at its place in to, or removed.", Example: "translate('abc', 'ab', '1') -> 1c", cost: 60,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				from, to := []rune(a[1].Str(i)), []rune(a[2].Str(i))
				for _, r := range a[0].Str(i) {
					dst = appendTranslated(dst, r, from, to)
				}
				return dst
			})},
		&Function{Name: "chr", Aliases: []string{"char"}, in: params("l:n"), out: outOf(column.String), Doc: "The character with code n modulo 256.", Example: "chr(65) -> A", cost: 10,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				if n := a[0].I64[i]; n >= 0 {
					return utf8.AppendRune(dst, rune(n&0xff))
				}
				return dst
			})},
		&Function{Name: "split_part", in: params("s:str s:delim i:n"), out: outOf(column.String), Doc: "The n-th part (from 1, or from the end when negative) between delims; empty when there is none.", Example: "split_part('a.b.c', '.', 2) -> b", cost: 40,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				parts, n := []string{a[0].Str(i)}, int(a[2].I32[i])
				if a[1].Str(i) != "" {
					parts = strings.Split(a[0].Str(i), a[1].Str(i))
				}
				switch {
				case n == 0:
					k.fail(i, errZeroIndex())
				case n > 0 && n <= len(parts):
					return append(dst, parts[n-1]...)
				case n < 0 && -n <= len(parts):
					return append(dst, parts[len(parts)+n]...)
				}
				return dst
			})},
		&Function{Name: "elt", in: params("i:n s:str+"), out: outOf(column.String), null: always, Doc: "The n-th of the strings, from 1.", Example: "elt(2, 'a', 'b') -> b", cost: 20, flags: ownNulls,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				if !a[0].IsValid(i) {
					k.null(i)
					return dst
				}
				n := int(a[0].I32[i])
				if n < 1 || n >= len(a) {
					k.ansi(i, errIndex(n, len(a)-1))
					return dst
				}
				if !a[n].IsValid(i) {
					k.null(i)
					return dst
				}
				return append(dst, a[n].Bytes(i)...)
			})},
		&Function{Name: "quote", in: params("s"), out: outOf(column.String), Doc: "The text between quotes, with quotes inside escaped.", Example: "quote('a') -> 'a'", cost: 40,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				dst = append(dst, '\'')
				dst = append(dst, strings.ReplaceAll(a[0].Str(i), "'", "\\'")...)
				return append(dst, '\'')
			})},
		&Function{Name: "mask", in: params("s:str s:upper? s:lower? s:digit? s:other?"), out: outOf(column.String), null: always, flags: ownNulls, Doc: "Upper-case letters replaced by X, others by x, digits by n, or by the characters given, other characters by the last; NULL leaves them as they are.", Example: "mask('Ab-12') -> Xx-nn", cost: 60, kernel: rowText(appendMasked)},
	)
}

// appendMasked is a row of mask. A null replacement keeps the characters.
func appendMasked(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
	if !a[0].IsValid(i) {
		k.null(i)
		return dst
	}
	by, keep := [4]string{"X", "x", "n", ""}, [4]bool{3: true}
	for j := 1; j < len(a); j++ {
		if keep[j-1] = !a[j].IsValid(i); !keep[j-1] {
			by[j-1] = a[j].Str(i)
		}
	}
	for _, r := range a[0].Str(i) {
		class := 3
		switch {
		case unicode.IsUpper(r):
			class = 0
		case unicode.IsLower(r):
			class = 1
		case unicode.IsDigit(r):
			class = 2
		}
		if keep[class] {
			dst = utf8.AppendRune(dst, r)
		} else {
			dst = append(dst, by[class]...)
		}
	}
	return dst
}

// size is the number of characters of a text, or of bytes of a binary.
func size(v *column.Vector, i int) int {
	if v.Type.Kind == column.Binary {
		return len(v.Bytes(i))
	}
	return utf8.RuneCount(v.Bytes(i))
}

// part is runeRange of a text, and the bytes from one place to another of a binary.
func part(v *column.Vector, i, from, to int) []byte {
	b := v.Bytes(i)
	if v.Type.Kind != column.Binary {
		return runeRange(b, from, to)
	}
	from = min(max(from, 0), len(b))
	return b[from:max(from, min(to, len(b)))]
}

// maxText bounds the strings that functions blow up.
const maxText = 64 << 20

func appendUpper(dst, s []byte) []byte {
	at := len(dst)
	dst = append(dst, s...)
	for i, c := range dst[at:] {
		if c >= utf8.RuneSelf {
			// The sharp s has no upper-case letter of its own: Java writes two.
			return append(dst[:at], bytes.ReplaceAll(bytes.ToUpper(s), []byte("ß"), []byte("SS"))...)
		}
		if c >= 'a' && c <= 'z' {
			dst[at+i] = c - 32
		}
	}
	return dst
}

func appendLower(dst, s []byte) []byte {
	at := len(dst)
	dst = append(dst, s...)
	for i, c := range dst[at:] {
		if c >= utf8.RuneSelf {
			return append(dst[:at], bytes.ToLower(s)...)
		}
		if c >= 'A' && c <= 'Z' {
			dst[at+i] = c + 32
		}
	}
	return dst
}

func appendInitcap(dst, s []byte) []byte {
	start := true
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		if start {
			r = unicode.ToTitle(r)
		} else {
			r = unicode.ToLower(r)
		}
		start = s[0] == ' '
		dst, s = utf8.AppendRune(dst, r), s[n:]
	}
	return dst
}

var soundexCodes = [26]byte{'0', '1', '2', '3', '0', '1', '2', '7', '0', '2', '2', '4', '5', '5', '0', '1', '2', '6', '2', '3', '0', '1', '7', '2', '0', '2'}

func appendSoundex(dst, s []byte) []byte {
	if len(s) == 0 || s[0]|32 < 'a' || s[0]|32 > 'z' {
		return append(dst, s...)
	}
	at := len(dst)
	dst = append(dst, s[0]&^32)
	last := soundexCodes[s[0]|32-'a']
	for _, c := range s[1:] {
		if c |= 32; c < 'a' || c > 'z' {
			last = '0'
			continue
		}
		code := soundexCodes[c-'a']
		if code == '7' { // h and w do not part equal codes
			continue
		}
		if code != '0' && code != last {
			if dst = append(dst, code); len(dst)-at == 4 {
				return dst
			}
		}
		last = code
	}
	for len(dst)-at < 4 {
		dst = append(dst, '0')
	}
	return dst
}

func appendTranslated(dst []byte, r rune, from, to []rune) []byte {
	for j, f := range from {
		if f == r {
			if j < len(to) {
				return utf8.AppendRune(dst, to[j])
			}
			return dst
		}
	}
	return utf8.AppendRune(dst, r)
}

// positionOf is the place in characters, from 1, of part in s at or after character start; 0 when there is none.
func positionOf(s, part []byte, start int) int {
	if start < 1 {
		return 0
	}
	skip := s
	for i := 1; i < start; i++ {
		if len(skip) == 0 {
			return 0
		}
		_, n := utf8.DecodeRune(skip)
		skip = skip[n:]
	}
	i := bytes.Index(skip, part)
	if i < 0 {
		return 0
	}
	return start + utf8.RuneCount(skip[:i])
}

// runeRange is characters from to to (exclusive) of s.
func runeRange(s []byte, from, to int) []byte {
	if from < 0 {
		from = 0
	}
	start := len(s)
	n, at := 0, 0
	if from == 0 {
		start = 0
	}
	for at < len(s) && n < to {
		if s[at] < utf8.RuneSelf {
			at++
		} else {
			_, w := utf8.DecodeRune(s[at:])
			at += w
		}
		if n++; n == from {
			start = at
		}
	}
	if start > at {
		return nil
	}
	return s[start:at]
}

// substringRange is where SUBSTRING(…, pos, length) lies in a text of n characters, as Spark counts: position 0 is 1.
func substringRange(n, pos, length int) (from, to int) {
	switch {
	case pos > 0:
		from = pos - 1
	case pos < 0:
		from = n + pos
	}
	to = from + min(max(length, 0), 1<<30)
	return max(from, 0), max(min(to, n), 0)
}

func substringKernel(c *Call) kernel {
	binary := c.Typ.Kind == column.Binary
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		t := k.text()
		for i := 0; i < k.n; i++ {
			if !k.ok(i) {
				t.end(i)
				continue
			}
			s := args[0].Bytes(i)
			n := len(s)
			if !binary {
				n = utf8.RuneCount(s)
			}
			length := 1 << 30
			if len(args) == 3 {
				length = int(args[2].I32[i])
			}
			from, to := substringRange(n, int(args[1].I32[i]), length)
			switch {
			case from >= to:
				t.end(i)
			case n == len(s):
				t.set(i, s[from:to])
			default:
				t.set(i, runeRange(s, from, to))
			}
		}
		t.done()
	}
}

func substringIndex(s, delim string, count int) string {
	if delim == "" || count == 0 {
		return ""
	}
	if count > 0 {
		at := 0
		for ; count > 0; count-- {
			i := strings.Index(s[at:], delim)
			if i < 0 {
				return s
			}
			at += i + len(delim)
		}
		return s[:at-len(delim)]
	}
	end := len(s)
	for ; count < 0; count++ {
		i := strings.LastIndex(s[:end], delim)
		if i < 0 {
			return s
		}
		end = i
	}
	return s[end+len(delim):]
}

func pad(name, doc, example string, left bool) *Function {
	return &Function{Name: name, in: params("y:str i:len y:pad?"), out: typeOfFirst, Doc: doc, Example: example, cost: 40,
		kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
			binary := a[0].Type.Kind == column.Binary
			want, fill := int(a[1].I32[i]), []byte(" ")
			if binary {
				fill = []byte{0}
			}
			if len(a) == 3 {
				fill = a[2].Bytes(i)
			}
			have := size(a[0], i)
			if want > maxText {
				k.fail(i, errTooLong(name))
				return dst
			}
			if have >= want || len(fill) == 0 {
				return append(dst, part(a[0], i, 0, want)...)
			}
			if !left {
				dst = append(dst, a[0].Bytes(i)...)
			}
			dst = appendFill(dst, fill, want-have, binary)
			if left {
				dst = append(dst, a[0].Bytes(i)...)
			}
			return dst
		})}
}

// appendFill appends n characters, or bytes, of fill over and over.
func appendFill(dst, fill []byte, n int, binary bool) []byte {
	if binary {
		for j := range n {
			dst = append(dst, fill[j%len(fill)])
		}
		return dst
	}
	runes := []rune(string(fill))
	for j := range n {
		dst = utf8.AppendRune(dst, runes[j%len(runes)])
	}
	return dst
}

func rewriteConcatWS(args []Expr) (Expr, error) {
	str := column.Of(column.String)
	out := &Call{Fn: "concat_ws", Typ: str, Null: args[0].Nullable()}
	for i, a := range args {
		if i > 0 && a.DataType().Kind == column.List {
			out.Args = append(out.Args, Coerce(a, column.ListOf(str, true)))
			continue
		}
		e, ok := param{class: 's'}.fit(a)
		if !ok {
			return nil, unexpectedType("concat_ws", i, a, `"STRING" or "ARRAY<STRING>"`)
		}
		out.Args = append(out.Args, e)
	}
	return out, nil
}

func concatWS(c *Call) kernel {
	return rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
		if !a[0].IsValid(i) {
			k.null(i)
			return dst
		}
		first := true
		add := func(s []byte) {
			if !first {
				dst = append(dst, a[0].Bytes(i)...)
			}
			dst, first = append(dst, s...), false
		}
		for _, v := range a[1:] {
			if !v.IsValid(i) {
				continue
			}
			if v.Type.Kind != column.List {
				add(v.Bytes(i))
				continue
			}
			for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
				if v.Kids[0].IsValid(int(j)) {
					add(v.Kids[0].Bytes(int(j)))
				}
			}
		}
		return dst
	})(c)
}

// levenshtein is the edit distance in characters.
func levenshtein(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range x {
		diag := row[0]
		row[0] = i + 1
		for j, s := range y {
			cost := diag + boolInt(r != s)
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
