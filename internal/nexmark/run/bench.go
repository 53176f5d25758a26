package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/nexmark"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/stream"
)

// Options of a node with Nexmark's tables.
type Options struct {
	nexmark.Config
	Events     int64
	Source     string // "topic" or "generator"
	Format     string // of the topics: "arrow" or "json"
	Partitions int    // of each topic
	Dir        string // the node's data
	Slots      int    // tasks at a time; 0 is the number of processors
	Rows       int    // rows of a log batch; 0 is 8,192
	// Stamped gives records the time of their first event instead of the time at which they are written, so that a second
	// run is the same to the last bit.
	Stamped bool
	// Sink is the format of the topics that results go to; "" is "arrow".
	Sink   string
	Logger *slog.Logger
}

// defaultRows is what a columnar log batch holds: what a scan hands on at a time.
const defaultRows = 8192

// Bench is a node and what is in it.
type Bench struct {
	*streamflow.LocalSession
	opts Options
	gen  *nexmark.Generator
	made int                  // result topics so far
	turn map[nexmark.Kind]int // log batches written of each kind

	mu      sync.Mutex
	observe func(*stream.Progress) // of the query that is measured
}

// Open starts the node and declares the tables. Topics are empty; tables of a generator are whole.
func Open(ctx context.Context, o Options) (*Bench, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Rows == 0 {
		o.Rows = defaultRows
	}
	if o.Sink == "" {
		o.Sink = "arrow"
	}
	b := &Bench{opts: o, gen: nexmark.NewGenerator(o.Config), turn: map[nexmark.Kind]int{}}
	s, err := streamflow.Local(streamflow.Config{Dir: o.Dir, Slots: o.Slots, Logger: o.Logger, OnBatch: b.onBatch})
	if err != nil {
		return nil, err
	}
	b.LocalSession = s
	if err := b.declare(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return b, nil
}

// Generator makes the bench's events.
func (b *Bench) Generator() *nexmark.Generator { return b.gen }

func (b *Bench) declare(ctx context.Context) error {
	for _, k := range nexmark.Kinds {
		ddl := k.DDL("topic", fmt.Sprintf("format '%s'", b.opts.Format), fmt.Sprintf("partitions '%d'", b.opts.Partitions))
		if b.opts.Source == "generator" {
			ddl = k.DDL("nexmark", fmt.Sprintf("table '%s', events '%d', tps '%d', seed '%d', partitions '%d'", k, b.opts.Events, b.opts.TPS, b.opts.Seed, b.opts.Partitions))
		}
		if err := b.exec(ctx, ddl); err != nil {
			return err
		}
	}
	if err := b.exec(ctx, nexmark.SideInput); err != nil {
		return err
	}
	return b.Conf().Set(ctx, "streamflow.state.unbounded", "allow") // several queries keep state for ever, by their definition
}

// exec runs a statement to its end.
func (b *Bench) exec(ctx context.Context, text string) error {
	df, err := b.SQL(ctx, text)
	if err == nil {
		_, err = df.Collect(ctx)
	}
	return err
}

// History runs a query over all there is, as a batch.
func (b *Bench) History(ctx context.Context, q nexmark.Query) (structured.Rows, error) {
	return b.Run(ctx, q.SQL, structured.RunOptions{Name: q.Name + "_history"}, structured.ExecOptions{})
}

func (b *Bench) onBatch(_ string, p *stream.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.observe != nil {
		b.observe(p)
	}
}

// watch hands every later micro-batch to f, or to nobody when f is nil.
func (b *Bench) watch(f func(*stream.Progress)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.observe = f
}
