package connect

import (
	"context"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
)

// aTable is a table of the catalog with the columns that the plans of these tests name.
type aTable struct {
	name   string
	schema *column.Schema
}

func (t aTable) Name() string               { return t.name }
func (t aTable) Schema() *column.Schema     { return t.schema }
func (t aTable) Hidden() int                { return 0 }
func (t aTable) Provider() string           { return "memory" }
func (t aTable) Options() map[string]string { return nil }

// Every relation that is decoded is one that the analyser resolves: a node that it does not know would be found by users.
func TestDecodedPlansResolve(t *testing.T) {
	schema, err := column.ParseDDL("a INT, b INT, c INT, d INT, x INT, y INT, id INT, k STRING, n INT, ok BOOLEAN, m MAP<STRING, BOOLEAN>, xs ARRAY<INT>, ts TIMESTAMP")
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.NewMemory(catalog.NewProviders())
	cat.AddTable(aTable{"t", schema})
	cat.AddTable(aTable{"u", schema})
	env := optimize.Env{Catalog: cat, Views: catalog.NewViews()}
	names := map[string]string{"table": "names no table", "source": "needs a file", "to df": "names two columns of many",
		"parse": "needs one column", "parse json": "needs one column", "transpose": "reads rows", "turned": "reads rows", "crosstab": "reads rows",
		"fields": "names a column that is no struct", "named args": "names no function"}
	for name, p := range every(t) {
		if names[name] != "" {
			continue
		}
		r, err := planToProto(p)
		if err != nil {
			t.Fatal(err)
		}
		read, err := (&decoder{}).plan(r)
		if err != nil {
			t.Fatal(err)
		}
		resolved, err := optimize.Analyze(context.Background(), read, env)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !logical.AllResolved(resolved) || len(resolved.Output()) == 0 {
			t.Errorf("%s is not resolved:\n%s", name, logical.Format(resolved))
		}
	}
}
