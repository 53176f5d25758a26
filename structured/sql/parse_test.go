package sql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// TestScripts runs testdata/scripts: each case is a text and what it parses to, or the error as a person sees it.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "parse":
				params := Params{Positional: []expr.Expr{expr.Lit(7), expr.Lit("x")}, Named: map[string]expr.Expr{"limit": expr.Lit(5)}}
				plan, err := ParseWith(d.Input, params)
				if err != nil {
					return detail(err)
				}
				return logical.Format(plan)
			case "expr":
				return eachLine(d.Input, func(line string) (fmt.Stringer, error) { return ParseExpr(line) })
			case "type":
				return eachLine(d.Input, func(line string) (fmt.Stringer, error) { return ParseType(line) })
			case "split":
				list, err := Split(d.Input)
				if err != nil {
					return detail(err)
				}
				var b strings.Builder
				for _, s := range list {
					fmt.Fprintf(&b, "%d:%d %q\n", s.Line, s.Col, s.Text)
				}
				return b.String()
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func eachLine(input string, parse func(string) (fmt.Stringer, error)) string {
	var b strings.Builder
	for _, line := range strings.Split(input, "\n") {
		v, err := parse(line)
		if err != nil {
			fmt.Fprintln(&b, detail(err))
			continue
		}
		fmt.Fprintln(&b, v.String())
	}
	return b.String()
}

func detail(err error) string {
	u, ok := usererr.As(err)
	if !ok {
		return "NOT A USER ERROR: " + err.Error() + "\n"
	}
	return u.Detail() + "\n"
}
