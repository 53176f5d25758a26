package physical

import (
	"context"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/connector/memory"
)

// countTable is a table of the numbers from 0 to n-1 in two partitions, k, and k modulo 10, m.
func countTable(t testing.TB, name string, n int) *memory.Table {
	t.Helper()
	schema := mustDDL(t, "k BIGINT, m BIGINT")
	table := memory.New(name, schema, 2)
	for from := 0; from < n; from += column.BatchRows {
		b := column.NewBatchBuilder(schema)
		for i := from; i < min(from+column.BatchRows, n); i++ {
			if err := b.AppendRow(int64(i), int64(i%10)); err != nil {
				t.Fatal(err)
			}
		}
		if err := table.Append(from/column.BatchRows%2, b.Finish()); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

// TestKeyFiltersDropRows: rows without a partner go where they come from, in the join's own task and in that of another stage,
// through aggregates and other joins; and none goes where it would be missed.
func TestKeyFiltersDropRows(t *testing.T) {
	c := tables{"big": countTable(t, "big", 60_000), "few": countTable(t, "few", 100), "other": countTable(t, "other", 60_000)}
	for _, q := range []struct {
		name, text string
		conf       string
		left       int64 // rows that filters by keys leave, -1 when there are no such filters
	}{
		{"broadcast", "SELECT * FROM big JOIN few ON big.k = few.k WHERE few.m = 3", "", 10},
		{"both cut", "SELECT * FROM big JOIN few ON big.k = few.k WHERE few.m = 3", "-1", 10},
		{"semi", "SELECT * FROM few WHERE m = 3 AND EXISTS (SELECT 1 FROM big WHERE big.k = few.k)", "-1", 10},
		{"anti", "SELECT * FROM few WHERE m = 3 AND NOT EXISTS (SELECT 1 FROM big WHERE big.k = few.k)", "-1", 10},
		{"below an aggregate", "SELECT * FROM few JOIN (SELECT k, count(*) AS n FROM big GROUP BY k) b ON b.k = few.k WHERE few.m = 3", "", 10},
		{"below a join", "SELECT * FROM (SELECT big.k FROM big JOIN other ON big.k = other.k) b JOIN few ON b.k = few.k WHERE few.m = 3", "", -2},
		{"all keys", "SELECT * FROM big JOIN few ON big.k = few.k", "", -1},
		{"a side that is kept", "SELECT * FROM big LEFT JOIN few ON big.k = few.k AND few.m = 3", "", -1},
		{"anti, kept", "SELECT * FROM big WHERE NOT EXISTS (SELECT 1 FROM few WHERE few.k = big.k AND few.m = 3)", "", -1},
	} {
		l, err := fromSQL(q.text, c)
		if err != nil {
			t.Fatal(q.name, ": ", err)
		}
		phys, err := Plan(context.Background(), l, Options{Parts: 2, ANSI: true, Conf: map[string]string{BroadcastThreshold: q.conf}})
		if err != nil {
			t.Fatal(q.name, ": ", err)
		}
		r := newRunner(t)
		if _, err := r.run(phys.Lower(), phys.Binding()); err != nil {
			t.Fatal(q.name, ": ", err)
		}
		left := int64(-1)
		phys.Root.Walk(func(n *Node) {
			if f, ok := n.Op.(*Filter); ok && len(f.Keys) > 0 {
				left = max(left, 0) + r.counters[n.ID+" "+RowsOut]
			}
		})
		if q.left == -2 && left > 0 && left < 1000 {
			continue // how many filters there are is the plan's matter
		}
		if left != q.left {
			t.Errorf("%s: filters by keys leave %d rows, want %d:\n%s", q.name, left, q.left, phys.Format())
		}
	}
}

// TestKeyFilterGivesUp: a filter that excludes next to nothing is not looked at any more.
func TestKeyFilterGivesUp(t *testing.T) {
	all := countTable(t, "all", 1000)
	b, err := all.Rows()
	if err != nil {
		t.Fatal(err)
	}
	k := keyTest{tests: []oneKey{{filter: column.NewKeyFilter(b.Cols[0])}}}
	sel := column.AllRows(nil, b.N)
	for range enoughSeen/b.N + 1 {
		if sel = k.narrow(b, sel); len(sel) != b.N {
			t.Fatalf("%d of %d rows", len(sel), b.N)
		}
	}
	if len(k.tests) > 0 {
		t.Error("the filter is still asked")
	}
}

// TestKeyFilterOfManyTasks: what a task has not told may be anything.
func TestKeyFilterOfManyTasks(t *testing.T) {
	c := tables{"big": countTable(t, "big", 60_000), "few": countTable(t, "few", 100)}
	l, err := fromSQL("SELECT * FROM few WHERE m = 3 AND EXISTS (SELECT 1 FROM big WHERE big.k = few.k)", c)
	if err != nil {
		t.Fatal(err)
	}
	phys, err := Plan(context.Background(), l, Options{Parts: 2, ANSI: true, Conf: map[string]string{BroadcastThreshold: "-1"}})
	if err != nil {
		t.Fatal(err)
	}
	if text := phys.Format(); !strings.Contains(text, "KeyFilterBuild-1 k1 of k (2 partitions") {
		t.Fatal(text)
	}
	phys.Root.Walk(func(n *Node) {
		if in, ok := n.Op.(*KeyFilterInput); ok {
			in.Parts++ // one that never comes
		}
	})
	r := newRunner(t)
	got, err := r.run(phys.Lower(), phys.Binding())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(texts(got)); n != 10 {
		t.Errorf("%d rows, want 10", n)
	}
	phys.Root.Walk(func(n *Node) {
		if f, ok := n.Op.(*Filter); ok && len(f.Keys) > 0 {
			if left := r.counters[n.ID+" "+RowsOut]; left != 60_000 {
				t.Errorf("%d rows are left, want all 60000", left)
			}
		}
	})
}
