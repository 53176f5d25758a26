package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/streamflow/streamflow/column"
)

// groupRows is the number of rows of the row groups that we write.
const groupRows = 128 << 10

var codecs = map[string]compress.Compression{"": compress.Codecs.Snappy, "snappy": compress.Codecs.Snappy, "none": compress.Codecs.Uncompressed,
	"uncompressed": compress.Codecs.Uncompressed, "gzip": compress.Codecs.Gzip, "zstd": compress.Codecs.Zstd}

// parquetWriter collects rows into row groups.
type parquetWriter struct {
	w    *file.Writer
	rows []*column.Batch
	n    int
	to   *column.Schema
}

// notClosing keeps the library from closing what it writes to.
type notClosing struct{ io.Writer }

func (parquetFormat) writer(w io.Writer, s *column.Schema, opt Options) (writer, error) {
	var fields schema.FieldList
	for _, f := range s.Fields {
		n, err := parquetNode(f)
		if err != nil {
			return nil, err
		}
		fields = append(fields, n)
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
	if err != nil {
		return nil, fmt.Errorf("file: parquet schema: %w", err)
	}
	props := parquet.NewWriterProperties(parquet.WithCompression(codecs[opt.Compression]), parquet.WithCreatedBy("streamflow"), parquet.WithStats(true))
	return &parquetWriter{w: file.NewParquetWriter(notClosing{w}, root, file.WithWriterProps(props)), to: s}, nil
}

func (p *parquetWriter) write(b *column.Batch) error {
	p.rows = append(p.rows, b.Clone())
	if p.n += b.N; p.n >= groupRows {
		return p.flush()
	}
	return nil
}

// flush writes the collected rows as a row group.
func (p *parquetWriter) flush() error {
	if p.n == 0 {
		return nil
	}
	all := column.Concat(p.to, p.rows)
	p.rows, p.n = nil, 0
	group := p.w.AppendRowGroup()
	for _, v := range all.Cols {
		c, err := group.NextColumn()
		if err != nil {
			return err
		}
		if err := errors.Join(writeChunk(c, v), c.Close()); err != nil {
			return err
		}
	}
	return group.Close()
}

func (p *parquetWriter) close() error { return errors.Join(p.flush(), p.w.Close()) }

// batchWriter is what the library's typed column writers have in common.
type batchWriter[T any] interface {
	WriteBatch(values []T, def, rep []int16) (int64, error)
}

func writeChunk(c file.ColumnChunkWriter, v *column.Vector) error {
	switch c := c.(type) {
	case *file.BooleanColumnChunkWriter:
		return writeValues(c, v, func(i int) bool { return v.Bools[i] })
	case *file.Int32ColumnChunkWriter:
		switch v.Type.Kind.Storage() {
		case column.StorageI8:
			return writeValues(c, v, func(i int) int32 { return int32(v.I8[i]) })
		case column.StorageI16:
			return writeValues(c, v, func(i int) int32 { return int32(v.I16[i]) })
		}
		return writeValues(c, v, func(i int) int32 { return v.I32[i] })
	case *file.Int64ColumnChunkWriter:
		return writeValues(c, v, func(i int) int64 { return v.I64[i] })
	case *file.Float32ColumnChunkWriter:
		return writeValues(c, v, func(i int) float32 { return v.F32[i] })
	case *file.Float64ColumnChunkWriter:
		return writeValues(c, v, func(i int) float64 { return v.F64[i] })
	case *file.ByteArrayColumnChunkWriter:
		return writeValues(c, v, func(i int) parquet.ByteArray { return v.Bytes(i) })
	case *file.FixedLenByteArrayColumnChunkWriter:
		return writeValues(c, v, func(i int) parquet.FixedLenByteArray {
			b := binary.BigEndian.AppendUint64(nil, uint64(v.Dec[i].Hi))
			return binary.BigEndian.AppendUint64(b, v.Dec[i].Lo)
		})
	}
	return fmt.Errorf("file: %T cannot be written", c)
}

// writeValues writes the values of the rows that are not null, and which those are.
func writeValues[T any](c batchWriter[T], v *column.Vector, value func(i int) T) error {
	def := make([]int16, v.N)
	values := make([]T, 0, v.N)
	for i := range v.N {
		if v.IsValid(i) {
			def[i] = 1
			values = append(values, value(i))
		}
	}
	_, err := c.WriteBatch(values, def, nil)
	return err
}
