package file

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/column/parquet"
)

// writeNumbers writes a file of n rows and returns it open.
func writeNumbers(t *testing.T, path string, n int) *os.File {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	schema := column.NewSchema(column.Field{Name: "x", Type: column.Of(column.Int64)})
	w, err := parquet.NewWriter(f, schema, parquet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := column.NewBatchBuilder(schema)
	for i := range n {
		if err := b.AppendRow(int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(b.Finish()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

// openNumbers opens a file through the cache and returns its footer; it fails when the footer is not that of n rows.
func openNumbers(t *testing.T, c *footerCache, f *os.File, n int64) *parquet.Footer {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.open(f, info)
	if err != nil {
		t.Fatal(err)
	}
	if p.NumRows() != n {
		t.Fatalf("%d rows, want %d", p.NumRows(), n)
	}
	return p.Footer
}

func TestFooterIsReadOnce(t *testing.T) {
	c, path := &footerCache{limit: 1 << 20}, filepath.Join(t.TempDir(), "a")
	f := writeNumbers(t, path, 3)
	first := openNumbers(t, c, f, 3)
	if again := openNumbers(t, c, f, 3); again != first {
		t.Error("the footer was read again")
	}
}

func TestFooterOfAnotherFileUnderThePath(t *testing.T) {
	c, path := &footerCache{limit: 1 << 20}, filepath.Join(t.TempDir(), "a")
	openNumbers(t, c, writeNumbers(t, path, 3), 3)
	if err := os.Rename(writeNumbers(t, path+".new", 4).Name(), path); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	openNumbers(t, c, f, 4)
	if len(c.kept) != 1 || len(c.order) != 1 {
		t.Errorf("kept %d, order %v", len(c.kept), c.order)
	}
}

func TestFootersAreForgotten(t *testing.T) {
	dir := t.TempDir()
	f := writeNumbers(t, filepath.Join(dir, "0"), 3)
	c := &footerCache{limit: 1 << 20}
	one := openNumbers(t, c, f, 3).Bytes()
	c = &footerCache{limit: 5 * one}
	for i := range 9 {
		openNumbers(t, c, writeNumbers(t, filepath.Join(dir, fmt.Sprint(i)), 3), 3)
	}
	if len(c.kept) != 5 || len(c.order) != 5 || c.bytes != 5*one {
		t.Errorf("kept %d, order %d, %d bytes, want five of %d", len(c.kept), len(c.order), c.bytes, one)
	}
	big := &footerCache{limit: one}
	openNumbers(t, big, f, 3)
	if len(big.kept) != 0 {
		t.Error("a footer that fills the cache was kept")
	}
}
