package record

import (
	"encoding/binary"
	"fmt"
)

// MaxDecoded bounds what a batch may decompress to: a batch of zeros must not fill the memory.
const MaxDecoded = 128 << 20

// Iterator decodes the records of a batch, one at a time. It is reused by Reset, and then keeps its buffers.
//
//	it.Reset(batch)
//	for it.Next() { use(&it.Record) }
//	return it.Err()
type Iterator struct {
	// Record is the current record. Its slices alias the batch, or the decompressed buffer: they are valid until Reset.
	Record

	rest   []byte // records not yet decoded
	left   int    // how many they must be
	base   int64
	baseTS int64
	fixed  bool // every record has the batch's maximum timestamp (log-append time)
	maxTS  int64
	buf    []byte
	err    error
}

// Records returns an iterator over b.
func (b Batch) Records() *Iterator {
	it := &Iterator{}
	it.Reset(b)
	return it
}

// Reset starts over with b, which must have passed Validate or come from Next.
func (it *Iterator) Reset(b Batch) {
	a := b.Attributes()
	it.base, it.baseTS, it.maxTS, it.fixed = b.BaseOffset(), b.BaseTimestamp(), b.MaxTimestamp(), a.IsLogAppendTime()
	it.left, it.rest, it.err = int(b.Count()), b.Payload(), nil
	switch {
	case a.IsArrow():
		it.rest, it.err = nil, fmt.Errorf("%w: an Arrow batch at offset %d has no records", ErrCorrupt, it.base)
	case a.Codec() != None:
		it.buf, it.err = decompress(a.Codec(), it.buf[:0], b.Payload(), MaxDecoded)
		it.rest = it.buf
	}
	if it.err == nil && int64(len(it.rest)) < int64(it.left)*minRecord {
		it.err = fmt.Errorf("%w: %d records in %d bytes at offset %d", ErrCorrupt, it.left, len(it.rest), it.base)
	}
	if it.err != nil {
		it.left = 0
	}
}

// minRecord is the smallest record: length, attributes, two deltas, null key, null value, no headers.
const minRecord = 7

// Next decodes the next record into it.Record, and tells whether there was one.
func (it *Iterator) Next() bool {
	if it.left <= 0 {
		if it.err == nil && len(it.rest) > 0 {
			it.fail("bytes after the last record")
		}
		return false
	}
	n, w := binary.Varint(it.rest)
	if w <= 0 || n < minRecord-1 || n > int64(len(it.rest)-w) {
		return it.fail("record length")
	}
	body := it.rest[w : w+int(n)]
	it.rest = it.rest[w+int(n):]
	it.left--
	return it.decode(body[1:]) // the first byte is the record's attributes: none are defined
}

// Err is what ended the iteration early, if anything did.
func (it *Iterator) Err() error { return it.err }

func (it *Iterator) decode(b []byte) bool {
	tsDelta, w := binary.Varint(b)
	if w <= 0 {
		return it.fail("timestamp")
	}
	b = b[w:]
	offDelta, w := binary.Varint(b)
	if w <= 0 {
		return it.fail("offset")
	}
	b = b[w:]
	it.Offset, it.Timestamp = it.base+offDelta, it.baseTS+tsDelta
	if it.fixed {
		it.Timestamp = it.maxTS
	}
	var ok bool
	if it.Key, b, ok = cutBytes(b); !ok {
		return it.fail("key")
	}
	if it.Value, b, ok = cutBytes(b); !ok {
		return it.fail("value")
	}
	if len(b) == 1 && b[0] == 0 {
		it.Headers = it.Headers[:0]
		return true
	}
	return it.decodeHeaders(b)
}

func (it *Iterator) decodeHeaders(b []byte) bool {
	n, w := binary.Varint(b)
	if w <= 0 || n < 0 || n > int64(len(b)) {
		return it.fail("header count")
	}
	b = b[w:]
	it.Headers = it.Headers[:0]
	for ; n > 0; n-- {
		key, rest, ok := cutBytes(b)
		if !ok || key == nil {
			return it.fail("header key")
		}
		value, rest, ok := cutBytes(rest)
		if !ok {
			return it.fail("header value")
		}
		it.Headers = append(it.Headers, Header{Key: string(key), Value: value})
		b = rest
	}
	if len(b) != 0 {
		return it.fail("bytes after the headers")
	}
	return true
}

// cutBytes splits off a length-prefixed slice; length -1 is null.
func cutBytes(b []byte) (v, rest []byte, ok bool) {
	n, w := binary.Varint(b)
	if w <= 0 || n < -1 || n > int64(len(b)-w) {
		return nil, nil, false
	}
	b = b[w:]
	if n == -1 {
		return nil, b, true
	}
	return b[:n:n], b[n:], true
}

func (it *Iterator) fail(what string) bool {
	it.err = fmt.Errorf("%w: bad %s in the batch at offset %d", ErrCorrupt, what, it.base)
	it.left, it.rest = 0, nil
	return false
}
