package columnar

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore/record"
)

// AppendRows appends b as a plain record batch: each row is a record whose value is the row as JSON. Offsets, leader
// epoch, timestamps, producer and transaction stay; the Arrow bit goes, and the checksum is made anew.
func AppendRows(dst []byte, schema *column.Schema, b record.Batch) ([]byte, error) {
	rows, err := Decode(schema, b, nil)
	if err != nil {
		return dst, err
	}
	payload := payloads.Get().(*[]byte)
	*payload = appendRecords((*payload)[:0], rows)
	m := record.Meta{
		Attributes:    b.Attributes() &^ record.AttrArrow,
		Count:         rows.N,
		BaseTimestamp: b.BaseTimestamp(),
		MaxTimestamp:  b.MaxTimestamp(),
		Producer:      record.Producer{ID: b.ProducerID(), Epoch: b.ProducerEpoch(), Sequence: b.BaseSequence()},
	}
	start := len(dst)
	dst = record.Pack(dst, m, *payload)
	payloads.Put(payload)
	out := record.Batch(dst[start:])
	out.SetBaseOffset(b.BaseOffset())
	out.SetLeaderEpoch(b.LeaderEpoch())
	return dst, nil
}

var values = sync.Pool{New: func() any { return new([]byte) }}

// appendRecords appends the rows as Kafka records with no key, at the batch's base timestamp.
func appendRecords(dst []byte, rows *column.Batch) []byte {
	buf := values.Get().(*[]byte)
	value := *buf
	for i := range rows.N {
		value = column.AppendJSONRow(value[:0], rows, i, len(rows.Cols), time.UTC)
		dst = appendRecord(dst, int64(i), value)
	}
	*buf = value
	values.Put(buf)
	return dst
}

// appendRecord appends one record: length, attributes, timestamp delta, offset delta, null key, value, no headers.
func appendRecord(dst []byte, offset int64, value []byte) []byte {
	size := 1 + 1 + varintSize(offset) + 1 + varintSize(int64(len(value))) + len(value) + 1
	dst = binary.AppendVarint(dst, int64(size))
	dst = append(dst, 0, 0)
	dst = binary.AppendVarint(dst, offset)
	dst = binary.AppendVarint(dst, -1)
	dst = binary.AppendVarint(dst, int64(len(value)))
	dst = append(dst, value...)
	return append(dst, 0)
}

// varintSize is the length of the zigzag varint of x.
func varintSize(x int64) int {
	z := uint64(x<<1) ^ uint64(x>>63)
	return (bits.Len64(z|1) + 6) / 7
}
