package physical

import (
	"context"
	"strings"
	"testing"
)

// TestReuse: what a query writes twice is made once, unless it may differ.
func TestReuse(t *testing.T) {
	c := tables{"t": countTable(t, "t", 10_000)}
	for _, q := range []struct {
		text   string
		shared bool
		rows   int
	}{
		{"WITH v AS (SELECT m, sum(k) AS s FROM t GROUP BY m) SELECT * FROM v WHERE s = (SELECT max(s) FROM v)", true, 1},
		{"SELECT * FROM (SELECT m, sum(k) AS s FROM t GROUP BY m) a, (SELECT m, sum(k) AS s FROM t GROUP BY m) b WHERE a.m = b.m", true, 10},
		{"SELECT * FROM (SELECT m, sum(k) AS s FROM t GROUP BY m) a, (SELECT m, sum(k + 1) AS s FROM t GROUP BY m) b WHERE a.m = b.m", false, 10},
		{"SELECT * FROM (SELECT m, sum(rand()) AS s FROM t GROUP BY m) a, (SELECT m, sum(rand()) AS s FROM t GROUP BY m) b WHERE a.m = b.m", false, 10},
	} {
		l, err := fromSQL(q.text, c)
		if err != nil {
			t.Fatal(err)
		}
		phys, err := Plan(context.Background(), l, Options{Parts: 2, ANSI: true})
		if err != nil {
			t.Fatal(err)
		}
		text := phys.Format()
		if got := strings.Contains(text, "made once"); got != q.shared {
			t.Errorf("%s: shared %t, want %t\n%s", q.text, got, q.shared, text)
		}
		if want := 2 - strings.Count(text, "made once"); len(phys.Sources) != want {
			t.Errorf("%s: %d scans, want %d", q.text, len(phys.Sources), want)
		}
		r := newRunner(t)
		got, err := r.run(phys.Lower(), phys.Binding())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(texts(got)); n != q.rows {
			t.Errorf("%s: %d rows, want %d", q.text, n, q.rows)
		}
	}
}
