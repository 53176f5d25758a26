package stream

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// ownToken is the key of the query log's token in a commit entry.
const ownToken = "own"

// ClockKey is the report key under which a watermark operator returns its partition's clock: partition uint32, clock
// int64, big endian.
const ClockKey = "clock"

// WakeKey is the report of an operator that wants a batch at a time though no row comes: 8 bytes, big endian, microseconds of
// processing time.
const WakeKey = "wake"

// NowParam is the binding parameter by which current_timestamp is the time of the batch: microseconds since the epoch.
const NowParam = "now"

// WatermarkParam is the binding parameter that DropLate reads: the query's watermark before the batch, microseconds. It is
// bound when the greatest of the inputs' watermarks counts: rows of slower inputs may then be behind it.
const WatermarkParam = "watermark"

// phase is how far a batch has come.
type phase uint8

const (
	running    phase = iota // nothing is decided
	committing              // the commit entry is on its way
	committed               // the batch is true
)

// batch is one micro-batch on its way from decision to published.
type batch struct {
	*Loop
	Decision
	facts  Facts
	record *Record
	began  time.Time
	phase  phase

	binding *rdd.Binding
	sync    time.Duration // waiting for the disk
	mu      sync.Mutex
	rows    []*column.Batch // to deliver after the commit
}

func (b *batch) tx() connector.Tx {
	return connector.Tx{Query: b.Spec.Name, ID: b.record.ID, Epoch: b.epoch, Batch: b.Batch}
}

func (b *batch) run(ctx context.Context) error {
	p := &Progress{Batch: b.Batch, Started: b.began, From: b.From, To: b.To, Ended: b.Decision.Ended, Available: map[string]connector.Offsets{}}
	for _, s := range b.facts.Sources {
		p.Available[s.ID] = s.Available
	}
	if err := b.begin(ctx); err != nil {
		return err
	}
	leave, err := b.Spec.Admission.Enter(ctx, b.bytes(), func() { b.activity.turn(ForMemory) })
	if err != nil {
		return err
	}
	defer leave()
	b.activity.turn(InBatch)
	mark := time.Now()
	p.Choose = mark.Sub(b.began)
	res, sides, err := b.execute(ctx)
	if err != nil {
		return err
	}
	mark, p.Run = lap(mark)
	p.Sync, p.Ops = b.sync, opTimes(res)
	c := b.commitEntry(res, sides)
	b.phase = committing
	if err := b.Log.Commit(ctx, b.Spec.Name, *c); err != nil {
		return err
	}
	b.phase = committed
	mark, p.Commit = lap(mark)
	if err := b.publish(ctx, c); err != nil {
		return err
	}
	p.Published, p.Publish = lap(mark)
	if b.Spec.Deliver != nil {
		if err := b.Spec.Deliver(b.Batch, b.rows); err != nil {
			return err
		}
	}
	p.Watermarks, p.Counters = c.Watermarks, c.Counters
	p.RowsIn, p.RowsOut = c.Counters[RowsIn], c.Counters[RowsOut]
	b.pace.after(busiest(p.From, p.To), p.Total()-p.Choose)
	if b.OnProgress != nil {
		p.Arrivals = arrivals(res)
		b.OnProgress(p)
	}
	return nil
}

func lap(since time.Time) (time.Time, time.Duration) {
	now := time.Now()
	return now, now.Sub(since)
}

// begin fixes the ranges where that is needed and builds the binding.
func (b *batch) begin(ctx context.Context) error {
	if b.Spec.FixRanges && b.Action == Run {
		p := Planned{Epoch: b.epoch, Batch: b.Batch, To: b.To, Ended: b.Decision.Ended}
		if err := b.Log.Plan(ctx, b.Spec.Name, p); err != nil {
			return err
		}
	}
	bind := &rdd.Binding{
		Query: b.Spec.Name, Epoch: b.epoch, Batch: b.Batch, StateVersion: b.Batch - 1, Now: b.began.UnixMicro(), StateTTL: b.Spec.StateTTL, StateNames: b.record.StateNames,
		Splits: map[string][][]rdd.Split{}, Params: map[string]string{NowParam: strconv.FormatInt(b.began.UnixMicro(), 10)}, PartitionClocks: map[string][]int64{},
	}
	maps.Copy(bind.Splits, b.Spec.Static)
	if err := b.tables.bind(ctx, b.Spec.Refresh, b.began, bind); err != nil {
		return err
	}
	for _, s := range b.Spec.Sources {
		bind.Splits[s.ID] = s.Reader.Bind(b.From[s.ID], b.To[s.ID])
	}
	for _, w := range b.Spec.Watermarks {
		bind.PartitionClocks[w.ID] = b.clocksBefore(w)
	}
	bind.LastWatermarks = b.lastWatermarks()
	if b.Spec.MaxWatermark {
		bind.Params[WatermarkParam] = strconv.FormatInt(b.watermark(bind.PartitionClocks), 10)
	}
	bind.Watermarks = b.watermarks(bind.PartitionClocks)
	b.binding = bind
	return b.beginSinks(ctx)
}

