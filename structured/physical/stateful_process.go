package physical

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/process"
)

// StatefulProcess gives the rows of a stream to a registered function. With an event time rows wait until the watermark has
// passed them (Release). What is kept of a key lies in the bucket forever:
//
//	key keys   value version │ alarm uint64 │ processing alarm uint64 │ process.Entry
type StatefulProcess struct {
	Process
	Release

	key []*column.Builder // a key whose alarm has gone off
}

const processVersion = 1

func (s *StatefulProcess) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := s.Process.open(); err != nil {
		return nil, err
	}
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	r := &statefulProcessRun{processRun: newProcessRun(&s.Process, tc), s: s, state: state, mark: closesUpTo(tc)}
	r.ended = r.mark == math.MaxInt64
	if s.Process.Time < 0 {
		r.mark = r.wall
	}
	r.rel = &releasing{Release: &s.Release, op: tc.Op, state: state, batch: uint64(tc.Binding.Batch), mark: r.mark, now: r.wall}
	return output(tc, in, drain(func(emit func(*column.Batch)) error { return r.batch(in, emit) }), nil), nil
}

// statefulProcessRun is one micro-batch.
type statefulProcessRun struct {
	*processRun
	s     *StatefulProcess
	state rdd.State
	rel   *releasing
	mark  int64
	ended bool // nothing follows

	found  bool // the key in hand is stored
	alarms [2]int64
	value  []byte

	sharedMoved bool // the broadcast side is to be stored
}

func (r *statefulProcessRun) batch(in []rdd.Reader, emit func(*column.Batch)) error {
	if err := r.openShared(in); err != nil {
		return err
	}
	if err := r.fill(); err != nil {
		return err
	}
	due, alarms, rows, err := r.rel.run(in[0])
	if err != nil {
		return err
	}
	count(r.tc, r.tc.Op, RowsIn, rows)
	rung := map[string]dueKey{}
	for _, a := range alarms {
		rung[string(a.key)] = a
	}
	if r.ended {
		if alarms, err = r.all(); err != nil {
			return err
		}
	}
	if due.N > 0 {
		if err := r.rows(due, rung, emit); err != nil {
			return err
		}
	}
	for _, a := range alarms {
		if err := r.alarm(a, rung, emit); err != nil {
			return err
		}
	}
	r.flush(emit, 1)
	if err := r.closeShared(); err != nil {
		return err
	}
	if err := r.wake(); err != nil {
		return err
	}
	return r.sides.flush()
}

// rows handles the rows that are due, key by key. Keys that were looked at are taken out of rung.
func (r *statefulProcessRun) rows(due *column.Batch, rung map[string]dueKey, emit func(*column.Batch)) error {
	r.take(due)
	by := ascending(r.f.Keys)
	hashes := column.Hash(nil, r.keys, due.N)
	for i := 0; i < due.N; {
		key := dueKey{rdd.KeyGroup(hashes[i]), column.AppendKey(nil, r.keys, i)}
		if err := r.load(r.keys, i, key, rung); err != nil {
			return err
		}
		from := i
		for ; i < due.N && (i == from || column.CompareRows(due, i-1, due, i, by) == 0); i++ {
			if err := r.row(i); err != nil {
				return err
			}
			r.flush(emit, column.BatchRows)
		}
		if err := r.store(key); err != nil {
			return err
		}
		rung[string(key.key)] = dueKey{group: -1}
	}
	return nil
}

// alarm looks at a key that has no row.
func (r *statefulProcessRun) alarm(a dueKey, rung map[string]dueKey, emit func(*column.Batch)) error {
	if k, ok := rung[string(a.key)]; ok && k.group < 0 {
		return nil
	}
	resetBuilders(r.s.key)
	if r.s.key == nil {
		for _, c := range r.f.Keys {
			r.s.key = append(r.s.key, column.NewBuilder(r.s.Rows.Fields[c].Type))
		}
	}
	if err := column.DecodeKey(a.key, r.s.key); err != nil {
		return fmt.Errorf("physical: %s: a stored key: %w", r.tc.Op, err)
	}
	if err := r.load(finishBuilders(r.s.key), 0, a, rung); err != nil {
		return err
	}
	err := r.store(a)
	rung[string(a.key)] = dueKey{group: -1}
	r.flush(emit, column.BatchRows)
	return err
}

