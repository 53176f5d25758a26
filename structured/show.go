package structured

import (
	"fmt"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
)

// ShowString draws the first n rows as Dataset.show does. Cells longer than truncate characters are cut (0 cuts none), names of
// columns never; vertical prints one line for each cell. Every line ends in a newline but the one that tells of further rows, since
// whoever prints the text adds one. The batches should hold n+1 rows when there are more, so that it can say so.
func ShowString(schema *column.Schema, batches []*column.Batch, n, truncate int, vertical bool, loc *time.Location) string {
	rows, more := cells(batches, n, truncate, loc)
	header := make([]string, schema.Len())
	for i, f := range schema.Fields {
		header[i] = escape(f.Name)
	}
	var b strings.Builder
	if vertical {
		showVertical(&b, header, rows)
	} else {
		showTable(&b, header, rows, truncate > 0)
	}
	switch {
	case vertical && len(rows) == 0:
		b.WriteString("(0 rows)")
	case more && n == 1:
		b.WriteString("only showing top 1 row")
	case more:
		fmt.Fprintf(&b, "only showing top %d rows", n)
	}
	return b.String()
}

// cells are the rows as text, at most n, and whether there were more.
func cells(batches []*column.Batch, n, truncate int, loc *time.Location) (rows [][]string, more bool) {
	for _, b := range batches {
		for i := range b.N {
			if len(rows) == n {
				return rows, true
			}
			row := make([]string, len(b.Cols))
			for c, v := range b.Cols {
				row[c] = Truncate(escape(CellString(v, i, loc)), truncate)
			}
			rows = append(rows, row)
		}
	}
	return rows, false
}

func showTable(b *strings.Builder, header []string, rows [][]string, right bool) {
	const minWidth = 3
	widths := make([]int, len(header))
	for i, h := range header {
		widths[i] = max(minWidth, displayWidth(h))
		for _, r := range rows {
			widths[i] = max(widths[i], displayWidth(r[i]))
		}
	}
	rule := "+"
	for _, w := range widths {
		rule += strings.Repeat("-", w) + "+"
	}
	line := func(row []string) {
		b.WriteByte('|')
		for i, c := range row {
			fill := strings.Repeat(" ", widths[i]-displayWidth(c))
			if right {
				b.WriteString(fill + c + "|")
			} else {
				b.WriteString(c + fill + "|")
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString(rule + "\n")
	line(header)
	b.WriteString(rule + "\n")
	for _, r := range rows {
		line(r)
	}
	b.WriteString(rule + "\n")
}

func showVertical(b *strings.Builder, header []string, rows [][]string) {
	const minWidth = 3
	nameWidth, cellWidth := minWidth, minWidth
	for i, h := range header {
		nameWidth = max(nameWidth, displayWidth(h))
		for _, r := range rows {
			cellWidth = max(cellWidth, displayWidth(r[i]))
		}
	}
	for n, r := range rows {
		title := fmt.Sprintf("-RECORD %d", n)
		b.WriteString(title + strings.Repeat("-", max(0, nameWidth+cellWidth+5-len(title))) + "\n")
		for i, h := range header {
			fmt.Fprintf(b, " %s%s | %s%s \n", h, strings.Repeat(" ", nameWidth-displayWidth(h)), r[i], strings.Repeat(" ", cellWidth-displayWidth(r[i])))
		}
	}
}

// Truncate shortens s to n characters, the last three being dots when there is room for them.
func Truncate(s string, n int) string {
	r := []rune(s)
	if n <= 0 || len(r) <= n {
		return s
	}
	if n < 4 {
		return string(r[:n])
	}
	return string(r[:n-3]) + "..."
}

var escapes = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\f", `\f`, "\b", `\b`, "\v", `\v`, "\a", `\a`)

// escape keeps a cell on one line.
func escape(s string) string { return escapes.Replace(s) }

// displayWidth counts the columns of a terminal that s takes: East Asian wide characters take two.
func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		n++
		if isWide(r) {
			n++
		}
	}
	return n
}

// isWide reports whether a character is full width, by the ranges that Spark uses.
func isWide(r rune) bool {
	switch {
	case r < 0x1100:
		return false
	case r <= 0x115F, r >= 0x2E80 && r <= 0xA4CF, r >= 0xAC00 && r <= 0xD7A3, r >= 0xF900 && r <= 0xFAFF,
		r >= 0xFE30 && r <= 0xFE4F, r >= 0xFF00 && r <= 0xFF60, r >= 0xFFE0 && r <= 0xFFE6:
		return true
	}
	return false
}

// TreeString is a schema as printSchema prints it. Level bounds the depth; 0 prints all of it.
func TreeString(schema *column.Schema, level int) string {
	var b strings.Builder
	b.WriteString("root\n")
	treeFields(&b, schema.Fields, " |", level, 1)
	return b.String()
}

func treeFields(b *strings.Builder, fields []column.Field, prefix string, level, depth int) {
	for _, f := range fields {
		fmt.Fprintf(b, "%s-- %s: %s (nullable = %t)\n", prefix, escape(f.Name), treeName(f.Type), f.Nullable)
		treeType(b, f.Type, prefix+"    |", level, depth+1)
	}
}

func treeType(b *strings.Builder, t column.Type, prefix string, level, depth int) {
	if level > 0 && depth > level {
		return
	}
	switch t.Kind {
	case column.Struct:
		treeFields(b, t.Fields, prefix, level, depth)
	case column.List:
		fmt.Fprintf(b, "%s-- element: %s (containsNull = %t)\n", prefix, treeName(t.Elem()), t.Fields[0].Nullable)
		treeType(b, t.Elem(), prefix+"    |", level, depth+1)
	case column.Map:
		fmt.Fprintf(b, "%s-- key: %s\n", prefix, treeName(t.Fields[0].Type))
		treeType(b, t.Fields[0].Type, prefix+"    |", level, depth+1)
		fmt.Fprintf(b, "%s-- value: %s (valueContainsNull = %t)\n", prefix, treeName(t.Fields[1].Type), t.Fields[1].Nullable)
		treeType(b, t.Fields[1].Type, prefix+"    |", level, depth+1)
	}
}

// treeName is Spark's typeName: integer where DDL says int.
func treeName(t column.Type) string {
	switch t.Kind {
	case column.Int8:
		return "byte"
	case column.Int16:
		return "short"
	case column.Int32:
		return "integer"
	case column.Int64:
		return "long"
	case column.List:
		return "array"
	case column.Map:
		return "map"
	case column.Struct:
		return "struct"
	}
	return t.String()
}
