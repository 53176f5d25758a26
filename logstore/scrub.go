package logstore

import (
	"errors"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
)

// scrubs is the goroutine that reads sealed segments slowly, over and over, so that rot is found while other replicas still
// have what it took. Each byte is read once in ScrubEvery at the most, and no faster than ScrubRate.
func (l *Log) scrubs() {
	for {
		tick, cancel := l.o.Clock.After(l.o.ScrubEvery)
		select {
		case <-l.stop:
			cancel()
			return
		case <-tick:
		}
		for _, p := range l.open() {
			p.scrub()
		}
	}
}

// scrub reads the partition's sealed segments. Damage takes it out of use if other replicas can give it back (OnDamage), and is
// told of in any case.
func (p *Partition) scrub() {
	for _, s := range p.sealed() {
		if p.log.stopping() || p.isFailed() {
			return
		}
		err := s.Scan(s.Base(), func(_ int64, b record.Batch) (bool, error) {
			p.log.stats.scrubbed.Add(int64(len(b)))
			return p.log.pause(int64(len(b))), nil
		})
		if err == nil || errors.Is(err, segment.ErrClosed) {
			continue
		}
		p.tellDamage(p.atOffset(err, s.Base()))
	}
}

// sealed is the segments that take no more appends.
func (p *Partition) sealed() []*segment.Segment {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.segments) == 0 {
		return nil
	}
	return append([]*segment.Segment(nil), p.segments[:len(p.segments)-1]...)
}

// tellDamage is for damage that was found by looking for it.
func (p *Partition) tellDamage(err error) {
	p.log.o.Logger.Error("damage is found", "topic", p.tp.Topic, "partition", p.tp.Partition, "err", err)
	if _, damage := usererr.As(err); !damage {
		return
	}
	if err := p.log.note(Operation{Op: "damage", Topic: p.tp.Topic, Partition: p.tp.Partition, Detail: err.Error()}); err != nil {
		p.log.o.Logger.Error("audit failed", "err", err)
	}
	if p.Role().Replicated {
		p.MarkDamaged(err)
	}
}

// pause waits for as long as so many bytes may take. It is false when the log is being closed.
func (l *Log) pause(bytes int64) bool {
	l.scrubDebt += bytes
	if l.scrubDebt < scrubBlock {
		return !l.stopping()
	}
	wait, cancel := l.o.Clock.After(time.Duration(float64(l.scrubDebt) / float64(l.o.ScrubRate) * float64(time.Second)))
	defer cancel()
	l.scrubDebt = 0
	select {
	case <-wait:
		return true
	case <-l.stop:
		return false
	}
}

// scrubBlock is how much is read between two pauses.
const scrubBlock = 256 << 10
