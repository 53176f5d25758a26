package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/connector"
)

// ErrFenced ends a loop whose query another driver has claimed.
var ErrFenced = errors.New("stream: another driver has claimed the query")

// Loop drives one query. Its fields are set before Run and not changed after; Run is called once.
type Loop struct {
	Spec  *Spec
	Log   Log
	State State
	// Record is read for every decision: the record as replicated now.
	Record func() (Record, bool)
	// OnProgress is called after each published batch.
	OnProgress func(*Progress)
	Logger     *slog.Logger

	pause func(ctx context.Context, d time.Duration) // between attempts

	activity activity
	requests chan request
	woken    chan struct{} // the record has changed otherwise than by a batch
	ended    chan struct{} // closed when Run returns

	stop      chan struct{}
	stopOnce  sync.Once
	leaving   atomic.Bool // it stops for another loop to go on
	claimed   chan struct{}
	claimOnce sync.Once

	id        string // of the query's life
	epoch     int64
	published int64
	holds     bool // the query, under epoch
	recovered bool
	until     map[string]connector.Offsets
	nextFire  time.Time
	failures  failures
	pace      pace
	wakeAt    time.Time // when an operator wants a batch, zero when none does
	idle      idleness
	moved     map[string][]int64 // by watermark operator: clocks of idle partitions whose log holds no marks; the next batch begins with them
	tables    tables
}

// NewLoop returns a loop over the spec.
func NewLoop(spec *Spec, log Log, state State, record func() (Record, bool)) *Loop {
	return &Loop{Spec: spec, Log: log, State: state, Record: record, Logger: slog.Default(), stop: make(chan struct{}), pause: pause, claimed: make(chan struct{}),
		requests: make(chan request), woken: make(chan struct{}, 1), ended: make(chan struct{}), published: -1}
}

// Stop asks the loop to end after the batch that is running. It may be called more than once.
func (l *Loop) Stop() { l.stopOnce.Do(func() { close(l.stop) }) }

// Leave asks the loop to end after the batch that is running, published, with the query's status as it is: another loop goes
// on with the query.
func (l *Loop) Leave() {
	l.leaving.Store(true)
	l.Stop()
}

// Wake makes the loop look at its record again: it was paused, or is to go on.
func (l *Loop) Wake() {
	select {
	case l.woken <- struct{}{}:
	default: // it will look anyway
	}
}

