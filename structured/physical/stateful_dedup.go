package physical

import (
	"encoding/binary"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// StatefulDedup passes the first row of each combination of Keys over the whole life of a streaming query.
//
// With the event time among the keys, a key is forgotten once the watermark has passed its time: what comes later is
// late. Otherwise, with Within, a key is forgotten Within microseconds after the event time of its first row; whether a
// row still finds it is decided by the row's own watermark (column Mark), not by when the batch ran. Without either the
// keys are kept for ever.
//
//	event time is a key   bucket event time                                 key keys   value empty
//	within                bucket forever                                    key keys   value expiry
//	                      bucket expiry                                     key keys   value empty
//	neither               bucket forever                                    key keys   value empty
type StatefulDedup struct {
	Keys   []int
	Time   int // event time column, or -1 when keys are kept for ever
	Within int64
	Mark   int   // _watermark column, or -1; only with Within
	Keep   []int // columns of the output
	Out    *column.Schema

	seen *seen
	key  []byte
	sel  []int32
	kept *column.Batch
	out  *column.Batch
}

// foreverBucket holds keys that are not found by event time. No event time is that early.
const foreverBucket = -1 << 63

func (d *StatefulDedup) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	if d.seen == nil {
		d.seen = &seen{cols: d.Keys}
	}
	r := &statefulDedupRun{d: d, tc: tc, op: tc.Op, state: state}
	done, mark := false, closesUpTo(tc)
	next := func() (*column.Batch, error) {
		for !done {
			b, err := in[0].Next()
			if err != nil {
				if err != errEnd {
					return nil, err
				}
				done = true
				break
			}
			if b.N == 0 {
				continue
			}
			if b, err = r.pass(b); err != nil || b.N > 0 {
				return b, err
			}
		}
		if err := r.forget(mark); err != nil {
			return nil, err
		}
		return nil, errEnd
	}
	return output(tc, in, next, nil), nil
}

type statefulDedupRun struct {
	d     *StatefulDedup
	tc    *rdd.TaskContext
	op    string
	state rdd.State
}

func (r *statefulDedupRun) pass(b *column.Batch) (*column.Batch, error) {
	d := r.d
	count(r.tc, r.op, RowsIn, int64(b.N))
	d.seen.hash(b)
	d.sel = d.sel[:0]
	for i := 0; i < b.N; i++ {
		d.key = column.AppendKey(d.key[:0], d.seen.keys, i)
		fresh, err := r.admit(b, i, rdd.KeyGroup(d.seen.hashes[i]))
		if err != nil {
			return nil, err
		}
		if fresh {
			d.sel = append(d.sel, int32(i))
		}
	}
	d.kept = pick(d.kept, b, d.Keep)
	d.out = column.TakeBatch(d.out, d.kept, d.sel)
	return d.out, nil
}

// admit reports whether row i is the first of its key, and remembers the key.
func (r *statefulDedupRun) admit(b *column.Batch, i, group int) (bool, error) {
	d := r.d
	if d.Within > 0 {
		return r.admitWithin(b, i, group)
	}
	bucket := int64(foreverBucket)
	if d.Time >= 0 && b.Cols[d.Time].IsValid(i) {
		bucket = b.Cols[d.Time].I64[i]
	}
	_, ok, err := r.state.Get(bucket, group, d.key)
	if err != nil || ok {
		return false, err
	}
	return true, r.state.Put(bucket, group, d.key, nil)
}

func (r *statefulDedupRun) admitWithin(b *column.Batch, i, group int) (bool, error) {
	d := r.d
	v, ok, err := r.state.Get(foreverBucket, group, d.key)
	if err != nil {
		return false, err
	}
	if ok {
		expiry := int64(binary.BigEndian.Uint64(v))
		if expiry > b.Cols[d.Mark].I64[i] {
			return false, nil
		}
		if err := r.state.Delete(expiry, group, d.key); err != nil {
			return false, err
		}
	}
	expiry := satAdd(b.Cols[d.Time].I64[i], d.Within)
	if err := r.state.Put(foreverBucket, group, d.key, binary.BigEndian.AppendUint64(nil, uint64(expiry))); err != nil {
		return false, err
	}
	return true, r.state.Put(expiry, group, d.key, nil)
}

// forget drops the keys that the watermark has passed.
func (r *statefulDedupRun) forget(mark int64) error {
	if r.d.Time < 0 {
		return nil
	}
	buckets, err := r.state.Buckets(mark)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if b == foreverBucket {
			continue
		}
		if r.d.Within > 0 {
			if err := r.forgetKeys(b); err != nil {
				return err
			}
		}
		if err := r.state.DropBucket(b); err != nil {
			return err
		}
	}
	return nil
}

// forgetKeys removes the entries of keys that expire with the bucket.
func (r *statefulDedupRun) forgetKeys(bucket int64) error {
	var due []dueKey
	err := r.state.Scan(bucket, func(group int, key, _ []byte) bool {
		due = append(due, dueKey{group, slices.Clone(key)})
		return true
	})
	if err != nil {
		return err
	}
	for _, k := range due {
		if err := r.state.Delete(foreverBucket, k.group, k.key); err != nil {
			return err
		}
	}
	return nil
}
