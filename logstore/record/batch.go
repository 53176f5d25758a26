package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The positions of a batch header's fields. All integers are big endian.
const (
	posBaseOffset      = 0
	posLength          = 8
	posLeaderEpoch     = 12
	posMagic           = 16
	posCRC             = 17
	posAttributes      = 21
	posLastOffsetDelta = 23
	posBaseTimestamp   = 27
	posMaxTimestamp    = 35
	posProducerID      = 43
	posProducerEpoch   = 51
	posBaseSequence    = 53
	posCount           = 57

	// HeaderSize is the length of a batch before its records.
	HeaderSize = 61
	// prefixSize is what batchLength does not count: the base offset and the length itself.
	prefixSize = 12

	magic = 2
)

// Errors that Validate and Next wrap. They are told apart because a reader waits for more bytes after ErrShort.
var (
	ErrShort   = errors.New("record: batch is cut short")
	ErrCorrupt = errors.New("record: batch is corrupt")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Batch is a view of one whole record batch: exactly its bytes, header first. Accessors do not check; a Batch comes from
// Next or has passed Validate.
type Batch []byte

// Next splits the first batch off data. It checks the length and the magic byte, not the CRC.
func Next(data []byte) (b Batch, rest []byte, err error) {
	n, err := PeekSize(data)
	if err != nil {
		return nil, data, err
	}
	if n > len(data) {
		return nil, data, fmt.Errorf("%w: %d bytes of %d", ErrShort, len(data), n)
	}
	if len(data) > posMagic && data[posMagic] != magic {
		return nil, data, fmt.Errorf("%w: magic %d, want %d", ErrCorrupt, data[posMagic], magic)
	}
	return Batch(data[:n:n]), data[n:], nil
}

// PeekSize is the whole size of the batch that data starts with, read from its first twelve bytes.
func PeekSize(data []byte) (int, error) {
	if len(data) < prefixSize {
		return 0, fmt.Errorf("%w: %d bytes of a header", ErrShort, len(data))
	}
	n := int64(int32(binary.BigEndian.Uint32(data[posLength:]))) + prefixSize
	if n < HeaderSize {
		return 0, fmt.Errorf("%w: length %d is below the header's", ErrCorrupt, n-prefixSize)
	}
	return int(n), nil
}

func (b Batch) BaseOffset() int64  { return int64(binary.BigEndian.Uint64(b[posBaseOffset:])) }
func (b Batch) LeaderEpoch() int32 { return int32(binary.BigEndian.Uint32(b[posLeaderEpoch:])) }
func (b Batch) Magic() int8        { return int8(b[posMagic]) }
func (b Batch) CRC() uint32        { return binary.BigEndian.Uint32(b[posCRC:]) }
func (b Batch) Attributes() Attr   { return Attr(binary.BigEndian.Uint16(b[posAttributes:])) }
func (b Batch) LastOffsetDelta() int32 {
	return int32(binary.BigEndian.Uint32(b[posLastOffsetDelta:]))
}
func (b Batch) BaseTimestamp() int64 { return int64(binary.BigEndian.Uint64(b[posBaseTimestamp:])) }
func (b Batch) MaxTimestamp() int64  { return int64(binary.BigEndian.Uint64(b[posMaxTimestamp:])) }
func (b Batch) ProducerID() int64    { return int64(binary.BigEndian.Uint64(b[posProducerID:])) }
func (b Batch) ProducerEpoch() int16 { return int16(binary.BigEndian.Uint16(b[posProducerEpoch:])) }
func (b Batch) BaseSequence() int32  { return int32(binary.BigEndian.Uint32(b[posBaseSequence:])) }
func (b Batch) Count() int32         { return int32(binary.BigEndian.Uint32(b[posCount:])) }
func (b Batch) Payload() []byte      { return b[HeaderSize:] }

// LastOffset is the offset of the batch's last record.
func (b Batch) LastOffset() int64 { return b.BaseOffset() + int64(b.LastOffsetDelta()) }

// LastSequence is the sequence number of the last record; sequences wrap from 2^31-1 to 0.
func (b Batch) LastSequence() int32 { return addSequence(b.BaseSequence(), b.LastOffsetDelta()) }

// NextSequence is the sequence number that must follow seq.
func NextSequence(seq int32) int32 { return addSequence(seq, 1) }

func addSequence(seq, delta int32) int32 { return int32((int64(seq) + int64(delta)) & 0x7fffffff) }

// SetBaseOffset and SetLeaderEpoch rewrite fields that the CRC does not cover, so a broker stamps them in place.
func (b Batch) SetBaseOffset(v int64)   { binary.BigEndian.PutUint64(b[posBaseOffset:], uint64(v)) }
func (b Batch) SetLeaderEpoch(v int32)  { binary.BigEndian.PutUint32(b[posLeaderEpoch:], uint32(v)) }
func (b Batch) setAttributes(a Attr)    { binary.BigEndian.PutUint16(b[posAttributes:], uint16(a)) }
func (b Batch) setMaxTimestamp(v int64) { binary.BigEndian.PutUint64(b[posMaxTimestamp:], uint64(v)) }

// SetLogAppendTime stamps every record of the batch with the broker's clock, in milliseconds, and redoes the CRC.
func (b Batch) SetLogAppendTime(ms int64) {
	b.setAttributes(b.Attributes() | AttrLogAppendTime)
	b.setMaxTimestamp(ms)
	b.Seal()
}

// Seal writes the CRC of the batch as it stands.
func (b Batch) Seal() { binary.BigEndian.PutUint32(b[posCRC:], b.computeCRC()) }

func (b Batch) computeCRC() uint32 { return crc32.Checksum(b[posAttributes:], castagnoli) }

// CheckCRC tells whether the batch's bytes match its CRC.
func (b Batch) CheckCRC() bool { return b.computeCRC() == b.CRC() }

// Validate checks that b is one whole, sound batch: length, magic, CRC, counts, and a known codec.
func (b Batch) Validate() error {
	got, rest, err := Next(b)
	switch {
	case err != nil:
		return err
	case len(rest) != 0:
		return fmt.Errorf("%w: %d bytes after the batch", ErrCorrupt, len(rest))
	case !got.CheckCRC():
		return fmt.Errorf("%w: CRC %08x, header says %08x", ErrCorrupt, got.computeCRC(), got.CRC())
	}
	return got.checkFields()
}

func (b Batch) checkFields() error {
	switch {
	case b.Count() < 0 || b.LastOffsetDelta() < 0:
		return fmt.Errorf("%w: %d records, last offset delta %d", ErrCorrupt, b.Count(), b.LastOffsetDelta())
	case b.Count() > 0 && b.LastOffsetDelta() < b.Count()-1:
		return fmt.Errorf("%w: last offset delta %d is too small for %d records", ErrCorrupt, b.LastOffsetDelta(), b.Count())
	case b.BaseOffset() < 0 || b.LastOffset() < b.BaseOffset():
		return fmt.Errorf("%w: base offset %d", ErrCorrupt, b.BaseOffset())
	case !b.Attributes().Codec().known():
		return fmt.Errorf("%w: codec %d", ErrCorrupt, b.Attributes().Codec())
	}
	return nil
}
