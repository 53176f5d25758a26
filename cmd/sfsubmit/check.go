package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/sql"
)

// checkSQL prints what a file's streaming queries would be. Of the other statements only those that set the stage in the
// session are carried out; tables that are not there are not made.
func checkSQL(c *cli.Context, s *opened, path, text string, o structured.RunOptions) error {
	stmts, err := sql.Split(text)
	if err != nil {
		return inFile(err, path)
	}
	for i, st := range stmts {
		statement, opts := st.Text, structured.RunOptions{}
		switch last := i == len(stmts)-1; {
		case begins(statement, "CREATE STREAMING QUERY"), begins(statement, "CREATE OR REPLACE STREAMING QUERY"):
			statement = "EXPLAIN CHECK " + statement
		case last && (begins(statement, "SELECT") || begins(statement, "WITH") || begins(statement, "INSERT") || begins(statement, "FROM")):
			statement, opts.Live, opts.Name = "EXPLAIN CHECK "+statement, true, o.Name
		case begins(statement, "SET"), begins(statement, "USE"), begins(statement, "CREATE TEMPORARY VIEW"), begins(statement, "CREATE OR REPLACE TEMPORARY VIEW"):
		default:
			note("not carried out: %s", firstLine(statement))
			continue
		}
		rows, err := s.Run(c.Context, statement, opts, structured.ExecOptions{})
		if err == nil {
			err = print(c.Context, rows, c.String("output"))
		}
		if err != nil {
			return inFile(inScript(err, st), path)
		}
	}
	return nil
}

// begins reports whether a statement begins with words.
func begins(statement, words string) bool {
	have := strings.Fields(statement)
	want := strings.Fields(words)
	if len(have) < len(want) {
		return false
	}
	for i, w := range want {
		if !strings.EqualFold(have[i], w) {
			return false
		}
	}
	return true
}

func firstLine(s string) string {
	line, rest, more := strings.Cut(strings.TrimSpace(s), "\n")
	if more && strings.TrimSpace(rest) != "" {
		line += " …"
	}
	return line
}
