package physical

import (
	"maps"
	"slices"
	"strings"
)

// batchState is keyed state for the length of a batch run: what a stateful operator uses when it goes through history in
// one pass. Nothing outlives the task.
type batchState map[int64]map[batchKey][]byte

type batchKey struct {
	group int
	key   string
}

func (s batchState) Get(bucket int64, group int, key []byte) ([]byte, bool, error) {
	v, ok := s[bucket][batchKey{group, string(key)}]
	return v, ok, nil
}

func (s batchState) Put(bucket int64, group int, key, value []byte) error {
	if s[bucket] == nil {
		s[bucket] = map[batchKey][]byte{}
	}
	s[bucket][batchKey{group, string(key)}] = slices.Clone(value)
	return nil
}

func (s batchState) Delete(bucket int64, group int, key []byte) error {
	delete(s[bucket], batchKey{group, string(key)})
	if len(s[bucket]) == 0 {
		delete(s, bucket)
	}
	return nil
}

func (s batchState) Buckets(upTo int64) ([]int64, error) {
	var out []int64
	for b := range s {
		if b <= upTo {
			out = append(out, b)
		}
	}
	slices.Sort(out)
	return out, nil
}

func (s batchState) Scan(bucket int64, visit func(group int, key, value []byte) bool) error {
	keys := slices.SortedFunc(maps.Keys(s[bucket]), func(a, b batchKey) int {
		if a.group != b.group {
			return a.group - b.group
		}
		return strings.Compare(a.key, b.key)
	})
	for _, k := range keys {
		if !visit(k.group, []byte(k.key), s[bucket][k]) {
			return nil
		}
	}
	return nil
}

func (s batchState) DropBucket(bucket int64) error {
	delete(s, bucket)
	return nil
}