// load takes up a key with what is stored of it.
func (r *statefulProcessRun) load(keys []*column.Vector, i int, key dueKey, rung map[string]dueKey) error {
	v, ok, err := r.state.Get(foreverBucket, key.group, key.key)
	if err != nil {
		return err
	}
	r.found, r.alarms = ok, [2]int64{noAlarm, noAlarm}
	if !ok {
		return r.begin(keys, i, nil)
	}
	if len(v) < 17 {
		return fmt.Errorf("physical: %s: a stored key is damaged", r.tc.Op)
	}
	if v[0] != processVersion {
		return fmt.Errorf("physical: %s: version %d of a stored key is not known to this release", r.tc.Op, v[0])
	}
	for k := range r.alarms {
		r.alarms[k] = int64(binary.BigEndian.Uint64(v[1+8*k:]))
	}
	if _, ok := rung[string(key.key)]; ok {
		r.forgetRung()
	}
	return r.begin(keys, i, v[17:])
}

// forgetRung forgets the alarms that have gone off with this batch.
func (r *statefulProcessRun) forgetRung() {
	if a := r.alarms[0]; a != noAlarm && a <= r.mark {
		r.alarms[0] = noAlarm
	}
	if a := r.alarms[1]; a != noAlarm && a <= processingBase+r.wall {
		r.alarms[1] = noAlarm
	}
}

// store lets timers go off and keeps what is left of the key in hand.
func (r *statefulProcessRun) store(key dueKey) error {
	if r.ended {
		if err := r.end(); err != nil {
			return err
		}
		return r.drop(key)
	}
	if r.s.Process.Time >= 0 {
		if err := r.timers(process.EventTime, r.mark); err != nil {
			return err
		}
	}
	if err := r.timers(process.ProcessingTime, r.wall); err != nil {
		return err
	}
	return r.keep(key)
}

// keep keeps what there is of the key in hand.
func (r *statefulProcessRun) keep(key dueKey) error {
	e := r.f.run.Entry()
	e.At(r.mark)
	if e.Empty() {
		return r.drop(key)
	}
	next := [2]int64{r.alarmOf(e), noAlarm}
	if t := e.Next(process.ProcessingTime); t != process.Never {
		next[1] = processingBase + r.rel.alarmAt(t)
	}
	if err := r.move(key, next); err != nil {
		return err
	}
	r.value = append(r.value[:0], processVersion)
	for _, a := range next {
		r.value = binary.BigEndian.AppendUint64(r.value, uint64(a))
	}
	var err error
	if r.value, err = e.Append(r.value); err != nil {
		return r.failed(err)
	}
	return r.state.Put(foreverBucket, key.group, key.key, r.value)
}

// alarmOf is when the key must be looked at again for a timer of event time or for state that is to be forgotten.
func (r *statefulProcessRun) alarmOf(e *process.Entry) int64 {
	at := e.Next(process.EventTime)
	if r.s.Process.Time < 0 {
		at = process.Never
	}
	if x := e.Expiry(); x != process.Never && (at == process.Never || x < at) {
		at = x
	}
	if at == process.Never {
		return noAlarm
	}
	return r.rel.alarmAt(at)
}

// wake asks for a batch when the first timer of processing time is due.
func (r *statefulProcessRun) wake() error {
	buckets, err := r.state.Buckets(processingEnd)
	if err != nil || r.tc.Report == nil {
		return err
	}
	for _, b := range buckets {
		if b >= processingBase {
			r.tc.Report(r.tc.Op, WakeKey, binary.BigEndian.AppendUint64(nil, uint64(b-processingBase)))
			break
		}
	}
	return nil
}

func (r *statefulProcessRun) move(key dueKey, to [2]int64) error {
	for k, from := range r.alarms {
		if err := r.rel.setAlarm(key.group, key.key, from, to[k]); err != nil {
			return err
		}
	}
	return nil
}

func (r *statefulProcessRun) drop(key dueKey) error {
	if err := r.move(key, [2]int64{noAlarm, noAlarm}); err != nil || !r.found {
		return err
	}
	return r.state.Delete(foreverBucket, key.group, key.key)
}

// all are the keys that anything is stored of.
func (r *statefulProcessRun) all() (keys []dueKey, err error) {
	err = r.state.Scan(foreverBucket, func(group int, key, _ []byte) bool {
		keys = append(keys, dueKey{group, slices.Clone(key)})
		return true
	})
	return keys, err
}

// WakeKey is the report key under which an operator asks for a batch at a time though no row comes: 8 bytes, big endian,
// microseconds of processing time.
const WakeKey = "wake"
