package physical

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// EventOver computes window functions over the rows of a stream in the order of their event time. A row waits until the
// watermark has passed it, for only then are the rows before it known, and is put out once, for good. Frames reach back only;
// of the rows that were put out those stay that the frames of later ones can reach, and in place of all rows before them what
// they come to:
//
//	bucket  event time (µs)   rows that wait: orderedSet, owner AppendKey(partition), keys orderKey's
//	        forever           key  02 AppendKey(partition)   value  version │ expiry │ overBase │ n │ (length row)…
//	        expiry            key  03 AppendKey(partition)   value  empty: the partition may be forgotten
type EventOver struct {
	Partition []int
	Order     []column.SortKey // event time, ascending, comes first
	Row       []int
	Over      *Over // over the columns of Row
	Time      int   // event time among the columns of Row
	// Rows and Range are how far the frames reach back: so many rows, and so many microseconds. The rows that are in neither are
	// not kept.
	Rows, Range int64
	// Expire says that a partition may be forgotten once its last row is out of Range of what may come.
	Expire bool
	// Arrival says that rows come in their order: none waits, and Time is any integer that grows.
	Arrival bool
	Out     *column.Schema

	rank *Rank
}

const (
	eventOverVersion = 1
	contextKey       = 2
	expiryKey        = 3
)

func (o *EventOver) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	if o.rank == nil {
		o.rank = &Rank{Partition: o.Partition, Order: o.Order, Function: "rank", N: 1, Row: o.Row, Weight: -1, Window: -1, Out: o.Out}
	}
	if s := o.rank.seen; s != nil && s.table != nil {
		s.table.Reset()
	}
	if err := o.Over.openFns(tc); err != nil {
		return nil, err
	}
	o.rank.key = orderKey{keys: o.Order, rows: o.Row}
	run := &eventOverRun{rankRun: &rankRun{r: o.rank, tc: tc, op: tc.Op, state: state, mark: closesUpTo(tc)}, o: o}
	if o.Arrival {
		run.mark = math.MaxInt64
	}
	return output(tc, in, drain(func(emit func(*column.Batch)) error { return run.run(in[0], emit) }), nil), nil
}

// eventOverRun is one micro-batch of an EventOver.
type eventOverRun struct {
	*rankRun
	o     *EventOver
	due   []dueRow
	block *column.BatchBuilder
	parts []overPart
	ctx   []byte
}

// dueRow is a row that the watermark has passed.
type dueRow struct {
	owner []byte
	group int
	key   []byte
	n     int64
}

// overPart is a partition of the block that is computed in one step: rows [from, fresh) were put out before, [fresh, to) are
// new.
type overPart struct {
	owner           []byte
	group           int
	from, fresh, to int
	base            overBase
	expiry          int64 // of the context that is stored, MinInt64 for none
}

func (x *eventOverRun) run(in rdd.Reader, emit func(*column.Batch)) error {
	x.emit = emit
	x.set = &orderedSet{state: x.state, width: 1}
	x.block = column.NewBatchBuilder(&column.Schema{Fields: x.o.Out.Fields[:len(x.o.Row)]})
	if err := x.read(in); err != nil {
		return err
	}
	x.sortEdits()
	if err := x.hold(); err != nil {
		return err
	}
	if err := x.release(); err != nil {
		return err
	}
	slices.SortFunc(x.due, func(a, b dueRow) int {
		if c := cmp.Compare(a.group, b.group); c != 0 {
			return c
		}
		if c := bytes.Compare(a.owner, b.owner); c != 0 {
			return c
		}
		return bytes.Compare(a.key, b.key)
	})
	for due := x.due; len(due) > 0; {
		n := 1
		for n < len(due) && due[n].group == due[0].group && bytes.Equal(due[n].owner, due[0].owner) {
			n++
		}
		if err := x.partition(due[:n]); err != nil {
			return fmt.Errorf("%s: %w", x.op, err)
		}
		due = due[n:]
		if x.block.Len() >= overBlock || len(due) == 0 {
			if err := x.compute(); err != nil {
				return fmt.Errorf("%s: %w", x.op, err)
			}
		}
	}
	return x.expire()
}

