package process

import (
	"fmt"
	"math"

	"github.com/streamflow/streamflow/column"
)

// Runner is a function at work, without its types. An operator takes it from key to key:
//
//	Begin ─▶ Rows … ─▶ Timers ─▶ Entry().Append
type Runner interface {
	// Begin takes up a key, row i of the columns, with what is stored of it (nil for nothing).
	Begin(key []*column.Vector, i int, stored []byte, wall int64, side func(name string, value []byte) error) error
	// Row handles row i of the columns at a moment of event time, after the timers before it. Timed says that rows come in the
	// order of event time.
	Row(cols []*column.Vector, i int, at int64, timed bool, out []*column.Builder) error
	// Timers calls the timers of a kind up to a time, those that they set too. At the end of time (math.MaxInt64) the last
	// timer that is set then is the last that goes off.
	Timers(kind TimerKind, upTo int64, out []*column.Builder) error
	// Initial handles a row of the initial table, for the key that was taken up.
	Initial(cols []*column.Vector, i int) error
	// Broadcast handles a row of the broadcast table.
	Broadcast(cols []*column.Vector, i int) error
	// Before is called with the time of each row and timer, before it is handled; nil for nothing.
	Before(f func(at int64) error)
	// Entry is the key's state.
	Entry() *Entry
	// Shared is the broadcast state.
	Shared() *Shared
}

type runner[K comparable, In, Out any] struct {
	f     Function[K, In, Out]
	timer TimerFunction[K, Out]
	state State
	entry Entry
	ctx   Context[K]
	keys  *rowReader[K]
	in    *rowReader[In]
	w     *rowWriter[Out]
	out   []*column.Builder
	emit  Collector[Out]

	initial, broadcast rowHook // nil when it has no such input
	before             func(at int64) error
}

func newRunner[K comparable, In, Out any](d *Definition, f Function[K, In, Out]) Runner {
	r := &runner[K, In, Out]{f: f, keys: newRowReader[K](), in: newRowReader[In](), w: newRowWriter[Out]()}
	r.timer, _ = f.(TimerFunction[K, Out])
	r.state.at = &r.entry
	r.ctx.Entry = &r.entry
	r.emit = func(x Out) error { return r.w.write(r.out, x) }
	f.Open(&r.state)
	var err error
	if d.initial != nil {
		r.initial, err = d.initial(f, &r.ctx)
	}
	if d.broadcast != nil && err == nil {
		r.broadcast, err = d.broadcast(f)
	}
	if err != nil {
		panic("BUG: process: " + err.Error()) // Register has looked
	}
	return r
}

func (r *runner[K, In, Out]) Shared() *Shared               { return &r.state.shared }
func (r *runner[K, In, Out]) Before(f func(at int64) error) { r.before = f }

func (r *runner[K, In, Out]) Initial(cols []*column.Vector, i int) error {
	r.entry.now = Never
	return r.call(func() error { return r.initial(cols, i) })
}

func (r *runner[K, In, Out]) Broadcast(cols []*column.Vector, i int) error {
	r.state.shared.open = true
	defer func() { r.state.shared.open = false }()
	return r.call(func() error { return r.broadcast(cols, i) })
}

// reach calls before.
func (r *runner[K, In, Out]) reach(at int64) error {
	if r.before == nil {
		return nil
	}
	return r.before(at)
}

func (r *runner[K, In, Out]) Entry() *Entry { return &r.entry }

func (r *runner[K, In, Out]) Begin(key []*column.Vector, i int, stored []byte, wall int64, side func(string, []byte) error) error {
	r.entry.reset(r.state.slots)
	r.entry.wall, r.entry.now, r.entry.emit = wall, wall, side
	r.ctx.key = r.keys.read(key, i)
	if stored == nil {
		return nil
	}
	return r.entry.read(stored)
}

func (r *runner[K, In, Out]) Row(cols []*column.Vector, i int, at int64, timed bool, out []*column.Builder) error {
	if timed {
		if err := r.Timers(EventTime, at-1, out); err != nil {
			return err
		}
	}
	if err := r.reach(at); err != nil {
		return err
	}
	r.entry.moment(at)
	r.out = out
	row := r.in.read(cols, i)
	err := r.call(func() error { return r.f.Row(&r.ctx, row, r.emit) })
	if err == nil && !timed && len(r.entry.timers[EventTime]) > 0 {
		return fmt.Errorf("timers of event time need rows in its order: ORDER BY a column that has a watermark")
	}
	return err
}

// Timers calls timers in their order. What a function does in a call is all or nothing to the caller: an error ends the query.
func (r *runner[K, In, Out]) Timers(kind TimerKind, upTo int64, out []*column.Builder) error {
	due := &r.entry.timers[kind]
	end := upTo == math.MaxInt64
	if end && len(*due) > 0 {
		upTo = (*due)[len(*due)-1]
	}
	for n := 0; len(*due) > 0 && (*due)[0] <= upTo; n++ {
		at := (*due)[0]
		*due = append((*due)[:0], (*due)[1:]...)
		if r.timer == nil {
			return fmt.Errorf("process: %T sets timers but has no method Timer", r.f)
		}
		if n == maxTimers {
			return fmt.Errorf("process: %T sets timers in its timers without end", r.f)
		}
		if kind == EventTime {
			if err := r.reach(at); err != nil {
				return err
			}
		}
		r.entry.moment(at)
		r.out = out
		if err := r.call(func() error { return r.timer.Timer(&r.ctx, kind, r.emit) }); err != nil {
			return err
		}
	}
	if end {
		*due = (*due)[:0]
	}
	return nil
}

// maxTimers is how many timers of a key may go off in one batch.
const maxTimers = 1_000_000

// call runs user code: a panic of it is an error that says what it was doing.
func (r *runner[K, In, Out]) call(f func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case stateError:
			err = p.err
		default:
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}
