package shuffle

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
)

// example returns the bytes of the n-th hex block of docs/format/shuffle.md.
func example(t *testing.T, n int) []byte {
	t.Helper()
	doc, err := os.ReadFile("../docs/format/shuffle.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```hex\n(.*?)```").FindAllSubmatch(doc, -1)
	if n >= len(blocks) {
		t.Fatalf("docs/format/shuffle.md has %d examples", len(blocks))
	}
	var digits strings.Builder
	for line := range strings.Lines(string(blocks[n][1])) {
		code, _, _ := strings.Cut(line, "|")
		digits.WriteString(strings.Join(strings.Fields(code), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTheDocumentedFiles reads the example of the documentation and writes it again.
func TestTheDocumentedFiles(t *testing.T) {
	ids := column.NewSchema(column.Field{Name: "id", Type: column.Of(column.Int64)})
	b := column.NewBatchBuilder(ids)
	b.Cols[0].AppendI64(1)
	b.Cols[0].AppendI64(2)
	path := filepath.Join(t.TempDir(), "0-0")
	f, err := createFile(path, ids, 2, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.append(1, b.Finish()); err != nil {
		t.Fatal(err)
	}
	if err := f.finish(); err != nil {
		t.Fatal(err)
	}
	for i, ext := range []string{".data", ".index"} {
		got, err := os.ReadFile(path + ext)
		if err != nil {
			t.Fatal(err)
		}
		if want := example(t, i); string(got) != string(want) {
			t.Errorf("%s is written as\n%s", ext, hex.Dump(got))
		}
		if err := os.WriteFile(path+ext, example(t, i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := f.open(1, ids)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	got, err := r.next()
	if err != nil || got.N != 2 || got.Cols[0].I64[1] != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	empty, err := f.open(0, ids)
	if err != nil || len(empty.blocks) != 0 {
		t.Error(err)
	}
}
