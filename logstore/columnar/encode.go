package columnar

import (
	"fmt"
	"sync"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore/record"
)

// Header is what a batch's header says beside what the rows decide. The zero Producer is no producer.
type Header struct {
	Producer      record.Producer
	Transactional bool
	Timestamp     int64 // milliseconds since the epoch, of every row
}

// MaxRows is the most rows of one batch; writers cut larger ones.
const MaxRows = column.ExchangeRows

var payloads = sync.Pool{New: func() any { return new([]byte) }}

// Encode appends a record batch that holds the rows of b. Offsets are stamped by the log when it is appended there.
func Encode(dst []byte, b *column.Batch, h Header) (record.Batch, error) {
	if b.N == 0 || b.N > MaxRows {
		return nil, fmt.Errorf("columnar: a batch of %d rows: must be 1 to %d", b.N, MaxRows)
	}
	m := record.Meta{Attributes: record.AttrArrow, Count: b.N, BaseTimestamp: h.Timestamp, MaxTimestamp: h.Timestamp, Producer: h.Producer}
	if h.Producer == (record.Producer{}) {
		m.Producer = record.NoProducer
	}
	if h.Transactional {
		m.Attributes |= record.AttrTransactional
	}
	payload := payloads.Get().(*[]byte)
	*payload = column.EncodeBatch((*payload)[:0], b)
	start := len(dst)
	dst = record.Pack(dst, m, *payload)
	payloads.Put(payload)
	return record.Batch(dst[start:]), nil
}
