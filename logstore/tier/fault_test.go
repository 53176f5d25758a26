package tier

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"testing"
)

// How a call to the store goes wrong.
type fault int

const (
	failBefore fault = iota // an error, and nothing was done
	failAfter               // an error, but it was done: the answer was lost
	die                     // the node dies before the call
	dieAfter                // the node dies when the call was done
	late                    // an error, and a put is done much later
)

var errFault = errors.New("injected")

// faultStore breaks one call.
type faultStore struct {
	*memStore
	mu    sync.Mutex
	at    int // the call to break, counted from 1
	how   fault
	calls int
	dead  bool
	hung  []func() // puts that come late
}

// broken decides about a call: whether it is done, and whether it fails.
func (f *faultStore) broken(put func()) (do bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return false, errFault
	}
	if f.calls++; f.calls != f.at {
		return true, nil
	}
	switch f.how {
	case failAfter:
		return true, errFault
	case die:
		f.dead = true
	case dieAfter:
		f.dead = true
		return true, errFault
	case late:
		if put != nil {
			f.hung = append(f.hung, put)
		}
	}
	return false, errFault
}

// arrive carries out what came late.
func (f *faultStore) arrive() {
	for _, put := range f.hung {
		put()
	}
	f.hung = nil
}

func (f *faultStore) Put(ctx context.Context, key string, b Body) error {
	data := make([]byte, b.Size)
	if n, err := b.ReadAt(data, 0); n < len(data) {
		return err
	}
	put := func() { _ = f.memStore.Put(ctx, key, bodyOf(data)) }
	do, err := f.broken(put)
	if do {
		put()
	}
	return err
}

func (f *faultStore) Get(ctx context.Context, key string, off, n int64) ([]byte, error) {
	if _, err := f.broken(nil); err != nil {
		return nil, err
	}
	return f.memStore.Get(ctx, key, off, n)
}

func (f *faultStore) List(ctx context.Context, prefix string) ([]Info, error) {
	if _, err := f.broken(nil); err != nil {
		return nil, err
	}
	return f.memStore.List(ctx, prefix)
}

func (f *faultStore) Delete(ctx context.Context, key string) error {
	do, err := f.broken(nil)
	if do {
		_ = f.memStore.Delete(ctx, key)
	}
	return err
}

// TestFaults breaks each call that a history of archiving, freeing, reading and deleting makes, in each way. After every
// fault the store is sound, and in the end every record is read once.
func TestFaults(t *testing.T) {
	for how := failBefore; how <= late; how++ {
		for at := 1 + int(how)%2; ; at += 2 { // between them, the ways break every call
			f := &faultStore{memStore: newMemStore(), at: at, how: how}
			if !history(t, f, fmt.Sprintf("fault %d at call %d", how, at)) {
				if at < 20 {
					t.Fatalf("only %d calls", at)
				}
				break
			}
		}
	}
}

// history runs a log's life over a store that breaks; it tells whether it broke.
func history(t *testing.T, f *faultStore, name string) bool {
	topic := rawTopic()
	if f.at/2%2 == 0 {
		topic = jsonTopic(t)
	}
	n := newNode(t, f, topic)
	defer n.close()
	step := func(do func() error) {
		if err := do(); err != nil && !errors.Is(err, errFault) {
			t.Fatalf("%s: %v", name, err)
		}
		sound(t, n, f, name)
		f.mu.Lock()
		dead := f.dead
		f.dead = false
		f.mu.Unlock()
		if dead {
			n.crash()
			sound(t, n, f, name)
		}
	}
	round := func() error { return n.tier.Round(context.Background()) }
	n.fill(0, 120)
	step(round)
	n.fill(120, 120)
	step(round)
	step(func() error { _, err := n.p.DeleteRecords(100); return err })
	step(round)
	f.arrive()
	step(func() error {
		_, err := n.p.ReadWait(context.Background(), 100, 1, false)
		return err
	})
	n.fill(240, 120)
	step(round)
	step(round)
	f.arrive()
	broke := f.calls >= f.at
	f.at = -1 // nothing breaks any more
	n.crash()
	n.round()
	n.round()
	sound(t, n, f, name)
	if got := n.p.Offsets().LogStart; got != 100 {
		t.Fatalf("%s: log start %d", name, got)
	}
	got := values(t, n.batches(false))
	got = got[slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "100:") }):]
	if len(got) != 260 {
		t.Fatalf("%s: %d records, want 260", name, len(got))
	}
	for i, v := range got {
		if want := fmt.Sprintf(`%d:{"id": %d`, 100+i, 100+i); v != want {
			t.Fatalf("%s: record %d is %s, want %s", name, i, v, want)
		}
	}
	if data, entries := len(f.keys("data")), len(n.tier.Partitions()[0].ledger.current.Entries); f.how != late && data != entries {
		t.Fatalf("%s: %d objects and %d entries are left", name, data, entries)
	}
	return broke
}

