package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/streamflow/streamflow/column"
)

// lateReader is a columnReader that can pass over rows without decoding them.
type lateReader interface {
	columnReader
	// skip passes over n rows.
	skip(n int) error
	// choose gives rows sel (ascending) of the next n, valid until the next read or choose.
	choose(n int, sel []int32) (*column.Vector, error)
}

// NextFirst is Next that reads only some columns, by position among those being read; the others are nil in the batch. The
// batch's rows that are wanted are then read by Rest; without it the other columns' rows are passed over.
func (r *Rows) NextFirst(first []int) (b *column.Batch, err error) {
	defer guard(&err)
	n := int(min(r.left, int64(r.window)))
	if n == 0 {
		r.release()
		return nil, io.EOF
	}
	if r.behind == nil {
		r.behind, r.taken = make([]int, len(r.cols)), make([]*column.Vector, len(r.cols))
		r.chosen.Schema, r.chosen.Cols = r.out.Schema, make([]*column.Vector, len(r.cols))
	}
	for i := range r.cols {
		r.out.Cols[i] = nil
		r.behind[i] += n
	}
	for _, i := range first {
		if err := r.catchUp(i, n); err != nil {
			return nil, r.named(i, err)
		}
		if r.out.Cols[i], err = r.cols[i].read(n); err != nil {
			return nil, r.named(i, err)
		}
		r.behind[i] = 0
	}
	r.left -= int64(n)
	r.out.N = n
	return &r.out, nil
}

// Rest is rows sel, ascending, of the batch that NextFirst has returned, with all columns.
func (r *Rows) Rest(sel []int32) (b *column.Batch, err error) {
	defer guard(&err)
	n := r.out.N
	for i, v := range r.out.Cols {
		switch {
		case v == nil:
			if r.chosen.Cols[i], err = r.chooseOf(i, n, sel); err != nil {
				return nil, r.named(i, err)
			}
			r.behind[i] = 0
		case len(sel) == n:
			r.chosen.Cols[i] = v
		default:
			r.taken[i] = column.Take(r.taken[i], v, sel)
			r.chosen.Cols[i] = r.taken[i]
		}
	}
	r.chosen.N = len(sel)
	return &r.chosen, nil
}

// catchUp passes over the rows of a column that lie before the current n.
func (r *Rows) catchUp(i, n int) error {
	for k := r.behind[i] - n; k > 0; {
		if l, ok := r.cols[i].(lateReader); ok {
			return l.skip(k)
		}
		step := min(k, r.window)
		if _, err := r.cols[i].read(step); err != nil {
			return err
		}
		k -= step
	}
	return nil
}

// manyRows is the share of rows from which on decoding all of them and taking some costs less than looking for each.
const manyRows = 0.6

func (r *Rows) chooseOf(i, n int, sel []int32) (*column.Vector, error) {
	if err := r.catchUp(i, n); err != nil {
		return nil, err
	}
	if l, ok := r.cols[i].(lateReader); ok && float64(len(sel)) < manyRows*float64(n) {
		return l.choose(n, sel)
	}
	v, err := r.cols[i].read(n)
	if err != nil || len(sel) == n {
		return v, err
	}
	r.taken[i] = column.Take(r.taken[i], v, sel)
	return r.taken[i], nil
}

func (r *Rows) named(i int, err error) error {
	if errors.Is(err, errPage) {
		return fmt.Errorf("column %q: %w", r.out.Schema.Fields[i].Name, err)
	}
	return err
}

// catchUpAll brings all columns to the current row, for a Next after NextFirst.
func (r *Rows) catchUpAll() error {
	for i := range r.behind {
		if err := r.catchUp(i, 0); err != nil {
			return r.named(i, err)
		}
		r.behind[i] = 0
	}
	return nil
}

