package physical

import (
	"fmt"
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// StatefulAggregate is the final aggregation of a streaming query. It merges what a micro-batch brings into the states of
// earlier ones and puts out, by output mode: append, the groups whose window the watermark has passed; update, the
// groups that changed; complete, all groups.
//
// A group lives in the state bucket of its window's end, so that what the watermark passes is found in order and dropped
// whole; groups without a window live in bucket 0 for ever. Values that Lists keep lie beside their group.
//
//	bucket  window end (µs)     key  column.AppendKey(keys)                    value  column.AppendRow(states, results of Lists)
//	                            key  see orderedSet, owner number AppendKey(keys)
type StatefulAggregate struct {
	Keys   []int // the input's leading columns
	Aggs   []AggSpec
	Mode   connector.OutputMode
	Window int   // which key is the window's start (or an event time), -1 for none
	Size   int64 // from there to the time at which the group is dropped
	State  *column.Schema
	Out    *column.Schema

	// Changes makes mode update put out the row that a group had, with weight -1 in a last column, and the one that it has,
	// with weight 1; nothing when they are equal. Upserts leaves the old row out unless the group is gone.
	Changes, Upserts bool
	// Counted says that the input are changes: the first of Aggs counts the group's rows and is no result. A group without
	// rows is gone.
	Counted bool
	Lists   []ListSpec
	Weight  int // the column of Lists' weights
	// Hold, in mode update with Changes, keeps a group's first result back until the watermark is Late before its drop.
	Hold bool
	Late int64
	// Full, when not 0, is the number of rows with which a group is complete, and ends; the first of Aggs counts them, as for
	// Counted.
	Full int64

	groups *groups
	merged []expr.Accumulator
	lists  []*listRun
	gids   []uint32
	key    []byte
	value  []byte
	vals   []*column.Builder
	stored []bool // which of the batch's groups have state
}

func (s *StatefulAggregate) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	r := &statefulRun{s: s, tc: tc, op: tc.Op, state: state, mark: closesUpTo(tc), last: closedUpTo(tc)}
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

// closedUpTo is closesUpTo of the batch before.
func closedUpTo(tc *rdd.TaskContext) int64 {
	if tc.Binding != nil {
		if w, ok := tc.Binding.LastWatermarks[tc.Op]; ok {
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
	for i := range s.Lists {
		l, err := newListRun(&s.Lists[i], i)
		if err != nil {
			return err
		}
		s.lists = append(s.lists, l)
	}
	s.vals = builders(s.State.Fields[len(s.Keys):])
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
	last  int64 // mark of the batch before

	old   []*column.Vector // results that the batch's groups had
	fresh []*column.Vector // results of Lists now
}

func (r *statefulRun) run(in rdd.Reader, emit func(*column.Batch)) error {
	if err := r.read(in); err != nil {
		return err
	}
	if r.s.groups.n > 0 {
		if err := r.merge(); err != nil {
			return err
		}
		if err := r.store(); err != nil {
			return err
		}
		switch {
		case r.s.Mode == connector.Update:
			if err := r.emitChanged(emit); err != nil {
				return err
			}
		case r.s.Full > 0 && r.s.Mode == connector.Append:
			if err := r.emitFull(r.s.full(), emit); err != nil {
				return err
			}
		}
	}
	switch {
	case r.s.Mode == connector.Complete:
		return r.emitAll(emit)
	case r.s.Window >= 0:
		return r.closeBuckets(emit)
	case r.s.Full > 0 && r.s.Mode == connector.Append:
		return r.closeAll(emit)
	}
	return nil
}

// read groups the input. The one group of an aggregation without keys is there from the first batch on.
func (r *statefulRun) read(in rdd.Reader) error {
	var rows int64
	err := each(in, func(b *column.Batch) error {
		rows += int64(b.N)
		if err := r.s.groups.add(b); err != nil {
			return err
		}
		for _, l := range r.s.lists {
			l.add(b, r.s.groups.gids, r.s.Weight)
		}
		return nil
	})
	if err != nil {
		return err
	}
	count(r.tc, r.op, RowsIn, rows)
	if r.s.Changes && len(r.s.Keys) == 0 && r.s.groups.n == 0 {
		_, ok, err := r.state.Get(0, 0, nil)
		if err != nil || ok {
			return err
		}
		r.s.groups.one()
	}
	return nil
}

// bucketOf is the state bucket of group g.
func (s *StatefulAggregate) bucketOf(keys []*column.Vector, g int) int64 {
	return bucketOf(keys, s.Window, s.Size, g)
}

func bucketOf(keys []*column.Vector, window int, size int64, g int) int64 {
	if window < 0 || !keys[window].IsValid(g) {
		return 0
	}
	return satAdd(keys[window].I64[g], size)
}

// merge fills s.merged with the stored states of the batch's groups, then the batch's own: the order in which the
// rows came, which first() and its like depend on.
func (r *statefulRun) merge() error {
	s, g := r.s, r.s.groups
	if err := r.load(); err != nil {
		return err
	}
	had := finishBuilders(s.vals)
	fixed := len(had) - len(s.lists)
	if len(s.gids) > 0 {
		if err := mergeAll(s.merged, s.gids, had[:fixed]); err != nil {
			return err
		}
	}
	if s.Changes {
		if err := r.remember(had[fixed:]); err != nil {
			return err
		}
	}
	r.fresh = r.fresh[:0]
	for i, l := range s.lists {
		v, err := r.applyList(l, had[fixed+i])
		if err != nil {
			return err
		}
		r.fresh = append(r.fresh, v)
	}
	return mergeAll(s.merged, sequence(s.gids[:0], g.n), statesOf(g.accs))
}

// load decodes the stored states of the batch's groups; s.gids has the group of each.
func (r *statefulRun) load() error {
	s, g := r.s, r.s.groups
	resetAll(s.merged, g.n)
	resetBuilders(s.vals)
	s.gids = s.gids[:0]
	s.stored = resize(s.stored, g.n)
	keys, hashes := g.keyColumns(), g.hashesOf()
	for i := 0; i < g.n; i++ {
		s.key = column.AppendKey(s.key[:0], keys, i)
		v, ok, err := r.state.Get(s.bucketOf(keys, i), rdd.KeyGroup(hashes[i]), s.key)
		if err != nil {
			return err
		}
		if s.stored[i] = ok; !ok {
			continue
		}
		if err := column.DecodeRow(v, s.vals); err != nil {
			return fmt.Errorf("physical: %s: stored state: %w", r.op, err)
		}
		s.gids = append(s.gids, uint32(i))
	}
	return nil
}

// remember keeps the results of the groups before the batch; lists are the stored results of Lists, a row for each of s.gids.
func (r *statefulRun) remember(lists []*column.Vector) error {
	r.old = r.old[:0]
	for _, a := range r.s.results() {
		v, err := a.Result()
		if err != nil {
			return err
		}
		r.old = append(r.old, v.Clone())
	}
	if len(lists) == 0 {
		return nil
	}
	sel := make([]int32, r.s.groups.n)
	for i := range sel {
		sel[i] = -1
	}
	for at, g := range r.s.gids {
		sel[g] = int32(at)
	}
	for _, v := range lists {
		r.old = append(r.old, column.Take(nil, v, sel).Clone())
	}
	return nil
}

// results are the accumulators that make columns of the output.
func (s *StatefulAggregate) results() []expr.Accumulator {
	if s.Counted {
		return s.merged[1:]
	}
	return s.merged
}

// gone reports which groups have no rows any more; nil when that cannot be.
func (s *StatefulAggregate) gone() []bool {
	if !s.Counted || len(s.Keys) == 0 {
		return nil
	}
	n := s.merged[0].State()[0].I64
	out := make([]bool, len(n))
	for i, x := range n {
		out[i] = x <= 0
	}
	return out
}

// store writes the merged states back.
func (r *statefulRun) store() error {
	s, g := r.s, r.s.groups
	keys, hashes := g.keyColumns(), g.hashesOf()
	states, gone, full := append(statesOf(s.merged), r.fresh...), s.gone(), s.full()
	for i := 0; i < g.n; i++ {
		bucket, group := s.bucketOf(keys, i), rdd.KeyGroup(hashes[i])
		s.key = column.AppendKey(s.key[:0], keys, i)
		if gone != nil && gone[i] || full != nil && full[i] {
			if err := r.forget(bucket, group); err != nil {
				return err
			}
			continue
		}
		s.value = column.AppendRow(s.value[:0], states, i)
		if err := r.state.Put(bucket, group, s.key, s.value); err != nil {
			return err
		}
	}
	return nil
}

// forget drops the group of s.key, which has no rows left.
func (r *statefulRun) forget(bucket int64, group int) error {
	for _, l := range r.s.lists {
		if err := l.drop(r.state, bucket, group, r.s.key); err != nil {
			return err
		}
	}
	return r.state.Delete(bucket, group, r.s.key)
}

// closeBuckets drops the buckets that the watermark has passed; in append mode they are what is put out.
func (r *statefulRun) closeBuckets(emit func(*column.Batch)) error {
	if r.s.Hold {
		if err := r.emitOnTime(emit); err != nil {
			return err
		}
	}
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
		return r.emitEmpty(emit)
	}
	for _, b := range buckets {
		if err := r.emitBucket(b, emit); err != nil {
			return err
		}
	}
	return nil
}

// emitEmpty puts out the one group of no rows.
func (r *statefulRun) emitEmpty(emit func(*column.Batch)) error {
	s := r.s
	resetAll(s.merged, 1)
	out := &column.Batch{Schema: s.Out, N: 1}
	lists := make([]*column.Vector, len(s.lists))
	for i, l := range s.lists {
		v, err := l.empty(1)
		if err != nil {
			return err
		}
		lists[i] = v
	}
	return r.emitResults(out, lists, emit)
}

// emitBucket puts out the results of a bucket's groups.
func (r *statefulRun) emitBucket(bucket int64, emit func(*column.Batch)) error {
	s := r.s
	keys := builders(s.State.Fields[:len(s.Keys)])
	resetBuilders(s.vals)
	n := 0
	flush := func() error {
		if n == 0 {
			return nil
		}
		out := &column.Batch{Schema: s.Out, N: n, Cols: finishBuilders(keys)}
		had := finishBuilders(s.vals)
		fixed := len(had) - len(s.lists)
		resetAll(s.merged, n)
		if err := mergeAll(s.merged, sequence(s.gids[:0], n), had[:fixed]); err != nil {
			return err
		}
		n = 0
		err := r.emitResults(out, had[fixed:], emit)
		resetBuilders(s.vals)
		return err
	}
	var failed error
	err := r.state.Scan(bucket, func(_ int, key, value []byte) bool {
		if _, _, in := inSet(key); in {
			return true
		}
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

// emitResults adds the results of the groups in s.merged and of Lists to the keys in out.
func (r *statefulRun) emitResults(out *column.Batch, lists []*column.Vector, emit func(*column.Batch)) error {
	for _, a := range r.s.results() {
		v, err := a.Result()
		if err != nil {
			return err
		}
		out.Cols = append(out.Cols, v)
	}
	out.Cols = append(out.Cols, lists...)
	if r.s.Changes {
		out.Cols = append(out.Cols, inserted(out.N))
	}
	emit(out.Clone())
	return nil
}