// bytes is what the batch's splits of growing sources are, as far as they know.
func (b *batch) bytes() (n int64) {
	for _, s := range b.Spec.Sources {
		for _, part := range b.binding.Splits[s.ID] {
			for _, split := range part {
				n += split.Bytes
			}
		}
	}
	return n
}

func (b *batch) beginSinks(ctx context.Context) error {
	for _, s := range b.Spec.Sinks {
		params, err := s.Begin(ctx, b.tx())
		if err != nil {
			return err
		}
		maps.Copy(b.binding.Params, params)
	}
	_, err := b.Spec.Own.Begin(ctx, b.tx())
	return err
}

// clocksBefore are a watermark operator's clocks as the last batch left them.
func (b *batch) clocksBefore(w WatermarkOp) []int64 {
	clocks := make([]int64, w.Parts)
	for p := range clocks {
		clocks[p] = NoTime
	}
	if b.record.Committed != nil {
		copy(clocks, b.record.Committed.Clocks[w.ID])
	}
	for p, c := range b.moved[w.ID] {
		clocks[p] = max(clocks[p], c)
	}
	return clocks
}

func (b *batch) lastWatermarks() map[string]int64 {
	last := map[string]int64{}
	for _, id := range b.Spec.Stateful {
		last[id] = NoTime
		if b.record.Committed != nil {
			if w, ok := b.record.Committed.Watermarks[id]; ok {
				last[id] = w
			}
		}
	}
	return last
}

// watermarks gives each stateful operator the query's watermark that the clocks mean. It never goes back.
func (b *batch) watermarks(clocks map[string][]int64) map[string]int64 {
	mark := b.watermark(clocks)
	if b.Decision.Ended {
		mark = EndOfTime
	}
	out := map[string]int64{}
	for id, last := range b.lastWatermarks() {
		out[id] = max(behind(mark, b.Spec.Lags[id]), last)
	}
	return out
}

// watermark is the query's watermark that the clocks mean.
func (b *batch) watermark(clocks map[string][]int64) int64 {
	all := make([]int64, len(b.Spec.Watermarks))
	for i, w := range b.Spec.Watermarks {
		all[i] = minWatermark(clocks[w.ID], w.Delay)
	}
	return queryWatermark(all, b.Spec.MaxWatermark)
}

// execute runs the tasks; when it returns without error everything staged is durable, and named by the token.
func (b *batch) execute(ctx context.Context) (*RunResult, []byte, error) {
	r := JobRun{Binding: b.binding, BeforeStage: b.beforeStage, OnSide: b.onSide}
	if b.Spec.Deliver != nil {
		r.OnBatch = b.keep
	}
	res, err := b.Spec.Job.Run(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range res.Tasks {
		for _, d := range t.Reports {
			if d.Key != rdd.StateDeltaKey {
				continue
			}
			if err := b.Spec.Own.StageState(b.tx(), d.Op, t.Partition, d.Value); err != nil {
				return nil, nil, err
			}
		}
	}
	mark := time.Now()
	token, err := b.Spec.Own.Flush(ctx, b.tx())
	b.sync = time.Since(mark)
	return res, token, err
}

// beforeStage lets a stage close what the clocks of the stages before it have just passed.
func (b *batch) beforeStage(_ int, done []*rdd.TaskResult) *rdd.Binding {
	next := *b.binding
	next.Watermarks = b.watermarks(b.clocksAfter(done))
	return &next
}

func (b *batch) clocksAfter(done []*rdd.TaskResult) map[string][]int64 {
	after := map[string][]int64{}
	for _, w := range b.Spec.Watermarks {
		reported := map[int]int64{}
		for _, t := range done {
			for _, r := range t.Reports {
				if r.Op != w.ID || r.Key != ClockKey || len(r.Value) != 12 {
					continue
				}
				p := int(binary.BigEndian.Uint32(r.Value))
				reported[p] = int64(binary.BigEndian.Uint64(r.Value[4:]))
			}
		}
		after[w.ID] = mergeClocks(b.binding.PartitionClocks[w.ID], reported)
	}
	return after
}

// wakeOf is the earliest time at which an operator wants a batch, zero when none does.
func wakeOf(res *RunResult) time.Time {
	var at time.Time
	for _, t := range res.Tasks {
		for _, r := range t.Reports {
			if r.Key != WakeKey || len(r.Value) != 8 {
				continue
			}
			if w := time.UnixMicro(int64(binary.BigEndian.Uint64(r.Value))); at.IsZero() || w.Before(at) {
				at = w
			}
		}
	}
	return at
}

func (b *batch) onSide(side string, rows *column.Batch) error {
	return b.Spec.Own.Stage(b.tx(), side, rows)
}

func (b *batch) keep(_ int, rows *column.Batch) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = append(b.rows, rows.Clone())
	return nil
}

