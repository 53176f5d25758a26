package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/structured"
)

func whyCommand() *cli.Command {
	return &cli.Command{
		Name: "why", Usage: "where the time of a streaming query goes, and what it waits for", ArgsUsage: "QUERY", Flags: []cli.Flag{outputFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return term.Usage("why takes the name of a query")
			}
			if err := checkOutput(c.String("output")); err != nil {
				return err
			}
			statement := "EXPLAIN STREAMING QUERY " + sqlText(c.Args().First())
			if c.String("output") != "json" {
				return within(c, func(s *opened) error { return script(c, s, statement, structured.RunOptions{}) })
			}
			return within(c, func(s *opened) error { return printJSON(c, s, statement+" AS JSON") })
		},
	}
}

// sqlText is a string literal of SQL.
func sqlText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// printJSON prints the one cell of a statement's answer, which is JSON.
func printJSON(c *cli.Context, s *opened, statement string) error {
	text, err := cell(c, s, statement)
	if err == nil {
		_, err = fmt.Fprintln(os.Stdout, text)
	}
	return err
}

// cell is the one cell of a statement's answer.
func cell(c *cli.Context, s *opened, statement string) (string, error) {
	rows, err := s.Run(c.Context, statement, structured.RunOptions{}, structured.ExecOptions{})
	if err != nil {
		return "", err
	}
	defer rows.Close()
	b, err := rows.Next(c.Context)
	if err == io.EOF || err == nil && b.N == 0 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprint(column.Value(b.Cols[0], 0)), nil
}
