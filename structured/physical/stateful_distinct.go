package physical

import (
	"encoding/binary"
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// StatefulDistinct remembers which operands each group of a distinct aggregate has seen, and tells the aggregates about those
// that are new or gone. Its input is PartialDistinct's; what it puts out are states by key, to be merged.
//
//	bucket  window end (µs), or 0   key  AppendKey(keys, set, operands)   value  version │ a count for each condition (varints)
//
// Of rows that are never taken back each count stays at 1, so that an operand that comes again changes nothing.
type StatefulDistinct struct {
	Keys   int           // leading columns of the input
	Sets   []DistinctSet // as places of the input: operands, counts
	Counts []int         // the columns of the counts
	Rows   bool          // input rows are never taken back
	Fixed  []AggSpec     // merge the states of the input
	// Distinct are the aggregates over values that come and go, by set: over keys, operands of all sets, counts.
	Distinct []AggSpec
	SetOf    []int
	Window   int
	Size     int64
	Out      *column.Schema // keys, states

	seen   *seen
	counts [][]int64
	groups *groups
	key    []byte
	value  []byte
	had    []int64
	sels   [][]int32
	deltas []*column.Vector
	part   *column.Batch
}

const distinctVersion = 1

func (d *StatefulDistinct) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := d.prepare(); err != nil {
		return nil, err
	}
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	mark := closesUpTo(tc)
	return output(tc, in, drain(func(emit func(*column.Batch)) error { return d.run(tc, state, mark, in[0], emit) }), nil), nil
}

// operands is how many leading columns of the input identify an operand: keys, set, operands of all sets.
func (d *StatefulDistinct) operands() int { return d.Counts[0] }

func (d *StatefulDistinct) prepare() error {
	if d.groups != nil {
		d.groups.reset()
		if d.seen != nil {
			d.seen.table.Reset()
		}
		return nil
	}
	types := make([]column.Type, d.Keys)
	for i := range types {
		types[i] = d.Out.Fields[i].Type
	}
	var err error
	d.groups, err = newGroups(leading(d.Keys), types, append(append([]AggSpec{}, d.Fixed...), d.Distinct...))
	d.sels = make([][]int32, len(d.Sets))
	d.counts = make([][]int64, len(d.Counts))
	return err
}

func (d *StatefulDistinct) run(tc *rdd.TaskContext, state rdd.State, mark int64, in rdd.Reader, emit func(*column.Batch)) error {
	var rows int64
	for i := range d.counts {
		d.counts[i] = d.counts[i][:0]
	}
	err := each(in, func(b *column.Batch) error {
		rows += int64(b.N)
		return d.add(b)
	})
	if err != nil {
		return err
	}
	count(tc, tc.Op, RowsIn, rows)
	if d.seen != nil && d.seen.table.Len() > 0 {
		if err := d.update(tc.Op, state); err != nil {
			return err
		}
	}
	if d.Keys == 0 {
		d.groups.one()
	}
	states := d.groups.states(d.Out)
	for b, _ := states.next(column.BatchRows); b != nil; b, _ = states.next(column.BatchRows) {
		emit(b.Clone())
	}
	return d.forget(state, mark)
}

// forget drops the groups that the watermark has passed.
func (d *StatefulDistinct) forget(state rdd.State, mark int64) error {
	if d.Window < 0 {
		return nil
	}
	buckets, err := state.Buckets(mark)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if err := state.DropBucket(b); err != nil {
			return err
		}
	}
	return nil
}

// add merges states into their groups and adds up the counts of operands.
func (d *StatefulDistinct) add(b *column.Batch) error {
	var fixed, rest []int32
	for i, s := range b.Cols[d.Keys].I32[:b.N] {
		if s < 0 {
			fixed = append(fixed, int32(i))
		} else {
			rest = append(rest, int32(i))
		}
	}
	if len(fixed) > 0 {
		part := b
		if len(fixed) < b.N {
			part = column.TakeBatch(nil, b, fixed)
		}
		if err := d.accumulate(part, 0, len(d.Fixed)); err != nil {
			return err
		}
	}
	if len(rest) == 0 {
		return nil
	}
	if len(rest) < b.N {
		b = column.TakeBatch(nil, b, rest)
	}
	if d.seen == nil {
		d.seen = newSeen(leading(d.operands()), &column.Schema{Fields: b.Schema.Fields[:d.operands()]})
	}
	d.seen.hash(b)
	d.seen.gids = d.seen.table.Insert(d.seen.gids[:0], d.seen.keys, d.seen.hashes, b.N)
	for c, col := range d.Counts {
		for len(d.counts[c]) < d.seen.table.Len() {
			d.counts[c] = append(d.counts[c], 0)
		}
		v := b.Cols[col]
		for i, g := range d.seen.gids[:b.N] {
			if v.IsValid(i) {
				d.counts[c][g] += v.I64[i]
			}
		}
	}
	return nil
}

