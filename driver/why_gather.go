package driver

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/streamflow/streamflow/structured/stream"
)

// Why says where a query's time goes and what it waits for. A query that does not run here is told of as its record has it.
func (e *Engine) Why(ctx context.Context, name string) (*Why, error) {
	q, err := e.find(name)
	if err != nil {
		r, ok := e.opts.Queries.Query(name)
		if !ok {
			return nil, err
		}
		w := newWhy(&r)
		w.explain()
		return w, nil
	}
	r, ok := e.opts.Queries.Query(q.name)
	if !ok {
		return nil, refusal(name, stream.Reply{Refused: stream.RefusedUnknown})
	}
	w := newWhy(&r)
	q.activityOf(w)
	q.timesOf(w)
	if err := q.lagOf(ctx, w, &r); err != nil {
		return nil, err
	}
	q.eventTimeOf(w, &r)
	q.stateOf(w)
	w.explain()
	return w, nil
}

func newWhy(r *stream.Record) *Why {
	return &Why{Query: r.Name, Status: r.Status, Error: r.Error, Doing: "nothing", Batches: BatchTimes{Last: r.NextBatch() - 1, Phases: []PhaseTime{}},
		Operators: []OperatorTime{}, Waits: []WaitTime{}, Sources: []SourceLag{}, Watermarks: []EventTime{}, State: []StateUse{}}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func share(part, all time.Duration) float64 {
	if all <= 0 {
		return 0
	}
	return float64(part) / float64(all)
}

func (q *query) activityOf(w *Why) {
	a := q.loop.Activity()
	w.Doing, w.ForMs = string(a.Doing), ms(time.Since(a.Since))
	if !q.active() {
		w.Doing = "nothing"
	} else if w.Error == "" {
		w.Error = a.Error
	}
	var all time.Duration
	for _, d := range a.Totals {
		all += d
	}
	for _, doing := range slices.Sorted(maps.Keys(a.Totals)) {
		d := a.Totals[doing]
		w.Waits = append(w.Waits, WaitTime{string(doing), ms(d), share(d, all)})
	}
	slices.SortStableFunc(w.Waits, func(a, b WaitTime) int { return descending(a.Ms, b.Ms) })
}

func descending(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

// timesOf sums the recent batches.
func (q *query) timesOf(w *Why) {
	q.mu.Lock()
	recent := slices.Clone(q.recent)
	q.mu.Unlock()
	w.Batches.Count = len(recent)
	if len(recent) == 0 {
		return
	}
	var phases [5]time.Duration
	var totals []time.Duration
	var all time.Duration
	rowsIn, rowsOut := int64(0), int64(0)
	for _, p := range recent {
		for i, d := range []time.Duration{p.Choose, p.Run - p.Sync, p.Sync, p.Commit, p.Publish} {
			phases[i] += d
		}
		totals = append(totals, p.Total())
		all += p.Total()
		rowsIn, rowsOut = rowsIn+p.RowsIn, rowsOut+p.RowsOut
	}
	slices.Sort(totals)
	n := len(recent)
	w.Batches.P50Ms, w.Batches.P99Ms = ms(totals[n/2]), ms(totals[min(n-1, n*99/100)])
	if span := recent[n-1].Published.Sub(recent[0].Started).Seconds(); span > 0 {
		w.Batches.RowsIn, w.Batches.RowsOut = float64(rowsIn)/span, float64(rowsOut)/span
	}
	for i, name := range []string{"choose", "tasks", "sync", "commit", "publish"} {
		w.Batches.Phases = append(w.Batches.Phases, PhaseTime{name, ms(phases[i]) / float64(n), share(phases[i], all)})
	}
	w.Operators = operatorTimes(recent)
}

// operatorTimes sums the batches' operators; the stages' own order stays.
func operatorTimes(recent []*stream.Progress) []OperatorTime {
	type key struct {
		stage int
		op    string
	}
	times, rows, order, all := map[key]time.Duration{}, map[key]int64{}, []key{}, time.Duration(0)
	for _, p := range recent {
		for _, o := range p.Ops {
			k := key{o.Stage, o.Op}
			if _, ok := times[k]; !ok {
				order = append(order, k)
			}
			times[k], rows[k] = times[k]+o.Time, rows[k]+o.Rows
			all += o.Time
		}
	}
	slices.SortStableFunc(order, func(a, b key) int { return a.stage - b.stage })
	var out []OperatorTime
	for _, k := range order {
		n := float64(len(recent))
		out = append(out, OperatorTime{k.stage, k.op, ms(times[k]) / n, share(times[k], all), float64(rows[k]) / n})
	}
	return out
}

func (q *query) lagOf(ctx context.Context, w *Why, r *stream.Record) error {
	for _, s := range q.planned.phys.Sources {
		if s.Stream == nil {
			continue
		}
		a, err := s.Stream.Available(ctx)
		if err != nil {
			return err
		}
		read := r.From(s.Op)
		for p, end := range a.End {
			l := SourceLag{Operator: s.Op, Table: s.Table.Name(), Partition: p, Available: end}
			if p < len(read) {
				l.Read = read[p]
			}
			l.Lag = max(l.Available-l.Read, 0)
			w.Sources = append(w.Sources, l)
		}
	}
	return nil
}

func (q *query) eventTimeOf(w *Why, r *stream.Record) {
	tables := map[string]string{}
	for _, s := range q.planned.phys.Sources {
		tables[s.Op] = s.Table.Name()
	}
	for _, op := range q.planned.phys.Watermarks {
		e := EventTime{Operator: op.Op, Column: op.Column, DelayMs: float64(op.Delay) / 1000, HeldBy: []int{}}
		if len(op.Sources) == 1 {
			e.Table = tables[op.Sources[0]]
		}
		clocks := make([]int64, op.Parts)
		for p := range clocks {
			clocks[p] = stream.NoTime
		}
		if c := r.Committed; c != nil {
			copy(clocks, c.Clocks[op.Op])
		}
		e.follow(clocks)
		w.Watermarks = append(w.Watermarks, e)
	}
}

// follow fills in what follows from the partitions' clocks.
func (e *EventTime) follow(clocks []int64) {
	low, high := slices.Min(clocks), slices.Max(clocks)
	for p, c := range clocks {
		k := Clock{Partition: p, Clock: eventTime(c)}
		if c != stream.NoTime {
			k.BehindMs = float64(high-c) / 1000
		}
		if c == low {
			e.HeldBy = append(e.HeldBy, p)
		}
		e.Clocks = append(e.Clocks, k)
	}
	if low != stream.NoTime {
		e.Watermark = eventTime(low - int64(e.DelayMs*1000))
	}
}

// eventTime is a time in words, "" for none.
func eventTime(us int64) string {
	if us == stream.NoTime || us == stream.EndOfTime {
		return ""
	}
	return time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05.000Z")
}

// sizeSample is what a query's state held at a time, by operator.
type sizeSample struct {
	at    time.Time
	keys  map[string]int64
	bytes map[string]int64
}

const (
	sampleEvery = time.Second
	maxSamples  = 300
)

// sample notes the size of the query's state, at most once a second. The caller holds q.mu.
func (q *query) sample(now time.Time) {
	n := len(q.samples)
	if len(q.planned.phys.Stateful) == 0 || n > 0 && now.Sub(q.samples[n-1].at) < sampleEvery {
		return
	}
	s := sizeSample{now, map[string]int64{}, map[string]int64{}}
	for op, size := range q.engine.opts.Cluster.StateSizes(q.name) {
		s.keys[op], s.bytes[op] = size.Keys, size.Bytes
	}
	if n == maxSamples {
		q.samples = append(q.samples[:0], q.samples[1:]...)
	}
	q.samples = append(q.samples, s)
}

func (q *query) stateOf(w *Why) {
	sizes := q.engine.opts.Cluster.StateSizes(q.name)
	q.mu.Lock()
	samples := slices.Clone(q.samples)
	q.mu.Unlock()
	r, _ := q.engine.opts.Queries.Query(q.name)
	for _, s := range q.planned.phys.Stateful {
		kept := stateName(&r, s.Op)
		u := StateUse{Operator: s.Op, Name: s.Name, Partitions: s.Parts, Keys: sizes[kept].Keys, Bytes: sizes[kept].Bytes, Bound: s.Bound}
		if n := len(samples); n > 1 {
			first, last := samples[0], samples[n-1]
			d := last.at.Sub(first.at).Seconds()
			u.KeysGrowth = float64(last.keys[kept]-first.keys[kept]) / d
			u.BytesGrowth = float64(last.bytes[kept]-first.bytes[kept]) / d
		}
		w.State = append(w.State, u)
	}
}