// hold waits while the query is paused.
func (l *Loop) hold(ctx context.Context, r *Record) error {
	l.activity.turn(WhilePaused)
	select {
	case <-l.woken:
	case <-l.stop:
	case q := <-l.requests:
		q.do(r)
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// Claimed is closed when the loop has the query: where it begins to read is then decided.
func (l *Loop) Claimed() <-chan struct{} { return l.claimed }

// Run claims the query and runs it until its input ends, it is stopped, fenced, or fails. The query's status is replicated
// in every case but fencing and cancellation; ctx cancels at once, leaving recovery to the next driver.
func (l *Loop) Run(ctx context.Context) error {
	defer close(l.ended)
	err := l.run(ctx)
	if ctx.Err() != nil || errors.Is(err, ErrFenced) {
		return err
	}
	if err != nil {
		l.setStatus(ctx, Failed, err.Error())
	}
	return err
}

// close lets sources and sinks go that hold something.
func (l *Loop) close() {
	var held []any
	for _, s := range l.Spec.Sources {
		held = append(held, s.Reader)
	}
	for _, s := range l.Spec.Sinks {
		held = append(held, s.Sink)
	}
	for _, h := range held {
		if c, ok := h.(io.Closer); ok {
			if err := c.Close(); err != nil {
				l.Logger.Warn("source or sink did not close well", "query", l.Spec.Name, "err", err)
			}
		}
	}
}

func (l *Loop) run(ctx context.Context) error {
	defer l.close()
	l.idle.timeout, l.idle.close, l.idle.settle = l.Spec.IdleTimeout, l.Spec.IdleClose, l.Spec.Settle
	l.pace = pace{target: l.Spec.TargetLatency, max: l.Spec.MaxRows}
	for {
		done, err := l.step(ctx)
		if err != nil {
			err = l.survive(ctx, err)
		}
		if done || err != nil {
			return err
		}
	}
}

// step takes one decision and carries it out.
func (l *Loop) step(ctx context.Context) (done bool, err error) {
	if !l.holds {
		return false, l.claim(ctx)
	}
	began := time.Now()
	facts, err := l.facts(ctx)
	if err != nil {
		return false, err
	}
	l.idle.observe(began, facts.Sources)
	d := Decide(facts)
	if d.Action == Wait || d.Action == Run || d.Action == Hold { // what was committed is published, and nothing lies beyond it
		l.oblige(&facts.Record)
	}
	switch d.Action {
	case Wait:
		look, err := l.markIdle(ctx, facts, began)
		if err != nil {
			return false, err
		}
		return false, l.wait(ctx, facts, look)
	case Hold:
		return false, l.hold(ctx, &facts.Record)
	case Finish:
		l.activity.turn(InBatch)
		return false, l.publish(ctx, facts.Record.Committed)
	case Recover:
		l.activity.turn(InBatch)
		return false, l.recover(ctx, d.Batch)
	case Load:
		l.activity.turn(InBatch)
		return false, l.load(ctx, &facts.Record, d.Batch)
	case Run, Replay:
		return false, l.attempt(ctx, &batch{Loop: l, Decision: d, facts: facts, began: began, record: &facts.Record})
	case Done:
		return true, l.setStatus(ctx, Finished, "")
	case Stop:
		if l.leaving.Load() {
			return true, nil
		}
		return true, l.setStatus(ctx, Stopped, "")
	}
	return true, ErrFenced
}

// survive returns nil when the loop goes on after an error, having waited: what happened is for no fault of the user and
// may pass. A full disk is waited for as long as it takes.
func (l *Loop) survive(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, ErrFenced) {
		return err
	}
	u, users := usererr.As(err)
	full := users && u.Code == connector.DiskFull
	if users && !full {
		return fmt.Errorf("query %s: %w", l.Spec.Name, err)
	}
	now := time.Now()
	l.failures.add(now)
	wait, again := l.Spec.Restart.after(&l.failures, now)
	if full {
		wait, again = DefaultRestart.backoff(l.failures.inRow), true
	}
	if !again {
		return fmt.Errorf("query %s failed %d times in a row: %w", l.Spec.Name, l.failures.inRow, err)
	}
	l.activity.failed(err)
	if full {
		l.activity.turn(ForDisk)
	} else {
		l.activity.turn(ForRetry)
	}
	l.Logger.Warn("query failed and is tried again", "query", l.Spec.Name, "attempt", l.failures.inRow, "after", wait, "err", err)
	l.pause(ctx, wait)
	return nil
}

// claim takes the query under a new epoch. Where the sources begin is chosen here, once in the query's life.
func (l *Loop) claim(ctx context.Context) error {
	var start map[string]connector.Offsets
	if r, ok := l.Record(); !ok || r.StartOffsets == nil {
		start = map[string]connector.Offsets{}
		for _, s := range l.Spec.Sources {
			o, err := s.Reader.Begin(ctx, s.Start)
			if err != nil {
				return fmt.Errorf("stream: start of %s: %w", s.Reader.Name(), err)
			}
			start[s.ID] = o
		}
	}
	r, err := l.Log.Claim(ctx, l.Spec.Name, start)
	if err != nil {
		return err
	}
	l.id, l.epoch, l.holds = r.ID, r.Epoch, true
	for _, s := range l.Spec.Sources {
		if a, ok := s.Reader.(connector.Anchored); ok {
			a.Anchor(r.StartOffsets[s.ID], r.From(s.ID))
		}
	}
	if l.Spec.Wakes {
		l.wakeAt = time.Now() // what was asked for is in the operators' state: the first batch tells
	}
	if l.until == nil && (l.Spec.Trigger.AvailableNow || l.Spec.Trigger.Once) {
		if l.until, err = l.available(ctx); err != nil {
			return err
		}
	}
	l.claimOnce.Do(func() { close(l.claimed) })
	return nil
}

func (l *Loop) available(ctx context.Context) (map[string]connector.Offsets, error) {
	out := map[string]connector.Offsets{}
	r, _ := l.Record()
	for _, s := range l.Spec.Sources {
		a, err := s.available(ctx, &r)
		if err != nil {
			return nil, err
		}
		out[s.ID] = a.End
	}
	return out, nil
}

// available is what the next batch may read of the source.
func (s *Source) available(ctx context.Context, r *Record) (connector.Availability, error) {
	a, err := s.Reader.Available(ctx)
	if step, ok := s.Reader.(connector.Stepped); ok && err == nil {
		a.End = step.Until(r.From(s.ID))
	}
	return a, err
}

// facts gathers what the next decision depends on.
func (l *Loop) facts(ctx context.Context) (Facts, error) {
	f := Facts{Epoch: l.epoch, Published: l.published, Recovered: l.recovered, Until: l.until, MaxRows: l.pace.next(), FixRanges: l.Spec.FixRanges,
		Due: l.moved != nil || !l.wakeAt.IsZero() && !time.Now().Before(l.wakeAt)}
	if l.Spec.Load != nil {
		f.Load = l.Spec.Load.ID
	}
	if l.Spec.Trigger.Once {
		f.MaxRows = 0
	}
	select {
	case <-l.stop:
		f.StopAsked = true
	default:
	}
	r, ok := l.Record()
	if !ok {
		return f, fmt.Errorf("stream: the record of query %s is gone", l.Spec.Name)
	}
	f.Record = r
	for _, s := range l.Spec.Sources {
		a, err := s.available(ctx, &r)
		if err != nil {
			return f, fmt.Errorf("stream: available rows of %s: %w", s.Reader.Name(), err)
		}
		f.Sources = append(f.Sources, SourceFacts{ID: s.ID, Available: a.End, Ended: a.Ended})
	}
	if r.Committed != nil && !l.Spec.Trigger.Once {
		align(&f, l.Spec.MaxDrift, l.Spec.Watermarks, r.Committed.Clocks)
	}
	return f, nil
}

// wait returns when a source has more than the query has read, at the time to look for idle partitions (if any), when the
// user asks to stop, or when ctx ends.
func (l *Loop) wait(ctx context.Context, f Facts, look time.Time) error {
	l.activity.turn(ForInput)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	woken := make(chan error, len(l.Spec.Sources))
	for i, s := range l.Spec.Sources {
		if f.Sources[i].Ended {
			continue
		}
		go func() { woken <- s.Reader.Wait(ctx, f.Record.From(s.ID)) }()
	}
	var timer <-chan time.Time
	if w := l.wakeAt; !w.IsZero() && (look.IsZero() || w.Before(look)) {
		look = w
	}
	if !look.IsZero() {
		t := time.NewTimer(time.Until(look))
		defer t.Stop()
		timer = t.C
	}
	select {
	case err := <-woken:
		return err
	case <-timer:
		return nil
	case q := <-l.requests:
		q.do(&f.Record)
		return nil
	case <-l.woken:
		return nil
	case <-l.stop:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// recover clears what an earlier driver may have left of the batch that is next.
func (l *Loop) recover(ctx context.Context, next int64) error {
	tx := connector.Tx{Query: l.Spec.Name, ID: l.id, Epoch: l.epoch, Batch: next}
	if err := l.abort(ctx, tx); err != nil {
		return err
	}
	l.recovered = true
	return nil
}

func (l *Loop) abort(ctx context.Context, tx connector.Tx) error {
	errs := []error{l.State.Abort(l.Spec.Name)}
	for _, s := range l.Spec.Sinks {
		errs = append(errs, s.Abort(ctx, tx))
	}
	errs = append(errs, l.Spec.Own.Abort(ctx, tx))
	return errors.Join(errs...)
}

// publish carries out what a commit entry promises. It is idempotent.
func (l *Loop) publish(ctx context.Context, c *Commit) error {
	tx := connector.Tx{Query: l.Spec.Name, ID: l.id, Epoch: c.Epoch, Batch: c.Batch}
	for _, s := range l.Spec.Sinks {
		if c.Silent {
			break
		}
		if err := s.Publish(ctx, tx, c.Tokens[s.ID]); err != nil {
			return fmt.Errorf("stream: publish batch %d of %s: %w", c.Batch, l.Spec.Name, err)
		}
	}
	if err := l.Spec.Own.Publish(ctx, tx, c.Tokens[ownToken]); err != nil {
		return fmt.Errorf("stream: publish batch %d of %s: %w", c.Batch, l.Spec.Name, err)
	}
	if err := l.State.Commit(l.Spec.Name, c.Batch); err != nil {
		return err
	}
	l.published = c.Batch
	return nil
}

// attempt runs a batch. What to do about a failure depends on how far the batch came:
//
//   - before its commit entry was sent: what it staged is aborted (Recover), and it runs again;
//   - while the entry was on its way: nobody knows whether it will be in the log. Claiming the query anew settles it: the
//     claim stands after the entry or has fenced it;
//   - after: the batch is true, and the next decision publishes it again.
func (l *Loop) attempt(ctx context.Context, b *batch) error {
	if err := l.waitTrigger(ctx, b.record); err != nil {
		return err
	}
	l.activity.turn(InBatch)
	err := b.run(ctx)
	return l.outcome(b.Batch, b.phase, err)
}

// outcome notes how a batch went.
func (l *Loop) outcome(batch int64, came phase, err error) error {
	if err == nil {
		l.failures.inRow, l.moved = 0, nil
		l.activity.failed(nil)
		return nil
	}
	switch came {
	case running:
		l.recovered = false
	case committing:
		l.holds, l.recovered = false, false
	}
	return fmt.Errorf("batch %d: %w", batch, err)
}

// waitTrigger holds a batch back until its interval has passed.
func (l *Loop) waitTrigger(ctx context.Context, r *Record) error {
	iv := l.Spec.Trigger.Interval
	if iv <= 0 {
		return nil
	}
	if d := time.Until(l.nextFire); d > 0 {
		l.activity.turn(ForTrigger)
		t := time.NewTimer(d)
		defer t.Stop()
		for fired := false; !fired; {
			select {
			case <-t.C:
				fired = true
			case <-l.stop:
				fired = true
			case q := <-l.requests:
				q.do(r)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	l.nextFire = time.Now().Truncate(iv).Add(iv)
	return nil
}

func (l *Loop) setStatus(ctx context.Context, status, message string) error {
	return l.Log.SetStatus(ctx, l.Spec.Name, StatusCmd{Epoch: l.epoch, Status: status, Error: message})
}

// pause waits for a time, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
