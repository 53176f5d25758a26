package expr

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/streamflow/streamflow/column"
)

func init() {
	f := func(name, doc, example string, try bool) *Function {
		return &Function{Name: name, in: params("s:str s:format?"), out: outOf(column.Binary), null: always, Doc: doc, Example: example, cost: 60,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				format := "hex"
				if len(a) == 2 {
					format = strings.ToLower(a[1].Str(i))
				}
				out, ok := toBinary(dst, a[0].Bytes(i), format)
				switch {
				case ok:
					return out
				case try:
					k.null(i)
				default:
					k.fail(i, conversionInvalid(a[0].Str(i), strings.ToUpper(format), "to_binary"))
				}
				return dst
			})}
	}
	register("conversion",
		f("to_binary", "The bytes that a text stands for in a format: hex, base64 or utf-8.", "cast(to_binary('YWJj', 'base64') as string) -> abc", false),
		f("try_to_binary", "to_binary, or null when the text is not of the format.", "try_to_binary('a!', 'base64') -> NULL", true),
	)
}

func toBinary(dst, s []byte, format string) ([]byte, bool) {
	switch format {
	case "hex":
		if len(s)%2 == 1 {
			s = append([]byte{'0'}, s...)
		}
		out, err := hex.AppendDecode(dst, s)
		return out, err == nil
	case "base64":
		out, err := base64.StdEncoding.AppendDecode(dst, stripSpace(s))
		return out, err == nil
	case "utf-8", "utf8":
		return append(dst, s...), utf8.Valid(s)
	}
	return dst, false
}
