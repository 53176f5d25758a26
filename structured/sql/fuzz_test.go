package sql

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// FuzzParse holds the parser to its promises for any text: it never panics, every mistake is a user error whose position
// lies in the text, and what parses can be printed.
func FuzzParse(f *testing.F) {
	for _, c := range corpus(f) {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, src string) {
		checkPlace(t, src, func() error {
			plan, err := Parse(src)
			if err == nil {
				logical.Format(plan)
			}
			return err
		})
		checkPlace(t, src, func() error { _, err := ParseExpr(src); return err })
		checkPlace(t, src, func() error { _, err := ParseType(src); return err })
		checkPlace(t, src, func() error { _, err := Split(src); return err })
	})
}

func checkPlace(t *testing.T, src string, parse func() error) {
	err := parse()
	if err == nil {
		return
	}
	u, ok := usererr.As(err)
	if !ok {
		t.Fatalf("not a user error: %v", err)
	}
	if u.Text != src {
		t.Fatalf("error without its text: %v", u)
	}
	lines := strings.Split(src, "\n")
	if u.Line < 1 || u.Line > len(lines) {
		t.Fatalf("line %d of %d: %v", u.Line, len(lines), u)
	}
	if n := len([]rune(lines[u.Line-1])); u.Col < 1 || u.Col > n+1 {
		t.Fatalf("column %d of %d: %v", u.Col, n, u)
	}
	u.Detail()
}

// corpus is the input of every case in testdata.
func corpus(t testing.TB) []string {
	files, err := filepath.Glob("testdata/scripts/*")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range strings.Split(string(data), "\nparse\n") {
			in, _, _ := strings.Cut(c, "\n----")
			all = append(all, in)
		}
	}
	return all
}

// TestPrefixes feeds every prefix of every statement in testdata to the parser, as typing does.
func TestPrefixes(t *testing.T) {
	for _, c := range corpus(t) {
		for i := range c {
			checkPlace(t, c[:i], func() error { _, err := Parse(c[:i]); return err })
		}
	}
}

func TestDeepNesting(t *testing.T) {
	for _, src := range []string{"SELECT " + strings.Repeat("(", 100000), "SELECT " + strings.Repeat("NOT ", 100000),
		"SELECT " + strings.Repeat("- ", 100000) + "1", strings.Repeat("(", 5000) + "SELECT 1", "SELECT CAST(a AS " + strings.Repeat("array<", 5000)} {
		_, err := Parse(src)
		if u, ok := usererr.As(err); !ok || u.Code != "PARSE_TOO_DEEP" && u.Code != "PARSE_SYNTAX_ERROR" {
			t.Errorf("%.30s…: %v", src, err)
		}
	}
	wide := "SELECT 1" + strings.Repeat(" + 1", 5000)
	if _, err := Parse(wide); err != nil {
		t.Errorf("a long chain is not deep: %v", err)
	}
}

func BenchmarkParse(b *testing.B) {
	const q = `SELECT window(ts, '10 minutes').start AS w, carrier, avg(delay) FILTER (WHERE delay > 0) AS d, count(*) AS n
FROM flights f JOIN airports a ON f.origin = a.iata WHERE delay BETWEEN 1 AND 600 AND carrier IN ('AA', 'UA', 'DL')
GROUP BY 1, carrier HAVING count(*) > 3 ORDER BY w LIMIT 10`
	b.SetBytes(int64(len(q)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(q); err != nil {
			b.Fatal(err)
		}
	}
}
