package state

import (
	"context"
	"fmt"

	"github.com/streamflow/streamflow/rdd"
)

// shape is the number of the last shape of the slot's operator that has as many partitions as the slot and had begun by a
// version; -1 when nothing is known.
func (p *Partition) shape(version int64) (list []rdd.StateShape, i int) {
	if p.store.opts.Shapes == nil {
		return nil, -1
	}
	list = p.store.opts.Shapes(p.slot.Query, p.slot.Op)
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Parts == p.slot.Parts && (list[i].From <= version || i == 0) {
			return list, i
		}
	}
	return list, -1
}

// Rescale moves an operator's state to another number of partitions at a committed version: entries change hands in memory,
// and what is in Pebble stays where it is, since rows lie by key group. The query is between two batches. What is not all here
// is dropped from memory; it is restored when it is asked for.
func (s *Store) Rescale(query, op string, from, to int, version int64) error {
	old := make([]*Partition, from)
	whole := true
	s.mu.Lock()
	for i := range old {
		slot := Slot{query, op, i, from}
		old[i] = s.parts[slot]
		whole = whole && old[i] != nil
		delete(s.parts, slot)
	}
	s.mu.Unlock()
	for _, p := range old {
		if p == nil {
			continue
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.rollback()
		whole = whole && p.version == version && !p.damaged
	}
	if !whole {
		return nil
	}
	for i := range to {
		p := newPartition(s, Slot{query, op, i, to})
		p.position = FromStart
		for _, o := range old {
			if err := p.adopt(o); err != nil {
				return err
			}
		}
		p.version = version
		s.mu.Lock()
		s.parts[p.slot] = p
		s.mu.Unlock()
	}
	return nil
}

// FromStart is the position of a changelog's first delta that there still is: before it nothing is missing.
const FromStart = -2

// takeOver makes the partition of those of another shape, at the version at which that ended.
func (p *Partition) takeOver(ctx context.Context, from rdd.StateShape, version int64) error {
	p.position = FromStart
	for i := range from.Parts {
		old := newPartition(p.store, Slot{p.slot.Query, p.slot.Op, i, from.Parts})
		if (old.to <= p.from || old.from >= p.to) && i != p.slot.Partition {
			continue
		}
		if err := old.restore(ctx, version); err != nil {
			return fmt.Errorf("state: %s from %s: %w", p.slot, old.slot, err)
		}
		if err := p.adopt(old); err != nil {
			return err
		}
	}
	p.version = version
	return nil
}

// adopt copies the entries of the partition's key groups from another partition, with what is known of each in Pebble. The
// changelog goes on in that of the partition of the same number.
func (p *Partition) adopt(old *Partition) error {
	if old.slot.Partition == p.slot.Partition {
		p.position = old.position
	}
	lo, hi := max(p.from, old.from), min(p.to, old.to)
	if lo >= hi {
		return nil
	}
	for _, bucket := range old.order {
		from := old.tables[bucket]
		to := p.tables[bucket]
		if to == nil {
			to = p.addTable(bucket)
		}
		to.adopt(from, lo, hi, old.to-old.from)
		if to.keyCount() == 0 && !to.saved {
			p.removeTable(bucket)
			p.discard(to)
			continue
		}
		p.count(to)
	}
	return nil
}

// adopt copies the entries of the key groups [lo, hi) of a table, whose partition has groups of them.
func (t *table) adopt(from *table, lo, hi, groups int) {
	if from.partial && !t.partial {
		t.partial = true
		t.entomb()
	}
	t.saved = t.saved || from.saved
	t.away += from.away * int64(hi-lo) / int64(groups) // only Pebble knows; a count for people
	for n := range from.ents {
		if e := &from.ents[n]; e.flags&removed == 0 && int(e.keyGroup) >= lo && int(e.keyGroup) < hi {
			t.take(int(e.keyGroup), from.key(n), from.value(n), e.flags)
		}
	}
	for _, x := range from.tombs {
		if int(x.keyGroup) >= lo && int(x.keyGroup) < hi {
			t.tombs = append(t.tombs, x)
		}
	}
	if t.partial {
		t.entomb()
	}
}

// take adds an entry with its flags.
func (t *table) take(keyGroup int, key, value []byte, flags uint8) {
	n := t.insert(hashKey(keyGroup, key), keyGroup, key)
	t.set(n, value)
	t.ents[n].flags = flags
	if flags&dirty != 0 {
		t.unsaved++
	}
	if flags&dead != 0 {
		t.live--
	}
}

// entomb makes dead entries of removed keys that Pebble still has, as a partial table has them.
func (t *table) entomb() {
	for _, x := range t.tombs {
		if t.find(hashKey(int(x.keyGroup), []byte(x.key)), int(x.keyGroup), []byte(x.key)) < 0 {
			t.take(int(x.keyGroup), []byte(x.key), nil, dead|dirty|inStore)
		}
	}
	t.tombs = nil
}
