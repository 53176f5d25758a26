package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/peterh/liner"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/sql"
)

// shell reads statements on a terminal until exit. A statement ends with a semicolon and may take many lines.
func shell(c *cli.Context) error {
	return within(c, func(s *opened) error {
		fmt.Fprintln(os.Stderr, "StreamFlow SQL. Statements end with a semicolon; \\help lists commands, \\q leaves.")
		ed := liner.NewLiner()
		defer ed.Close()
		ed.SetCtrlCAborts(true)
		ed.SetWordCompleter(func(line string, pos int) (head string, found []string, tail string) {
			return completions(s, line, pos)
		})
		history := historyFile()
		readHistory(ed, history)
		err := entries(ed, func(text string) bool { return enter(c, s, text) })
		writeHistory(ed, history)
		return err
	})
}

// entries hands whole entries to a function until it says to leave or the input ends. Ctrl-C drops what was begun.
func entries(ed *liner.State, enter func(text string) (leave bool)) error {
	entry := ""
	for {
		prompt := "sql> "
		if entry != "" {
			prompt = "  -> "
		}
		line, err := ed.Prompt(prompt)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, liner.ErrPromptAborted):
			entry = ""
			continue
		case err != nil:
			return err
		}
		if entry += line; !complete(entry) {
			entry += "\n"
			continue
		}
		text := strings.TrimSpace(entry)
		entry = ""
		if text != "" {
			ed.AppendHistory(strings.ReplaceAll(text, "\n", " "))
		}
		if enter(text) {
			return nil
		}
	}
}

func historyFile() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".sfsubmit_history")
}

// readHistory and writeHistory keep what was entered between shells; a home that cannot be read or written has none.
func readHistory(ed *liner.State, path string) {
	if f, err := os.Open(path); err == nil {
		_, _ = ed.ReadHistory(f)
		f.Close()
	}
}

func writeHistory(ed *liner.State, path string) {
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err == nil {
		_, _ = ed.WriteHistory(f)
		f.Close()
	}
}

// complete reports whether the text is whole: a shell command, or a statement with its semicolon.
func complete(text string) bool {
	t := strings.TrimSpace(text)
	if t == "" || strings.HasPrefix(t, `\`) || strings.EqualFold(t, "exit") || strings.EqualFold(t, "quit") {
		return true
	}
	if !strings.HasSuffix(t, ";") {
		return false
	}
	_, err := sql.Split(t)
	return err == nil
}

// enter carries out one entry; errors are shown and the shell goes on.
func enter(c *cli.Context, s *opened, text string) (leave bool) {
	switch strings.ToLower(strings.TrimSuffix(text, ";")) {
	case "":
		return false
	case `\q`, "exit", "quit":
		return true
	case `\help`, `\?`, "help":
		fmt.Println("\\q leave   \\d tables   \\df functions   \\queries streaming queries\nSELECT … FROM STREAM t runs live; Ctrl-C ends it.")
		return false
	case `\d`:
		text = "SHOW TABLES"
	case `\df`:
		text = "SHOW FUNCTIONS"
	case `\queries`:
		text = "SHOW QUERIES"
	}
	began := time.Now()
	if err := script(c, s, text, structured.RunOptions{}); err != nil {
		term.Exit(os.Stderr, err)
		return false
	}
	note("%.3f s", time.Since(began).Seconds())
	return false
}

// words that complete a statement besides the names of functions and tables.
var words = strings.Fields(`SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT JOIN LEFT RIGHT FULL INNER ON USING UNION ALL INSERT INTO VALUES CREATE TABLE
	VIEW TEMPORARY DROP SHOW TABLES FUNCTIONS QUERIES DESCRIBE EXPLAIN EXTENDED SET WITH AS AND OR NOT NULL CASE WHEN THEN ELSE END CAST
	INTERVAL TIMESTAMP STREAM WATERMARK FOR STREAMING QUERY STOP DISTINCT BETWEEN LIKE IN IS`)

// completions are the words, functions and tables that begin like the word before the cursor.
func completions(s *opened, line string, pos int) (head string, found []string, tail string) {
	start := strings.LastIndexAny(line[:pos], " \t,()") + 1
	head, tail = line[:start], line[pos:]
	list := append([]string{}, words...)
	for _, f := range expr.Functions() {
		list = append(list, f.Name+"(")
	}
	prefix := strings.ToLower(line[start:pos])
	for _, w := range append(list, tableNames(s)...) {
		if strings.HasPrefix(strings.ToLower(w), prefix) {
			found = append(found, w)
		}
	}
	return head, found, tail
}
