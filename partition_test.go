package streamflow

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
)

// TestPartitionBy: a DataFrame is written into directories, and read back with their columns; one format has no directories.
func TestPartitionBy(t *testing.T) {
	s := local(t)
	ctx := context.Background()
	df, err := s.SQL(ctx, "SELECT id, concat('k', id % 3) AS k FROM range(100)")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "t")
	if err := df.Write().PartitionBy("k").Parquet(ctx, dir); err != nil {
		t.Fatal(err)
	}
	for k := range 3 {
		files, err := filepath.Glob(filepath.Join(dir, fmt.Sprintf("k=k%d", k), "part-*.parquet"))
		if err != nil || len(files) == 0 {
			t.Fatal(k, files, err)
		}
	}
	text := fmt.Sprintf("SELECT count(*) AS n, sum(id) AS s FROM parquet.`%s` WHERE k = 'k1'", dir)
	if got := query(t, s.Session, text); got != "Row(n=33, s=1617)\n" {
		t.Fatalf("got %q", got)
	}
	if err := df.Write().Format("memory").PartitionBy("k").Save(ctx, "m"); err == nil {
		t.Error("a table in memory has no directories")
	}
}
