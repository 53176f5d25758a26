package state

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/streamflow/streamflow/rdd"
)

// View calls view with a partition at a committed version, restored if it is not here at that version. The query must be
// between two batches, or not running: what an open batch has changed is taken back first. view must not change the state.
func (s *Store) View(ctx context.Context, slot Slot, version int64, view func(rdd.State) error) error {
	p := s.partition(slot)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rollback()
	if p.version != version || p.damaged {
		if err := p.restore(ctx, version); err != nil {
			return err
		}
	}
	return view(p)
}

// Load opens a batch in a partition, lets load change it, and returns the changes as Delta does. The batch stays open: the
// query's next Commit or Abort decides it.
func (s *Store) Load(ctx context.Context, slot Slot, version int64, load func(rdd.State) error) ([][]byte, error) {
	p, err := s.Open(ctx, slot.Query, slot.Op, slot.Partition, slot.Parts, version)
	if err != nil {
		return nil, err
	}
	if err := load(p); err != nil {
		p.Rollback()
		return nil, err
	}
	return p.Delta()
}

// Sizes are what is here of a query's state, by operator and partition, as of the last commits.
func (s *Store) Sizes(query string) []rdd.StateSize {
	var out []rdd.StateSize
	for _, p := range s.of(query) {
		out = append(out, rdd.StateSize{Op: p.slot.Op, Partition: p.slot.Partition, Parts: p.slot.Parts, Keys: p.keys.Load(), Bytes: p.bytes.Load()})
	}
	return out
}

// SplitExpiring takes apart a value of state that has a TTL: when it expires, microseconds, and the value itself.
func SplitExpiring(v []byte) (expires int64, value []byte, err error) {
	if len(v) < slotHead {
		return 0, nil, errKey
	}
	return int64(binary.LittleEndian.Uint64(v)), v[slotHead:], nil
}

// JoinExpiring is a value of state that has a TTL: the slot in which it expires, then the value.
func JoinExpiring(slot int64, value []byte) []byte {
	return append(binary.LittleEndian.AppendUint64(make([]byte, 0, slotHead+len(value)), uint64(slot)), value...)
}

// SlotOf is the slot in which what is written at a time expires; both are microseconds.
func SlotOf(now, ttl int64) int64 { return slotAt(now+ttl, ttl) }

// IndexKey is the key under which a TTL's index has an entry, in the bucket of its slot.
func IndexKey(bucket int64, key []byte) []byte {
	return append(appendBucket(make([]byte, 0, 8+len(key)), bucket), key...)
}

// Groups are the key groups [from, to) that the partition owns.
func (s Slot) Groups() (from, to int) { return s.groups() }

// Retain drops from memory and disk what there is of a query's state besides the operators that keep says.
func (s *Store) Retain(query string, keep func(op string) bool) error {
	gone := map[string]bool{}
	s.mu.Lock()
	for slot := range s.parts {
		if slot.Query == query && !keep(slot.Op) {
			delete(s.parts, slot)
			gone[slot.Op] = true
		}
	}
	s.mu.Unlock()
	db, err := s.stored()
	if db == nil {
		return err
	}
	stored, err := storedOps(db, query)
	if err != nil {
		return err
	}
	for _, op := range stored {
		if !keep(op) {
			gone[op] = true
		}
	}
	for op := range gone {
		for _, kind := range []byte{rowKey, metaKey} {
			prefix := appendName(nil, kind, Slot{Query: query, Op: op})
			if err := db.DeleteRange(prefix, prefixEnd(prefix), pebble.Sync); err != nil {
				return fmt.Errorf("state: drop %s of %s: %w", op, query, err)
			}
		}
	}
	return nil
}

// storedOps are the operators of a query that have a snapshot.
func storedOps(db *pebble.DB, query string) ([]string, error) {
	prefix := queryPrefix(metaKey, query)
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefixEnd(prefix)})
	if err != nil {
		return nil, fmt.Errorf("state: read %s: %w", query, err)
	}
	var out []string
	for ok := it.First(); ok; ok = it.Next() {
		k := it.Key()[len(prefix):]
		if len(k) < 2 || len(k) < 2+int(binary.BigEndian.Uint16(k)) {
			return nil, errors.Join(errKey, it.Close())
		}
		op := string(k[2 : 2+binary.BigEndian.Uint16(k)])
		if len(out) == 0 || out[len(out)-1] != op {
			out = append(out, op)
		}
	}
	return out, it.Close()
}