// timeOfKey is the event time that an order key begins with; false when there is none.
func timeOfKey(key []byte) (int64, bool) {
	if len(key) < 9 || key[0] != 1 {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(key[1:]) ^ 1<<63), true
}

// hold keeps the batch's rows that the watermark has not passed, and notes the others. Rows without event time are left out.
func (x *eventOverRun) hold() error {
	if len(x.edits) == 0 {
		return nil
	}
	keys, hashes := x.partitions()
	edits := x.edits
	for len(edits) > 0 {
		g := edits[0].gid
		t, ok := timeOfKey(x.bytes(&edits[0]))
		n := 0
		x.batch = x.batch[:0]
		for n < len(edits) && edits[n].gid == g {
			at, _ := timeOfKey(x.bytes(&edits[n]))
			if at != t {
				break
			}
			x.batch = append(x.batch, setEntry{key: x.bytes(&edits[n]), counts: []int64{edits[n].weight}})
			n++
		}
		edits = edits[n:]
		if !ok {
			continue
		}
		group := rdd.KeyGroup(hashes[g])
		owner := column.AppendKey(nil, keys, int(g))
		if t <= x.mark {
			for _, e := range x.batch {
				x.due = append(x.due, dueRow{owner, group, e.key, e.counts[0]})
			}
			continue
		}
		if err := x.set.open(t, group, owner); err != nil {
			return err
		}
		if _, err := x.set.apply(x.batch); err != nil {
			return err
		}
		x.set.release()
	}
	return nil
}

