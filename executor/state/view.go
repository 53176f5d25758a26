package state

import (
	"context"
	"encoding/binary"

	"github.com/streamflow/streamflow/rdd"
)

// View calls view with a partition at a committed version, restored if it is not here at that version. The query must be
// between two batches, or not running: what an open batch has changed is taken back first. view must not change the state.
func (s *Store) View(ctx context.Context, slot Slot, version int64, view func(rdd.State) error) error {
	p := s.partition(slot)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rollback()
	if p.version != version {
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
