package tier

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

// Partition is what the tier has of a partition, as its newest known manifest says. It is the partition's logstore.Cold.
type Partition struct {
	t    *Tier
	id   partitionID
	name string // of the topic
	log  *logstore.Partition

	work   sync.Mutex // held for a round: archiving, trimming, following
	ledger *ledger    // of whoever holds work
	gone   bool       // the topic was deleted; of whoever holds work
	looked time.Time  // when the store was last asked; of whoever holds work

	mu      sync.Mutex
	topic   Topic
	version Version
	start   int64
	entries []Entry // finished ones; never changed, only replaced
	ends    [8]int64
	oldest  int // of ends
	lastErr error
}

var _ logstore.Cold = (*Partition)(nil)

// show makes a manifest the one that readers see.
func (p *Partition) show(m *Manifest) {
	entries := m.finished()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version, p.start, p.entries = m.Version, m.Start, entries
}

func (p *Partition) view() (start int64, entries []Entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.start, p.entries
}

// Bounds are the offsets that the tier has.
func (p *Partition) Bounds() (start, next int64) {
	start, entries := p.view()
	if len(entries) == 0 {
		return start, start
	}
	next = entries[len(entries)-1].Next
	return min(max(start, entries[0].Base), next), next
}

// Objects lists what the tier has.
func (p *Partition) Objects() []logstore.ColdObject {
	_, entries := p.view()
	list := make([]logstore.ColdObject, len(entries))
	for i, e := range entries {
		list[i] = logstore.ColdObject{Base: e.Base, Next: e.Next, Bytes: e.Bytes, Records: e.Records, MaxTimestamp: e.MaxTimestamp, Appended: e.Appended}
	}
	return list
}

// entryAt is the object that holds the offset.
func entryAt(entries []Entry, offset int64) (Entry, bool) {
	i := sort.Search(len(entries), func(i int) bool { return entries[i].Next > offset })
	if i == len(entries) || entries[i].Base > offset {
		return Entry{}, false
	}
	return entries[i], true
}

// Read answers from memory at once, or begins to fetch.
func (p *Partition) Read(from, limit int64, maxBytes int) *logstore.ColdRead {
	r := logstore.NewColdRead()
	_, entries := p.view()
	e, ok := entryAt(entries, from)
	if !ok {
		r.Finish(nil, nil, fmt.Errorf("tier: %s-%d has no offset %d: %w", p.name, p.id.partition, from, logstore.ErrTierUnavailable))
		return r
	}
	if p.t.ctx.Err() != nil {
		r.Finish(nil, nil, fmt.Errorf("tier: closed: %w", logstore.ErrTierUnavailable))
		return r
	}
	ask := asked{from, limit, maxBytes}
	if o, _ := p.t.object(e); o != nil {
		if b, _ := p.t.block(o, o.table.at(from)); b != nil {
			p.finish(r, o, b, ask)
			return r
		}
	}
	p.t.reads.Go(func() {
		o, b, err := p.fetch(p.t.ctx, e, from)
		if err != nil {
			r.Finish(nil, nil, p.explain(err, from))
			return
		}
		p.finish(r, o, b, ask)
	})
	return r
}

type asked struct {
	from, limit int64
	maxBytes    int
}

