package expr_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/expr"
	_ "github.com/streamflow/streamflow/expr/exprlang" // adds a function
)

var update = flag.Bool("update", false, "rewrite docs/sql-functions.md")

const docs = "../docs/sql-functions.md"

// TestDocs keeps the page of functions equal to the table: go test ./expr -run TestDocs -update
func TestDocs(t *testing.T) {
	want := page()
	if *update {
		if err := os.MkdirAll("../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(docs, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the function table says; run: go test ./expr -run TestDocs -update", docs)
	}
}

var chapters = []struct{ group, title string }{
	{"operators", "Operators"}, {"conditional", "Conditions"}, {"math", "Mathematics"}, {"bitwise", "Bits"}, {"string", "Strings"}, {"date and time", "Date and time"}, {"window", "Event-time windows"},
	{"collection", "Arrays, maps and structs"}, {"json", "JSON"}, {"hash", "Hashes"}, {"conversion", "Conversions by name"}, {"misc", "Miscellaneous"}, {"generator", "Table-generating functions"}, {"aggregate", "Aggregates"}, {"window function", "Window functions (before `OVER`)"},
}

func page() []byte {
	var b bytes.Buffer
	list := expr.Functions()
	fmt.Fprintf(&b, "# SQL functions\n\nStreamFlow has %d functions and operators (aliases not counted). They follow Spark's ANSI rules: overflow, division by zero and\nbad casts are errors, which the `try_` forms turn into nulls. Aggregates take `DISTINCT` and `FILTER (WHERE …)`.\n\n", len(list))
	b.WriteString("This page is made from the function table: `go test ./expr -run TestDocs -update`. Every example is a test.\n")
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

// code is text between backquotes that a table cell does not break.
func code(s string) string { return "`" + strings.ReplaceAll(s, "|", "\\|") + "`" }

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
