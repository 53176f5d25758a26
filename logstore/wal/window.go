package wal

import "io"

// window reads a file through a buffer that moves forward.
type window struct {
	f     *file
	start int64
	buf   []byte
}

const windowSize = 1 << 20

// at returns n bytes at pos, or fewer at the end of the file. They are valid until the next call.
func (w *window) at(pos int64, n int) ([]byte, error) {
	if pos >= w.start && pos+int64(n) <= w.start+int64(len(w.buf)) {
		return w.buf[pos-w.start:][:n], nil
	}
	want := max(windowSize, n)
	if cap(w.buf) < want {
		w.buf = make([]byte, want)
	}
	w.buf = w.buf[:cap(w.buf)]
	got, err := w.f.ReadAt(w.buf, pos)
	w.start, w.buf = pos, w.buf[:got]
	if err != nil && err != io.EOF {
		return nil, err
	}
	return w.buf[:min(n, got)], nil
}

// rest returns all that is in the buffer from pos on, which is at least n bytes unless the file ends.
func (w *window) rest(pos int64, n int) ([]byte, error) {
	b, err := w.at(pos, n)
	if err != nil || len(b) < n {
		return b, err
	}
	return w.buf[pos-w.start:], nil
}

// record returns the record at pos without its padding, or nil if there is no sound one.
func (w *window) record(pos int64) ([]byte, error) {
	b, err := w.at(pos, recordHead)
	if err != nil || len(b) < recordHead {
		return nil, err
	}
	h := getHeader(b)
	if h.lsn == 0 || int64(h.length) > w.f.size-pos-recordHead {
		return nil, nil
	}
	n := recordHead + int(h.length)
	if b, err = w.at(pos, n); err != nil || len(b) < n {
		return nil, err
	}
	if recordCRC(b) != h.crc {
		return nil, nil
	}
	return b, nil
}
