package record

import "encoding/binary"

// Meta is what a batch's header says beside what its payload decides.
type Meta struct {
	Attributes    Attr
	Count         int // records, or rows of an Arrow payload; the last offset delta is Count-1
	BaseTimestamp int64
	MaxTimestamp  int64
	Producer      Producer
}

// Producer is who wrote a batch. Sequence is the number of the batch's first record.
type Producer struct {
	ID       int64
	Epoch    int16
	Sequence int32
}

// NoProducer is a batch's producer when it is not idempotent.
var NoProducer = Producer{ID: -1, Epoch: -1, Sequence: -1}

// Pack appends a batch to dst and returns the longer slice. The payload stands as it is: already compressed if
// m.Attributes says so.
func Pack(dst []byte, m Meta, payload []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, HeaderSize)...)
	dst = append(dst, payload...)
	seal(Batch(dst[start:]), m)
	return dst
}

// seal fills the header of b, whose payload is in place.
func seal(b Batch, m Meta) {
	be := binary.BigEndian
	be.PutUint64(b[posBaseOffset:], 0)
	be.PutUint32(b[posLength:], uint32(len(b)-prefixSize))
	be.PutUint32(b[posLeaderEpoch:], ^uint32(0))
	b[posMagic] = magic
	b.setAttributes(m.Attributes)
	be.PutUint32(b[posLastOffsetDelta:], uint32(max(m.Count-1, 0)))
	be.PutUint64(b[posBaseTimestamp:], uint64(m.BaseTimestamp))
	b.setMaxTimestamp(m.MaxTimestamp)
	be.PutUint64(b[posProducerID:], uint64(m.Producer.ID))
	be.PutUint16(b[posProducerEpoch:], uint16(m.Producer.Epoch))
	be.PutUint32(b[posBaseSequence:], uint32(m.Producer.Sequence))
	be.PutUint32(b[posCount:], uint32(m.Count))
	b.Seal()
}
