package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	pq "github.com/apache/arrow/go/v17/parquet"

	"github.com/streamflow/streamflow/column"
)

var (
	physInt32 = pq.Types.Int32
	physInt64 = pq.Types.Int64
	physInt96 = pq.Types.Int96
	physFixed = pq.Types.FixedLenByteArray
)

// chunk is a cursor over a flat column of one row group.
type chunk struct {
	node  *node
	pages *pages
	dict  *column.Vector

	left   int    // rows left of the page
	data   []byte // its values that are not read yet
	bit    int    // of data, at which the next value begins when a value is a bit
	coded  bool   // its values are dictionary indices
	levels hybrid
	index  hybrid

	out     column.Vector
	taken   *column.Vector
	codes   []int32 // out's codes
	scratch []int32
}

// plainEncodings are those that the cursor decodes itself; others go through the library's column reader.
func plainEncodings(encodings []pq.Encoding) bool {
	for _, e := range encodings {
		switch e {
		case pq.Encodings.Plain, pq.Encodings.PlainDict, pq.Encodings.RLEDict, pq.Encodings.RLE:
		default:
			return false
		}
	}
	return true
}

// nextPage moves to the next data page, reading a dictionary on the way.
func (c *chunk) nextPage() error {
	for {
		p, err := c.pages.next()
		if err == io.EOF {
			return fmt.Errorf("parquet: the column ends before its row group: %w", errPage)
		}
		if err != nil {
			return err
		}
		switch p.kind {
		case dictionaryPage:
			if err := c.readDict(p); err != nil {
				return err
			}
		case dataPage:
			return c.pageV1(p)
		case dataPageV2:
			return c.pageV2(p)
		}
	}
}

func (c *chunk) readDict(p *page) error {
	n := int(p.values)
	// Each entry takes a bit at least, so that a false count is found before it costs memory.
	if n < 0 || n > 8*len(p.data) {
		return errPage
	}
	c.dict = column.NewVector(c.node.typ, n)
	_, err := c.node.plain(c.dict, 0, n, p.data)
	if c.node.typ.Kind.Storage() == column.StorageBytes {
		column.FixDict(c.dict)
	}
	return err
}

func (c *chunk) pageV1(p *page) error {
	data := p.data
	if c.node.def > 0 {
		if pq.Encoding(p.levels) != pq.Encodings.RLE || len(data) < 4 {
			return errPage
		}
		n := uint64(binary.LittleEndian.Uint32(data))
		if n > uint64(len(data)-4) {
			return errPage
		}
		c.levels.reset(data[4:4+n], 1)
		data = data[4+n:]
	}
	return c.values(data, pq.Encoding(p.encoding), int(p.values))
}

func (c *chunk) pageV2(p *page) error {
	data := p.data
	rep, def := int(p.repBytes), int(p.defBytes)
	if rep < 0 || def < 0 || rep+def > len(data) {
		return errPage
	}
	if c.node.def > 0 {
		c.levels.reset(data[rep:rep+def], 1)
	}
	return c.values(data[rep+def:], pq.Encoding(p.encoding), int(p.values))
}

func (c *chunk) values(data []byte, enc pq.Encoding, rows int) error {
	if rows < 0 {
		return errPage
	}
	c.left, c.data, c.bit = rows, data, 0
	c.coded = enc == pq.Encodings.PlainDict || enc == pq.Encodings.RLEDict
	if !c.coded {
		return nil
	}
	if c.dict == nil {
		return fmt.Errorf("parquet: a page refers to a dictionary that the column lacks")
	}
	if len(data) == 0 { // a page of nulls
		c.index.reset(nil, 1)
		return nil
	}
	if data[0] > 32 {
		return errPage
	}
	c.index.reset(data[1:], uint(data[0]))
	return nil
}

