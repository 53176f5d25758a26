package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/stream"
)

var _ structured.QueryHandle = (*query)(nil)

// recentBatches is how many batches' progress is kept.
const recentBatches = 100

func (q *query) ID() string    { return q.id }
func (q *query) RunID() string { return q.runID }
func (q *query) Name() string  { return q.name }

func (q *query) active() bool {
	q = q.now()
	select {
	case <-q.ended:
		return false
	default:
		return true
	}
}

// Status says what the query is doing.
func (q *query) Status(context.Context) (structured.QueryStatus, error) {
	st := structured.QueryStatus{Active: q.active(), TriggerActive: q.active(), Message: "Waiting for data to arrive"}
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.recent); n > 0 {
		p := q.recent[n-1]
		for id, end := range p.To {
			for i := range end {
				if i < len(p.Available[id]) && end[i] < p.Available[id][i] {
					st.DataAvailable, st.Message = true, "Processing new data"
				}
			}
		}
	}
	if !st.Active {
		st.Message = "Stopped"
		if q.err != nil {
			st.Message = "Terminated with exception: " + q.err.Error()
		}
	}
	return st, nil
}

// onProgress notes a published batch. The loop calls it between batches.
func (q *query) onProgress(p *stream.Progress) {
	q.mu.Lock()
	if len(q.recent) == recentBatches {
		q.recent = append(q.recent[:0], q.recent[1:]...)
	}
	q.recent = append(q.recent, p)
	q.totalRows += p.RowsIn
	q.latency.observe(p)
	q.sample(p.Published)
	close(q.progressed)
	q.progressed = make(chan struct{})
	due := q.engine.opts.Snapshot != nil && len(q.planned.phys.Stateful) > 0 && time.Since(q.lastSnap) >= q.engine.opts.SnapshotInterval
	if due {
		q.lastSnap = time.Now()
	}
	q.mu.Unlock()
	if q.engine.opts.OnBatch != nil {
		q.engine.opts.OnBatch(q.name, p)
	}
	if err := q.autoSave(p); err != nil {
		q.engine.log.Warn("savepoint failed", "query", q.name, "err", err)
	}
	if due {
		if err := q.engine.opts.Snapshot(q.name, q.planned.retain); err != nil {
			q.engine.log.Warn("state snapshot failed", "query", q.name, "err", err)
		}
	}
}

// Recent is the progress of the last batches.
func (q *query) Recent(context.Context) ([]structured.QueryProgress, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]structured.QueryProgress, len(q.recent))
	for i, p := range q.recent {
		out[i] = q.progress(p)
	}
	return out, nil
}

// progress is a batch in Spark's form.
func (q *query) progress(p *stream.Progress) structured.QueryProgress {
	total := p.Total()
	out := structured.QueryProgress{
		ID: q.id, RunID: q.runID, Name: q.name, Timestamp: p.Started, BatchID: p.Batch, BatchDuration: total, InputRows: p.RowsIn,
		ProcessedRate: rate(p.RowsIn, total), InputRate: rate(p.RowsIn, total),
		Durations: map[string]int64{"triggerExecution": total.Milliseconds(), "latestOffset": p.Choose.Milliseconds(),
			"addBatch": p.Run.Milliseconds(), "walCommit": p.Commit.Milliseconds(), "commitOffsets": p.Publish.Milliseconds()},
		EventTime: map[string]string{},
		Sink:      structured.SinkProgress{Description: q.sinkName(), OutputRows: p.RowsOut},
	}
	for _, w := range p.Watermarks {
		if w != stream.NoTime && w != stream.EndOfTime {
			out.EventTime["watermark"] = time.UnixMicro(w).UTC().Format("2006-01-02T15:04:05.000Z")
		}
	}
	for _, s := range q.planned.phys.Sources {
		if s.Stream == nil {
			continue
		}
		out.Sources = append(out.Sources, structured.SourceProgress{Description: fmt.Sprintf("%s[%s]", s.Table.Provider(), s.Table.Name()),
			Start: offsetsJSON(s.Table, p.From[s.Op]), End: offsetsJSON(s.Table, p.To[s.Op]), Latest: offsetsJSON(s.Table, p.Available[s.Op]),
			InputRows: p.RowsIn, InputRate: rate(p.RowsIn, total), ProcessedRate: rate(p.RowsIn, total)})
	}
	for _, s := range q.planned.phys.Stateful {
		out.State = append(out.State, structured.StateProgress{Operator: s.Op, DroppedByWatermark: p.Counters["rows.late"]})
	}
	return out
}

