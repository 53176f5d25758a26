package parquet

import (
	"fmt"
	"io"
	"math/bits"
	"sync"

	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/klauspost/compress/s2"

	"github.com/streamflow/streamflow/column"
)

// pages reads the pages of a flat column of one row group: the chunk is read whole, pages are decompressed from where they lie.
// Its memory comes from a pool, to which release gives it back; only what views of strings point into is left to the collector.
type pages struct {
	src      io.ReaderAt
	from, to int64
	codec    compress.Compression
	left     int64 // values of the chunk that no page has brought yet
	own      bool  // data pages are kept by the vectors that are read from them

	raw  []byte // the chunk from at on, nil until the first page
	pool []byte // all of it
	buf  []byte // the data page's memory, when it is not own
}

// page is a page, decompressed.
type page struct {
	pageHeader
	data []byte
}

// largestPage bounds what a header may ask for.
const largestPage = 1 << 30

func newPages(src io.ReaderAt, meta *metadata.ColumnChunkMetaData, own bool) *pages {
	from := meta.DataPageOffset()
	if meta.HasDictionaryPage() && meta.DictionaryPageOffset() > 0 {
		from = min(from, meta.DictionaryPageOffset())
	}
	return &pages{src: src, from: from, to: from + meta.TotalCompressedSize(), codec: meta.Compression(), left: meta.NumValues(), own: own}
}

// next is the next page, io.EOF after the last one. Its data is valid until the next call, or for good when pages are own.
func (p *pages) next() (*page, error) {
	h, n, err := p.peek()
	if err != nil {
		return nil, err
	}
	body := p.raw[n : n+int(h.stored)]
	p.drop(&h, n)
	out := &page{pageHeader: h}
	out.data, err = p.decompress(&h, body)
	return out, err
}

// peek is the header of the next page and how long the header is, io.EOF after the last page.
func (p *pages) peek() (h pageHeader, n int, err error) {
	if p.pool == nil {
		if err := p.load(); err != nil {
			return h, 0, err
		}
	}
	for p.left > 0 && len(p.raw) > 0 {
		if h, n, err = readPageHeader(p.raw); err != nil {
			return h, 0, err
		}
		if h.stored < 0 || int(h.stored) > len(p.raw)-n || h.size > largestPage || h.values < 0 {
			return h, 0, errPage
		}
		if h.kind == dataPage || h.kind == dataPageV2 || h.kind == dictionaryPage {
			return h, n, nil
		}
		p.raw = p.raw[n+int(h.stored):]
	}
	return h, 0, io.EOF
}

// drop moves behind the page that peek found.
func (p *pages) drop(h *pageHeader, n int) {
	p.raw = p.raw[n+int(h.stored):]
	if h.kind != dictionaryPage {
		p.left -= int64(h.values)
	}
}

// pass moves behind data pages that have n values at the most together, without decompressing them, and returns how many they have.
func (p *pages) pass(n int) (passed int, err error) {
	for {
		h, head, err := p.peek()
		if err == io.EOF || err == nil && (h.kind == dictionaryPage || int(h.values) > n-passed) {
			return passed, nil
		}
		if err != nil {
			return passed, err
		}
		p.drop(&h, head)
		passed += int(h.values)
	}
}

// load reads the chunk.
func (p *pages) load() error {
	n := p.to - p.from
	if n < 0 || n > largestPage {
		return errPage
	}
	if p.own && p.codec == compress.Codecs.Uncompressed {
		p.pool = make([]byte, n) // vectors point into it
	} else {
		p.pool = borrow(int(n))
	}
	p.raw = p.pool
	if k, err := p.src.ReadAt(p.raw, p.from); k < len(p.raw) {
		return fmt.Errorf("parquet: %w", err)
	}
	return nil
}

// decompress is the page's data; of a page of version 2 the levels stand uncompressed before the values.
func (p *pages) decompress(h *pageHeader, body []byte) ([]byte, error) {
	if p.codec == compress.Codecs.Uncompressed || h.kind == dataPageV2 && h.uncompressed {
		if p.own && h.kind == dataPageV2 && p.codec != compress.Codecs.Uncompressed {
			return append([]byte(nil), body...), nil // the chunk's memory goes back to the pool
		}
		return body, nil
	}
	levels := 0
	if h.kind == dataPageV2 {
		levels = int(h.defBytes) + int(h.repBytes)
		if levels > len(body) || levels > int(h.size) {
			return nil, errPage
		}
	}
	dst := p.memory(h)
	copy(dst, body[:levels])
	return dst, p.inflate(dst[levels:], body[levels:])
}

// memory is where a page goes. Dictionaries live as long as the chunk.
func (p *pages) memory(h *pageHeader) []byte {
	if h.kind == dictionaryPage || p.own && !coded(h) {
		return make([]byte, h.size)
	}
	if cap(p.buf) < int(h.size) {
		giveBack(p.buf)
		p.buf = borrow(int(h.size))
	}
	return p.buf[:h.size]
}

// coded reports whether a page has indices of a dictionary, which are copied when they are read.
func coded(h *pageHeader) bool {
	e := pq.Encoding(h.encoding)
	return e == pq.Encodings.PlainDict || e == pq.Encodings.RLEDict
}

func (p *pages) inflate(dst, src []byte) error {
	if p.codec == compress.Codecs.Snappy {
		if n, err := s2.DecodedLen(src); err != nil || n != len(dst) {
			return errPage
		}
		if _, err := s2.Decode(dst, src); err != nil {
			return errPage
		}
		return nil
	}
	c, err := compress.GetCodec(p.codec)
	if err != nil {
		return fmt.Errorf("parquet: %w", err)
	}
	if out := c.Decode(dst, src); len(out) != len(dst) {
		return errPage
	} else if len(out) > 0 && &out[0] != &dst[0] {
		copy(dst, out)
	}
	return nil
}

// release gives the memory back; nothing that was read may be used any more, but what is own.
func (p *pages) release() {
	if !p.own || p.codec != compress.Codecs.Uncompressed {
		giveBack(p.pool)
	}
	giveBack(p.buf)
	p.pool, p.raw, p.buf, p.left = []byte{}, nil, nil, 0
}

// keepsPages reports whether vectors of a type point into the pages that they were read from.
func keepsPages(n *node) bool { return n.typ.Kind.Storage() == column.StorageBytes }

// pools has memory of 2^i bytes.
var pools [31]sync.Pool

// smallest is the least that is worth keeping.
const smallest = 1 << 12

func borrow(n int) []byte {
	if n < smallest {
		return make([]byte, n)
	}
	class := bits.Len(uint(n - 1))
	if b, ok := pools[class].Get().(*[]byte); ok {
		return (*b)[:n]
	}
	return make([]byte, n, 1<<class)
}

func giveBack(b []byte) {
	if n := cap(b); n >= smallest && n&(n-1) == 0 && n < 1<<31 {
		b = b[:n]
		pools[bits.Len(uint(n-1))].Put(&b)
	}
}
