package kafka

import "encoding/binary"

// encoder writes the responses that are encoded by hand, in the plain or the flexible form.
type encoder struct {
	buf      []byte
	flexible bool
}

func (e *encoder) int16(v int16) { e.buf = binary.BigEndian.AppendUint16(e.buf, uint16(v)) }
func (e *encoder) int32(v int32) { e.buf = binary.BigEndian.AppendUint32(e.buf, uint32(v)) }
func (e *encoder) int64(v int64) { e.buf = binary.BigEndian.AppendUint64(e.buf, uint64(v)) }

func (e *encoder) uvarint(v uint64) { e.buf = binary.AppendUvarint(e.buf, v) }

// count is an array's length.
func (e *encoder) count(n int) {
	if e.flexible {
		e.buf = binary.AppendUvarint(e.buf, uint64(n)+1)
	} else {
		e.int32(int32(n))
	}
}

func (e *encoder) string(s string) {
	if e.flexible {
		e.buf = binary.AppendUvarint(e.buf, uint64(len(s))+1)
	} else {
		e.int16(int16(len(s)))
	}
	e.buf = append(e.buf, s...)
}

func (e *encoder) nullableString(s *string) {
	switch {
	case s != nil:
		e.string(*s)
	case e.flexible:
		e.buf = append(e.buf, 0)
	default:
		e.int16(-1)
	}
}

// nullCount is the length of an array that is null.
func (e *encoder) nullCount() {
	if e.flexible {
		e.buf = append(e.buf, 0)
	} else {
		e.int32(-1)
	}
}

// bytesLen is the length of bytes that follow.
func (e *encoder) bytesLen(n int) { e.count(n) }

// tags is an empty tag section.
func (e *encoder) tags() {
	if e.flexible {
		e.buf = append(e.buf, 0)
	}
}
