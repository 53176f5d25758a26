package tier

import "encoding/binary"

// reader takes little-endian integers off a slice; past the end it returns zeros and sets short.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || len(r.b) < n {
		r.short, r.b = true, nil
		return make([]byte, max(min(n, 8), 0))
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) u8() uint8   { return r.take(1)[0] }
func (r *reader) u16() uint16 { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) i64() int64  { return int64(binary.LittleEndian.Uint64(r.take(8))) }

// count is a number of items of at least width bytes each; one that cannot be is 0 and short.
func (r *reader) count(width int) int {
	n := int64(r.u32())
	if n*int64(width) > int64(len(r.b)) {
		r.short = true
		return 0
	}
	return int(n)
}

// end is what is wrong with what was read: something was missing, or something is left.
func (r *reader) end() error {
	if r.short || len(r.b) != 0 {
		return errShort
	}
	return nil
}
