package shuffle

import "github.com/streamflow/streamflow/column"

// collector gathers rows of many batches into one batch. It owns the memory of what it gathered and can be used again.
type collector struct {
	batch column.Batch
	kids  []*column.Builder // for columns of nested types, nil for the others
	bytes int64
	kept  int64 // its size when the store took it back
}

// stringBuf is the size of the buffers that long strings are copied into.
const stringBuf = 64 << 10

func newCollector(schema *column.Schema) *collector {
	c := &collector{kids: make([]*column.Builder, schema.Len())}
	c.batch.Schema = schema
	for i, f := range schema.Fields {
		c.batch.Cols = append(c.batch.Cols, &column.Vector{Type: f.Type})
		if f.Type.IsNested() {
			c.kids[i] = column.NewBuilder(f.Type)
		}
	}
	return c
}

// reset forgets the rows and keeps the memory.
func (c *collector) reset() {
	c.batch.N, c.bytes = 0, 0
	for i, v := range c.batch.Cols {
		if c.kids[i] != nil {
			c.kids[i].Reset()
			continue
		}
		v.N, v.Valid = 0, nil
		v.Bools, v.I8, v.I16, v.I32, v.I64 = v.Bools[:0], v.I8[:0], v.I16[:0], v.I32[:0], v.I64[:0]
		v.F32, v.F64, v.Dec, v.Views = v.F32[:0], v.F64[:0], v.Dec[:0], v.Views[:0]
		v.Codes, v.Dict = nil, nil
		if len(v.Bufs) > 0 {
			v.Bufs = append(v.Bufs[:0], v.Bufs[0][:0])
		}
	}
}

// size is the memory that the collector holds, used or not.
func (c *collector) size() int64 {
	n := 0
	for i, v := range c.batch.Cols {
		if c.kids[i] != nil {
			n += int(c.kids[i].Size())
		}
		n += cap(v.Valid)*8 + cap(v.Bools) + cap(v.I8) + cap(v.I16)*2 + (cap(v.I32)+cap(v.F32)+cap(v.Codes))*4 +
			(cap(v.I64)+cap(v.F64))*8 + (cap(v.Dec)+cap(v.Views))*16
		for _, b := range v.Bufs {
			n += cap(b)
		}
	}
	return int64(n)
}

// append copies the selected rows of b.
func (c *collector) append(b *column.Batch, sel []int32) {
	for i, src := range b.Cols {
		c.appendColumn(i, src, sel)
	}
	c.batch.N += len(sel)
}

func (c *collector) appendColumn(i int, src *column.Vector, sel []int32) {
	if k := c.kids[i]; k != nil {
		for _, row := range sel {
			k.AppendFrom(src, int(row))
		}
		c.bytes += src.Size() * int64(len(sel)) / int64(max(src.N, 1))
		return
	}
	v := c.batch.Cols[i]
	appendValid(v, src, sel)
	width := 0
	switch v.Type.Kind.Storage() {
	case column.StorageBool:
		v.Bools, width = gather(v.Bools, src.Bools, sel), 1
	case column.StorageI8:
		v.I8, width = gather(v.I8, src.I8, sel), 1
	case column.StorageI16:
		v.I16, width = gather(v.I16, src.I16, sel), 2
	case column.StorageI32:
		v.I32, width = gather(v.I32, src.I32, sel), 4
	case column.StorageI64:
		v.I64, width = gather(v.I64, src.I64, sel), 8
	case column.StorageF32:
		v.F32, width = gather(v.F32, src.F32, sel), 4
	case column.StorageF64:
		v.F64, width = gather(v.F64, src.F64, sel), 8
	case column.StorageDec:
		v.Dec, width = gather(v.Dec, src.Dec, sel), 16
	case column.StorageBytes:
		width = 16
		c.bytes += appendStrings(v, src, sel)
	}
	v.N += len(sel)
	c.bytes += int64(width * len(sel))
}

