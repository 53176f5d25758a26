package column

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSONRow appends one row as a JSON object of its first cols columns, as Spark's to_json writes it: null members
// are left out, timestamps are ISO 8601 with the zone of loc, binary is base64, NaN and infinities are strings.
func AppendJSONRow(dst []byte, b *Batch, row int, cols int, loc *time.Location) []byte {
	return appendJSONObject(dst, b.Schema.Fields[:cols], b.Cols[:cols], row, loc)
}

func appendJSONObject(dst []byte, fields []Field, cols []*Vector, row int, loc *time.Location) []byte {
	dst = append(dst, '{')
	first := true
	for i, c := range cols {
		if !c.IsValid(row) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(AppendJSONString(dst, bytesOf(fields[i].Name)), ':')
		dst = AppendJSONValue(dst, c, row, loc)
	}
	return append(dst, '}')
}

// AppendJSONValue appends one value as JSON; a null is written as null.
func AppendJSONValue(dst []byte, v *Vector, i int, loc *time.Location) []byte {
	if !v.IsValid(i) {
		return append(dst, "null"...)
	}
	if v.Const {
		i = 0
	}
	switch v.Type.Kind {
	case Bool:
		return strconv.AppendBool(dst, v.Bools[i])
	case Float32:
		return appendJSONFloat(dst, float64(v.F32[i]), 32)
	case Float64:
		return appendJSONFloat(dst, v.F64[i], 64)
	case Decimal:
		return v.Dec[i].AppendText(dst, int(v.Type.Scale))
	case String:
		return AppendJSONString(dst, v.Bytes(i))
	case Binary:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.Bytes(i))
		return append(dst, '"')
	case Date:
		return append(AppendDate(append(dst, '"'), v.I32[i]), '"')
	case Timestamp:
		return append(AppendISO(append(dst, '"'), v.I64[i], loc), '"')
	case TimestampNTZ:
		return append(appendISOLocal(append(dst, '"'), v.I64[i]), '"')
	case IntervalYM:
		return append(AppendInterval(append(dst, '"'), int64(v.I32[i]), v.Type), '"')
	case IntervalDT:
		return append(AppendInterval(append(dst, '"'), v.I64[i], v.Type), '"')
	case Time:
		return append(AppendTime(append(dst, '"'), v.I64[i]), '"')
	case Calendar:
		return append(CalendarOf(v.Dec[i]).AppendText(append(dst, '"')), '"')
	case Variant:
		out, ok := v.Variant(i).AppendJSON(dst, loc)
		if !ok {
			return append(dst, "null"...)
		}
		return out
	case List:
		return appendJSONList(dst, v, i, loc)
	case Map:
		return appendJSONMap(dst, v, i, loc)
	case Struct:
		return appendJSONObject(dst, v.Type.Fields, v.Kids, i, loc)
	}
	return strconv.AppendInt(dst, intAt(v, i), 10)
}

// intAt is row i of any integer-stored vector.
func intAt(v *Vector, i int) int64 {
	switch v.Type.Kind.Storage() {
	case StorageI8:
		return int64(v.I8[i])
	case StorageI16:
		return int64(v.I16[i])
	case StorageI32:
		return int64(v.I32[i])
	default:
		return v.I64[i]
	}
}

func appendJSONFloat(dst []byte, x float64, bits int) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(AppendFloat(append(dst, '"'), x, bits), '"')
	}
	return AppendFloat(dst, x, bits)
}

func appendJSONList(dst []byte, v *Vector, i int, loc *time.Location) []byte {
	dst = append(dst, '[')
	for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
		if j > v.Offs[i] {
			dst = append(dst, ',')
		}
		dst = AppendJSONValue(dst, v.Kids[0], int(j), loc)
	}
	return append(dst, ']')
}

func appendJSONMap(dst []byte, v *Vector, i int, loc *time.Location) []byte {
	dst = append(dst, '{')
	for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
		if j > v.Offs[i] {
			dst = append(dst, ',')
		}
		dst = appendJSONKey(dst, v.Kids[0], int(j), loc)
		dst = append(dst, ':')
		dst = AppendJSONValue(dst, v.Kids[1], int(j), loc)
	}
	return append(dst, '}')
}

// appendJSONKey writes a map key as a string: the value's JSON text, quoted unless it is a string already.
func appendJSONKey(dst []byte, keys *Vector, i int, loc *time.Location) []byte {
	at := len(dst)
	dst = AppendJSONValue(dst, keys, i, loc)
	if dst[at] == '"' {
		return dst
	}
	text := string(dst[at:])
	return AppendJSONString(dst[:at], bytesOf(text))
}

const hexDigits = "0123456789abcdef"

// AppendJSONString appends s as a JSON string. Bytes that are no UTF-8 become U+FFFD.
func AppendJSONString(dst, s []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[from:i]...), "\uFFFD"...)
				from = i + 1
			}
			i += size
			continue
		}
		dst = appendEscape(append(dst, s[from:i]...), c)
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
