package state_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/executor/state/statetest"
	"github.com/streamflow/streamflow/rdd"
)

// expiringSubject is state with a TTL that nothing reaches: it must behave like any other.
type expiringSubject struct {
	*subject
	ttl, now int64
	expired  int64
	index    *state.Partition
}

func (s *expiringSubject) Begin() rdd.State {
	ctx := context.Background()
	var err error
	s.part, err = s.store.Open(ctx, "q", "op", 0, 1, s.version)
	s.check(err)
	s.index, err = s.store.Open(ctx, "q", state.IndexOp("op"), 0, 1, s.version)
	s.check(err)
	e, n, err := state.NewExpiring(s.part, s.index, s.ttl, s.now)
	s.check(err)
	s.expired += n
	return e
}

func (s *expiringSubject) Commit() {
	for _, p := range []*state.Partition{s.part, s.index} {
		pieces, err := p.Delta()
		s.check(err)
		for _, piece := range pieces {
			s.log, s.ops = append(s.log, piece), append(s.ops, p.Op())
		}
	}
	s.version++
	s.check(s.store.Commit("q", s.version))
}

func newExpiring(t testing.TB, memory int64, ttl int64) *expiringSubject {
	return &expiringSubject{subject: newSubject(t, memory, 0), ttl: ttl}
}

func TestStateWithATTLConforms(t *testing.T) {
	for _, memory := range []int64{0, 1} {
		t.Run(fmt.Sprint("memory=", memory), func(t *testing.T) {
			statetest.Run(t, func(t *testing.T) statetest.Subject { return newExpiring(t, memory, 1<<40) })
		})
	}
}

// Entries live for the TTL after their last change, and at the most a sixteenth more; the count is exact, over restarts too.
func TestEntriesExpireAfterTheirLastChange(t *testing.T) {
	const second = 1_000_000
	s := newExpiring(t, 0, 16*second)
	at := func(now int64, work func(rdd.State)) {
		s.now = now * second
		work(s.Begin())
		s.Commit()
	}
	put := func(key string) func(rdd.State) {
		return func(st rdd.State) { s.check(st.Put(5, 7, []byte(key), []byte("v"))) }
	}
	keys := func(st rdd.State) (list []string) {
		s.check(st.Scan(5, func(_ int, k, v []byte) bool {
			if string(v) != "v" {
				t.Fatalf("value %q", v)
			}
			list = append(list, string(k))
			return true
		}))
		return list
	}
	at(100, put("a"))
	at(101, put("b"))
	at(110, put("a")) // lives anew
	s.Restart()
	at(116, func(st rdd.State) {
		if got := keys(st); !slices.Equal(got, []string{"a", "b"}) {
			t.Fatalf("after 15 s: %q", got)
		}
	})
	at(118, func(st rdd.State) {
		if got := keys(st); !slices.Equal(got, []string{"a"}) || s.expired != 1 {
			t.Fatalf("after 17 s: %q, %d expired", got, s.expired)
		}
	})
	at(127, func(st rdd.State) {
		if got := keys(st); len(got) != 0 || s.expired != 2 {
			t.Fatalf("after 26 s: %q, %d expired", got, s.expired)
		}
		if _, ok, _ := st.Get(5, 7, []byte("a")); ok {
			t.Fatal("a is still there")
		}
	})
	at(128, put("a"))
	at(129, func(st rdd.State) { s.check(st.Delete(5, 7, []byte("a"))) })
	at(999, func(rdd.State) {})
	if s.expired != 2 {
		t.Fatalf("%d expired: a deleted entry does not expire", s.expired)
	}
}

// A batch that is taken back takes its expiry back too.
func TestExpiryIsPartOfTheBatch(t *testing.T) {
	s := newExpiring(t, 0, 1000)
	s.now = 5000
	s.check(s.Begin().Put(0, 0, []byte("k"), []byte("v")))
	s.Commit()
	s.now = 50_000
	s.Begin()
	if s.expired != 1 {
		t.Fatal(s.expired)
	}
	s.Abort()
	s.now = 5500
	if _, ok, err := s.Begin().Get(0, 0, []byte("k")); !ok || err != nil {
		t.Fatal(ok, err)
	}
}
