package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/reeflective/readline"
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
		sh := readline.NewShell()
		sh.Prompt.Primary(func() string { return "sql> " })
		sh.Prompt.Secondary(func() string { return "  -> " })
		sh.AcceptMultiline = func(line []rune) bool { return complete(string(line)) }
		sh.Completer = func(line []rune, cursor int) readline.Completions { return completions(s, string(line[:cursor])) }
		if home, err := os.UserHomeDir(); err == nil {
			sh.History.AddFromFile("history", filepath.Join(home, ".sfsubmit_history"))
		}
		for {
			text, err := sh.Readline()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if errors.Is(err, readline.ErrInterrupt) {
				continue
			}
			if err != nil {
				return err
			}
			if leave := enter(c, s, strings.TrimSpace(text)); leave {
				return nil
			}
		}
	})
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

func completions(s *opened, line string) readline.Completions {
	list := append([]string{}, words...)
	for _, f := range expr.Functions() {
		list = append(list, f.Name+"(")
	}
	return readline.CompleteValues(append(list, tableNames(s)...)...).NoSpace()
}
