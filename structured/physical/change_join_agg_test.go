package physical

import "testing"

// TestJoinsOfAggregates: groups that change, joined with each other and with rows.
func TestJoinsOfAggregates(t *testing.T) {
	l, r := "(SELECT k, count(*) AS n, max(v) AS m FROM STREAM l GROUP BY k)", "(SELECT k, count(*) AS n, min(v) AS m FROM STREAM r GROUP BY k)"
	for _, text := range []string{
		"SELECT a.k, a.n, b.n AS bn, b.m FROM " + l + " AS a FULL JOIN " + r + " AS b ON a.k = b.k AND a.n < b.n + 3",
		"SELECT a.k, a.m, b.v FROM " + l + " AS a JOIN STREAM r AS b ON a.k = b.k AND a.m > b.v",
		"SELECT a.k, a.v FROM STREAM l AS a LEFT ANTI JOIN " + r + " AS b ON a.k = b.k AND b.m < a.v",
		"SELECT b.k, sum(a.n) AS n, max(b.m) AS m FROM " + l + " AS a JOIN " + r + " AS b ON a.k = b.k OR a.n = b.n GROUP BY b.k",
	} {
		if rows := metamorphic(t, text, twoStreams(t, 60, 3)); len(rows) < 4 {
			t.Errorf("%s: only %d rows", text, len(rows))
		}
	}
}
