package physical

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Release holds a stream's rows back until the watermark has passed their event time, and then gives them out in the order of
// Sort: what comes out, and in which order for each key, depends on the log alone, not on how it was cut into batches.
//
// Rows that wait lie in buckets of Grain microseconds of event time, one entry for the rows of a key that one batch brought.
// Beside them lie the alarms of keys, at the time at which the operator wants to see a key again:
//
//	bucket event time, rounded down to Grain   key 'r' key keys, batch uint64   value version, {time uint64 │ AppendRow}…
//	bucket alarm                               key 'a' key keys                 value version
//	bucket processingBase + alarm              key 'a' key keys                 value version
//
// Alarms of the last kind are of processing time. Without an event time (Time is -1) no row waits, and alarms go off by
// processing time.
type Release struct {
	Keys  []int // columns that make a row's key
	Time  int   // event time, never null; -1 when rows are taken as they come
	Sort  []column.SortKey
	Grain int64
	Rows  *column.Schema
}

const (
	releaseVersion = 1
	rowsEntry      = 'r'
	alarmEntry     = 'a'
)

// releaseGrain is a grain for a watermark's delay: some sixteen buckets wait at a time.
func releaseGrain(delay int64) int64 {
	return min(max(delay/16, 1000), 10_000_000)
}

// releasing is one micro-batch of a Release.
type releasing struct {
	*Release
	op    string
	state rdd.State
	batch uint64
	mark  int64
	now   int64 // processing time
}

// Buckets of processing time lie far below all event times.
const (
	processingBase = -1 << 62
	processingEnd  = -1 << 60
)

// run reads the batch's input and returns the rows that are due, sorted, and the keys whose alarm the watermark has passed.
// What is not due is kept.
func (r *releasing) run(in rdd.Reader) (due *column.Batch, alarms []dueKey, rows int64, err error) {
	stored := column.NewBatchBuilder(r.Rows)
	if alarms, err = r.collect(stored); err != nil {
		return nil, nil, 0, err
	}
	var list []*column.Batch
	if stored.Len() > 0 {
		list = append(list, stored.Finish())
	}
	var sel, keep []int32
	err = each(in, func(b *column.Batch) error {
		rows += int64(b.N)
		if r.Time < 0 {
			list = append(list, b.Clone())
			return nil
		}
		sel, keep = sel[:0], keep[:0]
		for i, t := range column.Expand(b.Cols[r.Time], b.N).I64[:b.N] {
			if t <= r.mark {
				sel = append(sel, int32(i))
			} else {
				keep = append(keep, int32(i))
			}
		}
		if len(sel) > 0 {
			list = append(list, column.TakeBatch(nil, b, sel).Clone())
		}
		if len(keep) == 0 {
			return nil
		}
		return r.hold(column.TakeBatch(nil, b, keep))
	})
	if err != nil {
		return nil, nil, 0, err
	}
	if len(list) == 0 {
		return column.NewBatchBuilder(r.Rows).Finish(), alarms, rows, nil
	}
	all := column.Concat(r.Rows, list)
	return column.TakeBatch(nil, all, column.SortIndices(all, r.Sort)), alarms, rows, nil
}

// hold keeps rows that are not due.
func (r *releasing) hold(b *column.Batch) error {
	keys := make([]*column.Vector, len(r.Keys))
	for i, c := range r.Keys {
		keys[i] = b.Cols[c]
	}
	hashes := column.Hash(nil, keys, b.N)
	type place struct {
		bucket int64
		key    string
	}
	type entry struct {
		place
		group int
		value []byte
	}
	at := map[place]int{}
	var entries []entry
	var key []byte
	for i := range b.N {
		key = column.AppendKey(append(key[:0], rowsEntry), keys, i)
		p := place{r.bucketOf(b.Cols[r.Time].I64[i]), string(key)}
		n, ok := at[p]
		if !ok {
			n = len(entries)
			at[p] = n
			entries = append(entries, entry{place: p, group: rdd.KeyGroup(hashes[i])})
		}
		entries[n].value = binary.BigEndian.AppendUint64(entries[n].value, uint64(b.Cols[r.Time].I64[i]))
		entries[n].value = column.AppendRow(entries[n].value, b.Cols, i)
	}
	for _, e := range entries {
		key = binary.BigEndian.AppendUint64(append(key[:0], e.key...), r.batch)
		value := []byte{releaseVersion}
		old, ok, err := r.state.Get(e.bucket, e.group, key)
		if err != nil {
			return err
		}
		if ok {
			value = slices.Clone(old)
		}
		if err := r.state.Put(e.bucket, e.group, key, append(value, e.value...)); err != nil {
			return err
		}
	}
	return nil
}

