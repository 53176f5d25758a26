package physical

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/streamflow/streamflow/executor/state/statetest"
)

// TestOrderedSet compares sets with maps through random edits, small and large, and looks for rows that are left over.
func TestOrderedSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	st := statetest.NewMap()
	s := &orderedSet{state: st, width: 2}
	model := map[string]map[string][2]int64{"a": {}, "b": {}}
	for round := range 300 {
		owner := []string{"a", "b"}[rng.IntN(2)]
		m := model[owner]
		var edits []setEntry
		wrong := 0
		for range rng.IntN(40) {
			key := binary.BigEndian.AppendUint32(make([]byte, 20), uint32(rng.IntN(400+round)))
			if slices.ContainsFunc(edits, func(e setEntry) bool { return bytes.Equal(e.key, key) }) {
				continue
			}
			have := m[string(key)]
			d := []int64{rng.Int64N(3), 0}
			if have[0] > 0 && (rng.IntN(2) == 0 || round > 250) {
				d = []int64{-have[0], -have[1]}
			}
			if rng.IntN(50) == 0 {
				d[1] = -have[1] - 1
				wrong++
			}
			edits = append(edits, setEntry{key, slices.Clone(d)})
			have = [2]int64{max(have[0]+d[0], 0), max(have[1]+d[1], 0)}
			m[string(key)] = have
			if have == [2]int64{} {
				delete(m, string(key))
			}
		}
		slices.SortFunc(edits, func(a, b setEntry) int { return bytes.Compare(a.key, b.key) })
		if err := s.open(1, 5, []byte(owner)); err != nil {
			t.Fatal(err)
		}
		unmatched, err := s.apply(edits)
		if err != nil || unmatched != wrong {
			t.Fatalf("round %d: %d unmatched, want %d: %v", round, unmatched, wrong, err)
		}
		for _, o := range []string{"a", "b"} {
			checkSet(t, s, o, model[o])
		}
		s.release()
	}
	for owner, m := range model {
		if err := s.open(1, 5, []byte(owner)); err != nil {
			t.Fatal(err)
		}
		if len(m) == 0 || !s.large {
			t.Fatalf("the test needs a large set, %s has %d keys", owner, len(m))
		}
		if err := s.replace(nil); err != nil {
			t.Fatal(err)
		}
	}
	if st.Len() != 0 {
		t.Fatalf("%d rows are left", st.Len())
	}
}

func checkSet(t *testing.T, s *orderedSet, owner string, want map[string][2]int64) {
	t.Helper()
	if err := s.open(1, 5, []byte(owner)); err != nil {
		t.Fatal(err)
	}
	keys := make([]string, 0, len(want))
	for k := range want {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var got []string
	see := func(e setEntry) bool {
		if w := want[string(e.key)]; fmt.Sprint(e.counts) != fmt.Sprint(w[:]) {
			t.Fatalf("key %x has counts %v, want %v", e.key, e.counts, w)
		}
		got = append(got, string(e.key))
		return true
	}
	if err := s.visit(false, see); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, keys) {
		t.Fatalf("%s: %d keys, want %d", owner, len(got), len(keys))
	}
	got = got[:0]
	if err := s.visit(true, see); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(got)
	if !slices.Equal(got, keys) {
		t.Fatalf("%s backward: %d keys, want %d", owner, len(got), len(keys))
	}
}

// FuzzOrderedSet: damaged rows are an error, never a panic.
func FuzzOrderedSet(f *testing.F) {
	f.Add([]byte{1, 0, 1, 1, 'k', 2}, []byte{1, 1, 1, 'k', 2})
	f.Add([]byte{1, 1, 1, 1, 0, 1, 1, 'k'}, []byte{1, 1, 1, 'k', 2})
	f.Fuzz(func(t *testing.T, head, chunk []byte) {
		st := statetest.NewMap()
		_ = st.Put(0, 0, []byte{setHead, 'o'}, head)
		_ = st.Put(0, 0, []byte{setChunk, 'o', 0}, chunk)
		s := &orderedSet{state: st, width: 1}
		if s.open(0, 0, []byte("o")) != nil {
			return
		}
		_ = s.visit(false, func(setEntry) bool { return true })
		_, _ = s.apply([]setEntry{{[]byte("k"), []int64{1}}})
	})
}
