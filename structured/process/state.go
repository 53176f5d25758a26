package process

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"
)

// State declares what a function keeps of each key.
type State struct {
	slots  []*slot
	at     *Entry // the key in hand
	shared Shared
}

// slot is one declared state.
type slot struct {
	name string
	ttl  int64
}

// Option says more of a state.
type Option func(*slot)

// TTL forgets a key's state when it has not changed for so long: in event time with ORDER BY, else in processing time.
func TTL(d time.Duration) Option { return func(s *slot) { s.ttl = d.Microseconds() } }

func (s *State) declare(name string, opts []Option) int {
	for _, k := range s.slots {
		if k.name == name {
			panic(fmt.Sprintf("BUG: process: the state %q is declared twice", name))
		}
	}
	k := &slot{name: name}
	for _, o := range opts {
		o(k)
	}
	s.slots = append(s.slots, k)
	return len(s.slots) - 1
}

// cell is a state of the key in hand: as bytes, and decoded once it is asked for.
type cell struct {
	raw     []byte // JSON; nil when there is none
	changed int64  // when it last changed
	value   any    // *T, decoded; nil when not yet
	dirty   bool
}

// handle is a typed state.
type handle[T any] struct {
	s  *State
	at int
}

func (h handle[T]) get() (*T, error) {
	e := h.s.at
	c := e.live(h.at)
	if c.value != nil {
		return c.value.(*T), nil
	}
	if c.raw == nil {
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal(c.raw, v); err != nil {
		return nil, fmt.Errorf("process: state %s: %w", h.s.slots[h.at].name, err)
	}
	c.value = v
	return v, nil
}

// must is get; bytes that cannot be read end the query.
func (h handle[T]) must() *T {
	v, err := h.get()
	if err != nil {
		panic(stateError{err})
	}
	return v
}

// stateError carries a failure through user code to the runner.
type stateError struct{ err error }

func (h handle[T]) put(v *T) {
	c := h.s.at.live(h.at)
	c.value, c.dirty, c.changed = v, true, h.s.at.now
}

func (h handle[T]) clear() {
	c := h.s.at.live(h.at)
	c.raw, c.value, c.dirty = nil, nil, true
}

// Value is one value of a key.
type Value[T any] struct{ h handle[T] }

// NewValue declares a value.
func NewValue[T any](s *State, name string, opts ...Option) Value[T] {
	return Value[T]{handle[T]{s, s.declare(name, opts)}}
}

// Get is the value; ok is false when there is none.
func (v Value[T]) Get() (x T, ok bool) {
	if p := v.h.must(); p != nil {
		return *p, true
	}
	return x, false
}

// Put sets the value.
func (v Value[T]) Put(x T) { v.h.put(&x) }

// Clear forgets it.
func (v Value[T]) Clear() { v.h.clear() }

// List is a list of values of a key.
type List[T any] struct{ h handle[[]T] }

// NewList declares a list.
func NewList[T any](s *State, name string, opts ...Option) List[T] {
	return List[T]{handle[[]T]{s, s.declare(name, opts)}}
}

// Get is the list. It may be read until the next change.
func (l List[T]) Get() []T {
	if p := l.h.must(); p != nil {
		return *p
	}
	return nil
}

// Append adds values at the end.
func (l List[T]) Append(x ...T) { l.Put(append(l.Get(), x...)) }

// Put sets the list.
func (l List[T]) Put(x []T) { l.h.put(&x) }

// Clear forgets it.
func (l List[T]) Clear() { l.h.clear() }

// Map is a map of a key. Its own keys are strings, or of a type that JSON takes as an object's keys.
type Map[K comparable, V any] struct{ h handle[map[K]V] }

// NewMap declares a map.
func NewMap[K comparable, V any](s *State, name string, opts ...Option) Map[K, V] {
	return Map[K, V]{handle[map[K]V]{s, s.declare(name, opts)}}
}

// Get is the value of k; ok is false when there is none.
func (m Map[K, V]) Get(k K) (v V, ok bool) {
	if p := m.h.must(); p != nil {
		v, ok = (*p)[k]
	}
	return v, ok
}

// Put sets the value of k.
func (m Map[K, V]) Put(k K, v V) {
	p := m.h.must()
	if p == nil || *p == nil {
		p = &map[K]V{}
	}
	(*p)[k] = v
	m.h.put(p)
}

// Remove forgets k.
func (m Map[K, V]) Remove(k K) {
	p := m.h.must()
	if p == nil {
		return
	}
	delete(*p, k)
	if len(*p) == 0 {
		m.h.clear()
		return
	}
	m.h.put(p)
}

// All visits all pairs, in no order.
func (m Map[K, V]) All() iter.Seq2[K, V] {
	p := m.h.must()
	if p == nil {
		return func(func(K, V) bool) {}
	}
	return maps.All(*p)
}

// Len is the number of pairs.
func (m Map[K, V]) Len() int {
	if p := m.h.must(); p != nil {
		return len(*p)
	}
	return 0
}

// Clear forgets all.
func (m Map[K, V]) Clear() { m.h.clear() }

// insert puts a time in its place in an ascending list, once.
func insert(list []int64, at int64) []int64 {
	i, found := slices.BinarySearch(list, at)
	if found {
		return list
	}
	return slices.Insert(list, i, at)
}

func remove(list []int64, at int64) []int64 {
	if i, found := slices.BinarySearch(list, at); found {
		return slices.Delete(list, i, i+1)
	}
	return list
}
