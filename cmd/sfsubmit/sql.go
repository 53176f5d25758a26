package main

import (
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/sql"
)

func outputFlag() cli.Flag {
	return &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "table", Usage: "table, json (one object for each row) or csv"}
}

func sqlCommand() *cli.Command {
	return &cli.Command{
		Name: "sql", Usage: "run SQL statements and print their rows",
		Flags: append(wasmFlags(), outputFlag(),
			&cli.StringFlag{Name: "execute", Aliases: []string{"e"}, Usage: "the `SQL`"},
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "a `FILE` of SQL; - for standard input"},
			&cli.BoolFlag{Name: "live", Usage: "run queries over what arrives from now on"}),
		Action: func(c *cli.Context) error {
			if c.String("wasm") != "" && c.NArg() == 0 && c.String("execute") == "" && c.String("file") == "" {
				return within(c, func(s *opened) error { return createModule(c, s) })
			}
			src, err := source(c)
			if err != nil {
				return err
			}
			if err := checkOutput(c.String("output")); err != nil {
				return err
			}
			return within(c, func(s *opened) error {
				if err := createModule(c, s); err != nil {
					return err
				}
				return script(c, s, src, structured.RunOptions{Live: c.Bool("live")})
			})
		},
	}
}

// source is the SQL that the flags give.
func source(c *cli.Context) (string, error) {
	text, file := c.String("execute"), c.String("file")
	switch {
	case c.NArg() > 0:
		return "", term.Usage("unexpected argument %q; give SQL with -e or a file with -f", c.Args().First())
	case text != "" && file != "":
		return "", term.Usage("-e and -f exclude each other")
	case text != "":
		return text, nil
	case file == "-" || file == "" && !term.IsTerminal(os.Stdin):
		b, err := io.ReadAll(os.Stdin)
		return string(b), err
	case file == "":
		return "", term.Usage("give SQL with -e or a file with -f")
	}
	return readFile(file)
}

func readFile(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", usererr.New("FILE_NOT_READABLE", "58030", "%v.", err)
	}
	return string(b), nil
}

// script runs the statements of a text one after the other; each prints its rows.
func script(c *cli.Context, s *opened, text string, o structured.RunOptions) error {
	stmts, err := sql.Split(text)
	if err != nil {
		return err
	}
	if len(stmts) == 0 {
		return usererr.New("PARSE_EMPTY_STATEMENT", "42617", "There is no statement.")
	}
	for _, st := range stmts {
		rows, err := execute(c, s, st.Text, o)
		if err == nil {
			err = print(c.Context, rows, c.String("output"))
			clearProgress()
		}
		if err != nil {
			return inScript(err, st)
		}
		if n := rows.Counters()["rows.dead"]; n > 0 && !o.Live {
			note("%d rows could not be read or computed and are left out; sfsubmit run keeps them in a topic", n)
		}
	}
	return nil
}

// execute starts one statement: live as a stream, else as a plain query, which sees every row.
func execute(c *cli.Context, s *opened, text string, o structured.RunOptions) (structured.Rows, error) {
	opts := structured.ExecOptions{Progress: progress(c)}
	if o.Live {
		return s.Run(c.Context, text, o, opts)
	}
	return s.Backend().Execute(c.Context, &logical.SQLText{Text: text}, opts)
}

// inScript moves an error's position from the statement to the script.
func inScript(err error, st sql.Statement) error {
	u, ok := usererr.As(err)
	if ok && u.Line > 0 && st.Line > 1 && u.Text != "" {
		u.Text = strings.Repeat("\n", st.Line-1) + u.Text
		u.Line += st.Line - 1
	}
	return err
}
