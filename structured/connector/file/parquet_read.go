package file

import (
	"fmt"
	"io"
	"math/big"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"

	"github.com/streamflow/streamflow/column"
)

// groupReader reads the columns of one row group side by side.
type groupReader struct {
	f    *file.Reader
	left int64
	cols []chunkReader
	out  *column.Schema
	rows *column.BatchBuilder
}

// chunkReader appends the next n values of a column to a builder; nil for a column that the file does not have.
type chunkReader func(n int, to *column.Builder) error

func newGroupReader(r *reader, f *file.Reader, g rowGroup) (*groupReader, error) {
	have, leaves, err := parquetSchema(f.MetaData().Schema)
	if err != nil {
		return nil, err
	}
	group := f.RowGroup(g.Group)
	p := &groupReader{f: f, left: group.NumRows(), out: r.out(), rows: column.NewBatchBuilder(r.out())}
	for _, want := range p.out.Fields {
		at := have.Index(want.Name)
		if at < 0 {
			p.cols = append(p.cols, nil)
			continue
		}
		if !have.Fields[at].Type.Equal(want.Type) {
			return nil, fmt.Errorf("column %s is %s in the file, %s in the table", want.Name, have.Fields[at].Type, want.Type)
		}
		c, err := group.Column(at)
		if err != nil {
			return nil, err
		}
		read, err := chunkReaderOf(c, leaves[at])
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", want.Name, err)
		}
		p.cols = append(p.cols, read)
	}
	return p, nil
}

func (p *groupReader) next() (*column.Batch, error) {
	if p.left == 0 {
		return nil, io.EOF
	}
	n := int(min(p.left, column.BatchRows))
	p.left -= int64(n)
	p.rows.Reset()
	for i, read := range p.cols {
		if read == nil {
			for range n {
				p.rows.Cols[i].AppendNull()
			}
			continue
		}
		if err := read(n, p.rows.Cols[i]); err != nil {
			return nil, fmt.Errorf("file: column %s: %w", p.out.Fields[i].Name, err)
		}
	}
	b := p.rows.Finish()
	b.N = n
	return b, nil
}

func (p *groupReader) close() error { return p.f.Close() }

// batchReader is what the library's typed column readers have in common.
type batchReader[T any] interface {
	ReadBatch(n int64, values []T, def, rep []int16) (total int64, valuesRead int, err error)
}

func chunkReaderOf(c file.ColumnChunkReader, leaf parquetLeaf) (chunkReader, error) {
	switch c := c.(type) {
	case *file.BooleanColumnChunkReader:
		return chunkOf(c, leaf, func(to *column.Builder, v bool) { to.AppendBool(v) }), nil
	case *file.Int32ColumnChunkReader:
		return chunkOf(c, leaf, func(to *column.Builder, v int32) { leaf.appendInt(to, int64(v)) }), nil
	case *file.Int64ColumnChunkReader:
		return chunkOf(c, leaf, func(to *column.Builder, v int64) { leaf.appendInt(to, v) }), nil
	case *file.Float32ColumnChunkReader:
		return chunkOf(c, leaf, func(to *column.Builder, v float32) { to.AppendF64(float64(v)) }), nil
	case *file.Float64ColumnChunkReader:
		return chunkOf(c, leaf, func(to *column.Builder, v float64) { to.AppendF64(v) }), nil
	case *file.ByteArrayColumnChunkReader:
		return chunkOf(c, leaf, func(to *column.Builder, v parquet.ByteArray) { leaf.appendBytes(to, v) }), nil
	case *file.FixedLenByteArrayColumnChunkReader:
		return chunkOf(c, leaf, func(to *column.Builder, v parquet.FixedLenByteArray) { leaf.appendBytes(to, v) }), nil
	}
	return nil, fmt.Errorf("%T cannot be read", c)
}

func (l parquetLeaf) appendInt(to *column.Builder, x int64) {
	if l.typ.Kind == column.Decimal {
		to.AppendDec(column.Dec128{Lo: uint64(x), Hi: x >> 63})
		return
	}
	to.AppendI64(l.unit(x))
}

func (l parquetLeaf) appendBytes(to *column.Builder, b []byte) {
	if l.typ.Kind != column.Decimal {
		to.AppendBytes(b)
		return
	}
	to.AppendDec(decimalOf(b))
}

// decimalOf reads a big-endian two's complement number of at most 16 bytes.
func decimalOf(b []byte) column.Dec128 {
	var wide [16]byte
	fill := byte(0)
	if len(b) > 0 && b[0]&0x80 != 0 {
		fill = 0xFF
	}
	for i := range wide {
		wide[i] = fill
	}
	copy(wide[16-min(len(b), 16):], b[max(0, len(b)-16):])
	return column.Dec128{Hi: int64(new(big.Int).SetBytes(wide[:8]).Uint64()), Lo: new(big.Int).SetBytes(wide[8:]).Uint64()}
}

// chunkOf reads a column through the library; a null is a row whose definition level is below the greatest.
func chunkOf[T any](r batchReader[T], leaf parquetLeaf, add func(*column.Builder, T)) chunkReader {
	values, def := make([]T, column.BatchRows), make([]int16, column.BatchRows)
	return func(n int, to *column.Builder) error {
		for n > 0 {
			total, valid, err := r.ReadBatch(int64(n), values[:n], def[:n], nil)
			if err != nil {
				return err
			}
			rows := int(total)
			if leaf.maxDef == 0 {
				rows = valid
			}
			if rows == 0 {
				return fmt.Errorf("the column ends %d rows before its row group", n)
			}
			k := 0
			for i := range rows {
				if leaf.maxDef > 0 && def[i] < leaf.maxDef {
					to.AppendNull()
					continue
				}
				add(to, values[k])
				k++
			}
			n -= rows
		}
		return nil
	}
}
