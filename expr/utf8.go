package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

func init() {
	valid := func(b []byte) bool { return utf8.Valid(b) }
	register("string",
		&Function{Name: "is_valid_utf8", in: params("y:str"), out: boolType, Doc: "True when the bytes of the text are valid UTF-8.", Example: "is_valid_utf8(unhex('80')) -> false", cost: 10, kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i := range out.Bools {
					out.Bools[i] = k.ok(i) && valid(args[0].Bytes(i))
				}
			}
		}},
		&Function{Name: "make_valid_utf8", in: params("y:str"), out: outOf(column.String), Doc: "The text with U+FFFD in place of bytes that are no UTF-8.", Example: "make_valid_utf8(unhex('6180')) -> a\uFFFD", cost: 20, kernel: func(*Call) kernel {
			return eachText(func(dst, s []byte) []byte { return append(dst, strings.ToValidUTF8(string(s), "\uFFFD")...) })
		}},
		&Function{Name: "validate_utf8", in: params("y:str"), out: outOf(column.String), Doc: "The text itself; an error when its bytes are not valid UTF-8.", Example: "validate_utf8(unhex('80')) -> error INVALID_UTF8_STRING", cost: 20,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				b := a[0].Bytes(i)
				if !valid(b) {
					k.fail(i, usererr.New("INVALID_UTF8_STRING", "22029", "Invalid UTF8 byte sequence found in string: %X.", b).WithFix("make_valid_utf8 replaces such bytes."))
				}
				return append(dst, b...)
			})},
		&Function{Name: "try_validate_utf8", in: params("y:str"), out: outOf(column.String), null: always, Doc: "The text itself; null when its bytes are not valid UTF-8.", Example: "try_validate_utf8(unhex('80')) -> NULL", cost: 20,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				b := a[0].Bytes(i)
				if !valid(b) {
					k.null(i)
				}
				return append(dst, b...)
			})},
		&Function{Name: "sentences", in: params("s:str s:lang? s:country?"), out: func([]Expr) (column.Type, error) {
			return column.ListOf(column.ListOf(column.Of(column.String), false), false), nil
		}, Doc: "The words of each sentence of a text.", Example: "sentences('Hi there! Good morning.') -> [[Hi, there], [Good, morning]]", cost: 300,
			kernel: build(func(_ *kctx, b *column.Builder, a []*column.Vector, i int) {
				for _, words := range sentencesOf(a[0].Str(i)) {
					for _, w := range words {
						b.Kid(0).Kid(0).AppendString(w)
					}
					b.Kid(0).CloseRow()
				}
				b.CloseRow()
			})},
	)
}

// sentencesOf cuts text behind '.', '!' and '?' that are followed by space, and into words of letters, digits and apostrophes.
func sentencesOf(s string) (out [][]string) {
	var words []string
	end := func() {
		if len(words) > 0 {
			out, words = append(out, words), nil
		}
	}
	start := -1
	for i, r := range s {
		inWord := r == '\'' && start >= 0 || unicode.IsLetter(r) || unicode.IsDigit(r)
		if inWord && start < 0 {
			start = i
		}
		if !inWord && start >= 0 {
			words, start = append(words, strings.TrimRight(s[start:i], "'")), -1
		}
		if (r == '.' || r == '!' || r == '?') && (i+1 == len(s) || s[i+1] == ' ' || s[i+1] == '\n' || s[i+1] == '\t') {
			end()
		}
	}
	if start >= 0 {
		words = append(words, strings.TrimRight(s[start:], "'"))
	}
	end()
	return out
}
