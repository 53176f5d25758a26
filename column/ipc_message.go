package column

import (
	"encoding/binary"
	"errors"
)

var errMessage = errors.New("column: not an Arrow record-batch message")

// ipcMessage is a parsed record-batch message. Nothing in it has been checked against the schema yet.
type ipcMessage struct {
	rows     int64
	nodes    flatVector // rows, nulls
	buffers  flatVector // offset, length
	variadic flatVector
	body     []byte
}

// parseMessage reads the message's metadata. Every read is bounds-checked: the bytes may come from anywhere.
func parseMessage(data []byte) (m ipcMessage, err error) {
	le := binary.LittleEndian
	if len(data) < 8 || le.Uint32(data) != 0xFFFFFFFF {
		return m, errMessage
	}
	size := int64(le.Uint32(data[4:]))
	if size > int64(len(data)-8) {
		return m, errMessage
	}
	fb := flat{b: data[8 : 8+size]}
	msg := fb.table(fb.ref(0))
	version, kind := fb.u16(fb.field(msg, 0)), fb.u8(fb.field(msg, 1))
	length := fb.i64(fb.field(msg, 3))
	batch := fb.table(fb.ref(fb.field(msg, 2)))
	m.rows = fb.i64(fb.field(batch, 0))
	m.nodes = fb.vector(fb.field(batch, 1), 16)
	m.buffers = fb.vector(fb.field(batch, 2), 16)
	compressed := fb.field(batch, 3) >= 0
	if v := fb.field(batch, 4); v >= 0 {
		m.variadic = fb.vector(v, 8)
	}
	rest := data[8+size:]
	if fb.bad || version != metadataV5 || kind != headerRecordBatch || compressed || length < 0 || length > int64(len(rest)) {
		return m, errMessage
	}
	m.body = rest[:length]
	return m, nil
}

// MessageLen is the length of the record-batch message at the start of data, body included.
func MessageLen(data []byte) (int, error) {
	m, err := parseMessage(data)
	if err != nil {
		return 0, err
	}
	return 8 + int(binary.LittleEndian.Uint32(data[4:])) + len(m.body), nil
}

// MessageRows is the number of rows of a record-batch message.
func MessageRows(data []byte) (int, error) {
	m, err := parseMessage(data)
	return int(m.rows), err
}

// flat reads a flatbuffer. A read outside of it sets bad and gives zero; absent fields have position -1 and read as zero.
type flat struct {
	b   []byte
	bad bool
}

func (f *flat) at(pos, n int) []byte {
	if pos < 0 || pos > len(f.b)-n {
		f.bad = f.bad || pos != -1
		return zeros[:n]
	}
	return f.b[pos : pos+n]
}

var zeros [8]byte

func (f *flat) u8(pos int) byte    { return f.at(pos, 1)[0] }
func (f *flat) u16(pos int) uint16 { return binary.LittleEndian.Uint16(f.at(pos, 2)) }
func (f *flat) u32(pos int) uint32 { return binary.LittleEndian.Uint32(f.at(pos, 4)) }
func (f *flat) i64(pos int) int64  { return int64(binary.LittleEndian.Uint64(f.at(pos, 8))) }

// ref follows the reference at pos.
func (f *flat) ref(pos int) int {
	if pos < 0 {
		f.bad = true
		return 0
	}
	to := int64(pos) + int64(f.u32(pos))
	if to > int64(len(f.b)) {
		f.bad = true
		return 0
	}
	return int(to)
}

// flatTable is a table and its vtable.
type flatTable struct{ pos, vtable, vsize int }

func (f *flat) table(pos int) flatTable {
	vt := int64(pos) - int64(int32(f.u32(pos)))
	if vt < 0 || vt > int64(len(f.b)) {
		f.bad = true
		return flatTable{}
	}
	return flatTable{pos: pos, vtable: int(vt), vsize: int(f.u16(int(vt)))}
}

// field is the position of a field of the table, -1 when it is absent.
func (f *flat) field(t flatTable, slot int) int {
	at := 4 + 2*slot
	if at+2 > t.vsize {
		return -1
	}
	off := f.u16(t.vtable + at)
	if off == 0 {
		return -1
	}
	return t.pos + int(off)
}

// flatVector is a vector of elements of one or two 64-bit words.
type flatVector struct {
	b []byte
	n int
}

func (f *flat) vector(pos, size int) flatVector {
	at := f.ref(pos)
	n := int64(f.u32(at))
	from := int64(at) + 4
	if f.bad || from+n*int64(size) > int64(len(f.b)) {
		f.bad = true
		return flatVector{}
	}
	return flatVector{b: f.b[from : from+n*int64(size)], n: int(n)}
}

func (v flatVector) word(i int) int64 { return int64(binary.LittleEndian.Uint64(v.b[8*i:])) }
