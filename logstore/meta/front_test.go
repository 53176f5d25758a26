package meta

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/streamflow/streamflow/internal/vfs"
)

func openTestStore(t testing.TB, dir string) *store {
	t.Helper()
	s, err := openStore(vfs.OS, dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// crashed is a copy of the store's files as a crash would leave them now.
func crashed(t testing.TB, s *store, dir string) string {
	t.Helper()
	s.mu.Lock()
	s.await() // bolt's file is whole between its commits only; that it is whole after a crash is bolt's own matter
	s.mu.Unlock()
	to := t.TempDir()
	for _, name := range []string{"raft.db", "raft.journal"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func entry(r *rand.Rand, index uint64) *raft.Log {
	size := r.IntN(2000)
	if r.IntN(20) == 0 {
		size = r.IntN(300_000)
	}
	l := &raft.Log{Index: index, Term: index/100 + 1, Type: raft.LogCommand, Data: bytes.Repeat([]byte{byte(index)}, size), AppendedAt: time.Unix(int64(index), 5)}
	if r.IntN(5) == 0 {
		l.Extensions = []byte("extension")
	}
	return l
}

// checkModel compares all that raft can see of a store with what it must hold.
func checkModel(t testing.TB, s *store, model []*raft.Log) {
	t.Helper()
	first, err1 := s.FirstIndex()
	last, err2 := s.LastIndex()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if len(model) == 0 {
		if first != 0 || last != 0 {
			t.Fatalf("%d to %d, want nothing", first, last)
		}
		return
	}
	if first != model[0].Index || last != model[len(model)-1].Index {
		t.Fatalf("%d to %d, want %d to %d", first, last, model[0].Index, model[len(model)-1].Index)
	}
	for _, want := range model {
		var got raft.Log
		if err := s.GetLog(want.Index, &got); err != nil {
			t.Fatalf("entry %d: %v", want.Index, err)
		}
		if got.Index != want.Index || got.Term != want.Term || got.Type != want.Type || !bytes.Equal(got.Data, want.Data) ||
			!bytes.Equal(got.Extensions, want.Extensions) || !got.AppendedAt.Equal(want.AppendedAt) {
			t.Fatalf("entry %d is %d bytes (%d) of term %d at %v, want %d bytes of term %d", want.Index, len(got.Data), len(got.Extensions), got.Term, got.AppendedAt, len(want.Data), want.Term)
		}
	}
}

// A store behaves as a list of entries, also after crashes and closes at any moment.
func TestStoreIsAListOfEntries(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	dir := t.TempDir()
	s := openTestStore(t, dir)
	var model []*raft.Log
	next := uint64(1)
	for range 250 {
		switch x := r.IntN(100); {
		case x < 78:
			var logs []*raft.Log
			for range 1 + r.IntN(4) {
				logs = append(logs, entry(r, next))
				next++
			}
			if r.IntN(40) == 0 {
				logs[0].Data = make([]byte, halfSize+1)
			}
			if err := s.StoreLogs(logs); err != nil {
				t.Fatal(err)
			}
			model = append(model, logs...)
		case x < 81 && len(model) > 0: // a snapshot of the leader's, behind which the log begins anew
			if err := s.DeleteRange(model[0].Index, model[len(model)-1].Index); err != nil {
				t.Fatal(err)
			}
			model, next = nil, next+uint64(r.IntN(1000))
		case x < 82 && len(model) > 0: // a crash in the middle of a deletion
			s.writing.Lock()
			err := s.reset()
			s.writing.Unlock()
			if err != nil {
				t.Fatal(err)
			}
			dir = crashed(t, s, dir)
			_ = s.Close()
			s = openTestStore(t, dir)
		case x < 85 && len(model) > 0: // a snapshot
			n := r.IntN(len(model))
			if n == 0 {
				continue
			}
			if err := s.DeleteRange(model[0].Index, model[n-1].Index); err != nil {
				t.Fatal(err)
			}
			model = model[n:]
		case x < 90 && len(model) > 0: // a leader that knows better
			n := max(0, len(model)-1-r.IntN(min(len(model), 30)))
			if err := s.DeleteRange(model[n].Index, model[len(model)-1].Index); err != nil {
				t.Fatal(err)
			}
			next = model[n].Index
			model = model[:n:n]
		case x < 94:
			dir = crashed(t, s, dir)
			_ = s.Close()
			s = openTestStore(t, dir)
		case x < 97:
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openTestStore(t, dir)
		default:
			checkModel(t, s, model)
		}
	}
	checkModel(t, s, model)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A follower's log is cut at both ends, written and read at the same time, as raft's main loop, its snapshots and its
// replication do.
func TestStoreIsUsedFromAllSides(t *testing.T) {
	dir := t.TempDir()
	s := openTestStore(t, dir)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() { // snapshots
		for {
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Millisecond):
			}
			first, err1 := s.FirstIndex()
			last, err2 := s.LastIndex()
			if err1 != nil || err2 != nil {
				t.Error(err1, err2)
				return
			}
			if last > first+200 {
				if err := s.DeleteRange(first, last-200); err != nil {
					t.Error(err)
				}
			}
		}
	})
	wg.Go(func() { // replication
		for {
			select {
			case <-stop:
				return
			default:
			}
			last, err := s.LastIndex()
			var l raft.Log
			if err == nil && last > 20 {
				if err = s.GetLog(last-20, &l); err == nil && l.Index != last-20 {
					err = fmt.Errorf("entry %d is %d", last-20, l.Index)
				}
			}
			if err != nil && !errors.Is(err, raft.ErrLogNotFound) {
				t.Error(err)
				return
			}
		}
	})
	term, next := uint64(1), uint64(1)
	for i := range 600 {
		if i%40 == 39 { // another leader
			term++
			cut := next - uint64(i%7) - 1
			if err := s.DeleteRange(cut, next-1); err != nil {
				t.Fatal(err)
			}
			next = cut
		}
		if err := s.StoreLog(&raft.Log{Index: next, Term: term, Data: bytes.Repeat([]byte{byte(term)}, 1500)}); err != nil {
			t.Fatal(err)
		}
		next++
	}
	close(stop)
	wg.Wait()
	for range 2 {
		first, _ := s.FirstIndex()
		last, _ := s.LastIndex()
		if last != next-1 {
			t.Fatalf("last %d, want %d", last, next-1)
		}
		before := uint64(0)
		for i := first; i <= last; i++ {
			var l raft.Log
			if err := s.GetLog(i, &l); err != nil || l.Index != i || l.Term < before || l.Data[0] != byte(l.Term) {
				t.Fatalf("entry %d: %d of term %d after %d, %v", i, l.Index, l.Term, before, err)
			}
			before = l.Term
		}
		dir = crashed(t, s, dir)
		_ = s.Close()
		s = openTestStore(t, dir)
	}
	_ = s.Close()
}

// stored fills a store with small entries and returns its directory as a crash leaves it.
func stored(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	s := openTestStore(t, dir)
	defer s.Close()
	for i := range n {
		if err := s.StoreLog(&raft.Log{Index: uint64(i) + 1, Data: fmt.Appendf(nil, "entry %d", i+1)}); err != nil {
			t.Fatal(err)
		}
	}
	return crashed(t, s, dir)
}

func spoil(t *testing.T, dir, text string) {
	t.Helper()
	path := filepath.Join(dir, "raft.journal")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte(text))
	if at < 0 {
		t.Fatalf("no %q in the journal", text)
	}
	b[at]++
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTornJournalRecordIsCut(t *testing.T) {
	dir := stored(t, 9)
	spoil(t, dir, "entry 9")
	s := openTestStore(t, dir)
	defer s.Close()
	if last, err := s.LastIndex(); err != nil || last != 8 {
		t.Fatalf("last %d, %v: want 8", last, err)
	}
}

func TestDamagedJournalIsRefused(t *testing.T) {
	for _, text := range []string{"entry 1", "entry 5"} {
		dir := stored(t, 9)
		spoil(t, dir, text)
		if s, err := openStore(vfs.OS, dir); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v", text, err)
			if err == nil {
				s.Close()
			}
		}
	}
}

func FuzzReadFront(f *testing.F) {
	f.Add(appendFrontRecord(nil, 3, []*raft.Log{{Index: 1, Data: []byte("x")}}))
	f.Add(appendFrontRecord(appendFrontRecord(nil, 1, nil), 2, []*raft.Log{{Index: 7, Extensions: []byte("e")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if had, err := readFront(b); err == nil {
			for _, l := range had.logs {
				if len(l.Data)+len(l.Extensions) > len(b) {
					t.Fatal("an entry is longer than the file")
				}
			}
		}
	})
}

// BenchmarkStoreLog is what the commit entry of a micro-batch costs; bolt alone is beside it.
func BenchmarkStoreLog(b *testing.B) {
	for _, c := range []struct {
		name string
		of   func(*store) func([]*raft.Log) error
	}{{"journal", func(s *store) func([]*raft.Log) error { return s.StoreLogs }}, {"bolt", func(s *store) func([]*raft.Log) error { return s.stable.StoreLogs }}} {
		b.Run(c.name, func(b *testing.B) {
			s := openTestStore(b, b.TempDir())
			defer s.Close()
			data := bytes.Repeat([]byte("x"), 700)
			i := uint64(0)
			for b.Loop() {
				i++
				if err := c.of(s)([]*raft.Log{{Index: i, Term: 1, Data: data}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
