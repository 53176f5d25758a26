package optimize

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/cost"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/sql"
	"github.com/streamflow/streamflow/structured/stats"
)

// countedTable is a table of which something is known.
type countedTable struct {
	testTable
	stats *stats.Table
}

func (t *countedTable) Statistics() *stats.Table { return t.stats }

// tpchEnv has TPC-H's tables with what their Parquet files say of themselves at scale factor 1.
func tpchEnv(t *testing.T) Env {
	t.Helper()
	text, err := os.ReadFile("testdata/tpch-sf1.json")
	if err != nil {
		t.Fatal(err)
	}
	var tables map[string]struct {
		Columns string       `json:"columns"`
		Stats   *stats.Table `json:"stats"`
	}
	if err := json.Unmarshal(text, &tables); err != nil {
		t.Fatal(err)
	}
	c := catalog.NewMemory(nil)
	for name, tab := range tables {
		c.AddTable(&countedTable{testTable{name, "parquet", ddl(tab.Columns), 0, nil}, tab.Stats})
	}
	return Env{Catalog: c, Views: catalog.NewViews()}
}

// TestTPCHPlans holds the plans of TPC-H's queries with their estimates, and of queries over its tables.
func TestTPCHPlans(t *testing.T) {
	env := tpchEnv(t)
	datadriven.RunTest(t, "testdata/tpch", func(t *testing.T, d *datadriven.TestData) string {
		text := d.Input
		if d.Cmd == "query" {
			q, err := os.ReadFile("../../testdata/tpch/queries/" + strings.TrimSpace(d.Input) + ".sql")
			if err != nil {
				t.Fatal(err)
			}
			text = strings.ReplaceAll(string(q), "{fraction}", "0.0001")
		}
		plan, err := sql.Parse(text)
		if err != nil {
			return detail(err)
		}
		analysed, err := Analyze(context.Background(), plan, env)
		if err != nil {
			return detail(err)
		}
		optimised := Optimize(analysed)
		if !logical.AllResolved(optimised) {
			t.Errorf("%s: the plan is not resolved:\n%s", d.Pos, logical.Format(optimised))
		}
		return renumber(cost.Format(optimised))
	})
}
