package structured

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured/logical"
)

// Observation receives the metrics of a DataFrame's rows when an action runs over it: Observe(o, Count("x").As("n")).
type Observation struct {
	name  string
	once  sync.Once
	done  chan struct{}
	found Row
}

// NewObservation makes an observation; the name tells it from others of the same action.
func NewObservation(name string) *Observation {
	return &Observation{name: name, done: make(chan struct{})}
}

// Get waits for the first action over the DataFrame to end, and returns its metrics.
func (o *Observation) Get(ctx context.Context) (Row, error) {
	select {
	case <-o.done:
		return o.found, nil
	case <-ctx.Done():
		return Row{}, ctx.Err()
	}
}

func (o *Observation) set(r Row) { o.once.Do(func() { o.found = r; close(o.done) }) }

// Observe passes the rows, and computes aggregates of them while an action runs. The rows are kept until then, in memory or on
// the node's disk, so that the metrics are of the very rows that the action saw. A stream cannot be observed.
func (d *DataFrame) Observe(o *Observation, metrics ...Column) *DataFrame {
	list, err := exprs(metrics)
	if len(metrics) == 0 {
		err = firstError(err, invalidValue("metrics", "", "there is none"))
	}
	if err == nil && d.err == nil {
		d.s.observe(o)
	}
	return d.then(err, func() logical.Plan { return &logical.Observe{Name: o.name, Metrics: list, Child: d.plan} })
}

// observe registers an observation, for the actions of the session to fill.
func (s *Session) observe(o *Observation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.observations == nil {
		s.observations = map[string]*Observation{}
	}
	s.observations[o.name] = o
}

// observedRows gives the metrics to their observations at the end of the rows.
type observedRows struct {
	Rows
	s *Session
}

func (r *observedRows) Next(ctx context.Context) (*column.Batch, error) {
	b, err := r.Rows.Next(ctx)
	if errors.Is(err, io.EOF) {
		if ferr := r.s.fill(ctx, r.Rows); ferr != nil {
			return nil, ferr
		}
	}
	return b, err
}

// fill asks rows that were read for what they observed.
func (s *Session) fill(ctx context.Context, rows Rows) error {
	s.mu.Lock()
	waiting := len(s.observations)
	s.mu.Unlock()
	o, ok := rows.(Observer)
	if !ok || waiting == 0 {
		return nil
	}
	list, err := o.Observed(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range list {
		if x := s.observations[m.Name]; x != nil {
			x.set(m.Row())
			delete(s.observations, m.Name)
		}
	}
	return nil
}
