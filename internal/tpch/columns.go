package tpch

import (
	"github.com/streamflow/streamflow/column"
)

// columns are the columns of the batch that is being made.
type columns struct {
	schema *column.Schema
	cols   []*column.Vector
}

// fresh starts a batch in the memory of the last one.
func (c *columns) fresh() {
	if c.cols == nil {
		for _, f := range c.schema.Fields {
			c.cols = append(c.cols, &column.Vector{Type: f.Type})
		}
	}
	for _, v := range c.cols {
		v.I32, v.I64, v.Dec, v.Views, v.Codes, v.Bufs = v.I32[:0], v.I64[:0], v.Dec[:0], v.Views[:0], v.Codes[:0], nil
	}
}

// batch is what was made.
func (c *columns) batch() *column.Batch {
	n := 0
	for _, v := range c.cols {
		switch v.Type.Kind.Storage() {
		case column.StorageI32:
			v.N = len(v.I32)
		case column.StorageI64:
			v.N = len(v.I64)
		case column.StorageDec:
			v.N = len(v.Dec)
		case column.StorageBytes:
			v.N = max(len(v.Views), len(v.Codes))
		}
		n = v.N
	}
	return column.NewBatch(c.schema, n, c.cols...)
}

func (c *columns) long(i int, x int64)  { c.cols[i].I64 = append(c.cols[i].I64, x) }
func (c *columns) int(i int, x int64)   { c.cols[i].I32 = append(c.cols[i].I32, int32(x)) }
func (c *columns) money(i int, x int64) { c.cols[i].Dec = append(c.cols[i].Dec, column.DecFromInt(x)) }

// code adds a word of a list by its place.
func (c *columns) code(i int, list words, at int64) {
	v := c.cols[i]
	if v.Dict == nil {
		v.Dict = dictionary(list)
	}
	v.Codes = append(v.Codes, int32(at))
}

func (c *columns) pick(i int, list words, s *stream) {
	c.code(i, list, s.between(0, int64(len(list))-1))
}

// cut adds a comment, which stays in the pool.
func (c *columns) cut(i int, text *comment) {
	v := c.cols[i]
	from, n := text.next()
	if v.Bufs == nil {
		v.Bufs = [][]byte{text.pool}
	}
	v.Views = append(v.Views, column.MakeView(text.pool[from:from+n], 0, uint32(from)))
}

// text adds a string that build appends to a buffer.
func (c *columns) text(i int, build func(dst []byte) []byte) {
	v := c.cols[i]
	if v.Bufs == nil {
		v.Bufs = [][]byte{make([]byte, 0, 64<<10)}
	}
	at := len(v.Bufs[0])
	v.Bufs[0] = build(v.Bufs[0])
	v.Views = append(v.Views, column.MakeView(v.Bufs[0][at:], 0, uint32(at)))
}

func dictionary(list words) *column.Vector {
	b := column.NewBuilder(column.Of(column.String))
	for _, w := range list {
		b.AppendString(w)
	}
	return b.Finish()
}

// number appends n with zeros in front up to a width.
func number(dst []byte, n int64, width int) []byte {
	for p := power10(width - 1); p > 0; p /= 10 {
		dst = append(dst, byte('0'+n/p%10))
	}
	return dst
}

func power10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,"

// addressNumbers is the count of random numbers that a row has for an address.
const addressNumbers = 9

// address appends a random string of 10 to 40 characters; a number gives five of them. The number is one of a range whose
// size, 2^31, was taken for negative when the seeds were made.
func address(dst []byte, s *stream) []byte {
	n := s.between(10, 40)
	bits := int64(0)
	for i := range n {
		if i%5 == 0 {
			bits = int64(s.fraction() * -(1 << 31))
		}
		dst = append(dst, alphabet[bits&63])
		bits >>= 6
	}
	return dst
}

// phone appends a number of clause 4.2.2.9; the country's code is the nation's key and 10.
func phone(dst []byte, nation int64, s *stream) []byte {
	dst = append(number(dst, 10+nation, 2), '-')
	dst = append(number(dst, s.between(100, 999), 3), '-')
	dst = append(number(dst, s.between(100, 999), 3), '-')
	return number(dst, s.between(1000, 9999), 4)
}
