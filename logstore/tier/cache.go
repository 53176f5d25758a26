package tier

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// cacheKey names a block of an object, or its end (block -1).
type cacheKey struct {
	object string
	block  int
}

// cache keeps what was read of the store in memory, the least recently used goes first. Several who want one thing wait for
// one read of it; the store is asked by as many at once as there are slots.
type cache struct {
	limit int64
	slots chan struct{}
	ctx   context.Context // ends what is under way

	mu      sync.Mutex
	items   map[cacheKey]*list.Element // of *cached
	used    list.List                  // the last used in front
	bytes   int64
	flights map[cacheKey]*flight
	wg      sync.WaitGroup

	hits, misses int64
}

type cached struct {
	key   cacheKey
	value any
	size  int64
}

// flight is a read under way. Its value stays with those who wait for it, whatever the cache drops.
type flight struct {
	done  chan struct{}
	value any
	err   error
}

const loadTimeout = 60 * time.Second

func newCache(ctx context.Context, limit int64, slots int) *cache {
	return &cache{limit: limit, slots: make(chan struct{}, slots), ctx: ctx, items: map[cacheKey]*list.Element{}, flights: map[cacheKey]*flight{}}
}

// get finds a value in memory, or the read of it that is under way, or begins one.
func (c *cache) get(k cacheKey, load func(context.Context) (any, int64, error)) (any, *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.items[k]; e != nil {
		c.used.MoveToFront(e)
		c.hits++
		return e.Value.(*cached).value, nil
	}
	if f := c.flights[k]; f != nil {
		return nil, f
	}
	c.misses++
	f := &flight{done: make(chan struct{})}
	c.flights[k] = f
	c.wg.Go(func() { c.fly(k, f, load) })
	return nil, f
}

// wait is get for those who have the time.
func (c *cache) wait(ctx context.Context, k cacheKey, load func(context.Context) (any, int64, error)) (any, error) {
	v, f := c.get(k, load)
	if f == nil {
		return v, nil
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *cache) fly(k cacheKey, f *flight, load func(context.Context) (any, int64, error)) {
	ctx, cancel := context.WithTimeout(c.ctx, loadTimeout)
	defer cancel()
	var size int64
	select {
	case c.slots <- struct{}{}:
		f.value, size, f.err = load(ctx)
		<-c.slots
	case <-ctx.Done():
		f.err = ctx.Err()
	}
	c.mu.Lock()
	delete(c.flights, k)
	if f.err == nil {
		c.keep(&cached{k, f.value, size})
	}
	c.mu.Unlock()
	close(f.done)
}

// keep adds an item and drops what is too much, but never the item itself. c.mu is held.
func (c *cache) keep(i *cached) {
	c.items[i.key] = c.used.PushFront(i)
	c.bytes += i.size
	for c.bytes > c.limit && c.used.Len() > 1 {
		c.drop(c.used.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	old := c.used.Remove(e).(*cached)
	delete(c.items, old.key)
	c.bytes -= old.size
}

// forget drops everything of an object.
func (c *cache) forget(object string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, e := range c.items {
		if k.object == object {
			c.drop(e)
		}
	}
}

// size is the bytes held, and how many asked and found and did not find.
func (c *cache) size() (bytes, hits, misses int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes, c.hits, c.misses
}

// close waits for what is under way; the context that it runs in has ended.
func (c *cache) close() { c.wg.Wait() }
