package file

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/connectortest"
)

// written are the ways in which each format is tried.
func written(t *testing.T, f func(t *testing.T, format string, options map[string]string)) {
	for _, format := range tabular {
		for _, c := range []string{"none", "gzip", "zstd"} {
			t.Run(format+"/"+c, func(t *testing.T) {
				f(t, format, map[string]string{"compression": c, "header": "true"})
			})
		}
	}
}

func open(t testing.TB, format, path string, schema *column.Schema, options map[string]string) *Table {
	t.Helper()
	table, err := Open(context.Background(), format, "t", []string{path}, schema, options)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// fill writes rows in one committed batch of several tasks.
// tabular are the formats that keep rows of any columns.
var tabular = []string{"parquet", "csv", "json"}

func fill(t testing.TB, table connector.Writer, batches ...*column.Batch) {
	t.Helper()
	write(t, table, connector.WriteRequest{}, batches...)
}

func write(t testing.TB, table connector.Writer, req connector.WriteRequest, batches ...*column.Batch) {
	t.Helper()
	ctx := context.Background()
	req.Schema = batches[0].Schema
	s, err := table.PlanWrite(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	tx := connector.Tx{}
	params, err := s.Begin(ctx, tx)
	if err != nil {
		t.Fatal(err)
	}
	var tokens [][]byte
	for p, b := range batches {
		tc, reports := connectortest.Task(t, p, &rdd.Binding{Params: params}, nil)
		r, err := s.Op().Open(tc, []rdd.Reader{&once{b}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(); err == nil {
			t.Fatal("a sink yields no rows")
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		for _, rep := range *reports {
			tokens = append(tokens, rep.Value)
		}
	}
	if err := s.Publish(ctx, tx, tokens); err != nil {
		t.Fatal(err)
	}
}

func TestSource(t *testing.T) {
	written(t, func(t *testing.T, format string, options map[string]string) {
		for _, n := range []int{0, 1, 5000} {
			dir := t.TempDir()
			table := open(t, format, dir, connectortest.Schema, options)
			fill(t, table, connectortest.Rows(0, n/2), connectortest.Rows(n/2, n-n/2))
			connectortest.Source(t, table, n, nil)
		}
	})
}

func TestSink(t *testing.T) {
	written(t, func(t *testing.T, format string, options map[string]string) {
		connectortest.Sink(t, func(t *testing.T) connectortest.Target {
			dir := filepath.Join(t.TempDir(), "out")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			table := open(t, format, dir, connectortest.Schema, options)
			return connectortest.Target{Table: table,
				Read:   func() ([]*column.Batch, error) { return readAll(t, table) },
				Reopen: func() connector.Writer { return open(t, format, dir, connectortest.Schema, options) }}
		}, nil)
	})
}

func readAll(t testing.TB, table *Table) ([]*column.Batch, error) {
	t.Helper()
	cols := make([]int, table.Schema().Len())
	for i := range cols {
		cols[i] = i
	}
	return readColumns(t, table, cols)
}

func readColumns(t testing.TB, table *Table, cols []int) ([]*column.Batch, error) {
	t.Helper()
	s, err := table.PlanScan(context.Background(), connector.ScanRequest{Columns: cols, Partitions: 1})
	if err != nil {
		return nil, err
	}
	tc, _ := connectortest.Task(t, 0, &rdd.Binding{Splits: map[string][][]rdd.Split{"op": s.Splits}}, nil)
	r, err := s.Op.Open(tc, nil)
	if err != nil {
		return nil, err
	}
	var out []*column.Batch
	for {
		b, err := r.Next()
		if err != nil {
			if cerr := r.Close(); cerr != nil {
				return nil, cerr
			}
			if err == io.EOF {
				return out, nil
			}
			return nil, err
		}
		out = append(out, b.Clone())
	}
}

// TestCrashBetweenCommitAndNames: with its manifest a batch is part of the table, whatever names its files have.
func TestCrashBetweenCommitAndNames(t *testing.T) {
	dir := t.TempDir()
	table := open(t, "json", dir, connectortest.Schema, nil)
	fill(t, table, connectortest.Rows(0, 5))
	names, err := filepath.Glob(filepath.Join(dir, "part-*"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	m, err := readManifests(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(names[0], filepath.Join(dir, m[0].Files[0].Staged)); err != nil {
		t.Fatal(err)
	}
	connectortest.Source(t, table, 5, nil)
}

// TestNothingIsLeft: neither lost attempts nor replaced files stay.
func TestNothingIsLeft(t *testing.T) {
	dir := t.TempDir()
	table := open(t, "csv", dir, connectortest.Schema, map[string]string{"header": "true"})
	fill(t, table, connectortest.Rows(0, 5))
	ctx := context.Background()
	s, err := table.PlanWrite(ctx, connector.WriteRequest{Schema: connectortest.Schema, Mode: connector.Complete})
	if err != nil {
		t.Fatal(err)
	}
	tx := connector.Tx{Query: "q/1", Epoch: 3, Batch: 9}
	if _, err := s.Begin(ctx, tx); err != nil {
		t.Fatal(err)
	}
	lost := filepath.Join(dir, stagedPrefix(cleanName("q/1"), 9)+"3-0-7.csv")
	if err := os.WriteFile(lost, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(ctx, tx, nil); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != manifestDir {
		t.Fatalf("left %v (%v)", left, err)
	}
}

// TestManifestsDoNotPileUp: a streaming query keeps one manifest, whatever its number of batches.
func TestManifestsDoNotPileUp(t *testing.T) {
	dir := t.TempDir()
	table := open(t, "json", dir, connectortest.Schema, nil)
	ctx := context.Background()
	s, err := table.PlanWrite(ctx, connector.WriteRequest{Schema: connectortest.Schema, Mode: connector.Complete})
	if err != nil {
		t.Fatal(err)
	}
	for batch := range int64(12) {
		tx := connector.Tx{Query: "q", Epoch: 1, Batch: batch}
		if _, err := s.Begin(ctx, tx); err != nil {
			t.Fatal(err)
		}
		if err := s.Publish(ctx, tx, nil); err != nil {
			t.Fatal(err)
		}
	}
	left, err := os.ReadDir(filepath.Join(dir, manifestDir))
	if err != nil || len(left) != 1 || left[0].Name() != manifestName("q", 11) {
		t.Fatalf("left %v (%v)", left, err)
	}
}

func TestDamagedManifestIsFound(t *testing.T) {
	dir := t.TempDir()
	table := open(t, "json", dir, connectortest.Schema, nil)
	fill(t, table, connectortest.Rows(0, 5))
	names, _ := filepath.Glob(filepath.Join(dir, manifestDir, "*"))
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-3] ^= 1
	if err := os.WriteFile(names[0], data, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = readAll(t, table)
	wantCode(t, err, "DAMAGED_MANIFEST")
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var ue *usererr.Error
	if !errors.As(err, &ue) || ue.Code != code {
		t.Fatalf("error %v, want code %s", err, code)
	}
}

func texts(batches []*column.Batch) string {
	var b strings.Builder
	for _, batch := range batches {
		for i := 0; i < batch.N; i++ {
			for c, v := range batch.Cols {
				if c > 0 {
					b.WriteByte('|')
				}
				if x := column.Value(v, i); x == nil {
					b.WriteString("null")
				} else {
					fmt.Fprint(&b, x)
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func csvFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.csv")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCSV(t *testing.T) {
	for _, c := range []struct {
		name, text, schema, want string
		options                  map[string]string
	}{
		{"plain", "1,a\n2,b\n", "_c0 string, _c1 string", "1|a\n2|b\n", nil},
		{"header and inference", "n,x,when,day,ok,s\n1,1.5,2001-02-03 04:05:06,2001-02-03,true,x\n3000000000,2,,2001-02-04,false,\n",
			"n bigint, x double, when timestamp, day date, ok boolean, s string",
			"1|1.5|981173106000000|11356|true|x\n3000000000|2|null|11357|false|null\n", map[string]string{"header": "true", "inferSchema": "true"}},
		{"quotes", "\"a,b\",\"say \"\"hi\"\"\"\n\"back\\\"slash\",\"\"\n", "_c0 string, _c1 string", "a,b|say \"hi\"\nback\"slash|\n", nil},
		{"windows line ends and empty lines", "1;x\r\n\r\n2;y\r\n", "_c0 string, _c1 string", "1|x\n2|y\n", map[string]string{"sep": ";"}},
		{"lines in quotes", "\"one\ntwo\",2\n3,4\n", "_c0 string, _c1 string", "one\ntwo|2\n3|4\n", map[string]string{"multiLine": "true"}},
		{"null value", "NA,1\nx,NA\n", "_c0 string, _c1 string", "null|1\nx|null\n", map[string]string{"nullValue": "NA"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := open(t, "csv", csvFile(t, c.text), nil, c.options)
			if got := table.Schema().String(); got != c.schema {
				t.Fatalf("schema %s, want %s", got, c.schema)
			}
			got, err := readAll(t, table)
			if err != nil {
				t.Fatal(err)
			}
			if s := texts(got); s != c.want {
				t.Fatalf("rows\n%swant\n%s", s, c.want)
			}
		})
	}
}

func TestMalformedRecords(t *testing.T) {
	schema, err := column.ParseDDL("a INT, b INT")
	if err != nil {
		t.Fatal(err)
	}
	for format, text := range map[string]string{"csv": "1,2\nx,3\n4\n5,6\n", "json": "{\"a\":1,\"b\":2}\nnot json\n{\"a\":\"x\"}\n{\"a\":5,\"b\":6}\n"} {
		path := csvFile(t, text)
		for mode, want := range map[string]int{permissive: 4, dropMalformed: 2, failFast: -1} {
			got, err := readAll(t, open(t, format, path, schema, map[string]string{"mode": mode}))
			if want < 0 {
				wantCode(t, err, "MALFORMED_RECORD_IN_PARSING")
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(texts(got), "\n"); n != want {
				t.Errorf("%s %s: %d rows, want %d:\n%s", format, mode, n, want, texts(got))
			}
		}
	}
}

func TestJSONInference(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.json.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	fmt.Fprint(z, "{\"b\": 1, \"a\": {\"y\": [1, 2.5], \"x\": null}}\n\n{\"b\": 2.5, \"c\": true, \"a\": {\"x\": \"s\"}}\n")
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	table := open(t, "json", path, nil, nil)
	if got, want := table.Schema().String(), "a struct<x:string,y:array<double>>, b double, c boolean"; got != want {
		t.Fatalf("schema %s, want %s", got, want)
	}
	got, err := readAll(t, table)
	if err != nil {
		t.Fatal(err)
	}
	if s, want := texts(got), "[<nil> [1 2.5]]|1|null\n[s <nil>]|2.5|true\n"; s != want {
		t.Fatalf("rows\n%swant\n%s", s, want)
	}
}

// TestSpansReadEachLineOnce cuts a file at every place.
func TestSpansReadEachLineOnce(t *testing.T) {
	text := "a\nbb\n\nccc\r\nd"
	path := csvFile(t, text)
	for cut := 0; cut <= len(text); cut++ {
		var got []string
		for _, s := range []string{fmt.Sprintf(`{"Path":%q,"From":0,"To":%d}`, path, cut), fmt.Sprintf(`{"Path":%q,"From":%d,"To":-1}`, path, cut)} {
			if cut == 0 && strings.Contains(s, `"To":-1`) {
				s = fmt.Sprintf(`{"Path":%q,"From":0,"To":-1}`, path)
			}
			l, err := openLines([]byte(s))
			if err != nil {
				t.Fatal(err)
			}
			for {
				line, err := l.next()
				if err != nil {
					break
				}
				got = append(got, string(line))
			}
			if err := l.close(); err != nil {
				t.Fatal(err)
			}
		}
		if g, want := fmt.Sprintf("%q", got), `["a" "bb" "" "ccc" "d"]`; g != want {
			t.Fatalf("cut at %d: %s, want %s", cut, g, want)
		}
	}
}

func TestPathErrors(t *testing.T) {
	ctx := context.Background()
	_, err := Open(ctx, "csv", "t", []string{"/no/such/path"}, nil, nil)
	wantCode(t, err, "PATH_NOT_FOUND")
	_, err = Open(ctx, "csv", "t", []string{t.TempDir() + "/*.csv"}, nil, nil)
	wantCode(t, err, "PATH_NOT_FOUND")
	_, err = Open(ctx, "json", "t", []string{t.TempDir()}, nil, nil)
	wantCode(t, err, "UNABLE_TO_INFER_SCHEMA")
	_, err = Open(ctx, "csv", "t", []string{"x"}, nil, map[string]string{"mode": "LOOSE"})
	wantCode(t, err, "INVALID_OPTION")
	_, err = Open(ctx, "orc", "t", []string{"x"}, nil, nil)
	wantCode(t, err, "DATA_SOURCE_NOT_FOUND")
}

// FuzzCSV: cutting a record into fields never fails, and what our writer writes is read back the same.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"", "a,b", `"a""b",c`, `"open`, `a\"b`, "\x00,\xff"} {
		f.Add(s, s)
	}
	s := column.NewSchema(column.Field{Name: "a", Type: column.Of(column.String)}, column.Field{Name: "b", Type: column.Of(column.String)})
	f.Fuzz(func(t *testing.T, a, b string) {
		opt, err := parseOptions("csv", nil)
		if err != nil {
			t.Fatal(err)
		}
		r := &csvRecords{opt: opt}
		r.split([]byte(a))
		if strings.ContainsAny(a+b, "\r\n") {
			return
		}
		batch, err := column.FromRows(s, []any{a, b})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		w, err := csvFormat{}.writer(&out, s, opt)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.write(batch), w.close()); err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(out.String(), "\n")
		if r.split([]byte(line)) || len(r.fields) != 2 || string(r.fields[0].text) != a || string(r.fields[1].text) != b {
			t.Fatalf("%q and %q are written as %q and read as %v", a, b, line, r.fields)
		}
	})
}

// FuzzManifest: damaged manifests give errors, never panics.
func FuzzManifest(f *testing.F) {
	m := manifest{Seq: 1, Write: "q", Files: []staged{{Name: "a", Staged: ".b"}}}
	data, err := m.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("streamflow-manifest 1 00000000 0\n"))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = decodeManifest(data) })
}

type once struct{ b *column.Batch }

func (o *once) Next() (*column.Batch, error) {
	b := o.b
	o.b = nil
	if b == nil {
		return nil, io.EOF
	}
	return b, nil
}
func (o *once) Close() error { return nil }

// TestManifestExample decodes the example of docs/format/file-manifest.md.
func TestManifestExample(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/format/file-manifest.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(doc), "Example:\n\n```\n")
	text, _, _ = strings.Cut(text, "\n```")
	m, err := decodeManifest([]byte(text))
	if err != nil {
		_, body, _ := strings.Cut(text, "\n")
		t.Fatalf("%v: %08x %d", err, crc32.Checksum([]byte(body), castagnoli), len(body))
	}
	if m.Files[0].Rows != 2 || m.Batch != 3 {
		t.Fatalf("%+v", m)
	}
}
