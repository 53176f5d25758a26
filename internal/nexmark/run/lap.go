package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/streamflow/streamflow/internal/nexmark"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/stream"
)

// Lap is what a run of a query took.
type Lap struct {
	Query      string  `json:"query"`
	Events     int64   `json:"events"` // rows that the query has read, each table's once for each time it is read
	Made       int64   `json:"made"`   // events of all kinds that these are a part of
	RowsOut    int64   `json:"rows_out"`
	Batches    int64   `json:"batches"`
	Wall       float64 `json:"wall_seconds"`
	CPU        float64 `json:"cpu_seconds"`
	Rate       float64 `json:"events_per_s"`      // of events by the clock
	PerCore    float64 `json:"events_per_core_s"` // of events by processor time
	Aim        int64   `json:"aim_per_core_s,omitempty"`
	StateKeys  int64   `json:"state_keys"`
	StateBytes int64   `json:"state_bytes"`
	P50        float64 `json:"latency_p50_ms,omitempty"`
	P99        float64 `json:"latency_p99_ms,omitempty"`
	PacedRate  int64   `json:"latency_at_events_per_s,omitempty"`
	Fault      string  `json:"fault,omitempty"`
}

// meter gathers what micro-batches tell.
type meter struct {
	bench                    *Bench
	rowsIn, rowsOut, batches atomic.Int64
	stateKeys, stateBytes    atomic.Int64
	keysBefore, bytesBefore  int64 // what other queries of the node keep
}

func (b *Bench) meter() *meter {
	m := &meter{bench: b}
	m.keysBefore, m.bytesBefore = b.Node().StateSize()
	return m
}

func (m *meter) observe(p *stream.Progress) {
	m.rowsIn.Add(p.RowsIn)
	m.rowsOut.Add(p.RowsOut)
	m.batches.Add(1)
	keys, bytes := m.bench.Node().StateSize()
	m.stateKeys.Store(max(m.stateKeys.Load(), keys-m.keysBefore))
	m.stateBytes.Store(max(m.stateBytes.Load(), bytes-m.bytesBefore))
}

// Start starts a query into a topic of its own and returns that topic's name.
func (b *Bench) Start(ctx context.Context, q nexmark.Query) (sq *structured.StreamingQuery, into string, err error) {
	df, err := b.SQL(ctx, q.SQL)
	if err != nil {
		return nil, "", err
	}
	schema, err := df.Schema(ctx)
	if err != nil {
		return nil, "", err
	}
	var cols []string
	for _, f := range schema.Fields {
		cols = append(cols, fmt.Sprintf("`%s` %s", f.Name, f.Type))
	}
	changelog := ""
	if q.Changelog {
		cols, changelog = append(cols, "_op STRING"), ", changelog 'true'"
	}
	b.made++
	name := fmt.Sprintf("%s_%d", q.Name, b.made)
	into = name + "_out"
	ddl := fmt.Sprintf("CREATE TABLE %s (%s) USING topic OPTIONS (format '%s', partitions '%d'%s)", into, strings.Join(cols, ", "), b.opts.Sink, b.opts.Partitions, changelog)
	if err := b.exec(ctx, ddl); err != nil {
		return nil, "", err
	}
	sq, err = df.WriteStream().QueryName(name).OutputMode(q.Mode).From("beginning").ToTable(ctx, into)
	return sq, into, err
}

// Drain runs a query over all that is in the topics, or a generator's tables, and measures it from its start to the commit
// of its last batch. The topics are sealed when it has read them: until then its state is that of a query that goes on. What
// it wrote is dropped. done, when set, is told how many rows the query has read.
func (b *Bench) Drain(ctx context.Context, q nexmark.Query, done func(rows int64)) (Lap, error) {
	m := b.meter()
	caughtUp := make(chan struct{})
	once := sync.OnceFunc(func() { close(caughtUp) })
	b.watch(func(p *stream.Progress) {
		m.observe(p)
		if p.Ended || reached(p) {
			once()
		}
		if done != nil {
			done(m.rowsIn.Load())
		}
	})
	defer b.watch(nil)
	cpu, began := CPUSeconds(), time.Now()
	sq, into, err := b.Start(ctx, q)
	if err != nil {
		return Lap{}, err
	}
	if err := b.end(ctx, q, sq, caughtUp); err != nil {
		return Lap{}, err
	}
	lap := m.lap(q, b.opts.Events, time.Since(began).Seconds(), CPUSeconds()-cpu)
	return lap, b.discard(ctx, sq.Name(), into)
}

// reached reports whether a batch has read all that there was.
func reached(p *stream.Progress) bool {
	for source, there := range p.Available {
		if !slices.Equal(p.To[source], there) {
			return false
		}
	}
	return true
}

// end seals the topics of a query that has read them, waits for its end, and opens them again.
func (b *Bench) end(ctx context.Context, q nexmark.Query, sq *structured.StreamingQuery, caughtUp chan struct{}) error {
	ended := make(chan error, 1)
	go func() { ended <- sq.AwaitTermination(ctx) }()
	select {
	case <-caughtUp:
	case err := <-ended: // it failed
		return err
	}
	for _, k := range q.Reads {
		if err := b.Seal(ctx, k); err != nil {
			return err
		}
	}
	err := <-ended
	for _, k := range q.Reads {
		err = errors.Join(err, b.seal(ctx, k, "false"))
	}
	return err
}

// discard drops a query that has ended, with its state and its result.
func (b *Bench) discard(ctx context.Context, query, into string) error {
	if err := b.exec(ctx, "DROP STREAMING QUERY "+query); err != nil {
		return err
	}
	return b.exec(ctx, "DROP TABLE "+into)
}

func (m *meter) lap(q nexmark.Query, made int64, wall, cpu float64) Lap {
	events := m.rowsIn.Load()
	return Lap{Query: q.Name, Events: events, Made: made, RowsOut: m.rowsOut.Load(), Batches: m.batches.Load(), Wall: wall, CPU: cpu,
		Rate: float64(events) / wall, PerCore: float64(events) / cpu, Aim: q.Aim, StateKeys: m.stateKeys.Load(), StateBytes: m.stateBytes.Load()}
}

// CPUSeconds is the processor time that this process has used.
func CPUSeconds() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// waits counts rows by the milliseconds from the time at which they were written to the commit that made what they did
// visible.
type waits struct{ counts map[int64]int64 }

func (w *waits) add(p *stream.Progress) {
	if w.counts == nil {
		w.counts = map[int64]int64{}
	}
	for stamped, rows := range p.Arrivals {
		w.counts[max(0, p.Published.UnixMilli()-stamped)] += rows
	}
}

// quantile is the least number of milliseconds within which a share of the rows was done.
func (w *waits) quantile(share float64) float64 {
	total, seen := int64(0), int64(0)
	for _, n := range w.counts {
		total += n
	}
	for _, ms := range slices.Sorted(maps.Keys(w.counts)) {
		if seen += w.counts[ms]; float64(seen) >= share*float64(total) {
			return float64(ms)
		}
	}
	return 0
}