func (q *query) sinkName() string {
	switch {
	case len(q.def.Sink) > 0:
		return "table " + q.def.Sink[len(q.def.Sink)-1]
	case q.def.Format != "":
		return q.def.Format
	}
	return "client"
}

func rate(rows int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(rows) / d.Seconds()
}

// offsetsJSON is Spark's form: {"topic":{"0":12,"1":7}}.
func offsetsJSON(t connector.Table, o connector.Offsets) string {
	parts := map[string]int64{}
	for i, n := range o {
		parts[fmt.Sprint(i)] = n
	}
	b, _ := json.Marshal(map[string]any{t.Name(): parts}) // strings and numbers always encode
	return string(b)
}

// Stop ends the query after the batch in hand.
func (q *query) Stop(ctx context.Context) error {
	q = q.now()
	q.loop.Stop()
	select {
	case <-q.ended:
		if heir := q.now(); heir != q && heir.loop != nil {
			return heir.Stop(ctx)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// now is the query as it goes on: another plan of it may have taken over.
func (q *query) now() *query {
	for {
		q.mu.Lock()
		heir := q.heir
		q.mu.Unlock()
		if heir == nil {
			return q
		}
		select {
		case <-q.ended:
			q = heir
		default:
			return q
		}
	}
}

// Await returns when the query has ended, with what ended it.
func (q *query) Await(ctx context.Context) error {
	select {
	case <-q.ended:
		if heir := q.now(); heir != q && q.failure() == nil {
			return heir.Await(ctx)
		}
		return q.failure()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ProcessAllAvailable returns when what the sources have now is committed.
func (q *query) ProcessAllAvailable(ctx context.Context) error {
	goal := map[string]connector.Offsets{}
	for _, s := range q.planned.phys.Sources {
		if s.Stream == nil {
			continue
		}
		a, err := s.Stream.Available(ctx)
		if err != nil {
			return err
		}
		goal[s.Op] = a.End
	}
	for {
		q.mu.Lock()
		changed := q.progressed
		q.mu.Unlock()
		r, ok := q.engine.opts.Queries.Query(q.name)
		if !ok || reached(&r, goal) {
			return nil
		}
		select {
		case <-changed:
		case <-q.ended:
			if heir := q.now(); heir != q {
				return heir.ProcessAllAvailable(ctx)
			}
			return q.Await(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func reached(r *stream.Record, goal map[string]connector.Offsets) bool {
	for id, want := range goal {
		have := r.From(id)
		for i := range want {
			if i >= len(have) || have[i] < want[i] {
				return false
			}
		}
	}
	return true
}

// Err is what ended the query.
func (q *query) Err(context.Context) (error, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err, nil
}

// Explain is the physical plan.
func (q *query) Explain(context.Context, bool) (string, error) { return q.planned.phys.Format(), nil }

// latencies counts how long rows took from their record's time stamp to the commit that made their effect visible.
type latencies struct{ counts map[int64]int64 }

// maxLatencyMs leaves out rows that were old when they were read: catching up is not latency.
const maxLatencyMs = 60_000

func (l *latencies) observe(p *stream.Progress) {
	if l.counts == nil {
		l.counts = map[int64]int64{}
	}
	done := p.Published.UnixMilli()
	for ms, rows := range p.Arrivals {
		if d := done - ms; d >= 0 && d < maxLatencyMs {
			l.counts[d] += rows
		}
	}
}

// add puts the median and the 99th percentile among counters, in milliseconds.
func (l *latencies) add(counters map[string]int64) {
	total := int64(0)
	for _, n := range l.counts {
		total += n
	}
	if total == 0 {
		return
	}
	for name, share := range map[string]float64{"latency.p50.ms": 0.50, "latency.p99.ms": 0.99} {
		seen := int64(0)
		for d := int64(0); d < maxLatencyMs; d++ {
			if seen += l.counts[d]; float64(seen) >= share*float64(total) {
				counters[name] = d
				break
			}
		}
	}
}
