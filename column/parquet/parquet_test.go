package parquet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/streamflow/streamflow/column"
)

const everything = `b BOOLEAN, i8 TINYINT, i16 SMALLINT, i32 INT, i64 BIGINT, f FLOAT, d DOUBLE, n4 DECIMAL(9,2), n12 DECIMAL(18,4), n38 DECIMAL(38,10),
	low STRING, high STRING, bin BINARY, day DATE, ts TIMESTAMP, ntz TIMESTAMP_NTZ, ym INTERVAL YEAR TO MONTH, dt INTERVAL DAY TO SECOND, v VOID,
	req BIGINT NOT NULL, reqs STRING NOT NULL,
	l ARRAY<INT>, ll ARRAY<ARRAY<STRING>>, s STRUCT<x: INT, y: STRUCT<z: ARRAY<STRING>>>, m MAP<STRING, BIGINT>, ms ARRAY<STRUCT<k: STRING, v: MAP<INT, DOUBLE>>>,
	tm TIME, va VARIANT, vn VARIANT NOT NULL, lv ARRAY<VARIANT>, sv STRUCT<v: VARIANT, t: TIME(3)>`

func mustSchema(t testing.TB, ddl string) *column.Schema {
	t.Helper()
	s, err := column.ParseDDL(ddl)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func randomValue(r *rand.Rand, t column.Type, nullable bool, name string) any {
	if t.Kind == column.Null || nullable && r.IntN(5) == 0 {
		return nil
	}
	n := int64(r.IntN(2000)) - 1000
	switch t.Kind {
	case column.Bool:
		return n%2 == 0
	case column.Int8:
		return int64(int8(n))
	case column.Float32, column.Float64:
		return float64(n) / 8
	case column.Decimal:
		d := column.DecFromInt(n * 1000)
		if t.Precision > 18 {
			d.Hi += n
		}
		return d
	case column.String:
		if name == "low" {
			return fmt.Sprintf("one of few values %d", n%7)
		}
		return fmt.Sprintf("%d-%s", r.Uint64(), "tail of a string"[:r.IntN(16)])
	case column.Binary:
		return []byte(fmt.Sprint(r.Uint64()))
	case column.Time:
		return column.TruncateTime(int64(r.IntN(86_400_000_000)), int(t.Precision))
	case column.Variant:
		var b column.VariantBuilder
		b.ParseVariant(fmt.Appendf(nil, `{"k%d":[%d,"x",null]}`, r.IntN(3), n))
		out, _ := b.Append(nil)
		return out
	case column.List:
		out := make([]any, r.IntN(4))
		for i := range out {
			out[i] = randomValue(r, t.Elem(), t.Fields[0].Nullable, "")
		}
		return out
	case column.Map:
		var kv [2][]any
		kv[0], kv[1] = []any{}, []any{}
		for range r.IntN(3) {
			kv[0] = append(kv[0], randomValue(r, t.Fields[0].Type, false, ""))
			kv[1] = append(kv[1], randomValue(r, t.Fields[1].Type, true, ""))
		}
		return kv
	case column.Struct:
		row := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			row[i] = randomValue(r, f.Type, f.Nullable, "")
		}
		return row
	}
	return n
}

func randomBatch(t testing.TB, r *rand.Rand, s *column.Schema, n int) *column.Batch {
	t.Helper()
	b := column.NewBatchBuilder(s)
	for range n {
		row := make([]any, s.Len())
		for i, f := range s.Fields {
			row[i] = randomValue(r, f.Type, f.Nullable, f.Name)
		}
		if err := b.AppendRow(row...); err != nil {
			t.Fatal(err)
		}
	}
	return b.Finish()
}

