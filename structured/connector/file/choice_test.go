package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/connector"
)

// put writes files under a directory: name, text.
func put(t *testing.T, dir string, files ...string) {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChosenFiles: the options that say which files belong to a table.
func TestChosenFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "k=1/a.csv", "1\n", "k=2/b.txt", "2\n", "c.csv", "3\n")
	old := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "c.csv"), old, old); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ options, rows string }{
		{"recursiveFileLookup=true", "3\n1\n2\n"},
		{"recursiveFileLookup=true;pathGlobFilter=*.csv", "3\n1\n"},
		{"modifiedBefore=2020-01-02T03:04:06", "3\n"},
		{"modifiedBefore=2020-01-02T03:04:05", ""},
		{"recursiveFileLookup=true;modifiedAfter=2020-01-02T03:04:05", "1\n2\n"},
		{"pathGlobFilter=a*", "1|1\n"},
	} {
		options := map[string]string{}
		for _, o := range strings.Split(c.options, ";") {
			k, v, _ := strings.Cut(o, "=")
			options[k] = v
		}
		schema := ddl(t, "a STRING")
		if c.rows != "" {
			schema = nil // found in what is chosen
		}
		table := open(t, "csv", dir, schema, options)
		if got, err := readAll(t, table); err != nil || texts(got) != c.rows {
			t.Errorf("%s: %q, %v, want %q", c.options, texts(got), err, c.rows)
		}
	}
	for _, bad := range []map[string]string{{"pathGlobFilter": "[x"}, {"modifiedAfter": "yesterday"}, {"mergeSchema": "perhaps"}} {
		if _, err := parseOptions("csv", bad); err == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
}

func TestTextAndBinaryFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "x/a.txt", "one\r\ntwo\n\nlast", "x/b.txt", "b")
	x := filepath.Join(dir, "x")
	for options, want := range map[string]string{"wholetext": "one\r\ntwo\n\nlast\nb\n", "": "one\ntwo\n\nlast\nb\n"} {
		got, err := readAll(t, open(t, "text", x, nil, map[string]string{options: "true"}))
		if err != nil || texts(got) != want {
			t.Errorf("%s: %q, %v, want %q", options, texts(got), err, want)
		}
	}
	rows, err := readAll(t, open(t, "binaryfile", x, nil, nil))
	got := texts(rows)
	if err != nil || strings.Count(got, "|") < 6 || !strings.Contains(got, "b.txt|") || !strings.Contains(got, "|1|") {
		t.Errorf("%q, %v", got, err)
	}
	out := filepath.Join(dir, "out")
	b := column.NewBatchBuilder(ddl(t, "line STRING, k INT"))
	b.Cols[0].AppendString("hello")
	b.Cols[1].AppendI64(7)
	fill(t, open(t, "text", out, ddl(t, "line STRING, k INT"), map[string]string{connector.PartitionByOption: "k", "compression": "gzip"}), b.Finish())
	if rows, err := readAll(t, open(t, "text", out, nil, nil)); err != nil || texts(rows) != "hello|7\n" {
		t.Errorf("%q, %v", texts(rows), err)
	}
	for format, schema := range map[string]string{"text": "a INT", "binaryfile": "content BINARY"} {
		_, err := open(t, format, out, nil, nil).PlanWrite(t.Context(), connector.WriteRequest{Schema: ddl(t, schema)})
		if u, ok := usererr.As(err); !ok {
			t.Errorf("%s takes %s: %v", format, schema, u)
		}
	}
	if _, err := readAll(t, open(t, "text", x, ddl(t, "a INT"), nil)); err == nil {
		t.Error("text was read as INT")
	}
}

// TestIgnoredFiles: files that are broken or gone are left out when that is asked for, and fail the scan otherwise.
func TestIgnoredFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.csv", "1\n", "b.csv.gz", "no gzip")
	if _, err := readAll(t, open(t, "csv", dir, ddl(t, "a STRING"), nil)); err == nil {
		t.Error("a broken file was read")
	}
	if got, err := readAll(t, open(t, "csv", dir, ddl(t, "a STRING"), map[string]string{"ignoreCorruptFiles": "true"})); err != nil || texts(got) != "1\n" {
		t.Errorf("%q, %v", texts(got), err)
	}
	put(t, dir, "p/b.parquet", "no Parquet")
	p := filepath.Join(dir, "p")
	rows := sales(t)
	fill(t, open(t, "parquet", p, rows.Schema, nil), rows)
	if _, err := readAll(t, open(t, "parquet", p, rows.Schema, nil)); err == nil {
		t.Error("a broken file was read")
	}
	got, err := readAll(t, open(t, "parquet", p, nil, map[string]string{"ignoreCorruptFiles": "true"}))
	if err != nil || strings.Count(texts(got), "\n") != rows.N {
		t.Errorf("%d rows, %v", strings.Count(texts(got), "\n"), err)
	}
}

// TestMergeSchema: columns of all files, null in the files that lack them.
func TestMergeSchema(t *testing.T) {
	dir := t.TempDir()
	for name, schema := range map[string]string{"a": "x BIGINT, y STRING", "b": "x BIGINT, z DOUBLE"} {
		s := ddl(t, schema)
		b := column.NewBatchBuilder(s)
		row := []any{int64(1), "s"}
		if name == "b" {
			row = []any{int64(2), 2.5}
		}
		if err := b.AppendRow(row...); err != nil {
			t.Fatal(err)
		}
		fill(t, open(t, "parquet", filepath.Join(dir, name), s, nil), b.Finish())
	}
	got, err := readAll(t, open(t, "parquet", dir, nil, map[string]string{"mergeSchema": "true"}))
	if err != nil || texts(got) != "1|s|null\n2|null|2.5\n" {
		t.Errorf("%q, %v", texts(got), err)
	}
	if got, err := readAll(t, open(t, "parquet", dir, nil, nil)); err != nil || texts(got) != "1|s\n2|null\n" {
		t.Errorf("%q, %v", texts(got), err)
	}
	s := ddl(t, "x STRING")
	b := column.NewBatchBuilder(s)
	b.Cols[0].AppendString("text")
	fill(t, open(t, "parquet", filepath.Join(dir, "c"), s, nil), b.Finish())
	_, err = Open(t.Context(), "parquet", "t", []string{dir}, nil, map[string]string{"mergeSchema": "true"})
	if u, ok := usererr.As(err); !ok || u.Code != "CANNOT_MERGE_SCHEMAS" {
		t.Errorf("schemas that do not fit are merged: %v", err)
	}
}