// release takes the rows that the watermark has passed out of the state.
func (x *eventOverRun) release() error {
	buckets, err := x.state.Buckets(x.mark)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if b == foreverBucket {
			continue
		}
		var owners []dueKey
		expiries := false
		err := x.state.Scan(b, func(group int, key, _ []byte) bool {
			owner, head, in := inSet(key)
			expiries = expiries || !in
			if head {
				owners = append(owners, dueKey{group, slices.Clone(owner)})
			}
			return true
		})
		if err != nil {
			return err
		}
		for _, o := range owners {
			if err := x.set.open(b, o.group, o.key); err != nil {
				return err
			}
			err := x.set.visit(false, func(e setEntry) bool {
				x.due = append(x.due, dueRow{o.key, o.group, slices.Clone(e.key), e.counts[0]})
				return true
			})
			if err == nil {
				err = x.set.replace(nil)
			}
			if err != nil {
				return err
			}
			x.set.release()
		}
		if !expiries {
			if err := x.state.DropBucket(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// partition adds a partition's context and its due rows to the block.
func (x *eventOverRun) partition(due []dueRow) error {
	p := overPart{owner: due[0].owner, group: due[0].group, from: x.block.Len(), expiry: math.MinInt64}
	x.ctx = append(append(x.ctx[:0], contextKey), p.owner...)
	v, ok, err := x.state.Get(foreverBucket, p.group, x.ctx)
	if err != nil {
		return err
	}
	if ok {
		if err := x.loadContext(&p, v); err != nil {
			return err
		}
	}
	p.fresh = x.block.Len()
	for _, d := range due {
		_, row, err := splitOrder(d.key)
		for i := int64(0); i < d.n && err == nil; i++ {
			err = column.DecodeRow(row, x.block.Cols)
		}
		if err != nil {
			return err
		}
	}
	p.to = x.block.Len()
	x.parts = append(x.parts, p)
	return nil
}

func (x *eventOverRun) loadContext(p *overPart, v []byte) error {
	if len(v) < 9 || v[0] != eventOverVersion {
		return errOrderKey
	}
	p.expiry = int64(binary.BigEndian.Uint64(v[1:]))
	r := setReader{b: v[9:]}
	p.base = overBase{rows: int64(r.uvarint()), dense: int64(r.uvarint())}
	p.base.states = slices.Clone(r.bytes())
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		row := r.bytes()
		if r.bad {
			break
		}
		if err := column.DecodeRow(row, x.block.Cols); err != nil {
			return err
		}
	}
	if r.bad {
		return errOrderKey
	}
	return nil
}

// compute computes the block, puts out its new rows and keeps what later ones need.
func (x *eventOverRun) compute() error {
	b := x.block.Finish().Clone()
	c, err := x.o.Over.carried(b, x.parts)
	if err != nil {
		return err
	}
	var sel []int32
	for i := range x.parts {
		p := &x.parts[i]
		for row := p.fresh; row < p.to; row++ {
			sel = append(sel, int32(row))
		}
		if err := x.keep(b, p, c, i); err != nil {
			return err
		}
	}
	x.emit(column.TakeBatch(nil, c.out, sel).Clone())
	x.block.Reset()
	x.parts = x.parts[:0]
	return nil
}

// keep stores what later rows of a partition need.
func (x *eventOverRun) keep(b *column.Batch, p *overPart, c *carriedBlock, part int) error {
	times := b.Cols[x.o.Time].I64
	last := times[p.to-1]
	first := p.to
	for first > p.from && (int64(p.to-first) < x.o.Rows || x.o.Range > 0 && times[first-1] >= saturated(last, -x.o.Range)) {
		first--
	}
	base, err := c.base(part, p, first)
	if err != nil {
		return err
	}
	expiry := int64(math.MaxInt64)
	if x.o.Expire {
		expiry = satAdd(last, x.o.Range+1)
	}
	if err := x.setExpiry(p, expiry); err != nil {
		return err
	}
	v := binary.BigEndian.AppendUint64([]byte{eventOverVersion}, uint64(expiry))
	v = binary.AppendUvarint(binary.AppendUvarint(v, uint64(base.rows)), uint64(base.dense))
	v = append(binary.AppendUvarint(v, uint64(len(base.states))), base.states...)
	v = binary.AppendUvarint(v, uint64(p.to-first))
	var row []byte
	for i := first; i < p.to; i++ {
		row = column.AppendRow(row[:0], b.Cols, i)
		v = append(binary.AppendUvarint(v, uint64(len(row))), row...)
	}
	x.ctx = append(append(x.ctx[:0], contextKey), p.owner...)
	return x.state.Put(foreverBucket, p.group, x.ctx, v)
}

// setExpiry notes when the partition may be forgotten.
func (x *eventOverRun) setExpiry(p *overPart, expiry int64) error {
	if !x.o.Expire || p.expiry == expiry {
		return nil
	}
	x.ctx = append(append(x.ctx[:0], expiryKey), p.owner...)
	if p.expiry != math.MinInt64 {
		if err := x.state.Delete(p.expiry, p.group, x.ctx); err != nil {
			return err
		}
	}
	return x.state.Put(expiry, p.group, x.ctx, nil)
}

// expire forgets partitions whose rows nothing that comes can reach.
func (x *eventOverRun) expire() error {
	if !x.o.Expire {
		return nil
	}
	buckets, err := x.state.Buckets(x.mark)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if b == foreverBucket {
			continue
		}
		var due []dueKey
		err := x.state.Scan(b, func(group int, key, _ []byte) bool {
			due = append(due, dueKey{group, slices.Clone(key)})
			return true
		})
		if err != nil {
			return err
		}
		for _, d := range due {
			d.key[0] = contextKey
			if err := x.state.Delete(foreverBucket, d.group, d.key); err != nil {
				return err
			}
		}
		if err := x.state.DropBucket(b); err != nil {
			return err
		}
	}
	return nil
}
