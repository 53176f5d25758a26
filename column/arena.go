package column

import "unsafe"

// byteArena stores long strings for the rows of a table; a stored string is named by the two words of a View.
type byteArena struct {
	bufs [][]byte
	size int64
}

const maxArenaBuf = 8 << 20

// add stores s, which is longer than InlineLen, and returns its words.
func (a *byteArena) add(s []byte) (uint64, uint64) {
	last := len(a.bufs) - 1
	if last < 0 || cap(a.bufs[last])-len(a.bufs[last]) < len(s) {
		size := minBuf
		if last >= 0 {
			size = min(2*cap(a.bufs[last]), maxArenaBuf)
		}
		a.bufs = append(a.bufs, hugeSlice[byte](max(size, len(s)))[:0])
		last++
	}
	buf := &a.bufs[last]
	v := MakeView(s, uint32(last), uint32(len(*buf)))
	*buf = append(*buf, s...)
	a.size += int64(len(s))
	return v.words()
}

// view is the View of two words.
func viewOf(w0, w1 uint64) View {
	words := [2]uint64{w0, w1}
	return *(*View)(unsafe.Pointer(&words))
}

// bytes is the string that the words name. Inline strings are copied out.
func (a *byteArena) bytes(w0, w1 uint64) []byte {
	if isLong(w0) {
		return a.long(w0, w1)
	}
	v := viewOf(w0, w1)
	out := make([]byte, v.Len)
	copy(out, unsafe.Slice((*byte)(unsafe.Pointer(&v.prefix)), v.Len))
	return out
}

// long is the stored string that the words of a long view name. The words are taken apart by shifts: reading them back
// through memory as a View would wait for the stores.
func (a *byteArena) long(w0, w1 uint64) []byte {
	buf, off, n := uint32(w1), uint32(w1>>32), uint32(w0)
	return a.bufs[buf][off : off+n]
}

func (a *byteArena) reset() {
	if n := len(a.bufs); n > 0 {
		a.bufs[0] = a.bufs[n-1][:0]
		a.bufs = a.bufs[:1]
	}
	a.size = 0
}
