package physical

import (
	"encoding/binary"
	"errors"

	"github.com/streamflow/streamflow/column"
)

// orderKey makes of a row bytes that compare as ORDER BY does, followed by the row itself, by which ties are broken:
//
//	for each key: 0 or 2 null, as nulls come first or last; 1 value, turned over when descending │ row │ length of the keys uint16
//
// The value is that of column.AppendKey, the row column.AppendRow's.
type orderKey struct {
	keys []column.SortKey
	rows []int // the columns of the row
	cols []*column.Vector
	one  [1]*column.Vector
}

var errOrderKey = errors.New("physical: a stored row is damaged, or its sort key is longer than 65,535 bytes")

// bind takes the columns of b.
func (o *orderKey) bind(b *column.Batch) {
	o.cols = o.cols[:0]
	for _, c := range o.rows {
		o.cols = append(o.cols, b.Cols[c])
	}
}

// appendOrder appends the keys of row i.
func (o *orderKey) appendOrder(dst []byte, b *column.Batch, i int) []byte {
	for _, k := range o.keys {
		v := b.Cols[k.Col]
		if !v.IsValid(i) {
			if k.NullsFirst {
				dst = append(dst, 0)
			} else {
				dst = append(dst, 2)
			}
			continue
		}
		at := len(dst)
		o.one[0] = v
		dst = column.AppendKey(dst, o.one[:], i)
		dst[at] = 1
		if k.Desc {
			for j := at + 1; j < len(dst); j++ {
				dst[j] = ^dst[j]
			}
		}
	}
	return dst
}

// appendRow appends row i and the length of its keys, which begin at from.
func (o *orderKey) appendRow(dst []byte, from, i int) []byte {
	n := len(dst) - from
	dst = column.AppendRow(dst, o.cols, i)
	return binary.BigEndian.AppendUint16(dst, uint16(min(n, 1<<16-1)))
}

// splitOrder takes a whole key apart.
func splitOrder(b []byte) (order, row []byte, err error) {
	if len(b) < 2 {
		return nil, nil, errOrderKey
	}
	n := int(binary.BigEndian.Uint16(b[len(b)-2:]))
	if n > len(b)-2 || n == 1<<16-1 {
		return nil, nil, errOrderKey
	}
	return b[:n], b[n : len(b)-2], nil
}
