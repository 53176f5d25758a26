package parquet

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"

	pq "github.com/apache/arrow/go/v17/parquet"

	"github.com/streamflow/streamflow/column"
)

// TestLateReading reads files by NextFirst and Rest, some batches whole, some not at all, and compares the rows chosen with
// those of a plain read.
func TestLateReading(t *testing.T) {
	schema := mustSchema(t, "a INT, b BIGINT, c STRING, d DOUBLE, e DECIMAL(9,2), f DECIMAL(15,2), g DECIMAL(30,3), h BOOLEAN, i DATE, j TIMESTAMP, k SMALLINT, "+
		"l ARRAY<INT>, m STRING NOT NULL, n BIGINT NOT NULL, o INT NOT NULL, p DECIMAL(15,2) NOT NULL, q DOUBLE NOT NULL, r STRUCT<x: INT, y: STRING>")
	r := rand.New(rand.NewPCG(5, 6))
	written := open(t, write(t, Options{RowGroupRows: 5000}, randomBatch(t, r, schema, 9000)))
	files := map[string]*File{"ours": written}
	for _, version := range []pq.DataPageVersion{pq.DataPageV1, pq.DataPageV2} {
		for _, enc := range []pq.Encoding{pq.Encodings.Plain, pq.Encodings.DeltaBinaryPacked} {
			files[fmt.Sprint(version, enc)] = open(t, foreign(t, version, enc))
		}
	}
	for name, f := range files {
		for round := range 12 {
			window := []int{7, 100, 1000, 4096}[round%4]
			t.Run(fmt.Sprint(name, " ", round), func(t *testing.T) { readLate(t, r, f, window) })
		}
	}
}

func readLate(t *testing.T, r *rand.Rand, f *File, window int) {
	cols := allColumns(f.Schema())
	for g := range f.RowGroups() {
		plain, err := f.Read(g, cols)
		if err != nil {
			t.Fatal(err)
		}
		late, err := f.Read(g, cols)
		if err != nil {
			t.Fatal(err)
		}
		plain.SetWindow(window)
		late.SetWindow(window)
		for row := 0; ; row += window {
			want, err := plain.Next()
			whole := r.IntN(8) == 0
			var first []int
			for _, c := range cols {
				if r.IntN(3) == 0 {
					first = append(first, c)
				}
			}
			var got *column.Batch
			var gotErr error
			if whole {
				got, gotErr = late.Next()
			} else {
				got, gotErr = late.NextFirst(first)
			}
			if err != gotErr {
				t.Fatalf("row %d: %v, late %v", row, err, gotErr)
			}
			if err == io.EOF {
				break
			}
			if got.N != want.N {
				t.Fatalf("row %d: %d rows of %d", row, got.N, want.N)
			}
			sel := column.AllRows(nil, want.N)
			if whole {
				sameRows(t, row, got, want, sel, cols)
				continue
			}
			sameRows(t, row, got, want, sel, first)
			if sel = someRows(r, want.N); sel == nil {
				continue
			}
			if got, err = late.Rest(sel); err != nil {
				t.Fatal(err)
			}
			sameRows(t, row, got, want, sel, cols)
		}
	}
}

// someRows chooses few, many or all rows, or nil for a batch that nobody wants.
func someRows(r *rand.Rand, n int) []int32 {
	share := []float64{-1, 0.01, 0.2, 0.9, 1}[r.IntN(5)]
	if share < 0 {
		return nil
	}
	sel := []int32{}
	for i := range n {
		if r.Float64() < share {
			sel = append(sel, int32(i))
		}
	}
	return sel
}

func sameRows(t *testing.T, row int, got, want *column.Batch, sel []int32, cols []int) {
	t.Helper()
	for _, c := range cols {
		for i, s := range sel {
			g, w := column.Value(got.Cols[c], i), column.Value(want.Cols[c], int(s))
			if !reflect.DeepEqual(g, w) && fmt.Sprint(g) != fmt.Sprint(w) {
				t.Fatalf("row %d, column %s: %v, want %v", row+int(s), want.Schema.Fields[c].Name, g, w)
			}
		}
	}
}

// BenchmarkLateReading reads a file of which a filter over the first column passes one row in fifty.
func BenchmarkLateReading(b *testing.B) {
	f := benchFile(b, "none")
	cols := allColumns(f.Schema())
	sel := []int32{}
	for i := range column.BatchRows / 50 {
		sel = append(sel, int32(i*50))
	}
	b.SetBytes(f.NumRows())
	for b.Loop() {
		for g := range f.RowGroups() {
			rows, err := f.Read(g, cols)
			if err != nil {
				b.Fatal(err)
			}
			for {
				batch, err := rows.NextFirst([]int{0})
				if err == io.EOF {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				some := sel
				for len(some) > 0 && int(some[len(some)-1]) >= batch.N {
					some = some[:len(some)-1]
				}
				if _, err := rows.Rest(some); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}

// TestPassedPagesStayPacked breaks a page in the middle of a compressed column: rows behind it can be read as long as nobody wants rows
// of it.
func TestPassedPagesStayPacked(t *testing.T) {
	const rows = 400_000
	r := rand.New(rand.NewPCG(7, 8))
	b := randomBatch(t, r, mustSchema(t, "a INT NOT NULL, b BIGINT NOT NULL"), rows)
	for i := range b.Cols[1].I64 {
		b.Cols[1].I64[i] = r.Int64() // no dictionary, so that there are several pages
	}
	data := write(t, Options{RowGroupRows: rows, Compression: "snappy"}, b)
	whole := open(t, bytes.Clone(data))
	meta, err := whole.r.MetaData().RowGroup(0).ColumnChunk(1)
	if err != nil {
		t.Fatal(err)
	}
	p := newPages(bytes.NewReader(data), meta, false)
	h, n, err := p.peek()
	for err == nil && h.kind == dictionaryPage {
		p.drop(&h, n)
		h, n, err = p.peek()
	}
	if err != nil || int(h.values) > rows/2 {
		t.Fatalf("the first page has %d rows, %v", h.values, err)
	}
	at := int(p.to) - len(p.raw) + n
	clear(data[at : at+int(h.stored)])
	broken := open(t, data)
	for _, wanted := range []int{0, rows - 100} {
		got, err := broken.Read(0, []int{0, 1})
		if err != nil {
			t.Fatal(err)
		}
		got.SetWindow(4096)
		v, err := at1(got, wanted)
		if wanted == 0 {
			if err == nil {
				t.Error("the broken page was read")
			}
			continue
		}
		if err != nil || v != b.Cols[1].I64[wanted] {
			t.Errorf("row %d: %d, %v, want %d", wanted, v, err, b.Cols[1].I64[wanted])
		}
	}
}

// at1 is column 1 of one row, whose batch's column 0 is read first.
func at1(rows *Rows, row int) (int64, error) {
	for {
		b, err := rows.NextFirst([]int{0})
		if err != nil {
			return 0, err
		}
		if row < b.N {
			b, err = rows.Rest([]int32{int32(row)})
			if err != nil {
				return 0, err
			}
			return b.Cols[1].I64[0], nil
		}
		row -= b.N
	}
}
