package parquet

import "encoding/binary"

// pageHeader is what stands before a page: Parquet's PageHeader, in Thrift's compact protocol (parquet-format, parquet.thrift).
type pageHeader struct {
	kind         int32 // dataPage, dictionaryPage, dataPageV2; others are passed over
	size         int32 // of the page in memory
	stored       int32 // in the file
	values       int32
	encoding     int32
	levels       int32 // encoding of definition levels, version 1
	defBytes     int32 // version 2: length of the levels, which are not compressed
	repBytes     int32
	uncompressed bool // version 2
}

const (
	dataPage       = 0
	dictionaryPage = 2
	dataPageV2     = 3
)

// Types of Thrift's compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// compact reads the compact protocol; ok turns false at the first fault and stays so.
type compact struct {
	b   []byte
	at  int
	bad bool
}

func (c *compact) byte() byte {
	if c.at >= len(c.b) {
		c.bad = true
		return 0
	}
	c.at++
	return c.b[c.at-1]
}

func (c *compact) varint() uint64 {
	v, n := binary.Uvarint(c.b[min(c.at, len(c.b)):])
	if n <= 0 {
		c.bad = true
		return 0
	}
	c.at += n
	return v
}

// number is a whole number in zigzag form.
func (c *compact) number() int64 {
	v := c.varint()
	return int64(v>>1) ^ -int64(v&1)
}

func (c *compact) i32() int32 {
	v := c.number()
	if int64(int32(v)) != v {
		c.bad = true
	}
	return int32(v)
}

// fields calls f with each field of a struct; f reads the field or reports that it did not, and it is passed over.
func (c *compact) fields(depth int, f func(id int64, typ byte) bool) {
	for id := int64(0); !c.bad; {
		head := c.byte()
		if head == 0 {
			return
		}
		if delta := int64(head >> 4); delta > 0 {
			id += delta
		} else {
			id = c.number()
		}
		if typ := head & 15; !f(id, typ) {
			c.skip(typ, depth)
		}
	}
}

const deepestThrift = 16

// skip passes over a value.
func (c *compact) skip(typ byte, depth int) {
	if depth > deepestThrift {
		c.bad = true
		return
	}
	switch {
	case typ == thriftTrue || typ == thriftFalse:
	case typ == thriftByte:
		c.byte()
	case typ <= thriftI64:
		c.varint()
	case typ == thriftDouble:
		c.advance(8)
	case typ == thriftBinary:
		c.advance(c.varint())
	case typ == thriftList || typ == thriftSet:
		head := c.byte()
		n := uint64(head >> 4)
		if n == 15 {
			n = c.varint()
		}
		c.skipAll(head&15, n, depth)
	case typ == thriftMap:
		if n := c.varint(); n > 0 {
			kinds := c.byte()
			for ; n > 0 && !c.bad; n-- {
				c.element(kinds>>4, depth)
				c.element(kinds&15, depth)
			}
		}
	case typ == thriftStruct:
		c.fields(depth+1, func(int64, byte) bool { return false })
	default:
		c.bad = true
	}
}

func (c *compact) skipAll(typ byte, n uint64, depth int) {
	for ; n > 0 && !c.bad; n-- {
		c.element(typ, depth)
	}
}

// element passes over a member of a collection, where a boolean takes a byte.
func (c *compact) element(typ byte, depth int) {
	if typ == thriftTrue || typ == thriftFalse {
		c.byte()
		return
	}
	c.skip(typ, depth+1)
}

func (c *compact) advance(n uint64) {
	if n > uint64(len(c.b)-c.at) {
		c.bad = true
		return
	}
	c.at += int(n)
}

// readPageHeader reads the header at the front of b and returns its length.
func readPageHeader(b []byte) (h pageHeader, n int, err error) {
	c := compact{b: b}
	c.fields(0, func(id int64, typ byte) bool {
		switch id {
		case 1:
			h.kind = c.i32()
		case 2:
			h.size = c.i32()
		case 3:
			h.stored = c.i32()
		case 5, 7, 8:
			if typ != thriftStruct {
				return false
			}
			h.inner(&c, id)
		default:
			return false
		}
		return true
	})
	if c.bad || h.size < 0 || h.stored < 0 || h.values < 0 || h.defBytes < 0 || h.repBytes < 0 {
		return h, 0, errPage
	}
	return h, c.at, nil
}

// inner reads the header of one kind of page: field 5 is a data page, 7 a dictionary, 8 a data page of version 2.
func (h *pageHeader) inner(c *compact, kind int64) {
	c.fields(1, func(id int64, typ byte) bool {
		switch {
		case id == 1:
			h.values = c.i32()
		case id == 2 && kind != 8 || id == 4 && kind == 8:
			h.encoding = c.i32()
		case id == 3 && kind == 5:
			h.levels = c.i32()
		case id == 5 && kind == 8:
			h.defBytes = c.i32()
		case id == 6 && kind == 8:
			h.repBytes = c.i32()
		case id == 7 && kind == 8:
			h.uncompressed = typ == thriftFalse
		default:
			return false
		}
		return true
	})
}
