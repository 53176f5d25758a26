package file

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
)

// TestTextOptions reads texts under options; rows are those of texts.
func TestTextOptions(t *testing.T) {
	for _, c := range []struct {
		format, schema, text, options, rows string
	}{
		{"csv", "a INT, b STRING", "# head\n1,x\n#2,y\n3,z\n", "comment=#", "1|x\n3|z\n"},
		{"csv", "a STRING, b STRING", "  x ,\" y \"\n", "ignoreLeadingWhiteSpace=true", "x | y \n"},
		{"csv", "a STRING, b STRING", "  x ,\" y \"\n", "ignoreLeadingWhiteSpace=true;ignoreTrailingWhiteSpace=true", "x| y \n"},
		{"csv", "a STRING, b STRING", "\"\",\n", "emptyValue=none", "none|null\n"},
		{"csv", "a DOUBLE", "nix\nhuge\n-huge\n1.5\n", "nanValue=nix;positiveInf=huge;negativeInf=-huge", "NaN\n+Inf\n-Inf\n1.5\n"},
		{"csv", "a DATE, b TIMESTAMP", "24/12/2025,24.12.2025 18:30\n", "dateFormat=dd/MM/yyyy;timestampFormat=dd.MM.yyyy HH:mm", "20446|1766601000000000\n"},
		{"csv", "a INT, b INT, _corrupt_record STRING", "1,2\nx,3\n4\n", "", "1|2|null\nnull|3|x,3\n4|null|4\n"},
		{"csv", "a INT, bad STRING, b INT", "1,2\n1,2,3\n", "columnNameOfCorruptRecord=bad", "1|null|2\n1|1,2,3|2\n"},
		{"csv", "a INT, bad STRING, b INT", "1,2\n1,2,3\n", "columnNameOfCorruptRecord=bad;mode=DROPMALFORMED", "1|null|2\n"},
		{"json", "a INT, _corrupt_record STRING", "{\"a\":1}\nno \"json\"\n{\"a\":\"x\"}\n", "", "1|null\nnull|no \"json\"\nnull|{\"a\":\"x\"}\n"},
		{"json", "", "{\"a\":1}\nno json\n", "", "null|1\nno json|null\n"},
		{"json", "", "[{\"a\":1},\n {\"a\":\n2}]", "multiLine=true", "1\n2\n"},
		{"json", "", "{\"a\":\n1}\n\n{\"a\":2}", "multiLine=true", "1\n2\n"},
		{"json", "", "{\"a\":1.50,\"b\":true}\n{\"a\":2}\n", "primitivesAsString=true", "1.50|true\n2|null\n"},
	} {
		options := map[string]string{}
		for _, o := range strings.Split(c.options, ";") {
			if k, v, ok := strings.Cut(o, "="); ok {
				options[k] = v
			}
		}
		path := filepath.Join(t.TempDir(), "f."+c.format)
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		table := open(t, c.format, path, nil, options)
		if c.schema != "" {
			table = open(t, c.format, path, ddl(t, c.schema), options)
		}
		got, err := readAll(t, table)
		if err != nil {
			t.Errorf("%q under %s: %v", c.text, c.options, err)
			continue
		}
		if g := texts(got); g != c.rows {
			t.Errorf("%q under %q gives\n%swant\n%s", c.text, c.options, g, c.rows)
		}
	}
}

// TestCorruptRecordLooksAtAllFields: whether a record can be read does not depend on the columns asked for.
func TestCorruptRecordLooksAtAllFields(t *testing.T) {
	for format, text := range map[string]string{"csv": "1,2\nx,3\n", "json": "{\"a\":1,\"b\":2}\n{\"a\":\"x\",\"b\":3}\n"} {
		path := csvFile(t, text)
		table := open(t, format, path, ddl(t, "a INT, b INT, _corrupt_record STRING"), nil)
		got, err := readColumns(t, table, []int{2})
		if err != nil {
			t.Fatal(err)
		}
		want := "null\n" + strings.Split(text, "\n")[1] + "\n"
		if g := texts(got); g != want {
			t.Errorf("%s: %q, want %q", format, g, want)
		}
	}
}

// TestForeignCompression reads what other programs pack by.
func TestForeignCompression(t *testing.T) {
	for ext, packed := range map[string]string{
		"bz2":     "QlpoOTFBWSZTWeHY34IAAANYAAAQAAQ8ACAAIh6TagwBqyVAPF3JFOFCQ4djfgg=",
		"deflate": "eJwz1DHiMtIx5jLWMeECAAx0AdI=",
	} {
		data, err := base64.StdEncoding.DecodeString(packed)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "f.csv."+ext)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(t, open(t, "csv", path, ddl(t, "a INT, b INT"), nil))
		if err != nil {
			t.Fatal(ext, err)
		}
		if g := texts(got); g != "1|2\n2|3\n3|4\n" {
			t.Errorf("%s: %q", ext, g)
		}
	}
}

// TestQuoteAll: each field is quoted, and read back.
func TestQuoteAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "q")
	schema := ddl(t, "a INT, b STRING, c DATE")
	options := map[string]string{"quoteAll": "true", "dateFormat": "d/M/yyyy"}
	rows := rowsOf(t, schema, []any{int64(1), "x", int64(20446)}, []any{int64(2), nil, nil})
	fill(t, open(t, "csv", dir, schema, options), rows)
	files, err := filepath.Glob(filepath.Join(dir, "part-*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil || string(text) != "\"1\",\"x\",\"24/12/2025\"\n\"2\",,\n" {
		t.Fatalf("%q %v", text, err)
	}
	got, err := readAll(t, open(t, "csv", dir, schema, options))
	if err != nil || texts(got) != "1|x|20446\n2|null|null\n" {
		t.Fatalf("%q %v", texts(got), err)
	}
}

func rowsOf(t testing.TB, s *column.Schema, rows ...[]any) *column.Batch {
	t.Helper()
	b, err := column.FromRows(s, rows...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
