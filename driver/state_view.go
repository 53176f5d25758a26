package driver

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// settled calls work with a query at a moment when nothing touches its state: between two of its batches, or while it does
// not run here. The record is that of the moment. A query of this node that has not been started since the node did is
// planned for it.
func (e *Engine) settled(ctx context.Context, name string, work func(*query, stream.Record) error) error {
	q, err := e.known(ctx, name)
	if err != nil {
		return err
	}
	for {
		if q.loop != nil {
			err := errors.New("driver: between two batches")
			if asked := q.loop.Between(ctx, func(r stream.Record) { err = work(q, r) }); !errors.Is(asked, stream.ErrEnded) {
				return errors.Join(asked, err)
			}
		}
		if done, err := e.atRest(q, work); done {
			return err
		}
		if q, err = e.known(ctx, name); err != nil { // it was started again a moment ago
			return err
		}
	}
}

// atRest calls work with a query that does not run, and keeps it from being started meanwhile. done is false when another
// start of the query has the state by now.
func (e *Engine) atRest(q *query, work func(*query, stream.Record) error) (done bool, err error) {
	gate := e.gate(q.name)
	gate.Lock()
	defer gate.Unlock()
	e.mu.Lock()
	now := e.running[q.name]
	e.mu.Unlock()
	if now != nil && now != q {
		return false, nil
	}
	r, ok := e.opts.Queries.Query(q.name)
	if !ok {
		return true, refusal(q.name, stream.Reply{Refused: stream.RefusedUnknown})
	}
	return true, work(q, r)
}

// known is a query by name: one that was started here since the node was, or one that is planned from its record.
func (e *Engine) known(ctx context.Context, name string) (*query, error) {
	q, err := e.find(name)
	if err == nil {
		return q, nil
	}
	r, ok := e.opts.Queries.Query(name)
	if !ok || isBatch(r.Name) {
		return nil, err
	}
	if r.Node != e.node() {
		return nil, usererr.New("STREAMING_QUERY_ELSEWHERE", "55000", "The query %s runs on node %d, which has its state.", name, r.Node).WithFix("Ask that node.")
	}
	q, err = e.planned(ctx, r)
	if err == nil {
		q.planned.job.Close()
	}
	return q, err
}

// operator finds a stateful operator by id, by the name that its user gave it, or by its number among those of the query.
func (q *query) operator(op string) (*physical.StatefulOp, error) {
	var names []string
	for i := range q.planned.phys.Stateful {
		s := &q.planned.phys.Stateful[i]
		if strings.EqualFold(s.Op, op) || op == strconv.Itoa(i) || s.Name != "" && strings.EqualFold(s.Name, op) {
			return s, nil
		}
		names = append(names, s.Op)
	}
	e := usererr.New("STATE_OPERATOR_NOT_FOUND", "42704", "The query %s has no operator %s that keeps state.", q.name, op)
	if len(names) == 0 {
		return nil, e.WithFix("It has none that does.")
	}
	return nil, e.WithFix("Those that do: %s.", strings.Join(names, ", "))
}

// stateName is the name under which an operator's state is kept.
func stateName(r *stream.Record, op string) string {
	if n := r.StateNames[op]; n != "" {
		return n
	}
	return op
}

// entry is a pair of an operator's state. Expires is microseconds, 0 for state without a TTL.
type entry struct {
	partition, group int
	bucket           int64
	key, value       []byte
	expires          int64

	batch   int64 // of a change feed: the batch that made the change
	deleted bool
}

// splitExpiring takes the time of expiry off the value.
func (e *entry) splitExpiring() (err error) {
	e.expires, e.value, err = state.SplitExpiring(e.value)
	return err
}

// scanState visits the entries that an operator keeps, at the record's committed version, by partition, bucket, key group
// and key. The bytes are valid during the call. The query is settled.
func (e *Engine) scanState(ctx context.Context, r *stream.Record, s *physical.StatefulOp, visit func(*entry) error) error {
	for p := range s.Parts {
		err := e.opts.Cluster.ViewState(ctx, r.Name, stateName(r, s.Op), p, s.Parts, r.NextBatch()-1, func(st rdd.State) error {
			return scanPartition(st, p, s.TTL > 0, visit)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func scanPartition(st rdd.State, partition int, expiring bool, visit func(*entry) error) error {
	buckets, err := st.Buckets(1<<63 - 1)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		var failed error
		err := st.Scan(b, func(group int, key, value []byte) bool {
			en := entry{partition: partition, group: group, bucket: b, key: key, value: value}
			if expiring {
				failed = en.splitExpiring()
			}
			if failed == nil {
				failed = visit(&en)
			}
			return failed == nil
		})
		if err := errors.Join(err, failed); err != nil {
			return err
		}
	}
	return nil
}
