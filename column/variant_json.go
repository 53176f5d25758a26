package column

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"
)

// AppendJSON appends the value as JSON text, as Spark's to_json and cast to string write it: keys in order, decimals
// without zeros at their end, times in loc. ok is false when the bytes are no variant; dst is unchanged then.
func (r VariantRef) AppendJSON(dst []byte, loc *time.Location) (out []byte, ok bool) {
	nodes := len(r.Value)
	out, ok = r.appendJSON(dst, loc, 0, &nodes)
	if !ok {
		return dst, false
	}
	return out, true
}

func (r VariantRef) appendJSON(dst []byte, loc *time.Location, depth int, nodes *int) ([]byte, bool) {
	*nodes--
	k := r.Kind()
	if k == VariantBad || depth > maxVariantDepth || *nodes < 0 {
		return dst, false
	}
	switch k {
	case VariantNull:
		return append(dst, "null"...), true
	case VariantString:
		return AppendJSONString(dst, r.Bytes()), true
	case VariantDouble:
		return appendJSONFloat(dst, r.Float(), 64), true
	case VariantFloat:
		return appendJSONFloat(dst, r.Float(), 32), true
	case VariantObject:
		return r.appendJSONObject(dst, loc, depth, nodes)
	case VariantArray:
		return r.appendJSONArray(dst, loc, depth, nodes)
	case VariantBool, VariantInt, VariantDecimal:
		return r.AppendText(dst, loc)
	}
	dst, ok := r.AppendText(append(dst, '"'), loc)
	return append(dst, '"'), ok
}

// AppendText appends a value that is neither object nor array as text: a string without quotes, bytes as base64.
func (r VariantRef) AppendText(dst []byte, loc *time.Location) ([]byte, bool) {
	switch r.Kind() {
	case VariantBool:
		return strconv.AppendBool(dst, r.Bool()), true
	case VariantInt:
		return strconv.AppendInt(dst, r.Int(), 10), true
	case VariantDecimal:
		d, _, scale, ok := r.Decimal()
		return d.AppendText(dst, scale), ok
	case VariantDouble:
		return AppendFloat(dst, r.Float(), 64), true
	case VariantFloat:
		return AppendFloat(dst, r.Float(), 32), true
	case VariantString:
		return append(dst, r.Bytes()...), true
	case VariantBinary:
		return base64.StdEncoding.AppendEncode(dst, r.Bytes()), true
	case VariantDate:
		return AppendDate(dst, int32(r.Int())), true
	case VariantTimestamp:
		us := r.Int()
		dst = AppendTimestamp(dst, us, loc)
		seconds := int((ToLocal(us, loc) - us) / microsPerSecond)
		if seconds == 0 {
			return append(dst, "+00:00"...), true
		}
		return appendOffset(dst, seconds), true
	case VariantTimestampNTZ:
		return AppendTimestamp(dst, r.Int(), time.UTC), true
	case VariantTime:
		return AppendTime(dst, r.Int()), true
	case VariantUUID:
		b := hex.AppendEncode(nil, r.Bytes())
		for i, part := range [][]byte{b[:8], b[8:12], b[12:16], b[16:20], b[20:]} {
			if i > 0 {
				dst = append(dst, '-')
			}
			dst = append(dst, part...)
		}
		return dst, true
	case VariantNull:
		return append(dst, "null"...), true
	}
	return dst, false
}

func (r VariantRef) appendJSONObject(dst []byte, loc *time.Location, depth int, nodes *int) ([]byte, bool) {
	m, ok := r.members()
	dst = append(dst, '{')
	for i := 0; ok && i < m.n; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		var key []byte
		var v VariantRef
		if key, v, ok = r.Member(i); ok {
			dst = append(AppendJSONString(dst, key), ':')
			dst, ok = v.appendJSON(dst, loc, depth+1, nodes)
		}
	}
	return append(dst, '}'), ok
}

func (r VariantRef) appendJSONArray(dst []byte, loc *time.Location, depth int, nodes *int) ([]byte, bool) {
	m, ok := r.members()
	dst = append(dst, '[')
	for i := 0; ok && i < m.n; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		var v VariantRef
		if v, ok = r.at(m, i); ok {
			dst, ok = v.appendJSON(dst, loc, depth+1, nodes)
		}
	}
	return append(dst, ']'), ok
}
