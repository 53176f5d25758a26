package expr

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

func digest(name, doc, example string, f func(dst, b []byte) []byte, aliases ...string) *Function {
	return &Function{Name: name, Aliases: aliases, in: params("x:bin"), out: outOf(column.String), Doc: doc, Example: example, cost: 300,
		kernel: func(*Call) kernel { return eachText(f) }}
}

func init() {
	register("hash",
		digest("md5", "The MD5 digest as 32 hex digits.", "md5('a') -> 0cc175b9c0f1b6a831c399e269772661", func(dst, b []byte) []byte {
			s := md5.Sum(b)
			return hex.AppendEncode(dst, s[:])
		}),
		digest("sha1", "The SHA-1 digest as 40 hex digits.", "sha1('a') -> 86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", func(dst, b []byte) []byte {
			s := sha1.Sum(b)
			return hex.AppendEncode(dst, s[:])
		}, "sha"),
		&Function{Name: "sha2", in: params("x:bin i:bits"), out: outOf(column.String), null: always, Doc: "The SHA-2 digest of 224, 256 (also 0), 384 or 512 bits as hex digits.", Example: "length(sha2('a', 512)) -> 128", cost: 300,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				b := a[0].Bytes(i)
				switch a[1].I32[i] {
				case 224:
					s := sha256.Sum224(b)
					return hex.AppendEncode(dst, s[:])
				case 0, 256:
					s := sha256.Sum256(b)
					return hex.AppendEncode(dst, s[:])
				case 384:
					s := sha512.Sum384(b)
					return hex.AppendEncode(dst, s[:])
				case 512:
					s := sha512.Sum512(b)
					return hex.AppendEncode(dst, s[:])
				}
				k.null(i)
				return dst
			})},
		&Function{Name: "crc32", in: params("x:bin"), out: outOf(column.Int64), Doc: "The CRC-32 checksum.", Example: "crc32('Spark') -> 1557323817", cost: 30, kernel: func(*Call) kernel {
			return func(k *kctx, args []*column.Vector, out *column.Vector) {
				for i := range out.I64 {
					out.I64[i] = int64(crc32.ChecksumIEEE(args[0].Bytes(i)))
				}
			}
		}},
	)
	register("string",
		&Function{Name: "base64", in: params("x:bin"), out: outOf(column.String), Doc: "Bytes as Base64 text.", Example: "base64('abc') -> YWJj", cost: 60, kernel: func(*Call) kernel {
			return eachText(base64.StdEncoding.AppendEncode)
		}},
		&Function{Name: "unbase64", in: params("s:str"), out: outOf(column.Binary), Doc: "The bytes of a Base64 text.", Example: "cast(unbase64('YWJj') as string) -> abc", cost: 60,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				b, err := base64.StdEncoding.AppendDecode(dst, stripSpace(a[0].Bytes(i)))
				if err != nil {
					k.ansi(i, conversionInvalid(a[0].Str(i), "BASE64", "unbase64"))
					return dst
				}
				return b
			})},
		&Function{Name: "hex", in: params("a:x"), out: outOf(column.String), Doc: "An integer, or the bytes of a string or binary, as hex digits.", Example: "hex('ab') -> 6162", cost: 60, rewrite: rewriteHex, kernel: hexKernel},
		&Function{Name: "unhex", in: params("s:str"), out: outOf(column.Binary), null: always, Doc: "The bytes that hex digits stand for; null when they are none.", Example: "cast(unhex('6162') as string) -> ab", cost: 60,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				s := a[0].Bytes(i)
				if len(s)%2 == 1 {
					s = append([]byte{'0'}, s...)
				}
				b, err := hex.AppendDecode(dst, s)
				if err != nil {
					k.null(i)
					return dst
				}
				return b
			})},
		&Function{Name: "encode", in: params("s:str s:charset"), out: outOf(column.Binary), Doc: "The bytes of a text in a character set: UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE.", Example: "hex(encode('ab', 'UTF-16BE')) -> 00610062", cost: 60,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				b, ok := encodeText(dst, a[0].Str(i), strings.ToUpper(a[1].Str(i)))
				if !ok {
					k.fail(i, errCharset("encode", a[1].Str(i)))
				}
				return b
			})},
		&Function{Name: "decode", in: params("a:x a:y a*"), rewrite: rewriteDecode, Usage: "decode(bin, charset) or decode(x, search, result, …[, default])", Doc: "The text that bytes spell in a character set; or the result behind the first search that equals x, NULL being equal to NULL.", Example: "decode(unhex('00610062'), 'UTF-16BE') -> ab", cost: 60,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				b, ok := decodeText(dst, a[0].Bytes(i), strings.ToUpper(a[1].Str(i)))
				if !ok {
					k.fail(i, errCharset("decode", a[1].Str(i)))
				}
				return b
			})},
		&Function{Name: "url_encode", in: params("s"), out: outOf(column.String), Doc: "The text as a part of a URL.", Example: "url_encode('a b') -> a+b", cost: 60,
			kernel: func(*Call) kernel {
				return eachText(func(dst, s []byte) []byte { return append(dst, javaEscapes.Replace(url.QueryEscape(string(s)))...) })
			}},
		&Function{Name: "url_decode", in: params("s"), out: outOf(column.String), Doc: "The text of a part of a URL.", Example: "url_decode('a+b%21') -> a b!", cost: 60,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				s, err := url.QueryUnescape(a[0].Str(i))
				if err != nil {
					k.fail(i, usererr.New("CANNOT_DECODE_URL", "22546", "The provided URL cannot be decoded: %s.", strings.Clone(a[0].Str(i))))
					return dst
				}
				return append(dst, s...)
			})},
	)
}

