package console

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/streamflow/streamflow/column"
)

// Format draws up to limit rows as a table, as Spark's show does: cells right-aligned and cut to width characters when
// width > 0.
func Format(schema *column.Schema, batches []*column.Batch, limit, width int, loc *time.Location) string {
	cells := [][]string{make([]string, schema.Len())}
	for i, f := range schema.Fields {
		cells[0][i] = f.Name
	}
	total := 0
	for _, batch := range batches {
		for r := 0; r < batch.N; r++ {
			if total < limit {
				row := make([]string, schema.Len())
				for c, v := range batch.Cols {
					row[c] = cut(cell(v, r, loc), width)
				}
				cells = append(cells, row)
			}
			total++
		}
	}
	out := draw(cells)
	if total > limit {
		out += fmt.Sprintf("only showing top %d rows\n", limit)
	}
	return out
}

func draw(cells [][]string) string {
	widths := make([]int, len(cells[0]))
	for i := range widths {
		widths[i] = 3
		for _, row := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	var b strings.Builder
	rule := func() {
		b.WriteByte('+')
		for _, w := range widths {
			b.WriteString(strings.Repeat("-", w) + "+")
		}
		b.WriteByte('\n')
	}
	rule()
	for i, row := range cells {
		b.WriteByte('|')
		for c, s := range row {
			b.WriteString(strings.Repeat(" ", widths[c]-utf8.RuneCountInString(s)) + s + "|")
		}
		b.WriteByte('\n')
		if i == 0 {
			rule()
		}
	}
	rule()
	return b.String()
}

func cut(s string, width int) string {
	s = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s)
	r := []rune(s)
	if width <= 0 || len(r) <= width {
		return s
	}
	if width < 4 {
		return string(r[:width])
	}
	return string(r[:width-3]) + "..."
}

// cell is a value as text.
func cell(v *column.Vector, i int, loc *time.Location) string {
	if !v.IsValid(i) {
		return "NULL"
	}
	switch v.Type.Kind {
	case column.String:
		return string(v.Bytes(i))
	case column.Binary:
		return fmt.Sprintf("[% X]", v.Bytes(i))
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
	case column.Struct:
		parts := make([]string, len(v.Kids))
		for k, kid := range v.Kids {
			parts[k] = cell(kid, i, loc)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case column.List:
		var parts []string
		for e := v.Offs[i]; e < v.Offs[i+1]; e++ {
			parts = append(parts, cell(v.Kids[0], int(e), loc))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case column.Map:
		var parts []string
		for e := v.Offs[i]; e < v.Offs[i+1]; e++ {
			parts = append(parts, cell(v.Kids[0], int(e), loc)+" -> "+cell(v.Kids[1], int(e), loc))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(column.Value(v, i))
}
