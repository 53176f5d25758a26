package streamflow

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// dataFiles are the Parquet files under a directory with the times of their last change.
func dataFiles(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		info, err := d.Info()
		if err == nil {
			out[path] = info.ModTime().UnixNano()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestStatementsTouchFewFiles: UPDATE, DELETE and MERGE write those files anew that have rows to change, and no others.
func TestStatementsTouchFewFiles(t *testing.T) {
	s := local(t)
	dir := filepath.Join(t.TempDir(), "t")
	query(t, s.Session, "CREATE TABLE t (id BIGINT, v STRING, day STRING) USING parquet OPTIONS (partitionBy 'day') LOCATION '"+dir+"'")
	for range 2 {
		query(t, s.Session, "INSERT INTO t SELECT /*+ COALESCE(1) */ id, 'old', concat('d', id % 4) FROM range(40)")
	}
	query(t, s.Session, "CREATE TABLE picks USING parquet AS SELECT * FROM VALUES (3, 'p'), (7, 'q'), (99, 'r') AS n(k, w)")
	query(t, s.Session, "CREATE TABLE later (k BIGINT, w STRING) USING topic")
	query(t, s.Session, "INSERT INTO later VALUES (8, 'top')")
	every := len(dataFiles(t, dir))
	for _, c := range []struct {
		sql  string
		gone int // files that are no longer there, -1: all of them
		rows string
	}{
		{"DELETE FROM t WHERE id = 12345", 0, "80"},
		{"UPDATE t SET v = 'new' WHERE day = 'd1' AND id < 5", 2, "80"},
		{"DELETE FROM t WHERE id IN (SELECT k FROM picks)", 2, "76"},
		{"UPDATE t SET v = (SELECT max(w) FROM picks) WHERE id = 2", 2, "76"},
		{"MERGE INTO t USING picks n ON t.id = n.k + 1 WHEN MATCHED THEN UPDATE SET v = n.w", 2, "76"},
		{"MERGE INTO t USING picks n ON t.id = n.k WHEN NOT MATCHED THEN INSERT (id, v, day) VALUES (k, w, 'd9')", 0, "79"},
		{"MERGE INTO t USING later n ON t.id = n.k WHEN MATCHED THEN UPDATE SET v = n.w", -1, "79"},
		{"DELETE FROM t WHERE rand() < 0", -1, "79"},
		{"MERGE INTO t USING picks n ON t.id = n.k WHEN NOT MATCHED BY SOURCE THEN UPDATE SET v = 'none'", -1, "79"},
	} {
		before := dataFiles(t, dir)
		query(t, s.Session, c.sql)
		after := dataFiles(t, dir)
		gone := 0
		for path, at := range before {
			if now, there := after[path]; !there {
				gone++
			} else if now != at {
				t.Errorf("%s: %s was written again", c.sql, path)
			}
		}
		if c.gone < 0 && gone != len(before) || c.gone >= 0 && gone != c.gone {
			t.Errorf("%s: %d of %d files (%d at first) were replaced, want %d", c.sql, gone, len(before), every, c.gone)
		}
		if got := query(t, s.Session, "SELECT count(*) AS n FROM t"); !strings.Contains(got, c.rows) {
			t.Errorf("%s: %s rows, want %s", c.sql, got, c.rows)
		}
	}
}