func conversionInvalid(value, format, fn string) error {
	return usererr.New("CONVERSION_INVALID_INPUT", "22018", "The value '%s' cannot be converted to \"BINARY\" because it is malformed: it is no %s text.", strings.Clone(value), format).
		With("functionName", fn)
}

func errCharset(fn, name string) error {
	return usererr.New("INVALID_PARAMETER_VALUE.CHARSET", "22023", "The value of parameter charset in `%s` is invalid: %s.", fn, strings.Clone(name)).
		WithFix("Use one of UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE.")
}

func stripSpace(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c > ' ' {
			out = append(out, c)
		}
	}
	return out
}

func rewriteHex(args []Expr) (Expr, error) {
	a := args[0]
	switch t := a.DataType(); {
	case t.IsInteger(), t.Kind == column.Float64, t.Kind == column.Float32, t.Kind == column.Decimal:
		a = Coerce(a, column.Of(column.Int64))
	case t.Kind != column.Binary:
		e, ok := param{class: 's'}.fit(a)
		if !ok {
			return nil, unexpectedType("hex", 0, a, `"BIGINT", "BINARY" or "STRING"`)
		}
		a = e
	}
	return &Call{Fn: "hex", Args: []Expr{a}, Typ: column.Of(column.String), Null: a.Nullable()}, nil
}

func hexKernel(c *Call) kernel {
	return rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
		at := len(dst)
		if a[0].Type.Kind == column.Int64 {
			dst = strconv.AppendUint(dst, uint64(a[0].I64[i]), 16)
		} else {
			dst = hex.AppendEncode(dst, a[0].Bytes(i))
		}
		for j, c := range dst[at:] {
			if c >= 'a' {
				dst[at+j] = c - 32
			}
		}
		return dst
	})(c)
}

func encodeText(dst []byte, s, charset string) ([]byte, bool) {
	put := func(u uint16, little bool) {
		if little {
			dst = append(dst, byte(u), byte(u>>8))
		} else {
			dst = append(dst, byte(u>>8), byte(u))
		}
	}
	switch charset {
	case "UTF-8", "UTF8":
		return append(dst, s...), true
	case "US-ASCII", "ISO-8859-1":
		limit := rune(0x7f)
		if charset != "US-ASCII" {
			limit = 0xff
		}
		for _, r := range s {
			if r > limit {
				r = '?'
			}
			dst = append(dst, byte(r))
		}
		return dst, true
	case "UTF-16", "UTF-16BE", "UTF-16LE":
		if charset == "UTF-16" {
			put(0xfeff, false)
		}
		for _, u := range utf16.Encode([]rune(s)) {
			put(u, charset == "UTF-16LE")
		}
		return dst, true
	}
	return dst, false
}

func decodeText(dst, b []byte, charset string) ([]byte, bool) {
	switch charset {
	case "UTF-8", "UTF8":
		return append(dst, strings.ToValidUTF8(string(b), "\uFFFD")...), true
	case "US-ASCII", "ISO-8859-1":
		for _, c := range b {
			r := rune(c)
			if charset == "US-ASCII" && c > 0x7f {
				r = utf8.RuneError
			}
			dst = utf8.AppendRune(dst, r)
		}
		return dst, true
	case "UTF-16", "UTF-16BE", "UTF-16LE":
		little := charset == "UTF-16LE"
		if charset == "UTF-16" && len(b) >= 2 && (b[0] == 0xfe && b[1] == 0xff || b[0] == 0xff && b[1] == 0xfe) {
			little = b[0] == 0xff
			b = b[2:]
		}
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
			if little {
				units[i] = units[i]>>8 | units[i]<<8
			}
		}
		for _, r := range utf16.Decode(units) {
			dst = utf8.AppendRune(dst, r)
		}
		return dst, true
	}
	return dst, false
}

func errTooLong(fn string) error {
	return usererr.New("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "54000", "Can't make a string of more than %d bytes in `%s`.", maxText, fn)
}

// javaEscapes turns Go's escapes of a form's text into Java's, which leave * and escape ~.
var javaEscapes = strings.NewReplacer("%2A", "*", "~", "%7E")

// rewriteDecode is CASE WHEN x <=> search THEN result … ELSE default, or the decoding of bytes.
func rewriteDecode(args []Expr) (Expr, error) {
	if len(args) == 2 {
		f := &Function{Name: "decode", in: params("x:bin s:charset")}
		args, err := f.fitArgs(args)
		if err != nil {
			return nil, err
		}
		return &Call{Fn: "decode", Args: args, Typ: column.Of(column.String), Null: ifArgs.of(args)}, nil
	}
	x, rest := args[0], args[1:]
	c := &Case{}
	for ; len(rest) >= 2; rest = rest[2:] {
		same, err := call("<=>", x, rest[0])
		if err != nil {
			return nil, err
		}
		c.Whens, c.Thens = append(c.Whens, same), append(c.Thens, rest[1])
	}
	if len(rest) == 1 {
		c.Else = rest[0]
	}
	return ResolveCase(c)
}