// gather appends src[sel[0]], src[sel[1]] … to dst.
func gather[T any](dst, src []T, sel []int32) []T {
	at := len(dst)
	dst = grow(dst, len(sel))
	out := dst[at:]
	out = out[:len(sel)]
	for i, row := range sel {
		out[i] = src[row]
	}
	return dst
}

// grow lengthens s by n elements of unspecified value.
func grow[T any](s []T, n int) []T {
	if len(s)+n <= cap(s) {
		return s[:len(s)+n]
	}
	size := max(2*cap(s), len(s)+n, 64)
	if len(s)+n <= column.ExchangeRows {
		size = min(size, column.ExchangeRows) // a batch that is full has no room to spare
	}
	next := make([]T, len(s)+n, size)
	copy(next, s)
	return next
}

// appendValid extends v's bitmap by the selected rows' bits; a column without nulls has none.
func appendValid(v, src *column.Vector, sel []int32) {
	if src.Type.Kind == column.Null || src.Valid == nil && v.Valid == nil {
		return
	}
	if v.Valid == nil {
		v.Valid = column.AllValid(nil, v.N)
	}
	words := (v.N + len(sel) + 63) / 64
	for len(v.Valid) < words {
		v.Valid = append(v.Valid, ^uint64(0))
	}
	for j, row := range sel { // bits past the end are set, so only nulls need a touch
		if !src.IsValid(int(row)) {
			i := uint(v.N + j)
			v.Valid[i>>6] &^= 1 << (i & 63)
		}
	}
}

// appendStrings copies strings, or only their codes while all rows so far share one dictionary. It returns the bytes that
// it copied besides the views.
func appendStrings(v, src *column.Vector, sel []int32) int64 {
	if src.Codes != nil && (v.N == 0 || v.Dict == src.Dict) {
		v.Dict = src.Dict
		v.Codes = gather(v.Codes, src.Codes, sel)
		return 0
	}
	copied := int64(0)
	if v.Codes != nil {
		copied = undict(v)
	}
	at := len(v.Views)
	v.Views = grow(v.Views, len(sel))
	out := v.Views[at:]
	for i, row := range sel {
		if !src.IsValid(int(row)) {
			out[i] = column.View{}
			continue
		}
		w, n := storeString(v, src, row)
		out[i] = w
		copied += int64(n)
	}
	return copied
}

// storeString is the view of one of src's strings in v, its bytes copied when they do not fit the view.
func storeString(v, src *column.Vector, row int32) (column.View, int) {
	if src.Codes == nil && src.Views[row].Len <= column.InlineLen {
		return src.Views[row], 0
	}
	b := src.Bytes(int(row))
	if len(b) <= column.InlineLen {
		return column.MakeView(b, 0, 0), 0
	}
	last := len(v.Bufs) - 1
	if last < 0 || len(v.Bufs[last])+len(b) > cap(v.Bufs[last]) {
		v.Bufs = append(v.Bufs, make([]byte, 0, max(stringBuf, len(b))))
		last++
	}
	off := len(v.Bufs[last])
	v.Bufs[last] = append(v.Bufs[last], b...)
	return column.MakeView(b, uint32(last), uint32(off)), len(b)
}

// undict turns the rows gathered so far from codes into strings.
func undict(v *column.Vector) int64 {
	coded := *v
	v.Codes, v.Dict = nil, nil
	v.Views = grow(v.Views[:0], coded.N)
	copied := 0
	for i := range coded.N {
		v.Views[i] = column.View{}
		if coded.IsValid(i) {
			w, n := storeString(v, &coded, int32(i))
			v.Views[i] = w
			copied += n
		}
	}
	return int64(copied)
}

// finish returns the batch; it is the collector's until reset.
func (c *collector) finish() *column.Batch {
	for i, k := range c.kids {
		if k != nil {
			c.batch.Cols[i] = k.Finish()
		}
	}
	return &c.batch
}
