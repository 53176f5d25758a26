package physical

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
	"github.com/streamflow/streamflow/structured/sql"
)

// tables is a catalog of tables in memory.
type tables map[string]*memory.Table

func (c tables) Table(_ context.Context, name string) (logical.Table, bool, error) {
	t, ok := c[strings.ToLower(name)]
	if !ok {
		return nil, false, nil
	}
	return t, true, nil
}
func (tables) View(string) (string, bool)                             { return "", false }
func (tables) CreateTable(context.Context, catalog.TableDef) error    { return nil }
func (tables) CreateView(context.Context, string, string, bool) error { return nil }
func (tables) Drop(context.Context, string, bool) error               { return nil }
func (c tables) List(context.Context) ([]catalog.Entry, error) {
	var out []catalog.Entry
	for n := range c {
		out = append(out, catalog.Entry{Name: n, Kind: "table", Provider: "memory"})
	}
	return out, nil
}

// fromSQL parses, analyses and optimises a query.
func fromSQL(text string, c catalog.Catalog) (logical.Plan, error) {
	p, err := sql.Parse(text)
	if err != nil {
		return nil, err
	}
	p, err = optimize.Analyze(context.Background(), p, optimize.Env{Catalog: c, Text: text})
	if err != nil {
		return nil, err
	}
	return optimize.Optimize(p), nil
}

// TestSQL runs queries from text to rows, in one and in several partitions, with and without broadcasts. The first line
// of the output are the columns; rows are sorted unless the query orders them.
func TestSQL(t *testing.T) {
	c := tables{}
	datadriven.Walk(t, "testdata/sql", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "table":
				return makeTable(t, c, d)
			case "plan":
				l, err := fromSQL(d.Input, c)
				if err != nil {
					return err.Error() + "\n"
				}
				phys, err := Plan(context.Background(), l, Options{Parts: 2, ANSI: true})
				if err != nil {
					return err.Error() + "\n"
				}
				return phys.Format()
			}
			first := ""
			for _, parts := range []int{1, 3} {
				for _, limit := range []string{"-1", "10485760"} {
					got := runSQL(t, c, d.Input, Options{Parts: parts, ANSI: true, Conf: map[string]string{BroadcastThreshold: limit}})
					if first == "" {
						first = got
					}
					if got != first {
						t.Errorf("%s: %s\nwith %d partitions, broadcast limit %s:\n%s\nbefore:\n%s", d.Pos, d.Input, parts, limit, got, first)
					}
				}
			}
			return first
		})
	})
}

func runSQL(t *testing.T, c catalog.Catalog, text string, opt Options) string {
	t.Helper()
	return runSQLWith(t, newRunner(t), c, text, opt)
}

func runSQLWith(t *testing.T, r *runner, c catalog.Catalog, text string, opt Options) string {
	t.Helper()
	l, err := fromSQL(text, c)
	if err != nil {
		return err.Error() + "\n"
	}
	phys, err := Plan(context.Background(), l, opt)
	if err != nil {
		return err.Error() + "\n"
	}
	got, err := r.run(phys.Lower(), phys.Binding())
	if err != nil {
		return err.Error() + "\n"
	}
	rows := texts(got)
	if !strings.Contains(strings.ToLower(text), "order by") {
		sort.Strings(rows)
	}
	names := make([]string, len(phys.Output))
	for i, a := range phys.Output {
		names[i] = a.Name + ":" + a.Typ.String()
	}
	return strings.Join(append([]string{strings.Join(names, " ")}, rows...), "\n") + "\n"
}

// makeTable reads "table name=t": a line of DDL, then rows of SQL expressions separated by commas.
func makeTable(t *testing.T, c tables, d *datadriven.TestData) string {
	t.Helper()
	var name string
	d.ScanArgs(t, "name", &name)
	ddl, rest, _ := strings.Cut(d.Input, "\n")
	schema := mustDDL(t, ddl)
	table := memory.New(name, schema, 2)
	for i, line := range strings.Split(rest, "\n") {
		if line == "" {
			continue
		}
		l, err := fromSQL("select "+line, c)
		if err != nil {
			t.Fatal(err)
		}
		list := l.Output()
		conv := &logical.Project{Child: l}
		for k, f := range schema.Fields {
			conv.List = append(conv.List, &expr.Alias{Child: &expr.Cast{Child: list[k], To: f.Type}, Name: f.Name, ID: expr.NewID()})
		}
		for _, b := range runPlan(t, conv, Options{}, nil) {
			if err := table.Append(i%2, &column.Batch{Schema: schema, N: b.N, Cols: b.Cols}); err != nil {
				t.Fatal(err)
			}
		}
	}
	c[name] = table
	return fmt.Sprintf("%d columns\n", schema.Len())
}