// alarmAt is the bucket of an alarm: its time or a little later, so that many keys share a bucket.
func (r *releasing) alarmAt(t int64) int64 {
	at := r.bucketOf(t)
	if at == t {
		return at
	}
	if at > math.MaxInt64-r.Grain {
		return math.MaxInt64
	}
	return at + r.Grain
}

func (r *releasing) bucketOf(t int64) int64 {
	q := t / r.Grain
	if t < 0 && t%r.Grain != 0 {
		q--
	}
	return max(q*r.Grain, math.MinInt64+1)
}

// collect takes what is due out of the state.
func (r *releasing) collect(rows *column.BatchBuilder) (alarms []dueKey, err error) {
	buckets, err := r.state.Buckets(max(r.mark, processingBase+r.now))
	if err != nil {
		return nil, err
	}
	for _, b := range buckets {
		if b == foreverBucket || b == sharedBucket || b < processingEnd && b > processingBase+r.now || b >= processingEnd && b > r.mark {
			continue
		}
		due, err := r.bucket(b, rows)
		if err != nil {
			return nil, err
		}
		alarms = append(alarms, due...)
	}
	return alarms, nil
}

// change is an entry of a bucket that has lost rows.
type change struct {
	dueKey
	left []byte // nil to delete it
}

func (r *releasing) bucket(bucket int64, rows *column.BatchBuilder) (alarms []dueKey, err error) {
	whole := bucket < processingEnd || bucket > math.MaxInt64-r.Grain || bucket+r.Grain-1 <= r.mark
	var changes []change
	var failed error
	err = r.state.Scan(bucket, func(group int, key, value []byte) bool {
		if failed = checkEntry(r.op, key, value); failed != nil {
			return false
		}
		if key[0] == alarmEntry {
			alarms = append(alarms, dueKey{group, slices.Clone(key[1:])})
			changes = append(changes, change{dueKey: dueKey{group, slices.Clone(key)}})
			return true
		}
		left, some, err := r.decode(value[1:], rows, whole)
		if err != nil {
			failed = err
			return false
		}
		if some {
			changes = append(changes, change{dueKey{group, slices.Clone(key)}, left})
		}
		return true
	})
	if err == nil {
		err = failed
	}
	if err != nil || len(changes) == 0 {
		return alarms, err
	}
	if whole {
		return alarms, r.state.DropBucket(bucket)
	}
	for _, c := range changes {
		if c.left == nil {
			err = r.state.Delete(bucket, c.group, c.key)
		} else {
			err = r.state.Put(bucket, c.group, c.key, c.left)
		}
		if err != nil {
			return nil, err
		}
	}
	return alarms, nil
}

func checkEntry(op string, key, value []byte) error {
	if len(key) == 0 || len(value) == 0 || key[0] != rowsEntry && key[0] != alarmEntry {
		return fmt.Errorf("physical: %s: stored rows are damaged", op)
	}
	if value[0] != releaseVersion {
		return fmt.Errorf("physical: %s: version %d of stored rows is not known to this release", op, value[0])
	}
	return nil
}

// decode adds the due rows of an entry to rows; left is what remains of the entry, nil when nothing does.
func (r *releasing) decode(value []byte, rows *column.BatchBuilder, whole bool) (left []byte, some bool, err error) {
	for len(value) > 0 {
		if len(value) < 8 {
			return nil, false, fmt.Errorf("physical: %s: stored rows are cut short", r.op)
		}
		n, at := rows.Len(), int64(binary.BigEndian.Uint64(value))
		rest, err := column.ConsumeRow(value[8:], rows.Cols)
		if err != nil {
			return nil, false, fmt.Errorf("physical: %s: stored rows: %w", r.op, err)
		}
		if !whole && at > r.mark {
			rows.Truncate(n)
			if left == nil {
				left = []byte{releaseVersion}
			}
			left = append(left, value[:len(value)-len(rest)]...)
		} else {
			some = true
		}
		value = rest
	}
	return left, some, nil
}

// setAlarm moves a key's alarm; noAlarm is none.
func (r *releasing) setAlarm(group int, key []byte, from, to int64) error {
	if from == to {
		return nil
	}
	k := append([]byte{alarmEntry}, key...)
	if from != noAlarm {
		if err := r.state.Delete(from, group, k); err != nil {
			return err
		}
	}
	if to == noAlarm {
		return nil
	}
	return r.state.Put(to, group, k, []byte{releaseVersion})
}

// noAlarm is the time of an alarm that is not set.
const noAlarm = math.MinInt64
