package parquet

import (
	"fmt"

	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"

	"github.com/streamflow/streamflow/column"
)

// leaf reads a column through the library's column reader: the way for encodings that chunk does not decode and, with
// levels, for what is nested.
type leaf struct {
	node *node
	r    file.ColumnChunkReader
	out  column.Vector
	defs []int16
	reps []int16
}

func newLeaf(rg *file.RowGroupReader, n *node) (*leaf, error) {
	r, err := rg.Column(n.leaf)
	return &leaf{node: n, r: r}, err
}

func (l *leaf) read(n int) (*column.Vector, error) {
	v := l.out.Reset(l.node.typ, n)
	levels, values, err := l.fill(v, n)
	if err != nil {
		return nil, err
	}
	if levels != n {
		return nil, fmt.Errorf("parquet: the column has %d rows where %d were expected: %w", levels, n, errPage)
	}
	if l.node.def == 0 || values == n {
		return v, nil
	}
	v.MakeValid()
	for i, d := range l.defs[:n] {
		if d < l.node.def {
			v.Valid[i>>6] &^= 1 << (uint(i) & 63)
		}
	}
	spreadRows(v, 0, n, values)
	return v, nil
}

// fill reads up to n levels; the values that exist stand at the front of v, which has room for n.
func (l *leaf) fill(v *column.Vector, n int) (levels, values int, err error) {
	l.defs, l.reps = grow(l.defs, n), grow(l.reps, n)
	total := int64(0)
	switch r := l.r.(type) {
	case *file.BooleanColumnChunkReader:
		total, values, err = r.ReadBatch(int64(n), v.Bools, l.defs, l.reps)
	case *file.Int32ColumnChunkReader:
		x := make([]int32, n)
		total, values, err = r.ReadBatch(int64(n), x, l.defs, l.reps)
		l.fromInt32(v, x[:values])
	case *file.Int64ColumnChunkReader:
		x := make([]int64, n)
		total, values, err = r.ReadBatch(int64(n), x, l.defs, l.reps)
		l.fromInt64(v, x[:values])
	case *file.Float32ColumnChunkReader:
		total, values, err = r.ReadBatch(int64(n), v.F32, l.defs, l.reps)
	case *file.Float64ColumnChunkReader:
		total, values, err = r.ReadBatch(int64(n), v.F64, l.defs, l.reps)
	case *file.Int96ColumnChunkReader:
		x := make([]pq.Int96, n)
		total, values, err = r.ReadBatch(int64(n), x, l.defs, l.reps)
		for i := range x[:values] {
			v.I64[i] = int96Micros(x[i][:])
		}
	case *file.ByteArrayColumnChunkReader:
		x := make([]pq.ByteArray, n)
		total, values, err = r.ReadBatch(int64(n), x, l.defs, l.reps)
		fromBytes(v, x[:values])
	case *file.FixedLenByteArrayColumnChunkReader:
		x := make([]pq.FixedLenByteArray, n)
		total, values, err = r.ReadBatch(int64(n), x, l.defs, l.reps)
		fromBytes(v, x[:values])
	}
	if err != nil {
		err = fmt.Errorf("parquet: %w", err)
	}
	return int(total), values, err
}

func (l *leaf) fromInt32(v *column.Vector, x []int32) {
	switch v.Type.Kind.Storage() {
	case column.StorageI32:
		copy(v.I32, x)
	case column.StorageI16:
		for i, n := range x {
			v.I16[i] = int16(n)
		}
	case column.StorageI8:
		for i, n := range x {
			v.I8[i] = int8(n)
		}
	case column.StorageI64:
		for i, n := range x {
			v.I64[i] = int64(uint32(n))
		}
	case column.StorageDec:
		for i, n := range x {
			v.Dec[i] = column.DecFromInt(int64(n))
		}
	}
}

func (l *leaf) fromInt64(v *column.Vector, x []int64) {
	if v.Type.Kind == column.Decimal {
		for i, n := range x {
			v.Dec[i] = column.DecFromInt(n)
			if l.node.unsigned {
				v.Dec[i].Hi = 0
			}
		}
		return
	}
	copy(v.I64, x)
	l.node.toMicros(v.I64[:len(x)])
}

// fromBytes copies byte arrays, which live only until the reader's next page.
func fromBytes[T ~[]byte](v *column.Vector, x []T) {
	if v.Type.Kind == column.Decimal {
		for i, b := range x {
			v.Dec[i] = bigEndianDecimal(b)
		}
		return
	}
	size := 0
	for _, b := range x {
		size += len(b)
	}
	buf := make([]byte, 0, size)
	for i, b := range x {
		v.Views[i] = column.MakeView(b, 0, uint32(len(buf)))
		buf = append(buf, b...)
	}
	v.Bufs = append(v.Bufs, buf)
}
