package process

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Broadcast is a map that all keys see alike: rows of the broadcast table change it, the keys' rows read it.
type Broadcast[K comparable, V any] struct{ t *sharedTable[K, V] }

// NewBroadcast declares a broadcast map. Its keys are strings, or of a type that JSON takes as an object's keys; its values are
// not to be changed in place.
func NewBroadcast[K comparable, V any](s *State, name string) Broadcast[K, V] {
	t := &sharedTable[K, V]{shared: &s.shared, pairs: map[K]V{}}
	s.shared.declare(name, t)
	return Broadcast[K, V]{t}
}

// Get is the value of k; ok is false when there is none.
func (b Broadcast[K, V]) Get(k K) (v V, ok bool) {
	v, ok = b.t.pairs[k]
	return v, ok
}

// All visits all pairs, in no order.
func (b Broadcast[K, V]) All() iter.Seq2[K, V] { return maps.All(b.t.pairs) }

// Len is the number of pairs.
func (b Broadcast[K, V]) Len() int { return len(b.t.pairs) }

// Put sets the value of k. Only Broadcast may do so.
func (b Broadcast[K, V]) Put(k K, v V) {
	b.t.change(k)
	b.t.pairs[k] = v
}

// Remove forgets k. Only Broadcast may do so.
func (b Broadcast[K, V]) Remove(k K) {
	b.t.change(k)
	delete(b.t.pairs, k)
}

// Shared is the broadcast state of a task.
type Shared struct {
	names  []string
	tables []sharedState
	open   bool // a broadcast row is in hand
	kept   bool // changes are for good
	undo   []func()
}

// sharedState is a table without its types.
type sharedState interface {
	json.Marshaler
	json.Unmarshaler
	reset()
	len() int
}

func (s *Shared) declare(name string, t sharedState) {
	if slices.Contains(s.names, name) {
		panic(fmt.Sprintf("BUG: process: the broadcast state %q is declared twice", name))
	}
	s.names, s.tables = append(s.names, name), append(s.tables, t)
}

// Rollback takes back what changed since the last Keep.
func (s *Shared) Rollback() {
	for i := len(s.undo) - 1; i >= 0; i-- {
		s.undo[i]()
	}
	s.undo = s.undo[:0]
}

// Keep says whether what changes from now on is for good.
func (s *Shared) Keep(kept bool) { s.kept, s.undo = kept, s.undo[:0] }

const sharedVersion = 1

// Append appends the state: version, number of tables, and of each its name and JSON with lengths before them.
func (s *Shared) Append(dst []byte) ([]byte, error) {
	dst = append(dst, sharedVersion)
	dst = binary.AppendUvarint(dst, uint64(len(s.names)))
	for i, name := range s.names {
		b, err := s.tables[i].MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("process: broadcast state %s: %w", name, err)
		}
		dst = appendBytes(appendBytes(dst, []byte(name)), b)
	}
	return dst, nil
}

var errShared = errors.New("process: stored broadcast state is damaged")

// Read takes up what Append wrote, nothing for nil. Tables that are no longer declared are left out.
func (s *Shared) Read(b []byte) error {
	s.undo = s.undo[:0]
	for _, t := range s.tables {
		t.reset()
	}
	if b == nil {
		return nil
	}
	d := entryReader{b: b}
	if v := d.take(1); d.bad || v[0] != sharedVersion {
		return errShared
	}
	for n := d.count(2); n > 0 && !d.bad; n-- {
		name, value := string(d.take(d.count(1))), d.take(d.count(1))
		if i := slices.Index(s.names, name); i >= 0 && !d.bad {
			if err := s.tables[i].UnmarshalJSON(bytes.Clone(value)); err != nil {
				return fmt.Errorf("process: broadcast state %s: %w", name, err)
			}
		}
	}
	if d.bad || len(d.b) > 0 {
		return errShared
	}
	return nil
}

// Empty reports whether there is nothing to keep.
func (s *Shared) Empty() bool {
	for _, t := range s.tables {
		if t.len() > 0 {
			return false
		}
	}
	return true
}

// sharedTable is a typed table.
type sharedTable[K comparable, V any] struct {
	shared *Shared
	pairs  map[K]V
}

// change notes what a pair is before it changes.
func (t *sharedTable[K, V]) change(k K) {
	if !t.shared.open {
		panic("broadcast state is changed by the rows of the broadcast table only")
	}
	if t.shared.kept {
		return
	}
	v, had := t.pairs[k]
	t.shared.undo = append(t.shared.undo, func() {
		if had {
			t.pairs[k] = v
		} else {
			delete(t.pairs, k)
		}
	})
}

func (t *sharedTable[K, V]) MarshalJSON() ([]byte, error) { return json.Marshal(t.pairs) }
func (t *sharedTable[K, V]) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &t.pairs) }
func (t *sharedTable[K, V]) reset()                       { clear(t.pairs) }
func (t *sharedTable[K, V]) len() int                     { return len(t.pairs) }
