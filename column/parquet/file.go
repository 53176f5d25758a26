package parquet

import (
	"errors"
	"fmt"
	"io"

	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"

	"github.com/streamflow/streamflow/column"
)

// schemaKey is the footer's key under which the writer keeps the schema as DDL, for what Parquet's own types do not say.
const schemaKey = "streamflow.schema"

// File is an open Parquet file. It may be read by several Rows at once.
type File struct {
	r   *file.Reader
	src io.ReaderAt
	*Footer
}

// Footer is what a file says of itself. It does not change, and files may share it.
type Footer struct {
	meta   *metadata.FileMetaData
	nodes  []node
	schema *column.Schema
}

// Bytes is the footer's size in the file; in memory it is several times that.
func (t *Footer) Bytes() int64 { return int64(t.meta.Size()) }

// Open reads the footer. The source stays the caller's to close.
func Open(src io.ReaderAt, size int64) (f *File, err error) {
	defer guard(&err)
	r, err := file.NewParquetReader(io.NewSectionReader(src, 0, size))
	if err != nil {
		return nil, fmt.Errorf("parquet: %w", err)
	}
	f = &File{r, src, &Footer{meta: r.MetaData()}}
	if f.nodes, f.schema, err = schemaOf(r.MetaData().Schema); err != nil {
		return nil, err
	}
	f.refine()
	return f, nil
}

// OpenWith opens a file whose footer was read before: the Footer of a File over the same bytes.
func OpenWith(src io.ReaderAt, size int64, t *Footer) (f *File, err error) {
	defer guard(&err)
	r, err := file.NewParquetReader(io.NewSectionReader(src, 0, size), file.WithMetadata(t.meta))
	if err != nil {
		return nil, fmt.Errorf("parquet: %w", err)
	}
	return &File{r, src, t}, nil
}

// guard turns a panic of the library, which some damaged files cause, into an error.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("parquet: damaged file: %v", r)
	}
}

// refine takes the types of the schema that the writer left in the footer where they are stored alike: intervals and the
// nullability of members.
func (f *File) refine() {
	ddl := f.r.MetaData().KeyValueMetadata().FindValue(schemaKey)
	if ddl == nil {
		f.sparkVariants()
		return
	}
	s, err := column.ParseDDL(*ddl)
	if err != nil || s.Len() != f.schema.Len() {
		return
	}
	for i, w := range s.Fields {
		if have := &f.schema.Fields[i]; have.Name == w.Name {
			f.nodes[i].refine(w.Type)
			have.Type = f.nodes[i].typ
		}
	}
}

func sameStorage(have, want column.Type) bool {
	return want.Kind == column.Null || have.Kind != column.Null && have.Kind.Storage() == want.Kind.Storage() && have.Kind != column.Decimal
}

// Schema is the file's columns in Spark's types.
func (f *File) Schema() *column.Schema { return f.schema }

// RowGroups is the number of row groups, the unit in which a file is split and pruned.
func (f *File) RowGroups() int { return f.r.NumRowGroups() }

// NumRows is the number of rows of the file, RowGroupRows that of one row group.
func (f *File) NumRows() int64 { return f.r.NumRows() }

// RowGroupRows is the number of rows of a row group.
func (f *File) RowGroupRows(group int) int64 { return f.r.MetaData().RowGroup(group).NumRows() }

// RowGroupBytes is the compressed size of a row group.
func (f *File) RowGroupBytes(group int) int64 {
	return f.r.MetaData().RowGroup(group).TotalCompressedSize()
}

// Note is the text that the footer has under a key.
func (f *File) Note(key string) (string, bool) {
	v := f.r.MetaData().KeyValueMetadata().FindValue(key)
	if v == nil {
		return "", false
	}
	return *v, true
}

// Range is where a row group's values of a column lie in the file, for those who fetch them before they read.
type Range struct{ From, To int64 }

// Ranges lists the ranges of a column of a row group: one for each of its leaves.
func (f *File) Ranges(group, col int) (list []Range, err error) {
	defer guard(&err)
	rg := f.r.MetaData().RowGroup(group)
	for _, n := range f.nodes[col].leaves(nil) {
		c, err := rg.ColumnChunk(n.leaf)
		if err != nil {
			return nil, fmt.Errorf("parquet: %w", err)
		}
		from := c.DataPageOffset()
		if c.HasDictionaryPage() && c.DictionaryPageOffset() > 0 {
			from = min(from, c.DictionaryPageOffset())
		}
		list = append(list, Range{from, from + c.TotalCompressedSize()})
	}
	return list, nil
}