// accumulate brings aggregates [from, to) of the groups up to date.
func (d *StatefulDistinct) accumulate(b *column.Batch, from, to int) error {
	d.groups.assign(b)
	for i := from; i < to; i++ {
		if err := d.groups.accumulate(i, b); err != nil {
			return err
		}
	}
	return nil
}

// update brings the stored counts up to date. What is left in d.counts is 1 for an operand that is new under a condition, -1
// for one that is gone, else 0.
func (d *StatefulDistinct) update(op string, state rdd.State) error {
	t := d.seen.table
	keys, hashes := t.Keys(), t.Hashes()
	sets := keys[d.Keys].I32
	for i := range d.sels {
		d.sels[i] = d.sels[i][:0]
	}
	for i := range t.Len() {
		set := sets[i]
		changed, err := d.operand(op, state, bucketOf(keys, d.Window, d.Size, i), rdd.KeyGroup(hashes[i]), keys, i, len(d.Sets[set].Filters))
		if err != nil {
			return err
		}
		if changed {
			d.sels[set] = append(d.sels[set], int32(i))
		}
	}
	b := &column.Batch{Schema: &column.Schema{}, N: t.Len(), Cols: append([]*column.Vector{}, keys...)}
	for c := range d.counts {
		b.Cols = append(b.Cols, &column.Vector{Type: bigint, N: t.Len(), I64: d.counts[c]})
	}
	for set, sel := range d.sels {
		if len(sel) == 0 {
			continue
		}
		part := &column.Batch{Schema: b.Schema, N: len(sel)}
		for _, c := range b.Cols {
			part.Cols = append(part.Cols, column.Take(nil, c, sel))
		}
		d.groups.assign(part)
		for i, of := range d.SetOf {
			if of == set {
				if err := d.groups.accumulate(len(d.Fixed)+i, part); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// operand updates the stored counts of operand i and reports whether it is new or gone under a condition.
func (d *StatefulDistinct) operand(op string, state rdd.State, bucket int64, group int, keys []*column.Vector, i, conditions int) (bool, error) {
	d.key = column.AppendKey(d.key[:0], keys, i)
	v, ok, err := state.Get(bucket, group, d.key)
	if err != nil {
		return false, err
	}
	d.had = resize(d.had, conditions)
	clear(d.had)
	if ok {
		if err := d.decode(op, v); err != nil {
			return false, err
		}
	}
	d.value = append(d.value[:0], distinctVersion)
	differs, turned, left := false, false, false
	for c := range d.had {
		had, n := d.had[c], max(d.had[c]+d.counts[c][i], 0)
		if d.Rows {
			n = min(n, 1)
		}
		differs, left = differs || n != had, left || n > 0
		turn := min(n, 1) - min(had, 1)
		turned = turned || turn != 0
		d.counts[c][i] = turn
		d.value = binary.AppendVarint(d.value, n)
	}
	switch {
	case !differs:
		return turned, nil
	case !left:
		return turned, state.Delete(bucket, group, d.key)
	}
	return turned, state.Put(bucket, group, d.key, d.value)
}

func (d *StatefulDistinct) decode(op string, v []byte) error {
	if len(v) == 0 || v[0] != distinctVersion {
		return fmt.Errorf("physical: %s: stored counts have a format that this release does not know", op)
	}
	v = v[1:]
	for c := range d.had {
		n, w := binary.Varint(v)
		if w <= 0 {
			return fmt.Errorf("physical: %s: stored counts are damaged", op)
		}
		d.had[c], v = n, v[w:]
	}
	return nil
}
