package physical

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
)

// TestCommonSubexpressions: what several expressions compute alike is computed once, below them; but not what some row may be
// spared, for want of which it could fail.
func TestCommonSubexpressions(t *testing.T) {
	c := tables{"t": countTable(t, "t", 20)}
	for _, q := range []struct {
		text   string
		common int
		first  string
	}{
		{"SELECT (k + 1) * (m + 2), (k + 1) * (m + 2) * 3 FROM t WHERE k = 4", 1, "30 90"},
		{"SELECT sum(k * (m + 1)), sum(k * (m + 1) * 2), max(m + 1) FROM t WHERE k < 3", 3, "8 16 3"},
		{"SELECT k + 1, m + 1 FROM t WHERE k = 4", 0, "5 5"},
		{"SELECT CASE WHEN k > 9 THEN 1 / (k - 4) END, CASE WHEN m > 9 THEN 1 / (k - 4) END FROM t WHERE k = 4", 0, "null null"},
		{"SELECT coalesce(k, 1 / (k - 4)), coalesce(m, 1 / (k - 4)) FROM t WHERE k = 4", 0, "4 4"},
		{"SELECT rand(1) = rand(1), k FROM t WHERE k = 4", 0, "true 4"},
	} {
		l, err := fromSQL(q.text, c)
		if err != nil {
			t.Fatal(q.text, ": ", err)
		}
		phys, err := Plan(context.Background(), l, Options{Parts: 1, ANSI: true})
		if err != nil {
			t.Fatal(q.text, ": ", err)
		}
		found := map[string]bool{}
		phys.Root.Walk(func(n *Node) {
			for _, a := range n.Output {
				if strings.HasPrefix(a.Name, "_common") {
					found[fmt.Sprint(a.ID)] = true
				}
			}
		})
		if len(found) != q.common {
			t.Errorf("%s: %d common expressions, want %d\n%s", q.text, len(found), q.common, phys.Format())
		}
		got, err := newRunner(t).run(phys.Lower(), phys.Binding())
		if err != nil {
			t.Fatal(q.text, ": ", err)
		}
		if rows := texts(got); len(rows) == 0 || strings.Join(strings.FieldsFunc(rows[0], func(r rune) bool { return r == '|' || r == ' ' || r == ',' }), " ") != q.first {
			t.Errorf("%s: %v, want %s", q.text, rows, q.first)
		}
	}
}

// windowType is the struct of a window in time.
var windowType = column.StructOf(column.Field{Name: "start", Type: column.Of(column.Timestamp), Nullable: true},
	column.Field{Name: "end", Type: column.Of(column.Timestamp), Nullable: true})
