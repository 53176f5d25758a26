package parquet

import (
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/streamflow/streamflow/column"
)

// Options say how a file is written; the zero value is Spark's choice.
type Options struct {
	Compression  string // snappy (default), zstd, gzip, none
	RowGroupRows int    // 0 for DefaultRowGroup
	// Opaque columns hold long values that are no use to look for: they get neither dictionary nor statistics.
	Opaque []string
}

// DefaultRowGroup is the number of rows of a row group.
const DefaultRowGroup = 1 << 20

var codecs = map[string]compress.Compression{"": compress.Codecs.Snappy, "snappy": compress.Codecs.Snappy, "zstd": compress.Codecs.Zstd,
	"gzip": compress.Codecs.Gzip, "none": compress.Codecs.Uncompressed, "uncompressed": compress.Codecs.Uncompressed}

// Writer writes batches as a Parquet file. Rows are collected up to a row group and written column by column.
type Writer struct {
	sum    *sumWriter
	schema *column.Schema
	root   *schema.GroupNode
	nodes  []node
	codec  compress.Compression
	limit  int
	opaque []string
	notes  [][2]string
	sums   [][]uint32

	fw   *file.Writer // made with the first row group, whose values decide on dictionaries
	held []*column.Batch
	rows int
}

// NewWriter returns a writer of rows of the schema. Nothing is written before the first row group is full.
func NewWriter(w io.Writer, s *column.Schema, opt Options) (*Writer, error) {
	codec, ok := codecs[opt.Compression]
	if !ok {
		return nil, fmt.Errorf("parquet: compression %q is none of snappy, zstd, gzip and none", opt.Compression)
	}
	root, err := fileSchema(s)
	if err != nil {
		return nil, fmt.Errorf("parquet: %w", err)
	}
	nodes, _, err := schemaOf(schema.NewSchema(root))
	if err != nil {
		return nil, err
	}
	for i := range nodes {
		nodes[i].refine(s.Fields[i].Type)
	}
	out := &Writer{sum: &sumWriter{w: w}, schema: s, root: root, nodes: nodes, codec: codec, limit: opt.RowGroupRows, opaque: opt.Opaque}
	if out.limit <= 0 {
		out.limit = DefaultRowGroup
	}
	return out, nil
}

// Write adds the rows of b, which is copied.
func (w *Writer) Write(b *column.Batch) error {
	for from := 0; from < b.N; {
		n := min(b.N-from, w.limit-w.rows)
		w.held = append(w.held, b.Slice(from, from+n).Clone())
		w.rows += n
		from += n
		if w.rows == w.limit {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Buffered is about the memory that the rows of the unfinished row group take.
func (w *Writer) Buffered() int64 {
	n := int64(0)
	for _, b := range w.held {
		n += b.Bytes()
	}
	return n
}

// Cut ends the row group: rows that follow are in the next one.
func (w *Writer) Cut() error {
	if w.rows == 0 {
		return nil
	}
	return w.flush()
}

// Sums are the CRC32C of what was written for each column of each row group so far: the bytes of File.Ranges.
func (w *Writer) Sums() [][]uint32 { return w.sums }

// sumWriter sums what passes.
type sumWriter struct {
	w   io.Writer
	crc uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (s *sumWriter) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	s.crc = crc32.Update(s.crc, castagnoli, b[:n])
	return n, err
}

// Note puts a text into the footer, under a key of the writer's choice.
func (w *Writer) Note(key, text string) { w.notes = append(w.notes, [2]string{key, text}) }

// Close writes the last row group and the footer.
func (w *Writer) Close() (err error) {
	defer guard(&err)
	if err := w.Cut(); err != nil {
		return err
	}
	if w.fw == nil {
		w.open(nil)
	}
	for _, n := range w.notes {
		if err := w.fw.AppendKeyValueMetadata(n[0], n[1]); err != nil {
			return fmt.Errorf("parquet: %w", err)
		}
	}
	if err := w.fw.Close(); err != nil {
		return fmt.Errorf("parquet: %w", err)
	}
	return nil
}

func (w *Writer) flush() (err error) {
	defer guard(&err)
	all := column.Concat(w.schema, w.held)
	if w.fw == nil {
		w.open(all)
	}
	rg := w.fw.AppendRowGroup()
	sums := make([]uint32, len(w.nodes))
	for i := range w.nodes {
		w.sum.crc = 0
		if err := writeColumn(rg, &w.nodes[i], all.Cols[i]); err != nil {
			return fmt.Errorf("parquet: column %q: %w", w.schema.Fields[i].Name, err)
		}
		sums[i] = w.sum.crc
	}
	w.sums = append(w.sums, sums)
	if err := rg.Close(); err != nil {
		return fmt.Errorf("parquet: %w", err)
	}
	w.held, w.rows = w.held[:0], 0
	return nil
}

// open starts the file. Columns get a dictionary when the first rows repeat themselves.
func (w *Writer) open(first *column.Batch) {
	props := []pq.WriterProperty{pq.WithCompression(w.codec), pq.WithDictionaryDefault(false), pq.WithStats(true), pq.WithCreatedBy("streamflow")}
	if first != nil {
		for i, f := range w.schema.Fields {
			if slices.Contains(w.opaque, f.Name) {
				props = append(props, pq.WithStatsFor(f.Name, false))
			} else if repeats(first.Cols[i]) {
				props = append(props, pq.WithDictionaryFor(f.Name, true))
			}
		}
	}
	kv := metadata.NewKeyValueMetadata()
	_ = kv.Append(schemaKey, w.schema.String()) // fails only for keys that are not UTF-8
	w.fw = file.NewParquetWriter(w.sum, w.root, file.WithWriterProps(pq.NewWriterProperties(props...)), file.WithWriteMetadata(kv))
}

// repeats reports whether a dictionary pays: in a sample, values occur several times each.
func repeats(v *column.Vector) bool {
	switch v.Type.Kind.Storage() {
	case column.StorageBytes, column.StorageI32, column.StorageI64, column.StorageF64, column.StorageDec:
	default:
		return false
	}
	n := min(v.N, 8*column.BatchRows)
	seen := map[uint64]bool{}
	for _, h := range column.Hash(nil, []*column.Vector{v.Slice(0, n)}, n) {
		seen[h] = true
	}
	return len(seen) <= n/8+1
}
