package driver

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
)

// observed makes the rows of a plan's observations be kept while the plan runs, so that its metrics are computed over the very
// rows that it saw. It returns the plan to run, and the queries for the metrics.
func (s *Session) observed(p logical.Plan) (logical.Plan, []*observation) {
	var list []*observation
	out := logical.TransformDown(p, func(n logical.Plan) logical.Plan {
		o, ok := n.(*logical.Observe)
		if !ok {
			return n
		}
		key := "observe:" + uuid.NewString()
		s.cache.put(key, o.Child)
		kept := &logical.Cached{Key: key, Child: o.Child}
		list = append(list, &observation{name: o.Name, key: key, query: optimize.MetricsOf(o, kept)})
		return kept
	})
	return out, list
}

// observation is the metrics of one df.observe.
type observation struct {
	name  string
	key   string
	query logical.Plan
}

// observedRows are the rows of a plan with observations.
type observedRows struct {
	structured.Rows
	s    *Session
	list []*observation
}

var _ structured.Observer = (*observedRows)(nil)

// Observed computes the metrics.
func (r *observedRows) Observed(ctx context.Context) ([]structured.Metrics, error) {
	var out []structured.Metrics
	for _, o := range r.list {
		rows, err := r.s.execute(ctx, o.query, structured.ExecOptions{})
		if err != nil {
			return nil, err
		}
		m := structured.Metrics{Name: o.name, Schema: rows.Schema()}
		batches, err := readRows(ctx, rows)
		if err != nil {
			return nil, err
		}
		if len(batches) != 1 || batches[0].N != 1 {
			return nil, fmt.Errorf("driver: the metrics %s came as %d batches instead of one row", o.name, len(batches))
		}
		m.Values = batches[0]
		out = append(out, m)
	}
	return out, nil
}

// Close forgets the rows that were kept.
func (r *observedRows) Close() error {
	err := r.Rows.Close()
	for _, o := range r.list {
		_, derr := r.s.cache.drop(o.key)
		err = errors.Join(err, derr)
	}
	return err
}

// Observed hands on what the rows below observed.
func (l *leaving) Observed(ctx context.Context) ([]structured.Metrics, error) {
	if o, ok := l.Rows.(structured.Observer); ok {
		return o.Observed(ctx)
	}
	return nil, nil
}

// executeObserved is execute for plans with observations, which are few.
func (s *Session) executeObserved(ctx context.Context, plan logical.Plan, opts structured.ExecOptions) (structured.Rows, error) {
	if !observes(plan) {
		return s.execute(ctx, plan, opts)
	}
	plan, list := s.observed(plan)
	rows, err := s.execute(ctx, plan, opts)
	out := &observedRows{rows, s, list}
	if err != nil {
		out.Rows = nothing()
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

func observes(p logical.Plan) bool {
	found := false
	logical.Walk(p, func(n logical.Plan) bool {
		if _, ok := n.(*logical.Observe); ok {
			found = true
		}
		return !found
	})
	return found
}

// readRows reads a result whole, copied, and closes it.
func readRows(ctx context.Context, rows structured.Rows) (out []*column.Batch, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		b, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if b.N > 0 {
			out = append(out, b.Clone())
		}
	}
}
