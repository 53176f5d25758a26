package physical

import (
	"fmt"
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// StatefulAggregate is the final aggregation of a streaming query. It merges a micro-batch's partial states into those
// of earlier ones and puts out, by output mode: append, the groups whose window the watermark has passed; update, the
// groups that changed; complete, all groups.
//
// A group lives in the state bucket of its window's end, so that what the watermark passes is found in order and dropped
// whole; groups without a window live in bucket 0 for ever.
//
//	bucket  window end (µs)     key  column.AppendKey(keys)     value  column.AppendRow(states)
type StatefulAggregate struct {
	Keys   []int // the input's leading columns
	Aggs   []AggSpec
	Mode   connector.OutputMode
	Window int   // which key is the window's start (or an event time), -1 for none
	Size   int64 // window length; 0 when the key is an event time itself
	State  *column.Schema
	Out    *column.Schema

	groups *groups
	merged []expr.Accumulator
	gids   []uint32
	key    []byte
	value  []byte
	vals   []*column.Builder
}

func (s *StatefulAggregate) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	r := &statefulRun{s: s, tc: tc, op: tc.Op, state: state, mark: closesUpTo(tc)}
	return output(tc, in, drain(func(emit func(*column.Batch)) error { return r.run(in[0], emit) }), nil), nil
}

// openState is the operator's state in a streaming query, and state for the run alone in a batch query.
func openState(tc *rdd.TaskContext) (rdd.State, error) {
	if !streaming(tc) {
		return batchState{}, nil
	}
	if tc.OpenState == nil {
		return nil, fmt.Errorf("physical: %s: the task has no state store", tc.Op)
	}
	st, err := tc.OpenState(tc.Op)
	if err != nil {
		return nil, fmt.Errorf("physical: %s: open state: %w", tc.Op, err)
	}
	return st, nil
}

// closesUpTo is the event time up to which the operator may close what it holds.
func closesUpTo(tc *rdd.TaskContext) int64 {
	if tc.Binding != nil {
		if w, ok := tc.Binding.Watermarks[tc.Op]; ok {
			return w
		}
	}
	return math.MinInt64
}

func (s *StatefulAggregate) prepare() error {
	if s.groups != nil {
		s.groups.reset()
		return nil
	}
	types := make([]column.Type, len(s.Keys))
	for i := range s.Keys {
		types[i] = s.State.Fields[i].Type
	}
	g, err := newGroups(s.Keys, types, s.Aggs)
	if err != nil {
		return err
	}
	if s.merged, err = accumulators(s.Aggs); err != nil {
		return err
	}
	for _, f := range s.State.Fields[len(s.Keys):] {
		s.vals = append(s.vals, column.NewBuilder(f.Type))
	}
	s.groups = g
	return nil
}

func accumulators(aggs []AggSpec) ([]expr.Accumulator, error) {
	out := make([]expr.Accumulator, len(aggs))
	for i, a := range aggs {
		acc, err := expr.NewAccumulator(a.Agg)
		if err != nil {
			return nil, err
		}
		out[i] = acc
	}
	return out, nil
}

// statefulRun is one micro-batch of a StatefulAggregate.
type statefulRun struct {
	s     *StatefulAggregate
	tc    *rdd.TaskContext
	op    string
	state rdd.State
	mark  int64
}

func (r *statefulRun) run(in rdd.Reader, emit func(*column.Batch)) error {
	var rows int64
	err := each(in, func(b *column.Batch) error {
		rows += int64(b.N)
		return r.s.groups.add(b)
	})
	if err != nil {
		return err
	}
	count(r.tc, r.op, RowsIn, rows)
	if r.s.groups.n > 0 {
		if err := r.mergeStored(); err != nil {
			return err
		}
		if err := r.store(); err != nil {
			return err
		}
		if r.s.Mode == connector.Update {
			if err := r.emitChanged(emit); err != nil {
				return err
			}
		}
	}
	switch {
	case r.s.Mode == connector.Complete:
		return r.emitAll(emit)
	case r.s.Window >= 0:
		return r.closeBuckets(emit)
	}
	return nil
}