func write(t testing.TB, opt Options, batches ...*column.Batch) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := NewWriter(&buf, batches[0].Schema, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func open(t testing.TB, data []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func allColumns(s *column.Schema) []int {
	out := make([]int, s.Len())
	for i := range out {
		out[i] = i
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := mustSchema(t, everything)
	for _, codec := range []string{"none", "snappy", "zstd", "gzip"} {
		a, b := randomBatch(t, r, s, 5000), randomBatch(t, r, s, 1234)
		f := open(t, write(t, Options{Compression: codec, RowGroupRows: 2500}, a, b))
		if f.NumRows() != 6234 || f.RowGroups() != 3 || f.RowGroupRows(2) != 1234 {
			t.Fatalf("%d rows in %d groups", f.NumRows(), f.RowGroups())
		}
		if !reflect.DeepEqual(f.Schema(), s) {
			t.Fatalf("schema\n%s\nwant\n%s", f.Schema(), s)
		}
		got, err := f.All(allColumns(s))
		if err != nil {
			t.Fatal(err)
		}
		want := column.Concat(s, []*column.Batch{a, b})
		for i := range want.N {
			if x, y := got.Row(i), want.Row(i); !reflect.DeepEqual(x, y) {
				t.Fatalf("%s: row %d\n got %v\nwant %v", codec, i, x, y)
			}
		}
	}
}

func TestEmptyFile(t *testing.T) {
	s := mustSchema(t, "a INT, l ARRAY<INT>")
	f := open(t, write(t, Options{}, column.NewBatchBuilder(s).Finish()))
	if f.NumRows() != 0 || !f.Schema().Equal(s) {
		t.Fatalf("%d rows of %s", f.NumRows(), f.Schema())
	}
}

func TestStringsKeepTheirDictionary(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := mustSchema(t, "low STRING, high STRING")
	f := open(t, write(t, Options{}, randomBatch(t, r, s, 20_000)))
	rows, err := f.Read(0, []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := rows.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.Cols[0].Codes == nil || b.Cols[0].Dict.N != 13 {
			t.Fatal("a column of few values has no codes")
		}
		if b.Cols[1].Codes != nil {
			t.Fatal("a column of unique values has a dictionary")
		}
	}
}

func TestStats(t *testing.T) {
	s := mustSchema(t, "a INT, t STRING, d DECIMAL(30,2), f DOUBLE, ts TIMESTAMP, l ARRAY<INT>")
	b, err := column.FromRows(s, []any{int64(5), "m", column.DecFromInt(-7), 2.5, int64(10), nil}, []any{nil, "k", column.DecFromInt(9), nil, int64(-3), nil},
		[]any{int64(-2), nil, column.DecFromInt(0), 1.0, int64(4), nil})
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, write(t, Options{}, b))
	for i, want := range []Stats{{1, 3, int64(-2), int64(5)}, {1, 3, "k", "m"}, {0, 3, column.DecFromInt(-7), column.DecFromInt(9)}, {1, 3, 1.0, 2.5}, {0, 3, int64(-3), int64(10)}, {-1, 3, nil, nil}} {
		if got := f.Stats(0, i); got != want {
			t.Errorf("%s: %+v, want %+v", s.Fields[i].Name, got, want)
		}
	}
}

// foreign writes columns with the library alone, in forms that our writer never chooses.
func foreign(t *testing.T, version pq.DataPageVersion, enc pq.Encoding) []byte {
	t.Helper()
	node := func(n schema.Node, err error) schema.Node {
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	opt := pq.Repetitions.Optional
	fields := schema.FieldList{
		node(schema.NewPrimitiveNodeLogical("ms", opt, schema.NewTimestampLogicalType(true, schema.TimeUnitMillis), pq.Types.Int64, 0, -1)),
		node(schema.NewPrimitiveNodeLogical("ns", opt, schema.NewTimestampLogicalType(false, schema.TimeUnitNanos), pq.Types.Int64, 0, -1)),
		node(schema.NewPrimitiveNodeLogical("u32", opt, schema.NewIntLogicalType(32, false), pq.Types.Int32, 0, -1)),
		node(schema.NewPrimitiveNodeLogical("u64", opt, schema.NewIntLogicalType(64, false), pq.Types.Int64, 0, -1)),
		node(schema.NewPrimitiveNodeLogical("dec", opt, schema.NewDecimalLogicalType(20, 3), pq.Types.ByteArray, 0, -1)),
		schema.NewInt96Node("old", opt, -1),
		schema.NewByteArrayNode("list", pq.Repetitions.Repeated, -1),
	}
	root, err := schema.NewGroupNode("root", pq.Repetitions.Required, fields, -1)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	props := []pq.WriterProperty{pq.WithDataPageVersion(version), pq.WithDictionaryDefault(enc == pq.Encodings.RLEDict), pq.WithDataPageSize(512), pq.WithBatchSize(64)}
	if enc == pq.Encodings.DeltaBinaryPacked {
		for _, n := range []string{"ms", "ns", "u32", "u64"} {
			props = append(props, pq.WithEncodingFor(n, enc))
		}
	}
	w := file.NewParquetWriter(&buf, root, file.WithWriterProps(pq.NewWriterProperties(props...)))
	rg := w.AppendRowGroup()
	const n = 1000
	defs := make([]int16, n)
	var longs []int64
	var ints []int32
	var decs []pq.ByteArray
	var olds []pq.Int96
	for i := range n {
		if i%4 == 3 {
			continue
		}
		defs[i] = 1
		longs = append(longs, int64(i%50)*1_000_001-7)
		ints = append(ints, -int32(i%50))
		decs = append(decs, pq.ByteArray{0xFF, byte(i % 50)})
		var x pq.Int96
		binary.LittleEndian.PutUint64(x[:], uint64(i%50)*1_000_000_007)
		binary.LittleEndian.PutUint32(x[8:], 2440588+uint32(i%3))
		olds = append(olds, x)
	}
	next := func() file.ColumnChunkWriter {
		cw, err := rg.NextColumn()
		if err != nil {
			t.Fatal(err)
		}
		return cw
	}
	for range 2 {
		next().(*file.Int64ColumnChunkWriter).WriteBatch(longs, defs, nil)
	}
	next().(*file.Int32ColumnChunkWriter).WriteBatch(ints, defs, nil)
	next().(*file.Int64ColumnChunkWriter).WriteBatch(longs, defs, nil)
	next().(*file.ByteArrayColumnChunkWriter).WriteBatch(decs, defs, nil)
	next().(*file.Int96ColumnChunkWriter).WriteBatch(olds, defs, nil)
	var items []pq.ByteArray
	var idefs, ireps []int16
	for i := range n {
		if i%3 == 0 {
			idefs, ireps = append(idefs, 0), append(ireps, 0)
			continue
		}
		for j := range i % 3 {
			items = append(items, pq.ByteArray(fmt.Sprintf("item %d of %d", j, i)))
			idefs, ireps = append(idefs, 1), append(ireps, int16(min(j, 1)))
		}
	}
	next().(*file.ByteArrayColumnChunkWriter).WriteBatch(items, idefs, ireps)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestForeignForms(t *testing.T) {
	for _, version := range []pq.DataPageVersion{pq.DataPageV1, pq.DataPageV2} {
		for _, enc := range []pq.Encoding{pq.Encodings.Plain, pq.Encodings.RLEDict, pq.Encodings.DeltaBinaryPacked} {
			f := open(t, foreign(t, version, enc))
			if want := mustSchema(t, "ms TIMESTAMP, ns TIMESTAMP_NTZ, u32 BIGINT, u64 DECIMAL(20,0), dec DECIMAL(20,3), old TIMESTAMP, list ARRAY<BINARY>"); !f.Schema().Equal(want) {
				t.Fatalf("schema %s", f.Schema())
			}
			b, err := f.All(allColumns(f.Schema()))
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.N {
				want := []any{nil, nil, nil, nil, nil, nil, nil}
				if i%4 != 3 {
					x := int64(i%50)*1_000_001 - 7
					u := column.Dec128{Lo: uint64(x)}
					want = []any{x * 1000, int64(math.Floor(float64(x) / 1000)), int64(uint32(-int32(i % 50))), u,
						column.DecFromInt(int64(int16(0xFF00 | uint16(i%50)))), int64(i%50)*1_000_000_007/1000 + int64(i%3)*86_400_000_000, nil}
				}
				items := []any{}
				for j := range i % 3 {
					items = append(items, []byte(fmt.Sprintf("item %d of %d", j, i)))
				}
				want[6] = items
				if got := b.Row(i); !reflect.DeepEqual(got, want) {
					t.Fatalf("pages v%d, %s: row %d\n got %v\nwant %v", version+1, enc, i, got, want)
				}
			}
		}
	}
}

// A column whose dictionary grew too large goes on with plain pages in the middle of a row group.
func TestDictionaryThatGivesUp(t *testing.T) {
	s := mustSchema(t, "s STRING, i BIGINT")
	b := column.NewBatchBuilder(s)
	for i := range 200_000 {
		n := i
		if i < 40_000 {
			n = i % 100
		}
		if err := b.AppendRow(fmt.Sprintf("a value that is long enough %d", n), int64(n)); err != nil {
			t.Fatal(err)
		}
	}
	batch := b.Finish()
	f := open(t, write(t, Options{}, batch))
	got, err := f.All([]int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range batch.N {
		if got.Cols[0].Str(i) != batch.Cols[0].Str(i) || got.Cols[1].I64[i] != batch.Cols[1].I64[i] {
			t.Fatalf("row %d is %v, want %v", i, got.Row(i), batch.Row(i))
		}
	}
}

func TestDecimalLengths(t *testing.T) {
	for p, want := range map[int]int{1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 9: 4, 18: 8, 19: 9, 20: 9, 28: 12, 38: 16} {
		if decimalBytes[p] != want {
			t.Errorf("%d digits take %d bytes, want %d", p, decimalBytes[p], want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	s := mustSchema(f, "a INT, s STRING, l ARRAY<STRING>, low STRING")
	for _, codec := range []string{"none", "snappy"} {
		f.Add(write(f, Options{Compression: codec}, randomBatch(f, r, s, 50)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil || file.NumRows() > 10_000 {
			return
		}
		for g := range file.RowGroups() {
			for c := range file.Schema().Fields {
				file.Stats(g, c)
			}
		}
		b, err := file.All(allColumns(file.Schema()))
		if err != nil {
			return
		}
		for i := range b.N {
			b.Row(i)
		}
	})
}

func benchFile(b *testing.B, codec string) *File {
	r := rand.New(rand.NewPCG(3, 4))
	s := mustSchema(b, "i BIGINT, d DOUBLE, low STRING, high STRING, ts TIMESTAMP")
	return open(b, write(b, Options{Compression: codec}, randomBatch(b, r, s, 500_000)))
}

func BenchmarkRead(b *testing.B) {
	for _, codec := range []string{"none", "snappy", "zstd"} {
		f := benchFile(b, codec)
		for name, cols := range map[string][]int{"all": {0, 1, 2, 3, 4}, "numbers": {0, 1}, "low": {2}, "high": {3}} {
			b.Run(codec+"/"+name, func(b *testing.B) {
				for b.Loop() {
					rows, err := f.Read(0, cols)
					if err != nil {
						b.Fatal(err)
					}
					for err == nil {
						_, err = rows.Next()
					}
					if err != io.EOF {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(f.NumRows())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
			})
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	batch := randomBatch(b, r, mustSchema(b, "i BIGINT, d DOUBLE, low STRING, high STRING, ts TIMESTAMP"), 200_000)
	for b.Loop() {
		write(b, Options{}, batch)
	}
	b.ReportMetric(float64(batch.N)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