// Rows reads some columns of one row group, a window of rows at a time.
type Rows struct {
	f      *File
	window int
	left   int64
	cols   []columnReader
	out    column.Batch

	behind []int // of each column, how many rows NextFirst has left unread
	taken  []*column.Vector
	chosen column.Batch
}

// columnReader gives the next n rows of a column, valid until its next read.
type columnReader interface {
	read(n int) (*column.Vector, error)
}

// Read starts reading columns, given by position in Schema, of a row group.
func (f *File) Read(group int, columns []int) (rows *Rows, err error) {
	defer guard(&err)
	rg := f.r.RowGroup(group)
	rows = &Rows{f: f, window: column.BatchRows, left: rg.NumRows()}
	rows.out.Schema = &column.Schema{}
	for _, c := range columns {
		r, err := f.column(rg, &f.nodes[c])
		if err != nil {
			return nil, fmt.Errorf("parquet: column %q: %w", f.schema.Fields[c].Name, err)
		}
		rows.cols = append(rows.cols, r)
		rows.out.Schema.Fields = append(rows.out.Schema.Fields, f.schema.Fields[c])
	}
	rows.out.Cols = make([]*column.Vector, len(columns))
	return rows, nil
}

func (f *File) column(rg *file.RowGroupReader, n *node) (columnReader, error) {
	if !n.flat() {
		return newNested(rg, n)
	}
	if n.typ.Kind == column.Null {
		return nulls{}, nil
	}
	meta, err := rg.MetaData().ColumnChunk(n.leaf)
	if err != nil {
		return nil, err
	}
	if !plainEncodings(meta.Encodings()) || n.phys == pq.Types.Boolean && hasRLEData(meta.Encodings()) {
		return newLeaf(rg, n)
	}
	return &chunk{node: n, pages: newPages(f.src, meta, keepsPages(n))}, nil
}

// hasRLEData reports whether booleans may be run-length coded: RLE then stands in the list without a plain encoding.
func hasRLEData(encodings []pq.Encoding) bool {
	for _, e := range encodings {
		if e == pq.Encodings.Plain {
			return false
		}
	}
	return true
}

// nulls is a column of the void type.
type nulls struct{}

func (nulls) read(n int) (*column.Vector, error) {
	return column.NewVector(column.Of(column.Null), n), nil
}

// SetWindow sets the most rows of a batch; column.BatchRows otherwise.
func (r *Rows) SetWindow(rows int) { r.window = max(rows, 1) }

// Next returns the next rows, valid until the next call, or io.EOF.
func (r *Rows) Next() (b *column.Batch, err error) {
	defer guard(&err)
	n := int(min(r.left, int64(r.window)))
	if n == 0 {
		r.release()
		return nil, io.EOF
	}
	if err := r.catchUpAll(); err != nil {
		return nil, err
	}
	for i, c := range r.cols {
		if r.out.Cols[i], err = c.read(n); err != nil {
			if errors.Is(err, errPage) {
				err = fmt.Errorf("column %q: %w", r.out.Schema.Fields[i].Name, err)
			}
			return nil, err
		}
	}
	r.left -= int64(n)
	r.out.N = n
	return &r.out, nil
}

// release gives the memory of pages back when the last batch is no longer valid.
func (r *Rows) release() {
	for _, c := range r.cols {
		if c, ok := c.(*chunk); ok {
			c.pages.release()
		}
	}
}

// All reads some columns of the whole file as one batch that shares nothing with later reads: for small files and tests.
func (f *File) All(columns []int) (*column.Batch, error) {
	var parts []*column.Batch
	schema := &column.Schema{}
	for _, c := range columns {
		schema.Fields = append(schema.Fields, f.schema.Fields[c])
	}
	for g := range f.RowGroups() {
		rows, err := f.Read(g, columns)
		if err != nil {
			return nil, err
		}
		for {
			b, err := rows.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
			parts = append(parts, b.Clone())
		}
	}
	return column.Concat(schema, parts), nil
}