// bucketOf is the state bucket of group g.
func (s *StatefulAggregate) bucketOf(keys []*column.Vector, g int) int64 {
	if s.Window < 0 {
		return 0
	}
	w := keys[s.Window]
	if !w.IsValid(g) {
		return 0
	}
	return satAdd(w.I64[g], s.Size)
}

// mergeStored fills s.merged with the stored states of the batch's groups, then the batch's own: the order in which the
// rows came, which first() and its like depend on.
func (r *statefulRun) mergeStored() error {
	s, g := r.s, r.s.groups
	resetAll(s.merged, g.n)
	resetBuilders(s.vals)
	s.gids = s.gids[:0]
	keys, hashes := g.keyColumns(), g.hashesOf()
	for i := 0; i < g.n; i++ {
		s.key = column.AppendKey(s.key[:0], keys, i)
		v, ok, err := r.state.Get(s.bucketOf(keys, i), rdd.KeyGroup(hashes[i]), s.key)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := column.DecodeRow(v, s.vals); err != nil {
			return fmt.Errorf("physical: %s: stored state: %w", r.op, err)
		}
		s.gids = append(s.gids, uint32(i))
	}
	if len(s.gids) > 0 {
		if err := mergeAll(s.merged, s.gids, finishBuilders(s.vals)); err != nil {
			return err
		}
	}
	return mergeAll(s.merged, sequence(s.gids[:0], g.n), statesOf(g.accs))
}

// store writes the merged states back.
func (r *statefulRun) store() error {
	s, g := r.s, r.s.groups
	keys, hashes := g.keyColumns(), g.hashesOf()
	states := statesOf(s.merged)
	for i := 0; i < g.n; i++ {
		s.key = column.AppendKey(s.key[:0], keys, i)
		s.value = column.AppendRow(s.value[:0], states, i)
		if err := r.state.Put(s.bucketOf(keys, i), rdd.KeyGroup(hashes[i]), s.key, s.value); err != nil {
			return err
		}
	}
	return nil
}

func (r *statefulRun) emitChanged(emit func(*column.Batch)) error {
	out := &column.Batch{Schema: r.s.Out, N: r.s.groups.n, Cols: r.s.groups.keyColumns()}
	return appendResults(out, r.s.merged, emit)
}

// closeBuckets drops the buckets that the watermark has passed; in append mode they are what is put out.
func (r *statefulRun) closeBuckets(emit func(*column.Batch)) error {
	buckets, err := r.state.Buckets(r.mark)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if r.s.Mode == connector.Append {
			if err := r.emitBucket(b, emit); err != nil {
				return err
			}
		}
		if err := r.state.DropBucket(b); err != nil {
			return err
		}
	}
	return nil
}

func (r *statefulRun) emitAll(emit func(*column.Batch)) error {
	buckets, err := r.state.Buckets(math.MaxInt64)
	if err != nil {
		return err
	}
	if len(buckets) == 0 && len(r.s.Keys) == 0 {
		resetAll(r.s.merged, 1)
		return appendResults(&column.Batch{Schema: r.s.Out, N: 1}, r.s.merged, emit)
	}
	for _, b := range buckets {
		if err := r.emitBucket(b, emit); err != nil {
			return err
		}
	}
	return nil
}

// emitBucket puts out the results of a bucket's groups.
func (r *statefulRun) emitBucket(bucket int64, emit func(*column.Batch)) error {
	s := r.s
	keys := builders(s.State.Fields[:len(s.Keys)])
	resetBuilders(s.vals)
	n := 0
	var failed error
	flush := func() error {
		if n == 0 {
			return nil
		}
		resetAll(s.merged, n)
		if err := mergeAll(s.merged, sequence(s.gids[:0], n), finishBuilders(s.vals)); err != nil {
			return err
		}
		out := &column.Batch{Schema: s.Out, N: n, Cols: finishBuilders(keys)}
		n = 0
		resetBuilders(s.vals)
		return appendResults(out, s.merged, emit)
	}
	err := r.state.Scan(bucket, func(_ int, key, value []byte) bool {
		if failed = decodePair(key, keys, value, s.vals); failed != nil {
			return false
		}
		if n++; n == column.BatchRows {
			failed = flush()
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err == nil {
		err = flush()
	}
	if err != nil {
		return fmt.Errorf("physical: %s: stored state: %w", r.op, err)
	}
	return nil
}
