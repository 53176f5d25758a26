package parquet

import (
	"github.com/streamflow/streamflow/column"
)

// Stats is what the footer says about a column of a row group. Bounds may be wider than the values, never narrower.
type Stats struct {
	Nulls    int64 // -1 when unknown
	Rows     int64
	Min, Max any // boxed as column.Value does; nil when unknown
}

// Stats returns the statistics of a column of a row group, for pruning. Columns that are not flat have none.
func (f *File) Stats(group, col int) (s Stats) {
	n := &f.nodes[col]
	s = Stats{Nulls: -1, Rows: f.RowGroupRows(group)}
	if !n.flat() {
		return s
	}
	// Statistics that cannot be read are statistics that are not there.
	defer func() {
		if recover() != nil {
			s.Min, s.Max, s.Nulls = nil, nil, -1
		}
	}()
	meta, err := f.r.MetaData().RowGroup(group).ColumnChunk(n.leaf)
	if err != nil {
		return s
	}
	set, err := meta.StatsSet()
	if err != nil || !set {
		return s
	}
	stats, err := meta.Statistics()
	if err != nil || stats == nil {
		return s
	}
	if stats.HasNullCount() {
		s.Nulls = stats.NullCount()
	}
	if stats.HasMinMax() && n.typ.Kind != column.Null {
		lo, hi := n.bound(stats.EncodeMin()), n.bound(stats.EncodeMax())
		if lo != nil && hi != nil {
			s.Min, s.Max = lo, hi
		}
	}
	return s
}

// bound decodes a bound, which is stored as a plain value, byte arrays without their length.
func (n *node) bound(b []byte) any {
	v := column.NewVector(n.typ, 1)
	if n.phys == physInt96 {
		return nil // its order in files is not that of time
	}
	if n.typ.Kind.Storage() == column.StorageBytes {
		if n.typ.Kind == column.String {
			return string(b)
		}
		return append([]byte{}, b...)
	}
	if n.typ.Kind == column.Decimal && n.phys != physInt32 && n.phys != physInt64 {
		return bigEndianDecimal(b)
	}
	if _, err := n.plain(v, 0, 1, b); err != nil {
		return nil
	}
	x := column.Value(v, 0)
	if f, ok := x.(float64); ok && f != f {
		return nil
	}
	return x
}
