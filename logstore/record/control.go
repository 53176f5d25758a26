package record

import (
	"encoding/binary"
	"fmt"
)

// ControlType is what a control batch says. Kafka defines 0 and 1; ours begin at FirstOwnControl, and Kafka's clients
// skip them.
type ControlType int16

const (
	ControlAbort  ControlType = 0
	ControlCommit ControlType = 1

	FirstOwnControl ControlType = 100
	// ControlIdle carries a partition's event time forward while nothing arrives.
	ControlIdle ControlType = 100
)

// AppendMarker appends the control batch that ends a producer's transaction.
func AppendMarker(dst []byte, typ ControlType, producerID int64, epoch int16, coordinatorEpoch int32, timestampMs int64) []byte {
	value := binary.BigEndian.AppendUint32([]byte{0, 0}, uint32(coordinatorEpoch)) // version, coordinator epoch
	p := Producer{ID: producerID, Epoch: epoch, Sequence: -1}
	return appendControl(dst, typ, value, AttrControl|AttrTransactional, p, timestampMs)
}

// AppendControl appends a control batch of our own.
func AppendControl(dst []byte, typ ControlType, value []byte, timestampMs int64) []byte {
	return appendControl(dst, typ, value, AttrControl, NoProducer, timestampMs)
}

func appendControl(dst []byte, typ ControlType, value []byte, attrs Attr, p Producer, ts int64) []byte {
	b := NewBuilder(None)
	b.attrs, b.producer = attrs, p
	b.Add(ts, binary.BigEndian.AppendUint16([]byte{0, 0}, uint16(typ)), value) // key: version, type
	out, _ := b.AppendBatch(dst)                                               // uncompressed: cannot fail
	return out
}

// Control reads a control batch: its type and its value.
func (b Batch) Control() (ControlType, []byte, error) {
	if !b.Attributes().IsControl() {
		return 0, nil, fmt.Errorf("%w: batch at offset %d is not a control batch", ErrCorrupt, b.BaseOffset())
	}
	it := b.Records()
	if !it.Next() || len(it.Key) < 4 {
		return 0, nil, fmt.Errorf("%w: control batch at offset %d has no key", ErrCorrupt, b.BaseOffset())
	}
	return ControlType(binary.BigEndian.Uint16(it.Key[2:])), it.Value, nil
}
