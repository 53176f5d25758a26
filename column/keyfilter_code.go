package column

import (
	"encoding/binary"
	"errors"
)

// A key filter travels between tasks as
//
//	version 1 │ flags: 1 ranged, 2 exact │ count u64 │ low u64 │ high u64 │ words, 8 bytes each
//
// all little endian. It lives as long as the job, in exchanges, whose frames have length and checksum.
const keyFilterVersion = 1

const keyFilterHead = 2 + 3*8

var errKeyFilter = errors.New("column: no key filter")

// AppendKeyFilter appends the filter's bytes.
func AppendKeyFilter(dst []byte, f *KeyFilter) []byte {
	flags := byte(0)
	if f.Ranged {
		flags |= 1
	}
	if f.Exact {
		flags |= 2
	}
	dst = append(dst, keyFilterVersion, flags)
	for _, x := range []int64{f.Count, f.Low, f.High} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(x))
	}
	for _, w := range f.Words {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	return dst
}

// DecodeKeyFilter reads what AppendKeyFilter wrote; the filter shares nothing with the bytes.
func DecodeKeyFilter(b []byte) (*KeyFilter, error) {
	if len(b) < keyFilterHead || b[0] != keyFilterVersion || b[1] > 3 || (len(b)-keyFilterHead)%8 != 0 {
		return nil, errKeyFilter
	}
	at := func(i int) int64 { return int64(binary.LittleEndian.Uint64(b[2+8*i:])) }
	f := &KeyFilter{Ranged: b[1]&1 != 0, Exact: b[1]&2 != 0, Count: at(0), Low: at(1), High: at(2)}
	f.Words = make([]uint64, (len(b)-keyFilterHead)/8)
	for i := range f.Words {
		f.Words[i] = binary.LittleEndian.Uint64(b[keyFilterHead+8*i:])
	}
	if !f.sound() {
		return nil, errKeyFilter
	}
	return f, nil
}

// sound reports whether the words are as many as the other fields ask for.
func (f *KeyFilter) sound() bool {
	n := len(f.Words)
	switch {
	case f.Count < 0 || f.Exact && !f.Ranged:
		return false
	case f.Exact && f.Low > f.High:
		return n == 0 || n == 1 && f.Words[0] == 0
	case f.Exact:
		return uint64(n) == f.span()>>6+1 && f.Words[n-1]>>1>>(f.span()&63) == 0
	}
	return n > 0 && n&(n-1) == 0
}
