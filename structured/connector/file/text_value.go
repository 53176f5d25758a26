package file

import (
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// appendText appends a text as a value of a type; false when it is none, in which case nothing was appended.
func appendText(to *column.Builder, t column.Type, text []byte, loc *time.Location) bool {
	switch t.Kind {
	case column.String, column.Binary:
		to.AppendBytes(text)
		return true
	}
	s := strings.TrimSpace(string(text))
	switch t.Kind {
	case column.Bool:
		v, err := strconv.ParseBool(strings.ToLower(s))
		if err != nil || len(s) == 1 {
			return false
		}
		to.AppendBool(v)
	case column.Int8, column.Int16, column.Int32, column.Int64:
		v, err := strconv.ParseInt(s, 10, intBits(t.Kind))
		if err != nil {
			return false
		}
		to.AppendI64(v)
	case column.Float32, column.Float64:
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return false
		}
		to.AppendF64(v)
	default:
		return appendParsed(to, t, s, loc)
	}
	return true
}

func appendParsed(to *column.Builder, t column.Type, s string, loc *time.Location) bool {
	switch t.Kind {
	case column.Decimal:
		v, ok := column.ParseDecimal(s, int(t.Precision), int(t.Scale))
		if ok {
			to.AppendDec(v)
		}
		return ok
	case column.Date:
		v, ok := column.ParseDate(s)
		if ok {
			to.AppendI64(int64(v))
		}
		return ok
	case column.Timestamp:
		v, ok := column.ParseTimestamp(s, loc)
		if ok {
			to.AppendI64(v)
		}
		return ok
	case column.TimestampNTZ:
		v, ok := column.ParseTimestampNTZ(s)
		if ok {
			to.AppendI64(v)
		}
		return ok
	case column.Time:
		v, ok := column.ParseTime(s)
		if ok {
			to.AppendI64(column.TruncateTime(v, int(t.Precision)))
		}
		return ok
	case column.Variant:
		return appendVariant(to, s)
	}
	return false
}

// appendVariant appends a text as a variant: what JSON it is, or a string. An empty text is none.
func appendVariant(to *column.Builder, s string) bool {
	var b column.VariantBuilder
	if why, _ := b.ParseVariant([]byte(s)); why != "" {
		b.Reset()
		b.Text([]byte(s))
	}
	out, ok := b.Append(nil)
	if ok {
		to.AppendBytes(out)
	}
	return ok
}

func intBits(k column.Kind) int {
	switch k {
	case column.Int8:
		return 8
	case column.Int16:
		return 16
	case column.Int32:
		return 32
	}
	return 64
}

// appendValue appends a value as text, in the form that appendText reads.
func appendValue(dst []byte, v *column.Vector, i int, loc *time.Location) []byte {
	switch v.Type.Kind {
	case column.Bool:
		return strconv.AppendBool(dst, v.Bools[i])
	case column.Float32:
		return strconv.AppendFloat(dst, float64(v.F32[i]), 'g', -1, 32)
	case column.Float64:
		return strconv.AppendFloat(dst, v.F64[i], 'g', -1, 64)
	case column.Decimal:
		return append(dst, v.Dec[i].Text(int(v.Type.Scale))...)
	case column.Date:
		return append(dst, column.FormatDate(v.I32[i])...)
	case column.Timestamp:
		return append(dst, time.UnixMicro(v.I64[i]).In(loc).Format("2006-01-02T15:04:05.999999Z07:00")...)
	case column.TimestampNTZ:
		return append(dst, time.UnixMicro(v.I64[i]).UTC().Format("2006-01-02T15:04:05.999999")...)
	}
	switch v.Type.Kind {
	case column.Time:
		return column.AppendTime(dst, v.I64[i])
	case column.Variant:
		return column.AppendJSONValue(dst, v, i, loc)
	}
	if x, ok := column.Value(v, i).(int64); ok {
		return strconv.AppendInt(dst, x, 10)
	}
	return dst
}

// widen is the narrowest type of the ladder int, bigint, double, or timestamp, or boolean, that holds both what was seen
// before and the text.
func widen(t column.Type, text string, loc *time.Location) column.Type {
	n := kindOf(strings.TrimSpace(text), loc)
	switch {
	case t.Kind == column.Null || t.Kind == n:
		return column.Of(n)
	case t.IsNumeric() && column.Of(n).IsNumeric():
		return column.Of(max(t.Kind, n))
	case t.IsTemporal() && column.Of(n).IsTemporal():
		return column.Of(column.Timestamp)
	}
	return column.Of(column.String)
}

func kindOf(s string, loc *time.Location) column.Kind {
	if _, err := strconv.ParseInt(s, 10, 32); err == nil {
		return column.Int32
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return column.Int64
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return column.Float64
	}
	if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
		return column.Bool
	}
	if _, ok := column.ParseDate(s); ok && len(s) == len("2006-01-02") {
		return column.Date
	}
	if _, ok := column.ParseTimestamp(s, loc); ok && len(s) > len("2006-01-02") {
		return column.Timestamp
	}
	return column.String
}

func unsupportedType(format string, f column.Field) error {
	return usererr.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000", "Column %s of type %s cannot be written as %s.", f.Name, f.Type, format).
		WithFix("Write Parquet or JSON, or turn the column into text with to_json.")
}
