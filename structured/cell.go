package structured

import (
	"fmt"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
)

// CellString is one value as show prints it: NULL, {1, a} for structs, {k -> v} for maps, [1, 2] for arrays, [41 42] for
// bytes, times in loc.
func CellString(v *column.Vector, i int, loc *time.Location) string {
	if !v.IsValid(i) {
		return "NULL"
	}
	switch v.Type.Kind {
	case column.Struct:
		parts := make([]string, len(v.Kids))
		for k, kid := range v.Kids {
			parts[k] = CellString(kid, i, loc)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case column.List:
		var parts []string
		for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
			parts = append(parts, CellString(v.Kids[0], int(j), loc))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case column.Map:
		var parts []string
		for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
			parts = append(parts, CellString(v.Kids[0], int(j), loc)+" -> "+CellString(v.Kids[1], int(j), loc))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return scalarString(v, i, loc)
}

func scalarString(v *column.Vector, i int, loc *time.Location) string {
	switch v.Type.Kind {
	case column.String:
		return string(v.Bytes(i))
	case column.Binary:
		return hexCell(v.Bytes(i))
	case column.Float32:
		return string(column.AppendFloat(nil, float64(v.F32[i]), 32))
	case column.Float64:
		return string(column.AppendFloat(nil, v.F64[i], 64))
	case column.Decimal:
		return v.Dec[i].Text(int(v.Type.Scale))
	case column.Date:
		return column.FormatDate(v.I32[i])
	case column.Timestamp:
		return column.FormatTimestamp(v.I64[i], loc)
	case column.TimestampNTZ:
		return column.FormatTimestamp(v.I64[i], time.UTC)
	case column.IntervalYM:
		return string(column.AppendInterval(nil, int64(v.I32[i]), v.Type))
	case column.IntervalDT:
		return string(column.AppendInterval(nil, v.I64[i], v.Type))
	case column.Time:
		return string(column.AppendTime(nil, v.I64[i]))
	case column.Calendar:
		return string(column.CalendarOf(v.Dec[i]).AppendText(nil))
	case column.Variant:
		out, _ := v.Variant(i).AppendJSON(nil, loc)
		return string(out)
	}
	return fmt.Sprint(column.Value(v, i))
}

func hexCell(b []byte) string {
	parts := make([]string, len(b))
	for i, x := range b {
		parts[i] = fmt.Sprintf("%02X", x)
	}
	return "[" + strings.Join(parts, " ") + "]"
}