// fetch waits for the block that holds the offset.
func (p *Partition) fetch(ctx context.Context, e Entry, from int64) (*object, []byte, error) {
	o, err := p.t.waitObject(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	b, err := p.t.waitBlock(ctx, o, o.table.at(from))
	return o, b, err
}

// explain gives a failed read the error that a reader can act on. An object that is gone was deleted after the log start
// had passed it.
func (p *Partition) explain(err error, from int64) error {
	switch {
	case errors.Is(err, logstore.ErrCorruptMessage):
		return err
	case errors.Is(err, ErrNotFound) && from < p.log.Offsets().LogStart:
		return fmt.Errorf("tier: %w: %d was deleted", logstore.ErrOffsetOutOfRange, from)
	}
	return fmt.Errorf("%w: %w", logstore.ErrTierUnavailable, err)
}

// finish cuts the answer out of a block, and fetches the next one ahead for those who read on.
func (p *Partition) finish(r *logstore.ColdRead, o *object, block []byte, ask asked) {
	data, next, err := cut(block, ask)
	if err != nil {
		r.Finish(nil, nil, corrupt(o.entry.Key, err))
		return
	}
	if p.readsOn(ask.from, next) {
		p.ahead(o, o.table.at(ask.from)+1)
	}
	r.Finish(data, o.table.abortedIn(ask.from, max(next, ask.from+1)), nil)
}

// cut is the batches of a block that are asked for, and the offset behind them.
func cut(block []byte, ask asked) (data []byte, next int64, err error) {
	begin, end, at := -1, 0, 0
	for at < len(block) {
		b, _, err := record.Next(block[at:])
		if err != nil {
			return nil, 0, err
		}
		if b.LastOffset() >= ask.from {
			if begin < 0 {
				begin = at
			} else if b.BaseOffset() >= ask.limit || at+len(b)-begin > ask.maxBytes {
				break
			}
			end, next = at+len(b), b.LastOffset()+1
		}
		at += len(b)
	}
	if begin < 0 {
		return nil, 0, fmt.Errorf("%w: no batch holds offset %d", record.ErrCorrupt, ask.from)
	}
	return block[begin:end:end], next, nil
}

// readsOn tells whether a read begins where an earlier one ended, and notes where this one does.
func (p *Partition) readsOn(from, next int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, end := range p.ends {
		if end == from && from > 0 {
			p.ends[i] = next
			return true
		}
	}
	p.ends[p.oldest] = next
	p.oldest = (p.oldest + 1) % len(p.ends)
	return false
}

// ahead begins to fetch the block i of an object, or the first of the next object.
func (p *Partition) ahead(o *object, i int) {
	if i < len(o.table.Blocks) {
		if o.table.Blocks[i].Bytes <= p.t.o.CacheMemory/4 {
			p.t.block(o, i)
		}
		return
	}
	_, entries := p.view()
	e, ok := entryAt(entries, o.entry.Next)
	if !ok {
		return
	}
	if next, _ := p.t.object(e); next != nil {
		p.ahead(next, 0)
		return
	}
	p.t.reads.Go(func() {
		if next, err := p.t.waitObject(p.t.ctx, e); err == nil {
			p.ahead(next, 0)
		}
	})
}

// OffsetForTime finds the first record in [start, end) whose timestamp is at least ms.
func (p *Partition) OffsetForTime(ctx context.Context, ms, start, end int64) (logstore.TimestampOffset, error) {
	nowhere := logstore.TimestampOffset{Offset: -1, Timestamp: -1, LeaderEpoch: -1}
	_, entries := p.view()
	for _, e := range entries {
		if e.Next <= start || e.MaxTimestamp < ms {
			continue
		}
		if e.Base >= end {
			break
		}
		o, err := p.t.waitObject(ctx, e)
		if err != nil {
			return nowhere, p.explain(err, start)
		}
		for i, k := range o.table.Blocks {
			if k.Next <= start || k.MaxTimestamp < ms {
				continue
			}
			b, err := p.t.waitBlock(ctx, o, i)
			if err != nil {
				return nowhere, p.explain(err, start)
			}
			if found := firstAt(b, ms, start, end); found.Offset >= 0 {
				return found, nil
			}
		}
	}
	return nowhere, nil
}

// firstAt looks through a block's batches.
func firstAt(block []byte, ms, start, end int64) logstore.TimestampOffset {
	found := logstore.TimestampOffset{Offset: -1, Timestamp: -1, LeaderEpoch: -1}
	for len(block) > 0 && found.Offset < 0 {
		b, rest, err := record.Next(block)
		if err != nil || b.BaseOffset() >= end {
			break
		}
		found = logstore.FirstAt(b, ms, start)
		block = rest
	}
	return found
}