func (c *chunk) skip(n int) error {
	for n > 0 {
		if c.left == 0 {
			passed, err := c.pass(n)
			if err != nil {
				return err
			}
			n -= passed
			continue
		}
		k := min(n, c.left)
		if c.left == k { // what is left of the page is of no use
			c.left = 0
			n -= k
			continue
		}
		if err := c.skipIn(k); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// pass passes over whole pages that have n rows at the most together, which are not decompressed, or opens the next one; it returns how
// many rows it has passed over.
func (c *chunk) pass(n int) (int, error) {
	k, err := c.pages.pass(n)
	if err != nil || k > 0 {
		return k, err
	}
	h, _, err := c.pages.peek()
	if err != nil || h.kind != dictionaryPage {
		return 0, c.nextPage()
	}
	p, err := c.pages.next()
	if err != nil {
		return 0, err
	}
	return 0, c.readDict(p)
}

// skipIn passes over k rows of the page.
func (c *chunk) skipIn(k int) error {
	if !c.coded && c.fixedWidth() == 0 || c.node.def > 0 && !c.levels.skipOnes(k) {
		for k > 0 { // levels or lengths must be looked at
			step := min(k, column.BatchRows)
			if _, err := c.read(step); err != nil {
				return err
			}
			k -= step
		}
		return nil
	}
	c.left -= k
	if c.coded {
		return c.index.pick(nil, nil, k)
	}
	size := k * c.fixedWidth()
	if size > len(c.data) {
		return errPage
	}
	c.data = c.data[size:]
	return nil
}

// fixedWidth is the bytes of a plain value that is moved as it is, 0 for others.
func (c *chunk) fixedWidth() int {
	switch c.node.typ.Kind.Storage() {
	case column.StorageI32, column.StorageF32:
		return 4
	case column.StorageF64:
		return 8
	case column.StorageI64:
		if c.node.phys == physInt64 && c.node.unit == 0 {
			return 8
		}
	case column.StorageDec:
		switch {
		case c.node.phys == physInt32:
			return 4
		case c.node.phys == physInt64 && !c.node.unsigned:
			return 8
		}
	}
	return 0
}

func (c *chunk) choose(n int, sel []int32) (*column.Vector, error) {
	for c.left == 0 {
		if err := c.nextPage(); err != nil {
			return nil, err
		}
	}
	if c.left < n || !c.coded && c.fixedWidth() == 0 || c.node.def > 0 && !c.levels.skipOnes(n) {
		v, err := c.read(n)
		if err != nil {
			return nil, err
		}
		c.taken = column.Take(c.taken, v, sel)
		return c.taken, nil
	}
	v := c.out.Reset(c.node.typ, len(sel))
	c.left -= n
	if !c.coded {
		return v, c.choosePlain(v, n, sel)
	}
	c.codes = grow(c.codes, len(sel))
	codes := c.codes[:len(sel)]
	if err := c.index.pick(codes, sel, n); err != nil {
		return nil, err
	}
	if err := c.inDict(codes); err != nil {
		return nil, err
	}
	if v.Type.Kind.Storage() == column.StorageBytes && c.dict.N > 0 && len(sel) > 0 {
		v.Codes, v.Dict = codes, c.dict
		return v, nil
	}
	lookUp(v, 0, c.dict, codes)
	return v, nil
}

// choosePlain takes values of fixed width from where they lie.
func (c *chunk) choosePlain(v *column.Vector, n int, sel []int32) error {
	width := c.fixedWidth()
	if n*width > len(c.data) {
		return errPage
	}
	data := c.data[:n*width]
	c.data = c.data[n*width:]
	le := binary.LittleEndian
	switch v.Type.Kind.Storage() {
	case column.StorageDec:
		for i, s := range sel {
			if width == 4 {
				v.Dec[i] = column.DecFromInt(int64(int32(le.Uint32(data[4*s:]))))
			} else {
				v.Dec[i] = column.DecFromInt(int64(le.Uint64(data[8*s:])))
			}
		}
	case column.StorageI32:
		chosen(v.I32, data, sel)
	case column.StorageF32:
		chosen(v.F32, data, sel)
	case column.StorageI64:
		chosen(v.I64, data, sel)
	case column.StorageF64:
		chosen(v.F64, data, sel)
	}
	return nil
}

// chosen copies the values sel of data, little-endian ones of T's width.
func chosen[T int32 | int64 | float32 | float64](dst []T, data []byte, sel []int32) {
	width := int(unsafe.Sizeof(*new(T)))
	for i, s := range sel {
		dst[i] = *(*T)(unsafe.Pointer(&data[int(s)*width]))
	}
}