// read returns the next n rows. They are valid until the next read.
func (c *chunk) read(n int) (*column.Vector, error) {
	v := c.out.Reset(c.node.typ, n)
	asCodes := v.Type.Kind.Storage() == column.StorageBytes
	for at := 0; at < n; {
		if c.left == 0 {
			if err := c.nextPage(); err != nil {
				return nil, err
			}
			continue
		}
		if at == 0 {
			asCodes = asCodes && c.coded && c.dict.N > 0
		} else if asCodes && !c.coded {
			c.uncode(v, at)
			asCodes = false
		}
		k := min(n-at, c.left)
		if err := c.piece(v, at, k, asCodes); err != nil {
			return nil, err
		}
		at += k
		c.left -= k
	}
	if asCodes && n > 0 {
		v.Codes, v.Dict = c.codes[:n], c.dict
	}
	return v, nil
}

// uncode turns the first n rows, read as codes, into views: a later page of the window is not dictionary-coded.
func (c *chunk) uncode(v *column.Vector, n int) {
	v.Bufs = append(v.Bufs, c.dict.Bufs...)
	for i, code := range c.codes[:n] {
		v.Views[i] = c.dict.Views[code]
	}
}

// piece reads k rows that lie in one page.
func (c *chunk) piece(v *column.Vector, at, k int, asCodes bool) error {
	valid := k
	if c.node.def > 0 && !c.levels.skipOnes(k) {
		var err error
		if valid, err = c.readValid(v, at, k); err != nil {
			return err
		}
	}
	var err error
	switch {
	case !c.coded && v.Type.Kind.Storage() == column.StorageBool:
		err = c.bools(v.Bools[at : at+valid])
	case !c.coded:
		c.data, err = c.node.plain(v, at, valid, c.data)
	case asCodes:
		c.codes = grow(c.codes, at+k)
		err = c.indices(c.codes[at : at+valid])
		clear(c.codes[at+valid : at+k])
		if err == nil && valid < k {
			spread(c.codes[at:at+k], valid, v.Valid, at)
		}
		return err
	default:
		c.scratch = grow(c.scratch, valid)
		if err = c.indices(c.scratch[:valid]); err == nil {
			lookUp(v, at, c.dict, c.scratch[:valid])
		}
	}
	if err == nil && valid < k {
		spreadRows(v, at, k, valid)
	}
	return err
}

// bools reads values of a bit each; the next ones may begin within a byte.
func (c *chunk) bools(dst []bool) error {
	end := c.bit + len(dst)
	if (end+7)/8 > len(c.data) {
		return errPage
	}
	for i := range dst {
		at := uint(c.bit + i)
		dst[i] = c.data[at>>3]>>(at&7)&1 != 0
	}
	c.bit = end
	return nil
}

// readValid reads k definition levels into the bitmap and returns how many rows are not null.
func (c *chunk) readValid(v *column.Vector, at, k int) (int, error) {
	c.scratch = grow(c.scratch, k)
	levels := c.scratch[:k]
	if err := c.levels.read(levels); err != nil {
		return 0, err
	}
	valid := 0
	for _, l := range levels {
		valid += int(l & 1)
	}
	if valid == k {
		return k, nil
	}
	if v.Valid == nil {
		v.MakeValid()
	}
	for i, l := range levels {
		if l&1 == 0 {
			v.Valid[(at+i)>>6] &^= 1 << (uint(at+i) & 63)
		}
	}
	return valid, nil
}

// indices reads dictionary indices and checks that they are in range.
func (c *chunk) indices(dst []int32) error {
	if len(dst) == 0 {
		return nil
	}
	if err := c.index.read(dst); err != nil {
		return err
	}
	return c.inDict(dst)
}

// inDict checks that the codes are in range.
func (c *chunk) inDict(dst []int32) error {
	top := uint32(0)
	for _, x := range dst {
		top = max(top, uint32(x))
	}
	if len(dst) > 0 && int64(top) >= int64(c.dict.N) {
		return errPage
	}
	return nil
}

func grow[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	out := make([]T, n, n+n/2)
	copy(out, s)
	return out
}
