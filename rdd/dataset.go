package rdd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/streamflow/streamflow/column"
)

// Runner runs a graph and hands over the rows of its last operator, partition after partition. each may return ErrStop.
type Runner interface {
	RunRDD(ctx context.Context, root *RDD, each func(part int, b *column.Batch) error) error
}

// ErrStop is what a callback of a Runner returns when it has enough rows.
var ErrStop = errors.New("rdd: enough rows")

// Context is where typed RDDs are made and run.
type Context struct {
	runner Runner
	parts  int
	ids    atomic.Int64

	mu       sync.Mutex
	closures []string // kinds and names in functions that end with the context
	cached   []*cacheEntry
}

// NewContext returns a context that runs on runner, with parts partitions where nothing else decides their number.
func NewContext(runner Runner, parts int) *Context {
	return &Context{runner: runner, parts: max(parts, 1)}
}

// Close forgets the context's closures and cached rows.
func (c *Context) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range c.closures {
		functions.Delete(id)
	}
	for _, e := range c.cached {
		caches.Delete(e.id)
	}
	c.closures, c.cached = nil, nil
}

// Dataset is a typed RDD: rows of type T in partitions, computed when an action asks for them and not before. Batches of
// rows travel between its operators as Go slices; a shuffle turns them into columns and back.
type Dataset[T any] struct {
	ctx  *Context
	make func(ctx context.Context) (*RDD, error) // the graph; sorting runs a sample first
}

// node is an operator by function over parents.
func (c *Context) node(name, fn string, parts int, schema *column.Schema, deps ...Dep) *RDD {
	return &RDD{ID: fmt.Sprintf("%s-%d", name, c.ids.Add(1)), Name: name, Op: &Apply{Fn: fn}, Parts: parts, Schema: schema, Deps: deps}
}

// function returns the id under which f's reader is known to executors: its registered name, or a closure's own.
func function[F any](c *Context, kind string, f F, b build) string {
	if name, ok := names.Load(nameKey{kind, identity(f)}); ok {
		id := kind + ":" + name.(string)
		functions.LoadOrStore(id, b)
		return id
	}
	return c.closure(kind, b)
}

// closure records a function that only this process knows, until the context is closed.
func (c *Context) closure(kind string, b build) string {
	id := fmt.Sprintf("%s:closure %d of process %s", kind, lastClosure.Add(1), processID)
	functions.Store(id, b)
	c.mu.Lock()
	c.closures = append(c.closures, id)
	c.mu.Unlock()
	return id
}

// general returns the id of a function that all processes of the binary make from types alone, when they have seen them.
func general(id string, b build) string {
	functions.LoadOrStore(id, b)
	return id
}

// derive is a dataset computed from another, partition by partition.
func derive[T, U any](d Dataset[T], name, fn string) Dataset[U] {
	return Dataset[U]{d.ctx, func(ctx context.Context) (*RDD, error) {
		parent, err := d.make(ctx)
		if err != nil {
			return nil, err
		}
		return d.ctx.node(name, fn, parent.Parts, nil, Dep{Parent: parent}), nil
	}}
}

// Map applies f to each row.
func Map[T, U any](d Dataset[T], f func(T) U) Dataset[U] {
	return derive[T, U](d, "map", function(d.ctx, "map", f, mapper(f)))
}

// Filter keeps the rows for which f is true.
func (d Dataset[T]) Filter(f func(T) bool) Dataset[T] {
	return derive[T, T](d, "filter", function(d.ctx, "filter", f, filterer(f)))
}

// FlatMap replaces each row by the rows that f makes of it.
func FlatMap[T, U any](d Dataset[T], f func(T) []U) Dataset[U] {
	return derive[T, U](d, "flatMap", function(d.ctx, "flatMap", f, flatMapper(f)))
}

// MapPartitions gives f each partition's rows as they come, and takes what it yields.
func MapPartitions[T, U any](d Dataset[T], f func(part int, rows iter.Seq[T], emit func(U)) error) Dataset[U] {
	return derive[T, U](d, "mapPartitions", function(d.ctx, "mapPartitions", f, partitionMapper(f)))
}

// Union has the rows of both, the partitions side by side.
func (d Dataset[T]) Union(others ...Dataset[T]) Dataset[T] {
	all := append([]Dataset[T]{d}, others...)
	return Dataset[T]{d.ctx, func(ctx context.Context) (*RDD, error) {
		u := d.ctx.node("union", general("union", concat), 0, nil)
		for _, x := range all {
			r, err := x.make(ctx)
			if err != nil {
				return nil, err
			}
			u.Deps = append(u.Deps, Dep{Parent: r, Base: u.Parts})
			u.Parts += r.Parts
		}
		return u, nil
	}}
}
