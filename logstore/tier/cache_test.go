package tier

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

func loadOf(n *atomic.Int32, size int) func(context.Context) (any, int64, error) {
	return func(context.Context) (any, int64, error) {
		n.Add(1)
		return make([]byte, size), int64(size), nil
	}
}

// TestCacheKeepsTheLastUsed: the limit holds, and what is used stays.
func TestCacheKeepsTheLastUsed(t *testing.T) {
	c := newCache(context.Background(), 100, 2)
	defer c.close()
	var loads atomic.Int32
	get := func(i int) {
		t.Helper()
		if _, err := c.wait(context.Background(), cacheKey{"o", i}, loadOf(&loads, 30)); err != nil {
			t.Fatal(err)
		}
	}
	get(1)
	get(2)
	get(3)
	get(1)
	if loads.Load() != 3 {
		t.Errorf("%d loads for three blocks", loads.Load())
	}
	get(4) // 2 goes
	get(1)
	get(3)
	if loads.Load() != 4 {
		t.Errorf("%d loads: what was used went", loads.Load())
	}
	get(2)
	if bytes, _, _ := c.size(); loads.Load() != 5 || bytes > 100 {
		t.Errorf("%d loads, %d bytes", loads.Load(), bytes)
	}
	c.forget("o")
	if bytes, _, _ := c.size(); bytes != 0 {
		t.Errorf("%d bytes after all were forgotten", bytes)
	}
	if _, err := c.wait(context.Background(), cacheKey{"big", 0}, loadOf(&loads, 1000)); err != nil {
		t.Errorf("more than the limit is not served: %v", err)
	}
}

// TestCacheLoadsOnce: several who want one block wait for one read; an error is not kept.
func TestCacheLoadsOnce(t *testing.T) {
	c := newCache(context.Background(), 100, 2)
	defer c.close()
	var loads atomic.Int32
	gate := make(chan struct{})
	load := func(context.Context) (any, int64, error) {
		loads.Add(1)
		<-gate
		return nil, 0, errors.New("no")
	}
	results := make(chan error, 5)
	for range 5 {
		go func() {
			_, err := c.wait(context.Background(), cacheKey{"o", 0}, load)
			results <- err
		}()
	}
	for loads.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.wait(ctx, cacheKey{"o", 0}, load); !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up: %v", err)
	}
	close(gate)
	for range 5 {
		if err := <-results; err == nil || err.Error() != "no" {
			t.Error(err)
		}
	}
	before := loads.Load()
	if _, err := c.wait(context.Background(), cacheKey{"o", 0}, loadOf(&loads, 1)); err != nil || loads.Load() != before+1 {
		t.Errorf("after an error: %v, %d loads", err, loads.Load())
	}
}

// TestDiskCache: blocks come from files until the limit, and never damaged ones.
func TestDiskCache(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "old"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := newDiskCache(dir, 250)
	if err != nil {
		t.Fatal(err)
	}
	block := func(i int) []byte { return fmt.Appendf(nil, "%0100d", i) }
	for i := range 3 {
		d.put(cacheKey{"o", i}, block(i))
	}
	if got := d.get(cacheKey{"o", 0}); got != nil {
		t.Error("the oldest is still there")
	}
	if got := d.get(cacheKey{"o", 2}); string(got) != string(block(2)) {
		t.Errorf("%q", got)
	}
	files, _ := os.ReadDir(dir)
	if len(files) != 2 {
		t.Errorf("%d files", len(files))
	}
	name := filepath.Join(dir, diskName(cacheKey{"o", 2}))
	if err := os.WriteFile(name, []byte("damaged and long enough"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := d.get(cacheKey{"o", 2}); got != nil {
		t.Errorf("damage is served: %q", got)
	}
	var none *diskCache
	none.put(cacheKey{"o", 1}, block(1))
	if none.get(cacheKey{"o", 1}) != nil {
		t.Error("no cache has something")
	}
}

// countingStore counts reads of data.
type countingStore struct {
	Store
	gets atomic.Int32
}

func (c *countingStore) Get(ctx context.Context, key string, off, n int64) ([]byte, error) {
	c.gets.Add(1)
	return c.Store.Get(ctx, key, off, n)
}

// TestReadAhead: who reads on finds the next block already there; who jumps about does not make the tier fetch for nothing.
func TestReadAhead(t *testing.T) {
	store := &countingStore{Store: newMemStore()}
	n := newNode(t, store, rawTopic())
	n.fill(0, 1500)
	n.round()
	p := n.tier.Partitions()[0]
	entries := p.entries
	n.crash() // an empty cache
	read := func(at int64) int64 {
		t.Helper()
		res, err := n.p.ReadWait(context.Background(), at, 1<<20, false)
		if err != nil {
			t.Fatal(err)
		}
		return at + lastOffset(t, res.Data) - at + 1
	}
	at := read(entries[0].Base)
	read(at) // reads on: the third object's block is fetched ahead
	ahead := func(i int) bool {
		n.tier.cache.mu.Lock()
		defer n.tier.cache.mu.Unlock()
		return n.tier.cache.items[cacheKey{entries[i].Key, 0}] != nil
	}
	for range 200 {
		if ahead(2) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if !ahead(2) {
		t.Error("nothing was fetched ahead")
	}
	before := store.gets.Load()
	read(entries[5].Base)
	time.Sleep(20 * time.Millisecond)
	if got := store.gets.Load() - before; got != 2 {
		t.Errorf("a read elsewhere made %d requests, want the table and the block", got)
	}
}
