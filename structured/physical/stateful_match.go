package physical

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/pattern"
)

// StatefulMatch finds row patterns in a stream. Rows wait until the watermark has passed them (Release), and are then looked
// at in order. What a partition's machine knows lies, with the rows that it may still need, in the bucket forever:
//
//	key keys   value version │ alarm uint64 │ rows before uvarint │ rows open uvarint │ AppendRow… │ pattern.AppendState
//
// A partition that nothing is open for is forgotten, unless its rows' neighbours or its counters are asked for (Keep).
type StatefulMatch struct {
	Match
	Release
	Keep bool

	stored *column.BatchBuilder
}

const matchVersion = 1

func (s *StatefulMatch) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := s.Match.open(tc); err != nil {
		return nil, err
	}
	if s.stored == nil {
		s.stored = column.NewBatchBuilder(s.Rows)
	}
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	r := &statefulMatchRun{s: s, tc: tc, op: tc.Op, state: state, mark: closesUpTo(tc)}
	r.rel = &releasing{Release: &s.Release, op: tc.Op, state: state, batch: uint64(tc.Binding.Batch), mark: r.mark}
	return output(tc, in, drain(func(emit func(*column.Batch)) error { return r.run(in[0], emit) }), s.Match.run.forget), nil
}

// statefulMatchRun is one micro-batch.
type statefulMatchRun struct {
	s     *StatefulMatch
	tc    *rdd.TaskContext
	op    string
	state rdd.State
	rel   *releasing
	mark  int64

	keys  []matchKey
	order []int32 // rows of the block, as rows of what is stored and then of what is due
	old   int32   // rows that are stored
}

// matchKey is a partition that the batch looks at.
type matchKey struct {
	dueKey
	found  bool
	value  []byte // its state, from the machine's on
	alarm  int64
	before int
	open   int
	part   matchPart
}

func (r *statefulMatchRun) run(in rdd.Reader, emit func(*column.Batch)) error {
	due, alarms, rows, err := r.rel.run(in)
	if err != nil {
		return err
	}
	count(r.tc, r.op, RowsIn, rows)
	b, err := r.gather(due, alarms)
	if err != nil || len(r.keys) == 0 {
		return err
	}
	k := r.s.Match.run
	parts := make([]matchPart, len(r.keys))
	for i := range r.keys {
		parts[i] = r.keys[i].part
	}
	k.begin(b, parts)
	if err := r.restore(); err != nil {
		return err
	}
	if err := k.find(); err != nil {
		return err
	}
	for _, p := range parts {
		if r.mark == math.MaxInt64 {
			k.search.Finish(p.m)
		} else {
			k.search.Flush(p.m, r.mark)
		}
	}
	if err := k.emit(emit); err != nil {
		return err
	}
	return r.store(b)
}

// gather puts the block together: for each partition the rows that were kept and those that are due.
func (r *statefulMatchRun) gather(due *column.Batch, alarms []dueKey) (*column.Batch, error) {
	s := r.s
	rung := map[string]bool{}
	for _, a := range alarms {
		rung[string(a.key)] = true
	}
	s.stored.Reset()
	keys := make([]*column.Vector, len(s.Match.Keys))
	for i, c := range s.Match.Keys {
		keys[i] = due.Cols[c]
	}
	hashes := column.Hash(nil, keys, due.N)
	type span struct{ from, to int }
	var spans []span
	by, seen := ascending(s.Match.Keys), map[string]bool{}
	for i := 0; i < due.N; {
		from := i
		for i++; i < due.N && column.CompareRows(due, i-1, due, i, by) == 0; i++ {
		}
		key := column.AppendKey(nil, keys, from)
		seen[string(key)] = true
		if err := r.load(dueKey{rdd.KeyGroup(hashes[from]), key}, rung[string(key)]); err != nil {
			return nil, err
		}
		spans = append(spans, span{from, i})
	}
	others := alarms
	if r.mark == math.MaxInt64 {
		var err error
		if others, err = r.all(); err != nil {
			return nil, err
		}
	}
	for _, a := range others {
		if seen[string(a.key)] {
			continue
		}
		if err := r.load(a, rung[string(a.key)]); err != nil {
			return nil, err
		}
		spans = append(spans, span{})
	}
	return r.block(due, func(i int) (from, to int) { return spans[i].from, spans[i].to }), nil
}

