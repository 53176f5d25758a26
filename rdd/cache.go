package rdd

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/streamflow/streamflow/column"
)

// caches has the cached partitions of this process, by id.
var caches sync.Map // string -> *cacheEntry

type cacheEntry struct {
	id string

	mu    sync.Mutex
	parts map[int][]*column.Batch
	total int // partitions; 0 until the graph is known
}

func init() {
	functions.Store("cache", build(openCache))
}

// Cache keeps the rows in memory when they are first computed, until the context is closed; later runs start from them.
func (d Dataset[T]) Cache() Dataset[T] {
	e := &cacheEntry{id: "cache-" + strconv.FormatInt(lastClosure.Add(1), 10), parts: map[int][]*column.Batch{}}
	caches.Store(e.id, e)
	d.ctx.mu.Lock()
	d.ctx.cached = append(d.ctx.cached, e)
	d.ctx.mu.Unlock()
	return Dataset[T]{d.ctx, func(ctx context.Context) (*RDD, error) {
		if n := e.complete(); n > 0 {
			return e.node(d.ctx, n), nil
		}
		parent, err := d.make(ctx)
		if err != nil {
			return nil, err
		}
		e.mu.Lock()
		e.total = parent.Parts
		e.mu.Unlock()
		return e.node(d.ctx, parent.Parts, Dep{Parent: parent}), nil
	}}
}

func (e *cacheEntry) node(c *Context, parts int, deps ...Dep) *RDD {
	r := c.node("cache", "cache", parts, nil, deps...)
	r.Op.(*Apply).Data = [][]byte{[]byte(e.id)}
	return r
}

// complete is the number of partitions when all of them are cached, else 0.
func (e *cacheEntry) complete() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.total > 0 && len(e.parts) == e.total {
		return e.total
	}
	return 0
}

// openCache reads a cached partition, or computes it and keeps it once it has been read to its end.
func openCache(a *Apply, tc *TaskContext, in []Reader) (Reader, error) {
	x, ok := caches.Load(string(a.Data[0]))
	switch {
	case !ok && len(in) == 0:
		return nil, fmt.Errorf("rdd: cached rows %s are gone: their context is closed", a.Data[0])
	case !ok:
		return in[0], nil // another process: compute
	}
	e, part := x.(*cacheEntry), tc.Partition
	e.mu.Lock()
	list, have := e.parts[part]
	e.mu.Unlock()
	if have {
		return &funcReader{in, func() (*column.Batch, error) {
			if len(list) == 0 {
				return nil, io.EOF
			}
			b := list[0]
			list = list[1:]
			return b, nil
		}}, nil
	}
	return &funcReader{in, func() (*column.Batch, error) {
		b, err := in[0].Next()
		switch {
		case err == nil:
			keep := *b
			list = append(list, &keep)
		case err == io.EOF:
			e.mu.Lock()
			e.parts[part] = list
			e.mu.Unlock()
		}
		return b, err
	}}, nil
}
