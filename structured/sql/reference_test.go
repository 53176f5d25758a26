package sql_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/expr"
	_ "github.com/streamflow/streamflow/expr/exprlang" // adds a function
	"github.com/streamflow/streamflow/structured/sql"
)

var update = flag.Bool("update", false, "rewrite docs/sql.md")

const reference = "../../docs/sql.md"

// TestReference keeps docs/sql.md equal to the tables of statements and functions: go test ./structured/sql -run TestReference -update
func TestReference(t *testing.T) {
	want := page()
	if *update {
		if err := os.WriteFile(reference, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the tables say; run: go test ./structured/sql -run TestReference -update", reference)
	}
}

// TestStatementExamples parses the example of every statement of the reference.
func TestStatementExamples(t *testing.T) {
	for _, s := range sql.Statements {
		if _, err := sql.Parse(s.Example); err != nil {
			t.Errorf("%s: %v", s.Example, err)
		}
	}
}

// TestStatementsAreComplete finds the words that begin a statement and stand nowhere in the reference.
func TestStatementsAreComplete(t *testing.T) {
	var all strings.Builder
	for _, s := range sql.Statements {
		all.WriteString(" " + s.Syntax)
	}
	for _, w := range sql.StatementWords() {
		if w != "DESC" && !strings.Contains(all.String(), " "+w+" ") {
			t.Errorf("%s begins a statement that the reference does not have", w)
		}
	}
}

var chapters = []struct{ group, title string }{
	{"operators", "Operators"}, {"conditional", "Conditions"}, {"math", "Mathematics"}, {"bitwise", "Bits"}, {"string", "Strings"}, {"date and time", "Date and time"}, {"window", "Event-time windows"},
	{"collection", "Arrays, maps and structs"}, {"json", "JSON"}, {"variant", "Variants"}, {"csv", "CSV"}, {"hash", "Hashes and ciphers"}, {"conversion", "Conversions by name"}, {"misc", "Miscellaneous"}, {"generator", "Table-generating functions"}, {"aggregate", "Aggregates"}, {"window function", "Window functions (before `OVER`)"},
}

func page() []byte {
	var b bytes.Buffer
	list := expr.Functions()
	names := 0
	for _, f := range list {
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			if n[0] >= 'a' && n[0] <= 'z' {
				names++
			}
		}
	}
	fmt.Fprintf(&b, "# SQL reference\n\nThe dialect is Spark's under ANSI rules; [guide/sql.md](guide/sql.md) shows it at work. There are %d functions and operators, under %d names.\n\n", len(list), names)
	b.WriteString("This page is made from the tables of statements and functions: `go test ./structured/sql -run TestReference -update`. Every example is a test.\n\n# Statements\n")
	chapter := ""
	for _, s := range sql.Statements {
		if s.Chapter != chapter {
			chapter = s.Chapter
			fmt.Fprintf(&b, "\n## %s\n\n| statement | what it does | example |\n|---|---|---|\n", chapter)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", code(s.Syntax), s.Doc, code(s.Example))
	}
	b.WriteString("\n# Functions\n\nOverflow, division by zero and bad casts are errors, which the `try_` forms turn into nulls. Aggregates take `DISTINCT` and `FILTER (WHERE …)`,\nand most of them `OVER (…)`.\n")
	for _, c := range chapters {
		fmt.Fprintf(&b, "\n## %s\n\n| function | what it does | example |\n|---|---|---|\n", c.title)
		for _, f := range list {
			if f.Group == c.group {
				row(&b, f)
			}
		}
	}
	return b.Bytes()
}

func row(b *bytes.Buffer, f *expr.Function) {
	doc := f.Doc
	var others []string
	for _, a := range f.Aliases {
		if !strings.Contains(a, " ") {
			others = append(others, code(a))
		}
	}
	if len(others) > 0 {
		doc += " Also " + strings.Join(others, ", ") + "."
	}
	example, result, _ := strings.Cut(f.Example, " -> ")
	fmt.Fprintf(b, "| %s | %s | %s → %s |\n", code(f.Usage), strings.ReplaceAll(doc, "|", "\\|"), code(example), code(result))
}

// code is text between backquotes that a table cell does not break; text with backquotes of its own gets two.
func code(s string) string {
	s = strings.ReplaceAll(s, "|", "\\|")
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}

// TestChapters sees that no function is left out of the page.
func TestChapters(t *testing.T) {
	known := map[string]bool{}
	for _, c := range chapters {
		known[c.group] = true
	}
	for _, f := range expr.Functions() {
		if !known[f.Group] {
			t.Errorf("%s is in chapter %q, which the page does not have", f.Name, f.Group)
		}
	}
}
