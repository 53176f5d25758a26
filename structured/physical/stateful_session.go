package physical

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// StatefulSession is the final session aggregation of a streaming query. It merges a micro-batch's sessions, sorted by
// keys and start, into those that are open, and puts out the sessions whose end the watermark has passed (append), those that
// are new or changed, and with weight -1 what they were or were merged from (update), or all (complete).
//
// A key's open sessions are one entry of a bucket of their own; an entry in the bucket of each session's end says when to
// look at the key again:
//
//	bucket openSessions   key keys   value {end uint64 │ AppendRow(start, end, states)}…
//	bucket end (µs)       key keys   value empty
type StatefulSession struct {
	Keys  int // leading columns of State
	Aggs  []AggSpec
	Mode  connector.OutputMode
	Late  int64          // how long after its end a session still takes rows that touch it
	State *column.Schema // keys, start, end, states
	Out   *column.Schema

	merge *sessions
	keys  []*column.Builder
	rows  *column.BatchBuilder
	key   []byte
	value []byte
}

// openSessions is the bucket of the sessions themselves; no window ends then.
const openSessions = math.MaxInt64

func (s *StatefulSession) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	r := &sessionRun{s: s, tc: tc, op: tc.Op, state: state, mark: behind(closesUpTo(tc), s.Late)}
	return output(tc, in, drain(func(emit func(*column.Batch)) error { return r.run(in[0], emit) }), nil), nil
}

func (s *StatefulSession) prepare() error {
	if s.merge != nil {
		return nil
	}
	keys := make([]int, s.Keys)
	for i := range keys {
		keys[i] = i
	}
	m, err := newSessions(&SessionAggregate{Keys: keys, Start: s.Keys, End: s.Keys + 1, Aggs: mergeSpecs(s.Aggs, s.Keys+2),
		State: s.State, Out: s.State})
	s.merge = m
	s.keys = builders(s.State.Fields[:s.Keys])
	s.rows = column.NewBatchBuilder(s.State)
	return err
}

// sessionRun is one micro-batch of a StatefulSession.
type sessionRun struct {
	s     *StatefulSession
	tc    *rdd.TaskContext
	op    string
	state rdd.State
	mark  int64
}

func (r *sessionRun) run(in rdd.Reader, emit func(*column.Batch)) error {
	var fresh []*column.Batch
	var rows int64
	err := each(in, func(b *column.Batch) error {
		rows += int64(b.N)
		fresh = append(fresh, b.Clone())
		return nil
	})
	if err != nil {
		return err
	}
	count(r.tc, r.op, RowsIn, rows)
	if len(fresh) > 0 {
		if err := r.absorb(column.Concat(r.s.State, fresh), emit); err != nil {
			return err
		}
	}
	if r.s.Mode == connector.Complete {
		return r.emitAll(emit)
	}
	return r.close(emit)
}

// absorb merges new sessions with the open ones of their keys.
func (r *sessionRun) absorb(fresh *column.Batch, emit func(*column.Batch)) error {
	s := r.s
	s.rows.Reset()
	before := map[string][]int64{}
	hashes := r.hashes(fresh)
	for i := 0; i < fresh.N; i++ {
		s.key = column.AppendKey(s.key[:0], fresh.Cols[:s.Keys], i)
		if _, done := before[string(s.key)]; done {
			continue
		}
		ends, err := r.load(s.key, rdd.KeyGroup(hashes[i]))
		if err != nil {
			return err
		}
		before[string(s.key)] = ends
	}
	had := s.rows.Finish().Clone()
	all := column.Concat(s.State, []*column.Batch{had, fresh})
	all = column.TakeBatch(nil, all, column.SortIndices(all, sessionOrder(s.Keys)))
	if err := s.merge.add(all); err != nil {
		return err
	}
	merged, err := s.merge.take(true)
	if err != nil || merged == nil {
		return err
	}
	if err := r.store(merged, before); err != nil {
		return err
	}
	if s.Mode == connector.Update {
		return r.emitChanged(had, merged, emit)
	}
	return nil
}

