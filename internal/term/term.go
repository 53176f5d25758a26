// Package term is how the command-line programs speak: tables for people, JSON lines for scripts, errors with their place
// and fix, exit codes 0 (done), 1 (failed) and 2 (wrong usage).
package term

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/urfave/cli/v2"
	xterm "golang.org/x/term"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Exit codes.
const (
	ExitFailed = 1
	ExitUsage  = 2
)

// Usage is a mistake in how a command was called.
func Usage(format string, args ...any) error {
	return cli.Exit(fmt.Sprintf(format, args...), ExitUsage)
}

// Exit prints an error for people on stderr and returns the exit code: a user's mistake with its place and fix, anything
// else as it is.
func Exit(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	if u, ok := usererr.As(err); ok {
		fmt.Fprintln(stderr, "error: "+u.Detail())
		return ExitFailed
	}
	fmt.Fprintln(stderr, "error: "+err.Error())
	var coded cli.ExitCoder
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return ExitFailed
}

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool { return xterm.IsTerminal(int(f.Fd())) }

// OutputFlag is --output with its choices.
func OutputFlag(choices string) cli.Flag {
	return &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "table", Usage: "output as " + choices}
}

// Rows prints rows of a header: as a table, or as one JSON object for each row.
func Rows(w io.Writer, output string, header []string, rows [][]any) error {
	switch output {
	case "json":
		for _, r := range rows {
			if err := jsonRow(w, header, r); err != nil {
				return err
			}
		}
		return nil
	case "table", "":
		Table(w, header, rows)
		return nil
	}
	return Usage("--output must be table or json, not %q", output)
}

// jsonRow prints the fields in the header's order.
func jsonRow(w io.Writer, header []string, row []any) error {
	out := []byte{'{'}
	for i, h := range header {
		if i > 0 {
			out = append(out, ',')
		}
		k, _ := json.Marshal(h)
		v, err := json.Marshal(row[i])
		if err != nil {
			return err
		}
		out = append(append(append(out, k...), ':'), v...)
	}
	_, err := w.Write(append(out, '}', '\n'))
	return err
}

// Table prints a plain table; numbers stand to the right.
func Table(w io.Writer, header []string, rows [][]any) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.AppendHeader(row(header))
	var cfg []table.ColumnConfig
	for i := range header {
		if len(rows) > 0 && isNumber(rows[0][i]) {
			cfg = append(cfg, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	t.SetColumnConfigs(cfg)
	for _, r := range rows {
		t.AppendRow(r)
	}
	t.Render()
}

func row(header []string) table.Row {
	r := make(table.Row, len(header))
	for i, h := range header {
		r[i] = h
	}
	return r
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, int32, int64, uint64, float32, float64:
		return true
	}
	return false
}
