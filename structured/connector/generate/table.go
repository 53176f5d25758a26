package generate

import (
	"context"
	"sync"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Table is a source of rows that are made. One is opened for each query that reads it.
type Table struct {
	name, provider string
	options        map[string]string
	schema         *column.Schema
	spec           Spec
	fixed          bool  // the time of its first row was declared,
	first          int64 // microseconds; else it is when the query begins
	now            func() time.Time

	mu    sync.Mutex
	began int64 // the query that reads it, microseconds
}

var (
	_ connector.StreamReader = (*Table)(nil)
	_ connector.Anchored     = (*Table)(nil)
	_ connector.Stepped      = stepped{}
)

func (t *Table) Name() string               { return t.name }
func (t *Table) Schema() *column.Schema     { return t.schema }
func (t *Table) Hidden() int                { return 1 }
func (t *Table) Provider() string           { return t.provider }
func (t *Table) Options() map[string]string { return t.options }

// withTime is a schema and the hidden column behind it: the time at which a row comes.
func withTime(s *column.Schema) *column.Schema {
	return column.NewSchema(append(append([]column.Field{}, s.Fields...), column.Field{Name: connector.ColTimestamp, Type: column.Of(column.Timestamp)})...)
}

// PlanScan makes all rows of a source that ends.
func (t *Table) PlanScan(_ context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	if t.spec.Pace.Limit == 0 {
		return nil, usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The source %s has no end: it can only be read as a stream.", t.provider).
			WithFix("Read it with spark.readStream, FROM STREAM, or --live; or give it an end, if it takes one.")
	}
	s := t.scan(req)
	s.Splits = t.Bind(nil, t.offsets(t.spec.Pace.Limit, t.start()))
	return s, nil
}

// PlanStream makes what each micro-batch binds.
func (t *Table) PlanStream(_ context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	s := t.scan(req)
	s.Splits = make([][]rdd.Split, t.spec.Share.Parts)
	return s, nil
}

func (t *Table) scan(req connector.ScanRequest) *connector.Scan {
	return &connector.Scan{Op: &Scan{Spec: t.spec, Columns: req.Columns}, Residual: req.Filters}
}

// start is when a query that begins now begins.
func (t *Table) start() int64 {
	if t.fixed {
		return t.first
	}
	return t.now().UnixMicro()
}

// offsets are the partitions' shares of the first rows, and when the query began.
func (t *Table) offsets(rows, began int64) connector.Offsets {
	out := make(connector.Offsets, t.spec.Share.Parts, t.spec.Share.Parts+1)
	for p := range out {
		out[p] = t.spec.Share.of(int64(p), rows)
	}
	return append(out, began)
}

// Begin is the first row: at the time that the query starts, or at the time that it asks for.
func (t *Table) Begin(_ context.Context, s connector.Start) (connector.Offsets, error) {
	began := t.start()
	if s.Mode == "time" && !t.fixed {
		began = s.Time
	}
	return t.offsets(0, began), nil
}

// Anchor tells when the query began.
func (t *Table) Anchor(begin, _ connector.Offsets) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.began = begin[len(begin)-1]
}

// Available is what is due by now.
func (t *Table) Available(context.Context) (connector.Availability, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := t.spec.Pace.rows(t.now().UnixMicro() - t.began)
	return connector.Availability{End: t.offsets(rows, t.began), Ended: t.spec.Pace.Limit > 0 && rows == t.spec.Pace.Limit}, nil
}

// stepped is a table of which each micro-batch takes so many rows.
type stepped struct{ *Table }

// Until is one batch further.
func (t stepped) Until(from connector.Offsets) connector.Offsets {
	parts := t.spec.Share.Parts
	rows := int64(0)
	for _, n := range from[:parts] {
		rows += n
	}
	batch := t.spec.Pace.Batch
	return t.offsets(rows/batch*batch+batch, from[parts])
}

// shortest is the least that Wait waits: rows that come more often than that come in batches.
const shortest = time.Millisecond

// Wait returns when a row is due that is not among after.
func (t *Table) Wait(ctx context.Context, after connector.Offsets) error {
	for {
		a, err := t.Available(ctx)
		if err != nil || a.Ended {
			return err
		}
		next := int64(endless)
		for p := range t.spec.Share.Parts {
			if a.End[p] > after[p] {
				return nil
			}
			next = min(next, t.spec.Share.row(p, a.End[p]))
		}
		t.mu.Lock()
		due := t.began + t.spec.Pace.time(next)
		t.mu.Unlock()
		timer := time.NewTimer(max(shortest, time.UnixMicro(due).Sub(t.now())))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// Bind makes one split for each partition that has rows in the range.
func (t *Table) Bind(from, to connector.Offsets) [][]rdd.Split {
	parts := t.spec.Share.Parts
	out := make([][]rdd.Split, parts)
	for p := range parts {
		s := span{began: to[parts], partition: p, to: to[p]}
		if p < int64(len(from)) {
			s.from = from[p]
		}
		if s.from < s.to {
			out[p] = []rdd.Split{{Data: s.encode(), Rows: s.to - s.from}}
		}
	}
	return out
}