// emitChanged puts out how the sessions of the batch's keys differ from what they were.
func (r *sessionRun) emitChanged(had, merged *column.Batch, emit func(*column.Batch)) error {
	s := r.s
	old, err := r.results(had)
	if err != nil {
		return err
	}
	old = old.Clone()
	now, err := r.results(merged)
	if err != nil {
		return err
	}
	at := map[string]int32{} // of old, by keys and start
	for i := range old.N {
		s.key = column.AppendKey(s.key[:0], old.Cols[:s.Keys+1], i)
		at[string(s.key)] = int32(i)
	}
	var sel []int32
	var weights []int64
	same := make([]bool, old.N)
	for i := range now.N {
		s.key = column.AppendKey(s.key[:0], now.Cols[:s.Keys+1], i)
		if j, ok := at[string(s.key)]; ok && equalBetween(old.Cols, int(j), now.Cols, i) {
			same[j] = true
			continue
		}
		sel, weights = append(sel, int32(old.N+i)), append(weights, 1)
	}
	for j, is := range same {
		if !is {
			sel, weights = append(sel, int32(j)), append(weights, -1)
		}
	}
	if len(sel) > 0 {
		inner := &column.Schema{Fields: s.Out.Fields[:len(s.Out.Fields)-1]}
		out := column.TakeBatch(nil, column.Concat(inner, []*column.Batch{old, now}), sel).Clone()
		emit(&column.Batch{Schema: s.Out, N: len(sel), Cols: append(out.Cols, &column.Vector{Type: bigint, N: len(sel), I64: weights})})
	}
	return nil
}

// results are sessions with the results of their aggregates.
func (r *sessionRun) results(b *column.Batch) (*column.Batch, error) {
	s := r.s
	accs := s.merge.accs
	resetAll(accs, b.N)
	defer resetAll(accs, 0)
	if b.N > 0 {
		if err := mergeAll(accs, sequence(nil, b.N), b.Cols[s.Keys+2:]); err != nil {
			return nil, err
		}
	}
	out := &column.Batch{Schema: s.Out, N: b.N, Cols: append([]*column.Vector{}, b.Cols[:s.Keys+2]...)}
	for _, a := range accs {
		v, err := a.Result()
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, v.Clone())
	}
	return out, nil
}

// sessionOrder sorts by the leading keys, then by start.
func sessionOrder(keys int) []column.SortKey {
	order := make([]column.SortKey, keys+1)
	for i := range order {
		order[i].Col = i
	}
	return order
}

func (r *sessionRun) hashes(b *column.Batch) []uint64 {
	return column.Hash(nil, b.Cols[:r.s.Keys], b.N)
}

// load appends a key's open sessions to s.rows and returns their ends.
func (r *sessionRun) load(key []byte, keyGroup int) ([]int64, error) {
	v, ok, err := r.state.Get(openSessions, keyGroup, key)
	if err != nil || !ok {
		return nil, err
	}
	ends, _, err := r.decode(key, v, func(int64) bool { return true })
	return ends, err
}

// decode appends the sessions of a state entry that take accepts, by their end, to s.rows. It returns their ends and
// what is left of the entry without them.
func (r *sessionRun) decode(key, value []byte, take func(end int64) bool) (ends []int64, left []byte, err error) {
	s := r.s
	for len(value) > 0 {
		if len(value) < 8 {
			return nil, nil, fmt.Errorf("physical: %s: stored sessions are cut short", r.op)
		}
		n, end := s.rows.Len(), int64(binary.BigEndian.Uint64(value))
		rest, err := column.ConsumeRow(value[8:], s.rows.Cols[s.Keys:])
		if err == nil {
			err = column.DecodeKey(key, s.rows.Cols[:s.Keys])
		}
		if err != nil {
			return nil, nil, fmt.Errorf("physical: %s: stored sessions: %w", r.op, err)
		}
		if take(end) {
			ends = append(ends, end)
		} else {
			s.rows.Truncate(n)
			left = append(left, value[:len(value)-len(rest)]...)
		}
		value = rest
	}
	return ends, left, nil
}