// block orders the rows and starts the machines.
func (r *statefulMatchRun) block(due *column.Batch, span func(i int) (from, to int)) *column.Batch {
	old := r.s.stored.Len()
	order := make([]int32, 0, old+due.N)
	at := 0
	for i := range r.keys {
		k := &r.keys[i]
		lo := int32(len(order))
		for range k.before + k.open {
			order = append(order, int32(at))
			at++
		}
		next := int32(len(order))
		from, to := span(i)
		for row := from; row < to; row++ {
			order = append(order, int32(old+row))
		}
		k.part = matchPart{lo: lo, m: &pattern.Machine{From: lo + int32(k.before), Next: next, End: int32(len(order))}}
	}
	if old == 0 {
		return due
	}
	all := column.Concat(r.s.Rows, []*column.Batch{r.s.stored.Finish(), due})
	return column.TakeBatch(nil, all, order)
}

// load reads what is known of a partition; rung says that its alarm has gone off and is no longer set.
func (r *statefulMatchRun) load(d dueKey, rung bool) error {
	k := matchKey{dueKey: d, alarm: noAlarm}
	v, ok, err := r.state.Get(foreverBucket, d.group, d.key)
	if err != nil {
		return err
	}
	if ok {
		if err := r.decode(&k, v); err != nil {
			return err
		}
	}
	if rung {
		k.alarm = noAlarm
	}
	r.keys = append(r.keys, k)
	return nil
}

func (r *statefulMatchRun) decode(k *matchKey, v []byte) error {
	damaged := fmt.Errorf("physical: %s: a stored partition is damaged", r.op)
	if len(v) < 9 {
		return damaged
	}
	if v[0] != matchVersion {
		return fmt.Errorf("physical: %s: version %d of a stored partition is not known to this release", r.op, v[0])
	}
	k.found, k.alarm, v = true, int64(binary.BigEndian.Uint64(v[1:])), v[9:]
	var n [2]int
	for i := range n {
		x, size := binary.Uvarint(v)
		if size <= 0 || x > uint64(len(v)) {
			return damaged
		}
		n[i], v = int(x), v[size:]
	}
	k.before, k.open = n[0], n[1]
	for range k.before + k.open {
		rest, err := column.ConsumeRow(v, r.s.stored.Cols)
		if err != nil {
			return fmt.Errorf("physical: %s: rows of a stored partition: %w", r.op, err)
		}
		v = rest
	}
	k.value = append([]byte(nil), v...)
	return nil
}

// restore gives the machines what they knew.
func (r *statefulMatchRun) restore() error {
	search := &r.s.Match.run.search
	for i := range r.keys {
		k := &r.keys[i]
		if !k.found {
			continue
		}
		_, err := search.RestoreState(k.part.m, k.value)
		if errors.Is(err, pattern.ErrOtherPattern) {
			return usererr.New("STATE_OF_OTHER_PATTERN", "55000", "The state of %s was written for another row pattern.", r.op).
				WithFix("Start the query under another name, or delete its state.")
		}
		if err != nil {
			return fmt.Errorf("physical: %s: %w", r.op, err)
		}
	}
	return nil
}

// all are the partitions that anything is known of.
func (r *statefulMatchRun) all() (keys []dueKey, err error) {
	err = r.state.Scan(foreverBucket, func(group int, key, _ []byte) bool {
		keys = append(keys, dueKey{group, append([]byte(nil), key...)})
		return true
	})
	return keys, err
}

// store keeps what is still needed of each partition.
func (r *statefulMatchRun) store(b *column.Batch) error {
	search := &r.s.Match.run.search
	var value []byte
	for i := range r.keys {
		k := &r.keys[i]
		m := k.part.m
		alarm := r.alarmOf(m)
		if err := r.rel.setAlarm(k.group, k.key, k.alarm, alarm); err != nil {
			return err
		}
		oldest := m.Oldest()
		first := max(k.part.lo, oldest-int32(r.s.Lookback))
		if r.mark == math.MaxInt64 || !m.Open() && !r.s.Keep {
			if k.found {
				if err := r.state.Delete(foreverBucket, k.group, k.key); err != nil {
					return err
				}
			}
			continue
		}
		value = append(value[:0], matchVersion)
		value = binary.BigEndian.AppendUint64(value, uint64(alarm))
		value = binary.AppendUvarint(value, uint64(oldest-first))
		value = binary.AppendUvarint(value, uint64(m.Next-oldest))
		for row := first; row < m.Next; row++ {
			value = column.AppendRow(value, b.Cols, int(row))
		}
		value = search.AppendState(value, m, oldest)
		if err := r.state.Put(foreverBucket, k.group, k.key, value); err != nil {
			return err
		}
	}
	return nil
}

// alarmOf is when the partition must be looked at again without a row: at the watermark that ends an attempt, or a little
// later, so that many partitions share a bucket.
func (r *statefulMatchRun) alarmOf(m *pattern.Machine) int64 {
	due, ok := r.s.Match.run.search.Due(m)
	if !ok || r.mark == math.MaxInt64 {
		return noAlarm
	}
	return r.rel.alarmAt(due - 1)
}
