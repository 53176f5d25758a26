package physical

import (
	"testing"
)

// TestStreamSubqueries: subqueries of a streaming query, over tables that do not grow and over streams, are joins.
func TestStreamSubqueries(t *testing.T) {
	for _, text := range []string{
		"SELECT k, v FROM STREAM l WHERE k IN (SELECT k FROM small WHERE v > 30)",
		"SELECT k, v FROM STREAM l WHERE k NOT IN (SELECT k FROM small WHERE v > 60 AND k IS NOT NULL)",
		"SELECT k, v FROM STREAM l WHERE EXISTS (SELECT 1 FROM small WHERE small.k = l.k AND small.v < l.v)",
		"SELECT k, v FROM STREAM l WHERE NOT EXISTS (SELECT 1 FROM small WHERE small.k = l.k AND small.v < l.v)",
		"SELECT k, v, (SELECT max(v) FROM small) AS m FROM STREAM l",
		"SELECT k, v FROM STREAM l WHERE v > (SELECT avg(v) FROM small)",
		"SELECT k, v, (SELECT count(*) FROM small WHERE small.k = l.k) AS n FROM STREAM l",
		"SELECT k, v FROM STREAM l WHERE v IN (SELECT v FROM STREAM r)",
		"SELECT k, v FROM STREAM l WHERE NOT EXISTS (SELECT 1 FROM STREAM r WHERE r.k = l.k AND r.v > l.v + 60)",
	} {
		in := twoStreams(t, 60, 3)
		in["small"] = timedRows(t, 12, 77, 1)
		t.Run(text, func(t *testing.T) {
			if rows := metamorphic(t, text, in); len(rows) < 2 {
				t.Errorf("%s: only %d rows", text, len(rows))
			}
		})
	}
}
