package logstore

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/streamflow/streamflow/logstore/compact"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
)

// CompactionResult is what Compact did.
type CompactionResult struct {
	Passes   int            // over the whole log, one for each time that the key map was full
	Replaced int            // segments
	Written  int            // segments
	Before   int64          // bytes of the replaced segments
	After    int64          // bytes of what was written for them
	Counts   segment.Counts // of the replaced segments' records
}

// errStopped ends a pass early: the partition was deleted, or the log is being closed.
var errStopped = errors.New("compaction was stopped")

// cleanable is what a compaction may look at.
type cleanable struct {
	segments []*segment.Segment // sealed, below the limit
	from, to int64              // dirty: no pass has known the keys in [from, to)
	clean    int64              // bytes below from
	dirty    int64              // bytes in [from, to)
	records  int64              // in the dirty segments
	oldest   int64              // milliseconds, when the first dirty segment was begun
}

// ratio is Kafka's dirty ratio.
func (c cleanable) ratio() float64 {
	if c.dirty == 0 {
		return 0
	}
	return float64(c.dirty) / float64(c.dirty+c.clean)
}

// cleanable finds the sealed segments that compaction may touch: those wholly below the high watermark and the
// last stable offset, and older than min.compaction.lag.ms (counted from when their last record was appended).
func (p *Partition) cleanable(now time.Time) cleanable {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := cleanable{from: max(p.life.cleanedTo, p.logStart), to: p.logStart}
	if p.failed != nil || p.life.stuck != nil || p.cold != nil {
		return c
	}
	limit := min(p.high, p.stable)
	for i, s := range p.segments {
		sum := s.Summary()
		young := p.cfg.MinCompactionLag > 0 && now.UnixMilli()-sum.Appended < p.cfg.MinCompactionLag.Milliseconds()
		if i == len(p.segments)-1 || sum.Bytes == 0 || sum.Next > limit || young {
			break
		}
		c.segments, c.to = append(c.segments, s), sum.Next
		if sum.Next <= c.from {
			c.clean += sum.Bytes
			continue
		}
		if c.dirty == 0 {
			c.oldest = sum.Created
		}
		c.dirty += sum.Bytes
		c.records += sum.Records
	}
	return c
}

// due tells whether a topic's configuration asks for a compaction now: enough of the log is dirty, or something has been dirty
// for max.compaction.lag.ms (KIP-354).
func (c cleanable) due(cfg PartitionConfig, now time.Time) bool {
	late := cfg.MaxCompactionLag > 0 && now.UnixMilli()-c.oldest >= cfg.MaxCompactionLag.Milliseconds()
	return cfg.Compact && c.dirty > 0 && (late || c.ratio() >= cfg.DirtyRatio)
}

// Compact rewrites the sealed segments so that of each key the last record stays, whether or not that is due. Offsets stay as
// they are. It returns early, without an error, when the partition is deleted or the log is closed.
func (p *Partition) Compact() (CompactionResult, error) {
	p.life.pass.Lock()
	defer p.life.pass.Unlock()
	var res CompactionResult
	for {
		now := p.log.o.Clock.Now()
		c := p.cleanable(now)
		if len(c.segments) == 0 || (res.Passes > 0 && c.dirty == 0) {
			return res, nil
		}
		err := p.runPass(c, now, &res)
		if errors.Is(err, errStopped) {
			return res, nil
		}
		if err != nil {
			return res, fmt.Errorf("logstore: compact %s: %w", p.tp, err)
		}
	}
}

// syncSealed syncs the segments that take no more appends: what replaces them must not be less durable than they.
func (p *Partition) syncSealed() error {
	p.disk.Lock()
	defer p.disk.Unlock()
	p.mu.Lock()
	var active *segment.Segment
	if n := len(p.segments); n > 0 {
		active = p.segments[n-1]
	}
	p.mu.Unlock()
	for _, s := range p.disk.unsynced {
		if s == active {
			continue
		}
		if err := syncSegment(s, false); err != nil {
			return err
		}
	}
	p.disk.unsynced = slices.DeleteFunc(p.disk.unsynced, func(s *segment.Segment) bool { return s != active })
	return nil
}

// runPass goes over the log once.
func (p *Partition) runPass(c cleanable, now time.Time, res *CompactionResult) error {
	if err := p.syncSealed(); err != nil {
		return err
	}
	keys := compact.NewMap(min(p.log.o.CompactionMemory, mapBytes(c.records)))
	cleaner := compact.NewCleaner(p.compactionFacts(now), keys)
	upTo, err := p.noteKeys(cleaner, keys, c)
	if err != nil {
		return err
	}
	res.Passes++
	for rest := c.segments; len(rest) > 0 && rest[0].Base() < upTo; {
		n, err := p.compactGroup(cleaner, rest, upTo, now, res)
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	return p.noteCleaned(upTo, now)
}

// mapBytes is what a map of so many keys takes.
func mapBytes(keys int64) int64 { return (keys + keys/7 + 64) * 24 }

func (p *Partition) compactionFacts(now time.Time) compact.Facts {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := compact.Facts{NowMs: now.UnixMilli(), DeleteRetentionMs: p.cfg.DeleteRetention.Milliseconds(), Producers: map[int64]compact.Last{}}
	for _, t := range p.state.aborted {
		f.Aborted = append(f.Aborted, compact.Txn{ProducerID: t.producerID, First: t.first, Last: t.last})
	}
	for id, prod := range p.state.byID {
		last := compact.Last{Base: -1, Epoch: prod.epoch}
		if n := len(prod.batches); n > 0 {
			last.Base = prod.batches[n-1].base
		}
		f.Producers[id] = last
	}
	return f
}

// noteKeys fills the map from the dirty segments. It returns where the map's knowledge ends.
func (p *Partition) noteKeys(cleaner *compact.Cleaner, keys *compact.Map, c cleanable) (upTo int64, err error) {
	full := false
	for _, s := range c.segments {
		if s.Summary().Next <= c.from {
			continue
		}
		err := s.Scan(c.from, func(_ int64, b record.Batch) (bool, error) {
			if p.log.stopping() || p.isFailed() {
				return false, errStopped
			}
			full = !cleaner.Note(b, c.from)
			return !full, nil
		})
		if err != nil {
			return 0, err
		}
		if full {
			return keys.Latest + 1, nil
		}
	}
	keys.Latest = c.to - 1 // the last batches may have had no keys
	return c.to, nil
}

// isFailed tells that the partition is out of use.
func (p *Partition) isFailed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed != nil
}
