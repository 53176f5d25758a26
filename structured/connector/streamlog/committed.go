package streamlog

import (
	"context"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

// committedRecords walks the committed records of a partition's offset range, leaving out control batches and aborted
// transactions.
type committedRecords struct {
	part     *logstore.Partition
	from, to int64
	rest     []byte
	aborts   abortFilter
	it       record.Iterator
	inBatch  bool
	err      error
}

func newCommittedRecords(p *logstore.Partition, from, to int64) *committedRecords {
	return &committedRecords{part: p, from: from, to: to}
}

// record is the current record, after next returned true; it is valid until the next call.
func (c *committedRecords) record() *record.Record { return &c.it.Record }

func (c *committedRecords) next() bool {
	for c.err == nil {
		if c.inBatch {
			if c.it.Next() {
				return true
			}
			c.inBatch, c.err = false, c.it.Err()
			continue
		}
		if len(c.rest) == 0 && !c.read() {
			return false
		}
		c.nextBatch()
	}
	return false
}

func (c *committedRecords) read() bool {
	if c.from >= c.to {
		return false
	}
	res, err := c.part.ReadWait(context.Background(), c.from, readBytes, true) // the tier bounds how long that takes
	if err != nil || len(res.Data) == 0 {
		c.err = err
		return false
	}
	c.rest = res.Data
	c.aborts.reset(res.Aborted)
	return true
}

func (c *committedRecords) nextBatch() {
	b, rest, err := record.Next(c.rest)
	if err != nil {
		c.err = err
		return
	}
	c.rest, c.from = rest, b.LastOffset()+1
	if c.from > c.to {
		c.rest, c.from = nil, c.to
		return
	}
	if c.aborts.skips(b) || b.Attributes().IsControl() || b.Count() == 0 {
		return
	}
	c.it.Reset(b)
	c.inBatch = true
}

// abortFilter knows which transactional batches of one read belong to aborted transactions. Batches must be shown to it
// in log order.
type abortFilter struct {
	waiting []logstore.AbortedTxn
	active  map[int64]bool
}

func (f *abortFilter) reset(aborted []logstore.AbortedTxn) {
	f.waiting, f.active = append(f.waiting[:0], aborted...), map[int64]bool{}
}

// skips reports whether a committed reader leaves the batch out because its transaction was aborted.
func (f *abortFilter) skips(b record.Batch) bool {
	a := b.Attributes()
	if !a.IsTransactional() {
		return false
	}
	keep := f.waiting[:0]
	for _, t := range f.waiting {
		if t.FirstOffset <= b.LastOffset() {
			f.active[t.ProducerID] = true
		} else {
			keep = append(keep, t)
		}
	}
	f.waiting = keep
	if a.IsControl() { // after the above: a read may begin with the marker of a transaction
		if typ, _, err := b.Control(); err == nil && typ == record.ControlAbort {
			delete(f.active, b.ProducerID())
		}
		return false
	}
	return f.active[b.ProducerID()]
}