// sound checks what must hold at any time: the manifest's finished entries lead to whole objects, and what this node's disk
// has not is among them.
func sound(t *testing.T, n *node, f *faultStore, name string) {
	t.Helper()
	id := partitionID{n.topic.ID, 0}
	l := newLedger(f.memStore, id)
	if _, err := l.refresh(context.Background()); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, e := range l.current.finished() {
		b := f.objs[e.Key]
		if int64(len(b)) != e.Size || crc32.Checksum(b, castagnoli) != e.CRC {
			t.Fatalf("%s: %s has %d bytes, the manifest says %d", name, e.Key, len(b), e.Size)
		}
	}
	local, next := n.p.LocalStart(), l.current.Next()
	if start := n.p.Offsets().LogStart; local > start && next < local {
		t.Fatalf("%s: the disk begins at %d, the manifest ends at %d", name, local, next)
	}
}

// TestFencing: of two leaders the later one's manifests hold; the earlier one deletes nothing that those point to, wherever
// one of them is stopped while the other does all it does.
func TestFencing(t *testing.T) {
	for at := 1; ; at++ {
		store, old, taken := twoLeaders(t)
		hook := &hookStore{Store: store, at: at, do: func() { takeOver(t, taken) }}
		old.store = hook
		expireBelow(t, old, 20)
		if hook.calls < at {
			break
		}
		afterFencing(t, fmt.Sprintf("taken over before call %d", at), store, taken)
	}
	for at := 1; ; at++ {
		store, old, taken := twoLeaders(t)
		hook := &hookStore{Store: store, at: at, do: func() { expireBelow(t, old, 20) }}
		taken.store = hook
		takeOver(t, taken)
		if hook.calls < at {
			break
		}
		afterFencing(t, fmt.Sprintf("expired before call %d of the take-over", at), store, taken)
	}
}

// twoLeaders is a partition of five objects, its leader of epoch 3, and who will be its leader in epoch 4.
func twoLeaders(t *testing.T) (store *memStore, old, taken *ledger) {
	t.Helper()
	store = newMemStore()
	old, taken = newLedger(store, partitionID{}), newLedger(store, partitionID{})
	err := old.claim(context.Background(), 3, func(m *Manifest) {
		for base := int64(0); base < 50; base += 10 {
			e := Entry{State: CopyFinished, Kind: Raw, Key: fmt.Sprint("k", base), Base: base, Next: base + 10, Size: 1, Tail: 1, LastEpoch: -1}
			m.Entries = append(m.Entries, e)
			_ = store.Put(context.Background(), e.Key, bodyOf([]byte("x")))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return store, old, taken
}

func takeOver(t *testing.T, l *ledger) {
	if err := l.claim(context.Background(), 4, func(*Manifest) {}); err != nil {
		t.Errorf("take-over: %v", err)
	}
}

// expireBelow deletes as Partition.expire does.
func expireBelow(t *testing.T, l *ledger, start int64) {
	ctx := context.Background()
	m := l.current.clone()
	m.condemn(func(e Entry) bool { return e.Next <= start })
	err := l.publish(ctx, m)
	for _, e := range l.current.in(DeleteStarted) {
		if err == nil {
			err = l.store.Delete(ctx, e.Key)
		}
	}
	if err != nil && !errors.Is(err, ErrFenced) {
		t.Errorf("expire: %v", err)
	}
}

func afterFencing(t *testing.T, name string, store *memStore, taken *ledger) {
	t.Helper()
	for _, e := range taken.current.finished() {
		if store.objs[e.Key] == nil {
			t.Fatalf("%s: the new leader's manifest points to %s, which the old one deleted", name, e.Key)
		}
	}
	reader := newLedger(store, partitionID{})
	if _, err := reader.refresh(context.Background()); err != nil || reader.current.Version != taken.current.Version {
		t.Fatalf("%s: readers see %v, %v", name, reader.current.Version, err)
	}
}

// hookStore does something before a call.
type hookStore struct {
	Store
	at, calls int
	do        func()
}

func (h *hookStore) count() {
	if h.calls++; h.calls == h.at {
		h.do()
	}
}

func (h *hookStore) Put(ctx context.Context, key string, b Body) error {
	h.count()
	return h.Store.Put(ctx, key, b)
}

func (h *hookStore) List(ctx context.Context, prefix string) ([]Info, error) {
	h.count()
	return h.Store.List(ctx, prefix)
}

func (h *hookStore) Delete(ctx context.Context, key string) error {
	h.count()
	return h.Store.Delete(ctx, key)
}
