package parquet

import (
	"encoding/binary"
	"errors"
)

var errPage = errors.New("parquet: a page ends early or its values are out of range")

// hybrid decodes Parquet's mix of run-length and bit-packed integers: levels and dictionary indices.
type hybrid struct {
	data  []byte
	width uint
	run   int   // values left of a repeated run
	value int32 // of the repeated run
	pack  int   // values left of a bit-packed run
	bits  int   // position in data of the next packed value, in bits
}

func (h *hybrid) reset(data []byte, width uint) { *h = hybrid{data: data, width: width} }

// load reads the next run's header.
func (h *hybrid) load() error {
	head, n := binary.Uvarint(h.data)
	if n <= 0 || head > 1<<34 {
		return errPage
	}
	h.data = h.data[n:]
	if head&1 == 0 {
		size := int(h.width+7) / 8
		if len(h.data) < size || head>>1 == 0 {
			return errPage
		}
		var b [4]byte
		copy(b[:], h.data[:size])
		h.run, h.value = int(head>>1), int32(binary.LittleEndian.Uint32(b[:]))
		h.data = h.data[size:]
		return nil
	}
	h.pack, h.bits = int(head>>1)*8, 0
	if h.pack == 0 {
		return errPage
	}
	return nil
}

// read fills dst.
func (h *hybrid) read(dst []int32) error {
	if h.width == 0 {
		clear(dst)
		return nil
	}
	for len(dst) > 0 {
		switch {
		case h.run > 0:
			k := min(h.run, len(dst))
			for i := range dst[:k] {
				dst[i] = h.value
			}
			h.run -= k
			dst = dst[k:]
		case h.pack > 0:
			k := min(h.pack, len(dst))
			if err := h.unpack(dst[:k]); err != nil {
				return err
			}
			dst = dst[k:]
		default:
			if err := h.load(); err != nil {
				return err
			}
		}
	}
	return nil
}

// unpack reads packed values. The last run of a page may be cut short after its last value.
func (h *hybrid) unpack(dst []int32) error {
	w := h.width
	end := h.bits + len(dst)*int(w)
	if (end+7)/8 > len(h.data) {
		return errPage
	}
	mask := uint64(1)<<w - 1
	bit, i := h.bits, 0
	if w <= 14 { // four values and an odd start fit into a word
		for ; i+4 <= len(dst) && bit>>3+8 <= len(h.data); i += 4 {
			word := binary.LittleEndian.Uint64(h.data[bit>>3:]) >> (uint(bit) & 7)
			to := dst[i : i+4 : i+4]
			to[0] = int32(word & mask)
			to[1] = int32(word >> (w & 63) & mask)
			to[2] = int32(word >> (2 * w & 63) & mask)
			to[3] = int32(word >> (3 * w & 63) & mask)
			bit += 4 * int(w)
		}
	}
	for ; i < len(dst) && bit>>3+8 <= len(h.data); i++ {
		dst[i] = int32(binary.LittleEndian.Uint64(h.data[bit>>3:]) >> (uint(bit) & 7) & mask)
		bit += int(w)
	}
	for ; i < len(dst); i++ {
		var b [8]byte
		copy(b[:], h.data[bit>>3:])
		dst[i] = int32(binary.LittleEndian.Uint64(b[:]) >> (uint(bit) & 7) & mask)
		bit += int(w)
	}
	h.bits = bit
	if h.pack -= len(dst); h.pack == 0 {
		h.data = h.data[min(len(h.data), (h.bits+7)/8):]
	}
	return nil
}

// skipOnes skips n values when all of them are one, which levels of columns without nulls are.
func (h *hybrid) skipOnes(n int) bool {
	if h.run == 0 && h.pack == 0 && len(h.data) > 0 {
		if h.load() != nil {
			return false
		}
	}
	if h.run < n || h.value != 1 {
		return false
	}
	h.run -= n
	return true
}

// pick passes over n values and writes those at the places sel, ascending from 0, to dst.
func (h *hybrid) pick(dst, sel []int32, n int) error {
	if h.width == 0 {
		clear(dst)
		return nil
	}
	for at := 0; at < n; {
		switch {
		case h.run > 0:
			k := min(h.run, n-at)
			for len(sel) > 0 && int(sel[0]) < at+k {
				dst[0] = h.value
				dst, sel = dst[1:], sel[1:]
			}
			h.run -= k
			at += k
		case h.pack > 0:
			k := min(h.pack, n-at)
			end := 0
			for end < len(sel) && int(sel[end]) < at+k {
				end++
			}
			if err := h.pickPacked(dst[:end], sel[:end], at, k); err != nil {
				return err
			}
			dst, sel = dst[end:], sel[end:]
			at += k
		default:
			if err := h.load(); err != nil {
				return err
			}
		}
	}
	return nil
}

// pickPacked is pick within a packed run, of which the next k values have the places from at on.
func (h *hybrid) pickPacked(dst, sel []int32, at, k int) error {
	w := int(h.width)
	if (h.bits+k*w+7)/8 > len(h.data) {
		return errPage
	}
	mask := uint64(1)<<h.width - 1
	for i, s := range sel {
		bit := h.bits + (int(s)-at)*w
		from := bit >> 3
		var word uint64
		if from+8 <= len(h.data) {
			word = binary.LittleEndian.Uint64(h.data[from:])
		} else {
			var b [8]byte
			copy(b[:], h.data[from:])
			word = binary.LittleEndian.Uint64(b[:])
		}
		dst[i] = int32(word >> (uint(bit) & 7) & mask)
	}
	h.bits += k * w
	if h.pack -= k; h.pack == 0 {
		h.data = h.data[min(len(h.data), (h.bits+7)/8):]
	}
	return nil
}
