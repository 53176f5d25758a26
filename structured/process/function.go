package process

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamflow/streamflow/column"
)

// Function handles the rows of each key. One value of it works for many keys, one after the other: what it is to remember of
// a key lies in the state that it declares, not in its fields. K is a scalar or a struct of the PARTITION BY columns.
type Function[K comparable, In, Out any] interface {
	// Open declares the state. It is called once for each task.
	Open(s *State)
	// Row handles one row of the key in c. An error ends the query.
	Row(c *Context[K], row In, out Collector[Out]) error
}

// TimerFunction is a Function that sets timers.
type TimerFunction[K comparable, Out any] interface {
	// Timer is called when a timer of the key goes off. Time is c.Time().
	Timer(c *Context[K], kind TimerKind, out Collector[Out]) error
}

// Collector takes results.
type Collector[Out any] func(Out) error

// TimerKind is the time by which a timer goes off.
type TimerKind uint8

const (
	EventTime      TimerKind = iota // the rows' own, once the watermark has passed it
	ProcessingTime                  // that of the node
)

// Definition is a registered function without its types. It is what plans and operators know of it.
type Definition struct {
	Name string
	Key  []column.Field // how many keys there are, and their types
	In   []column.Field // the columns that it reads
	Out  []column.Field // the columns that it puts out
	make func() Runner

	Initial   []column.Field // the columns that it reads of the initial table; nil when it takes none
	Broadcast []column.Field // and of the broadcast table
	initial   func(f, ctx any) (rowHook, error)
	broadcast func(f any) (rowHook, error)
}

// New makes the function for a task.
func (d *Definition) New() Runner { return d.make() }

var registry sync.Map // name in lower case -> *Definition

// Register makes a function known by name. Call it in init or in main before the node starts; a name twice, or a type that
// has no columns, is a mistake of the program and panics.
func Register[K comparable, In, Out any](name string, newFunction func() Function[K, In, Out], more ...Input) {
	d, err := define(name, newFunction, more...)
	if err == nil {
		if _, taken := registry.LoadOrStore(strings.ToLower(name), d); taken {
			err = fmt.Errorf("it is registered twice")
		}
	}
	if err != nil {
		panic(fmt.Sprintf("BUG: process: %s: %v", name, err))
	}
}

func define[K comparable, In, Out any](name string, newFunction func() Function[K, In, Out], more ...Input) (*Definition, error) {
	d := &Definition{Name: name}
	var err error
	for _, t := range []struct {
		of  reflect.Type
		to  *[]column.Field
		one string
	}{{reflect.TypeFor[K](), &d.Key, "key"}, {reflect.TypeFor[In](), &d.In, "value"}, {reflect.TypeFor[Out](), &d.Out, "value"}} {
		if *t.to, err = fieldsOf(t.of, t.one); err != nil {
			return nil, err
		}
	}
	for i := range d.Out {
		d.Out[i].Nullable = d.Out[i].Nullable || d.Out[i].Type.IsNested()
	}
	for _, in := range more {
		if err := in(d); err != nil {
			return nil, err
		}
	}
	if len(more) > 0 {
		if err := d.check(newFunction(), &Context[K]{}); err != nil {
			return nil, err
		}
	}
	d.make = func() Runner { return newRunner(d, newFunction()) }
	return d, nil
}

// Lookup finds a function by name, whatever its case.
func Lookup(name string) (*Definition, bool) {
	d, ok := registry.Load(strings.ToLower(name))
	if !ok {
		return nil, false
	}
	return d.(*Definition), true
}

// Names are the registered names, sorted.
func Names() []string {
	var out []string
	registry.Range(func(_, d any) bool {
		out = append(out, d.(*Definition).Name)
		return true
	})
	slices.Sort(out)
	return out
}

// Context is the key in hand and the moment.
type Context[K comparable] struct {
	key K
	*Entry
}

// Key is the key.
func (c *Context[K]) Key() K { return c.key }

// Time is the event time of the row or timer in hand; without ORDER BY the processing time.
func (c *Context[K]) Time() time.Time { return time.UnixMicro(c.now).UTC() }

// ProcessingTime is when the batch began.
func (c *Context[K]) ProcessingTime() time.Time { return time.UnixMicro(c.wall).UTC() }

// SetTimer makes Timer be called for the key at a time. A timer that is there already is not set twice; one in the past goes
// off at once. Timers of event time need ORDER BY.
func (c *Context[K]) SetTimer(kind TimerKind, at time.Time) { c.setTimer(kind, at.UnixMicro()) }

// DropTimer takes a timer back.
func (c *Context[K]) DropTimer(kind TimerKind, at time.Time) { c.dropTimer(kind, at.UnixMicro()) }

// Side sends a value to the side output name, the topic <query>.<name>, in the query's own transaction. The value is
// written as JSON.
func (c *Context[K]) Side(name string, value any) error { return c.side(name, value) }