// store writes the merged sessions back, key by key, and brings the entries by end up to date.
func (r *sessionRun) store(merged *column.Batch, before map[string][]int64) error {
	s := r.s
	hashes := r.hashes(merged)
	ends := merged.Cols[s.Keys+1].I64
	for i := 0; i < merged.N; {
		s.key = column.AppendKey(s.key[:0], merged.Cols[:s.Keys], i)
		s.value = s.value[:0]
		group, from := rdd.KeyGroup(hashes[i]), i
		for i < merged.N && (i == from || sameRow(merged, from, i, s.Keys)) {
			s.value = binary.BigEndian.AppendUint64(s.value, uint64(ends[i]))
			s.value = column.AppendRow(s.value, merged.Cols[s.Keys:], i)
			i++
		}
		if err := r.reindex(before[string(s.key)], ends[from:i], group); err != nil {
			return err
		}
		if err := r.state.Put(openSessions, group, s.key, s.value); err != nil {
			return err
		}
	}
	return nil
}

func (r *sessionRun) reindex(before, after []int64, group int) error {
	for _, e := range before {
		if !slices.Contains(after, e) {
			if err := r.state.Delete(e, group, r.s.key); err != nil {
				return err
			}
		}
	}
	for _, e := range after {
		if !slices.Contains(before, e) {
			if err := r.state.Put(e, group, r.s.key, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func sameRow(b *column.Batch, i, j, keys int) bool {
	for _, v := range b.Cols[:keys] {
		if column.CompareValues(v, i, v, j) != 0 {
			return false
		}
	}
	return true
}

// dueKey is a key with a session that may be closed.
type dueKey struct {
	group int
	key   []byte
}

// close puts out and forgets the sessions that end at or before the watermark.
func (r *sessionRun) close(emit func(*column.Batch)) error {
	buckets, err := r.state.Buckets(min(r.mark, openSessions-1))
	if err != nil {
		return err
	}
	for _, b := range buckets {
		var due []dueKey
		err := r.state.Scan(b, func(group int, key, _ []byte) bool {
			due = append(due, dueKey{group, slices.Clone(key)})
			return true
		})
		if err != nil {
			return err
		}
		r.s.rows.Reset()
		for _, d := range due {
			if err := r.closeKey(d); err != nil {
				return err
			}
		}
		if r.s.Mode == connector.Append {
			if err := r.emit(emit); err != nil {
				return err
			}
		}
		if err := r.state.DropBucket(b); err != nil {
			return err
		}
	}
	return nil
}

// closeKey moves the sessions of a key that have ended to s.rows and writes the others back.
func (r *sessionRun) closeKey(d dueKey) error {
	v, ok, err := r.state.Get(openSessions, d.group, d.key)
	if err != nil || !ok {
		return err
	}
	_, left, err := r.decode(d.key, v, func(end int64) bool { return end <= r.mark })
	if err != nil {
		return err
	}
	if len(left) == 0 {
		return r.state.Delete(openSessions, d.group, d.key)
	}
	return r.state.Put(openSessions, d.group, d.key, left)
}

// emit puts out the results of the sessions in s.rows.
func (r *sessionRun) emit(emit func(*column.Batch)) error {
	s := r.s
	if s.rows.Len() == 0 {
		return nil
	}
	out, err := r.results(s.rows.Finish())
	if err != nil {
		return err
	}
	emit(out.Clone())
	return nil
}

func (r *sessionRun) emitAll(emit func(*column.Batch)) error {
	r.s.rows.Reset()
	var failed error
	err := r.state.Scan(openSessions, func(_ int, key, value []byte) bool {
		_, _, failed = r.decode(key, value, func(int64) bool { return true })
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return r.emit(emit)
}
