// Package statetest holds the conformance suite of rdd.State and Map, the plain implementation that operator tests use.
package statetest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Map is keyed state in Go maps: obviously right, slow, without commits.
type Map struct {
	m map[int64]map[pair][]byte
}

type pair struct {
	keyGroup int
	key      string
}

// NewMap returns empty state.
func NewMap() *Map { return &Map{m: map[int64]map[pair][]byte{}} }

// Get returns the value of a key.
func (s *Map) Get(bucket int64, keyGroup int, key []byte) ([]byte, bool, error) {
	v, ok := s.m[bucket][pair{keyGroup, string(key)}]
	return slices.Clone(v), ok, nil
}

// Put sets the value of a key.
func (s *Map) Put(bucket int64, keyGroup int, key, value []byte) error {
	b := s.m[bucket]
	if b == nil {
		b = map[pair][]byte{}
		s.m[bucket] = b
	}
	b[pair{keyGroup, string(key)}] = append([]byte{}, value...)
	return nil
}

// Delete removes a key.
func (s *Map) Delete(bucket int64, keyGroup int, key []byte) error {
	delete(s.m[bucket], pair{keyGroup, string(key)})
	if len(s.m[bucket]) == 0 {
		delete(s.m, bucket)
	}
	return nil
}

// Buckets returns the buckets <= upTo that hold anything, ascending.
func (s *Map) Buckets(upTo int64) ([]int64, error) {
	var out []int64
	for b := range s.m {
		if b <= upTo {
			out = append(out, b)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Scan visits the pairs of a bucket in order.
func (s *Map) Scan(bucket int64, visit func(keyGroup int, key, value []byte) bool) error {
	keys := slices.SortedFunc(maps.Keys(s.m[bucket]), func(a, b pair) int {
		if a.keyGroup != b.keyGroup {
			return cmp.Compare(a.keyGroup, b.keyGroup)
		}
		return strings.Compare(a.key, b.key)
	})
	for _, k := range keys {
		if !visit(k.keyGroup, []byte(k.key), s.m[bucket][k]) {
			break
		}
	}
	return nil
}

// DropBucket removes a bucket and all it holds.
func (s *Map) DropBucket(bucket int64) error {
	delete(s.m, bucket)
	return nil
}

// Len is the number of keys in all buckets.
func (s *Map) Len() int {
	n := 0
	for _, b := range s.m {
		n += len(b)
	}
	return n
}

// Clone returns an independent copy.
func (s *Map) Clone() *Map {
	out := NewMap()
	for b, m := range s.m {
		out.m[b] = maps.Clone(m)
	}
	return out
}
