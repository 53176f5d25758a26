package parquet

import (
	"testing"
)

// sampleHeader is a data page of 10 values, 300 bytes of 120 stored, dictionary-coded, with statistics that are passed over.
var sampleHeader = []byte{
	0x15, 0x00, // 1: DATA_PAGE
	0x15, 0xd8, 0x04, // 2: 300
	0x15, 0xf0, 0x01, // 3: 120
	0x2c,       // 5: DataPageHeader
	0x15, 0x14, // 1: 10 values
	0x15, 0x10, // 2: RLE_DICTIONARY
	0x15, 0x06, // 3: levels RLE
	0x15, 0x06,
	0x1c, 0x36, 0x00, 0x28, 0x01, 'z', 0x00, // 5: Statistics
	0x00, 0x00,
}

func TestPageHeader(t *testing.T) {
	h, n, err := readPageHeader(append(sampleHeader[:len(sampleHeader):len(sampleHeader)], 1, 2, 3))
	want := pageHeader{kind: dataPage, size: 300, stored: 120, values: 10, encoding: 8, levels: 3}
	if err != nil || n != len(sampleHeader) || h != want {
		t.Errorf("%+v of %d bytes, %v; want %+v of %d", h, n, err, want, len(sampleHeader))
	}
	for i := range sampleHeader {
		if _, _, err := readPageHeader(sampleHeader[:i]); err == nil {
			t.Errorf("%d of %d bytes are a header", i, len(sampleHeader))
		}
	}
}

func FuzzPageHeader(f *testing.F) {
	f.Add(sampleHeader)
	f.Add([]byte{0x15, 0x06, 0x5c, 0x15, 0x14, 0x71, 0x00, 0x00})
	f.Add([]byte{0x19, 0xf5, 0xff, 0xff, 0xff, 0x0f, 0x1b, 0x02, 0x5c})
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, n, err := readPageHeader(b); err == nil && (n > len(b) || h.size < 0 || h.stored < 0 || h.values < 0) {
			t.Errorf("%+v of %d bytes", h, n)
		}
	})
}
