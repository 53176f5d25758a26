package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/structured"
)

// checkOutput refuses an unknown --output before anything runs.
func checkOutput(output string) error {
	switch output {
	case "table", "json", "csv":
		return nil
	}
	return term.Usage("--output must be table, json or csv, not %q", output)
}

// print writes rows to standard output as they come. Rows are closed.
func print(ctx context.Context, rows structured.Rows, output string) error {
	defer rows.Close()
	if output == "" {
		output = "table" // the shell has no flag for it
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	p := printer{out: out, schema: rows.Schema(), output: output}
	for {
		b, err := rows.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		clearProgress()
		if err := p.batch(b); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return nil // whoever read this has gone
		}
	}
	p.end()
	return out.Flush()
}

type printer struct {
	out    *bufio.Writer
	schema *column.Schema
	output string

	line   []byte
	csv    *csv.Writer
	widths []int
	held   [][]string // rows of a table until its widths are known
	rows   int
}

func (p *printer) batch(b *column.Batch) error {
	if p.schema.Len() == 0 {
		return nil // a command without rows
	}
	switch p.output {
	case "json":
		for i := range b.N {
			p.line = append(column.AppendJSONRow(p.line[:0], b, i, len(b.Cols), time.UTC), '\n')
			if _, err := p.out.Write(p.line); err != nil {
				return err
			}
		}
		return nil
	case "csv":
		return p.csvRows(b)
	}
	p.tableRows(b)
	return nil
}

func (p *printer) csvRows(b *column.Batch) error {
	if p.csv == nil {
		p.csv = csv.NewWriter(p.out)
		if err := p.csv.Write(p.header()); err != nil {
			return err
		}
	}
	for i := range b.N {
		if err := p.csv.Write(cells(b, i, "")); err != nil {
			return err
		}
	}
	p.csv.Flush()
	return p.csv.Error()
}

func (p *printer) header() []string {
	names := make([]string, p.schema.Len())
	for i, f := range p.schema.Fields {
		names[i] = f.Name
	}
	return names
}

// cells is a row as text; null is written as null.
func cells(b *column.Batch, i int, null string) []string {
	out := make([]string, len(b.Cols))
	for c, v := range b.Cols {
		if v.IsValid(i) {
			out[c] = structured.CellString(v, i, time.UTC)
		} else {
			out[c] = null
		}
	}
	return out
}

// sizing is how many rows a table looks at before it fixes its widths; later cells that are wider push their line out.
const sizing = 1000

// tableRows prints a table row by row as rows come, so that a live result grows on the screen. Widths are fixed by the
// first batch.
func (p *printer) tableRows(b *column.Batch) {
	if p.plain(b) {
		return
	}
	for i := range b.N {
		p.held = append(p.held, cells(b, i, "NULL"))
		if p.widths == nil && len(p.held) >= sizing {
			p.flushTable()
		}
	}
	p.flushTable()
}

// plain prints a text of many lines, such as a plan, as it is.
func (p *printer) plain(b *column.Batch) bool {
	if len(b.Cols) != 1 || b.N != 1 || !b.Cols[0].IsValid(0) {
		return false
	}
	s := structured.CellString(b.Cols[0], 0, time.UTC)
	if !strings.Contains(s, "\n") {
		return false
	}
	fmt.Fprintln(p.out, strings.TrimRight(s, "\n"))
	p.output = "text"
	return true
}

func (p *printer) flushTable() {
	if p.widths == nil {
		p.measure()
		p.rule("┌", "┬", "┐")
		p.tableLine(p.header())
		p.rule("├", "┼", "┤")
	}
	for _, r := range p.held {
		p.tableLine(r)
	}
	p.rows += len(p.held)
	p.held = p.held[:0]
}

func (p *printer) measure() {
	p.widths = make([]int, p.schema.Len())
	for _, r := range append([][]string{p.header()}, p.held...) {
		for i, s := range r {
			p.widths[i] = max(p.widths[i], utf8.RuneCountInString(s))
		}
	}
}

func (p *printer) rule(left, mid, right string) {
	parts := make([]string, len(p.widths))
	for i, w := range p.widths {
		parts[i] = strings.Repeat("─", w+2)
	}
	fmt.Fprintln(p.out, left+strings.Join(parts, mid)+right)
}

func (p *printer) tableLine(row []string) {
	for i, s := range row {
		gap := strings.Repeat(" ", max(0, p.widths[i]-utf8.RuneCountInString(s)))
		if k := p.schema.Fields[i].Type; k.IsNumeric() {
			fmt.Fprintf(p.out, "│ %s%s ", gap, s)
		} else {
			fmt.Fprintf(p.out, "│ %s%s ", s, gap)
		}
	}
	fmt.Fprintln(p.out, "│")
}

// end closes a table. A result without columns prints nothing.
func (p *printer) end() {
	if p.output == "csv" && p.csv == nil && p.schema.Len() > 0 {
		fmt.Fprintln(p.out, strings.Join(p.header(), ","))
	}
	if p.output != "table" || p.schema.Len() == 0 {
		return
	}
	p.flushTable()
	p.rule("└", "┴", "┘")
	word := "rows"
	if p.rows == 1 {
		word = "row"
	}
	p.out.Flush()
	note("%d %s", p.rows, word)
}