// commitEntry is what makes the batch true.
func (b *batch) commitEntry(res *RunResult, sides []byte) *Commit {
	c := &Commit{
		Epoch: b.epoch, Batch: b.Batch, Offsets: b.To, Ended: b.Decision.Ended,
		Clocks: b.clocksAfter(res.Tasks), Tokens: map[string][][]byte{}, Counters: map[string]int64{},
	}
	c.Watermarks = b.watermarks(c.Clocks)
	b.wakeAt = wakeOf(res)
	for _, t := range res.Tasks {
		for _, r := range t.Reports {
			if r.Key == connector.TokenKey {
				c.Tokens[r.Op] = append(c.Tokens[r.Op], r.Value)
			}
		}
		for _, n := range t.Counters {
			b.tally(c.Counters, n)
		}
	}
	for _, rows := range b.rows {
		c.Counters[RowsOut] += int64(rows.N)
	}
	c.Settled = settled(b.record.Committed, c)
	if own := keepToken(b.record, sides); own != nil {
		c.Tokens[ownToken] = own
	}
	return c
}

// tally adds an operator's counter to the query's: its rows in are those that its sources take in, its rows out those that
// its sinks take in.
func (b *batch) tally(sum map[string]int64, n rdd.Counter) {
	switch {
	case n.Name == RowsOut, n.Name == RowsIn && !b.isSource(n.Op) && !b.isSink(n.Op):
	case n.Name == RowsIn && b.isSink(n.Op):
		sum[RowsOut] += n.N
	default:
		sum[n.Name] += n.N
	}
}

// keepToken is the query log's token: of this batch, or of the last one that staged something. Markers are not synced when
// a batch is published, only with whatever is staged next. A batch that stages nothing syncs nothing, so its entry must
// keep what a node that comes back has to publish again.
func keepToken(r *Record, staged []byte) [][]byte {
	if staged != nil {
		return [][]byte{staged}
	}
	if r.Committed != nil {
		return r.Committed.Tokens[ownToken]
	}
	return nil
}

// RowsIn and RowsOut are the counters of rows that an operator took in and put out.
const (
	RowsIn  = "rows.in"
	RowsOut = "rows.out"
)

func (b *batch) isSink(op string) bool {
	return slices.ContainsFunc(b.Spec.Sinks, func(s Sink) bool { return s.ID == op })
}

func (b *batch) isSource(op string) bool {
	for _, s := range b.Spec.Sources {
		if s.ID == op {
			return true
		}
	}
	return false
}

func arrivals(res *RunResult) map[int64]int64 {
	sum := map[int64]int64{}
	for _, t := range res.Tasks {
		for _, r := range t.Reports {
			if r.Key == connector.ArrivalsKey {
				connector.AddArrivals(sum, r.Value)
			}
		}
	}
	return sum
}

// opTimes sums the tasks' times by stage and operator, in the order of stages and of their operators' calls.
func opTimes(res *RunResult) []OpTime {
	var out []OpTime
	add := func(stage int, op string, d time.Duration, rows int64) {
		for i := range out {
			if o := &out[i]; o.Stage == stage && o.Op == op {
				o.Time, o.Rows = o.Time+d, o.Rows+rows
				return
			}
		}
		out = append(out, OpTime{stage, op, d, rows})
	}
	for _, t := range res.Tasks {
		rest := t.Elapsed
		for _, o := range t.Times {
			add(t.Stage, o.Op, time.Duration(o.Nanos), o.Rows)
			rest -= time.Duration(o.Nanos)
		}
		add(t.Stage, "", max(rest, 0), 0)
	}
	return out
}
