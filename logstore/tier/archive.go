package tier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/segment"
)

// round does what is due for the partition: its leader archives and deletes, the others look at what it did; each frees its
// own disk.
func (p *Partition) round(ctx context.Context) error {
	p.work.Lock()
	defer p.work.Unlock()
	if p.gone {
		return nil
	}
	var err error
	if role := p.log.Role(); role.Leader {
		err = p.lead(ctx, max(role.Epoch, 0))
	} else {
		err = p.follow(ctx)
	}
	if errors.Is(err, ErrFenced) {
		p.looked = time.Time{} // somebody else has written
		err = p.follow(ctx)
	}
	if err == nil {
		err = p.free()
	}
	p.mu.Lock()
	p.lastErr = err
	p.mu.Unlock()
	if err != nil {
		return fmt.Errorf("tier: %s-%d: %w", p.name, p.id.partition, err)
	}
	return nil
}

func (p *Partition) free() error {
	n, err := p.log.FreeLocal(p.t.o.Clock.Now())
	if n > 0 {
		p.t.o.Logger.Info("local retention frees segments that the cold tier has", "topic", p.name, "partition", p.id.partition, "segments", n, "local_start", p.log.LocalStart())
	}
	return err
}

// lookEvery is how often a follower looks for news when it waits for none: requests cost money.
const lookEvery = time.Minute

// follow takes over what the leader wrote. A follower waits for news while it has sealed segments that it has not seen in
// the archive.
func (p *Partition) follow(ctx context.Context) error {
	p.ledger.claimed = false
	now := p.t.o.Clock.Now()
	waits := len(p.log.Archivable(p.ledger.current.Next())) > 0
	if !waits && now.Sub(p.looked) < lookEvery {
		return nil
	}
	changed, err := p.ledger.refresh(ctx)
	if err != nil {
		return err
	}
	if p.looked = now; changed {
		p.adopt()
	}
	return nil
}

// adopt shows the manifest of the ledger, and keeps a copy here for times when the store cannot be reached.
func (p *Partition) adopt() {
	p.show(p.ledger.current)
	p.t.keep(p.id, p.name, p.ledger.current)
	p.log.SetCold(p)
}

func (p *Partition) lead(ctx context.Context, epoch int32) error {
	if !p.ledger.claimed || p.ledger.epoch != epoch {
		if err := p.takeOver(ctx, epoch); err != nil {
			return err
		}
	}
	if err := p.expire(ctx); err != nil {
		return err
	}
	for {
		next := p.ledger.current.Next()
		list := p.log.Archivable(max(next, p.log.Offsets().LogStart))
		if len(list) == 0 {
			return nil
		}
		if err := p.archive(ctx, &list[0], next); err != nil {
			if errors.Is(err, segment.ErrClosed) {
				return nil // it was removed since
			}
			return err
		}
		if role := p.log.Role(); !role.Leader || max(role.Epoch, 0) != epoch {
			return nil
		}
	}
}

// takeOver begins a leader's term: the manifest is claimed; what is not finished, or not of this leader's log, is to be
// deleted; data that no manifest points to goes.
func (p *Partition) takeOver(ctx context.Context, epoch int32) error {
	err := p.ledger.claim(ctx, epoch, func(m *Manifest) {
		m.condemn(func(e Entry) bool { return e.State == CopyStarted })
		if lineage(m, p.log.LocalStart(), p.log.EpochEnd) {
			p.t.o.Logger.Warn("the cold tier has offsets that the leader's log has not: they are deleted", "topic", p.name, "partition", p.id.partition, "to", m.Next())
		}
	})
	if err != nil {
		return err
	}
	p.adopt()
	n, err := p.ledger.sweep(ctx)
	if n > 0 {
		p.t.o.Logger.Info("deleted objects that no manifest points to", "topic", p.name, "partition", p.id.partition, "objects", n)
	}
	return err
}

// archive copies a segment: announced, put, then finished. Only the last makes it visible.
func (p *Partition) archive(ctx context.Context, s *logstore.Sealed, next int64) error {
	from := s.Summary.Base
	if next > from {
		from = next
	}
	prev, err := p.snapshotAt(ctx, from)
	if err != nil {
		return err
	}
	topic := p.settings()
	out, err := build(ctx, p.t.spool(), source{topic: &topic, partition: p.id.partition, sealed: s, from: from, prev: prev})
	if err != nil {
		return err
	}
	defer out.discard()
	m := p.ledger.current.clone()
	out.entry.Key = p.id.dataKey(from, Version{Epoch: p.ledger.epoch, Generation: p.ledger.tried + 1}, out.entry.Kind)
	m.announce(Entry{Kind: out.entry.Kind, Key: out.entry.Key, Base: out.entry.Base, Next: out.entry.Next})
	if err := p.ledger.publish(ctx, m); err != nil {
		return err
	}
	if err := p.t.o.Store.Put(ctx, out.entry.Key, out.body()); err != nil {
		p.ledger.claimed = false // whatever became of it, the next claim deletes it
		return err
	}
	m = p.ledger.current.clone()
	m.finish(out.entry)
	m.Start, m.Epochs = p.log.Offsets().LogStart, p.log.LeaderEpochs()
	if err := p.ledger.publish(ctx, m); err != nil {
		return err
	}
	p.adopt()
	p.t.o.Logger.Info("archived", "topic", p.name, "partition", p.id.partition, "base", out.entry.Base, "next", out.entry.Next,
		"bytes", out.entry.Bytes, "object_bytes", out.entry.Size, "kind", out.entry.Kind.String())
	return nil
}

// snapshotAt is the state of producers at the end of the archive, if that is where from is.
func (p *Partition) snapshotAt(ctx context.Context, from int64) ([]byte, error) {
	e, ok := entryAt(p.ledger.current.finished(), from-1)
	if !ok || e.Next != from {
		return nil, nil
	}
	o, err := p.t.waitObject(ctx, e)
	if errors.Is(err, logstore.ErrCorruptMessage) {
		return nil, nil // what is damaged must not hold up the rest; the state begins anew
	}
	if err != nil {
		return nil, err
	}
	return o.table.Snapshot, nil
}

// expire deletes what lies below the log start: out of the manifest first, then the objects, then their entries.
func (p *Partition) expire(ctx context.Context) error {
	start := p.log.Offsets().LogStart
	m := p.ledger.current.clone()
	if m.condemn(func(e Entry) bool { return e.State == CopyFinished && e.Next <= start }) {
		m.Start = start
		if err := p.ledger.publish(ctx, m); err != nil {
			return err
		}
		p.adopt()
	}
	dead := p.ledger.current.in(DeleteStarted)
	if len(dead) == 0 {
		return nil
	}
	keys := map[string]bool{}
	for _, e := range dead {
		if err := p.t.o.Store.Delete(ctx, e.Key); err != nil {
			return err
		}
		p.t.forget(e.Key)
		keys[e.Key] = true
	}
	m = p.ledger.current.clone()
	m.forget(keys)
	if err := p.ledger.publish(ctx, m); err != nil {
		return err
	}
	p.adopt()
	return nil
}
