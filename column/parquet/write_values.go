package parquet

import (
	"encoding/binary"
	"errors"

	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"

	"github.com/streamflow/streamflow/column"
)

func writeColumn(rg file.SerialRowGroupWriter, n *node, v *column.Vector) error {
	if n.flat() {
		dense, defs := flatLevels(n, v)
		return writeLeaf(rg, n, dense, defs, nil)
	}
	s := shredder{out: map[int]*shredded{}}
	for _, lf := range n.leaves(nil) {
		s.out[lf.leaf] = &shredded{values: column.NewBuilder(lf.typ)}
	}
	for i := range v.N {
		s.value(n, v, i, 0)
	}
	for _, lf := range n.leaves(nil) {
		o := s.out[lf.leaf]
		if err := writeLeaf(rg, lf, o.values.Finish(), o.defs, o.reps); err != nil {
			return err
		}
	}
	return nil
}

// flatLevels are the values that are not null and the definition levels of all rows.
func flatLevels(n *node, v *column.Vector) (*column.Vector, []int16) {
	if n.def == 0 {
		return v, nil
	}
	defs := make([]int16, v.N)
	sel := column.SelectValid(nil, v, v.N)
	for _, r := range sel {
		defs[r] = 1
	}
	if len(sel) == v.N {
		return v, defs
	}
	return column.Take(nil, v, sel), defs
}

func writeLeaf(rg file.SerialRowGroupWriter, n *node, v *column.Vector, defs, reps []int16) error {
	cw, err := rg.NextColumn()
	if err != nil {
		return err
	}
	switch w := cw.(type) {
	case *file.BooleanColumnChunkWriter:
		_, err = w.WriteBatch(v.Bools[:v.N], defs, reps)
	case *file.Int32ColumnChunkWriter:
		_, err = w.WriteBatch(asInt32(v), defs, reps)
	case *file.Int64ColumnChunkWriter:
		_, err = w.WriteBatch(asInt64(v), defs, reps)
	case *file.Float32ColumnChunkWriter:
		_, err = w.WriteBatch(v.F32[:v.N], defs, reps)
	case *file.Float64ColumnChunkWriter:
		_, err = w.WriteBatch(v.F64[:v.N], defs, reps)
	case *file.ByteArrayColumnChunkWriter:
		x := make([]pq.ByteArray, v.N)
		for i := range x {
			x[i] = v.Bytes(i)
		}
		_, err = w.WriteBatch(x, defs, reps)
	case *file.FixedLenByteArrayColumnChunkWriter:
		_, err = w.WriteBatch(asFixed(v, n.length), defs, reps)
	default:
		err = errors.New("a physical type that is never written")
	}
	if cerr := cw.Close(); err == nil {
		err = cerr
	}
	return err
}

func asInt32(v *column.Vector) []int32 {
	switch v.Type.Kind.Storage() {
	case column.StorageI32:
		return v.I32[:v.N]
	case column.StorageNone:
		return nil
	}
	out := make([]int32, v.N)
	for i := range out {
		switch v.Type.Kind.Storage() {
		case column.StorageI8:
			out[i] = int32(v.I8[i])
		case column.StorageI16:
			out[i] = int32(v.I16[i])
		case column.StorageDec:
			out[i] = int32(v.Dec[i].Lo)
		}
	}
	return out
}

func asInt64(v *column.Vector) []int64 {
	if v.Type.Kind != column.Decimal {
		return v.I64[:v.N]
	}
	out := make([]int64, v.N)
	for i := range out {
		out[i] = int64(v.Dec[i].Lo)
	}
	return out
}

// asFixed is decimals as big-endian two's-complement integers of the length.
func asFixed(v *column.Vector, length int) []pq.FixedLenByteArray {
	out := make([]pq.FixedLenByteArray, v.N)
	buf := make([]byte, 0, 16*v.N)
	for i, d := range v.Dec[:v.N] {
		buf = binary.BigEndian.AppendUint64(buf, uint64(d.Hi))
		buf = binary.BigEndian.AppendUint64(buf, d.Lo)
		out[i] = buf[len(buf)-length:]
	}
	return out
}

// shredder turns nested values into the entries of their leaves: the inverse of nested.
type shredder struct{ out map[int]*shredded }

type shredded struct {
	values     *column.Builder
	defs, reps []int16
}

// missing adds an entry without a value to each leaf below the node.
func (s *shredder) missing(n *node, rep, def int16) {
	for _, lf := range n.leaves(nil) {
		o := s.out[lf.leaf]
		o.defs, o.reps = append(o.defs, def), append(o.reps, rep)
	}
}

func (s *shredder) value(n *node, v *column.Vector, i int, rep int16) {
	if !v.IsValid(i) {
		s.missing(n, rep, n.def-1)
		return
	}
	switch n.typ.Kind {
	case column.Variant:
		s.variant(n, v.Variant(i), rep)
	case column.Struct:
		for k := range n.kids {
			s.value(&n.kids[k], v.Kids[k], i, rep)
		}
	case column.List, column.Map:
		from, to := v.Offs[i], v.Offs[i+1]
		if from == to {
			s.missing(n, rep, n.def)
		}
		for j := from; j < to; j++ {
			for k := range n.kids {
				s.value(&n.kids[k], v.Kids[k], int(j), rep)
			}
			rep = n.rep
		}
	default:
		o := s.out[n.leaf]
		o.defs, o.reps = append(o.defs, n.def), append(o.reps, rep)
		o.values.AppendFrom(v, i)
	}
}
