package physical

import (
	"bytes"
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// ChangeOver appends to each row of a stream what window functions make of the rows around it, and takes that back when those
// change. It keeps all rows of each partition, in order; a partition to which a batch brings something is computed before and
// after, and the differences are put out.
//
//	bucket  end of the partition's time (µs), or 0   see orderedSet, owner AppendKey(partition), keys orderKey's
type ChangeOver struct {
	Partition []int
	Order     []column.SortKey
	Row       []int          // the input's columns that are put out
	Weight    int            // the column of the input's weights, -1 for rows that are never taken back
	Window    int            // which of Partition closes it, -1 for none
	Over      *Over          // over the columns of Row
	Out       *column.Schema // those, the functions, weight

	rank *Rank // reads and sorts the input
}

func (o *ChangeOver) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	if o.rank == nil {
		// Only what reads and sorts the input is used of it. Weights are read, too, of rows that have none.
		o.rank = &Rank{Partition: o.Partition, Order: o.Order, Function: "rank", N: 1, Row: o.Row, Weight: o.Weight, Window: o.Window, Out: o.Out}
	}
	if s := o.rank.seen; s != nil && s.table != nil {
		s.table.Reset()
	}
	if err := o.Over.openFns(tc); err != nil {
		return nil, err
	}
	o.rank.key = orderKey{keys: o.Order, rows: o.Row}
	run := &changeOverRun{rankRun: &rankRun{r: o.rank, tc: tc, op: tc.Op, state: state, mark: closesUpTo(tc)}, o: o}
	return output(tc, in, drain(func(emit func(*column.Batch)) error { return run.run(in[0], emit) }), nil), nil
}

// changeOverRun is one micro-batch of a ChangeOver.
type changeOverRun struct {
	*rankRun
	o          *ChangeOver
	was, is    overSide
	partitions int // in the block
}

// overSide are the rows of a block's partitions, before or after the batch, in order.
type overSide struct {
	rows *column.BatchBuilder
	at   []overPlace
}

// overPlace is a row's place: its partition in the block, its key, and how many equal ones stand before it.
type overPlace struct {
	partition int
	key       []byte
	copy      int64
}

func (p overPlace) compare(q overPlace) int {
	if p.partition != q.partition {
		return p.partition - q.partition
	}
	if c := bytes.Compare(p.key, q.key); c != 0 {
		return c
	}
	return int(p.copy - q.copy)
}

func (x *changeOverRun) run(in rdd.Reader, emit func(*column.Batch)) error {
	x.emit = emit
	x.set = &orderedSet{state: x.state, width: 1}
	row := &column.Schema{Fields: x.o.Out.Fields[:len(x.o.Row)]}
	x.was.rows, x.is.rows = column.NewBatchBuilder(row), column.NewBatchBuilder(row)
	if err := x.read(in); err != nil {
		return err
	}
	x.sortEdits()
	edits := x.edits
	if len(edits) == 0 {
		return x.forget()
	}
	keys, hashes := x.rankRun.partitions()
	for len(edits) > 0 {
		g, n := edits[0].gid, 1
		for n < len(edits) && edits[n].gid == g {
			n++
		}
		if err := x.partition(keys, int(g), rdd.KeyGroup(hashes[g]), edits[:n]); err != nil {
			return fmt.Errorf("%s: %w", x.op, err)
		}
		edits = edits[n:]
		if x.was.rows.Len()+x.is.rows.Len() >= overBlock || len(edits) == 0 {
			if err := x.block(); err != nil {
				return err
			}
		}
	}
	return x.forget()
}

// partition applies edits to a partition and adds its rows to the block.
func (x *changeOverRun) partition(keys []*column.Vector, g, group int, edits []rankEdit) error {
	x.owner = column.AppendKey(x.owner[:0], keys, g)
	if err := x.set.open(bucketOf(keys, x.o.Window, 0, g), group, x.owner); err != nil {
		return err
	}
	if err := x.load(&x.was); err != nil {
		return err
	}
	x.batch = x.batch[:0]
	for i := range edits {
		x.batch = append(x.batch, setEntry{key: x.bytes(&edits[i]), counts: []int64{edits[i].weight}})
	}
	if _, err := x.set.apply(x.batch); err != nil {
		return err
	}
	err := x.load(&x.is)
	x.partitions++
	return err
}

func (x *changeOverRun) load(to *overSide) error {
	var failed error
	err := x.set.visit(false, func(e setEntry) bool {
		_, row, err := splitOrder(e.key)
		for i := int64(0); i < e.counts[0] && err == nil; i++ {
			err = column.DecodeRow(row, to.rows.Cols)
			to.at = append(to.at, overPlace{x.partitions, e.key, i})
		}
		failed = err
		return err == nil
	})
	if err == nil {
		err = failed
	}
	return err
}

// block computes the functions over both sides and puts the differences out.
func (x *changeOverRun) block() error {
	was, err := x.computed(&x.was)
	if err != nil {
		return err
	}
	is, err := x.computed(&x.is)
	if err != nil {
		return err
	}
	x.differ(was, is)
	for _, s := range []*overSide{&x.was, &x.is} {
		s.rows.Reset()
		s.at = s.at[:0]
	}
	x.partitions = 0
	x.set.release()
	return nil
}

func (x *changeOverRun) computed(s *overSide) (*column.Batch, error) {
	b := s.rows.Finish()
	if b.N == 0 {
		return &column.Batch{Schema: x.o.Over.Out, Cols: builtEmpty(x.o.Over.Out)}, nil
	}
	return x.o.Over.compute(b)
}

func builtEmpty(s *column.Schema) []*column.Vector {
	return finishBuilders(builders(s.Fields))
}

// differ puts out the rows of was that are not in is, and those of is that were not.
func (x *changeOverRun) differ(was, is *column.Batch) {
	var sel []int32
	var weights []int64
	put := func(row int, w int64) { sel, weights = append(sel, int32(row)), append(weights, w) }
	i, j := 0, 0
	for i < was.N || j < is.N {
		c := 0
		switch {
		case i == was.N:
			c = 1
		case j == is.N:
			c = -1
		default:
			c = x.was.at[i].compare(x.is.at[j])
		}
		switch {
		case c < 0:
			put(i, -1)
			i++
		case c > 0:
			put(was.N+j, 1)
			j++
		default:
			if !equalBetween(was.Cols[len(x.o.Row):], i, is.Cols[len(x.o.Row):], j) {
				put(i, -1)
				put(was.N+j, 1)
			}
			i, j = i+1, j+1
		}
	}
	if len(sel) == 0 {
		return
	}
	both := column.Concat(x.o.Over.Out, []*column.Batch{was, is})
	out := column.TakeBatch(nil, both, sel).Clone()
	x.emit(&column.Batch{Schema: x.o.Out, N: len(sel), Cols: append(out.Cols, &column.Vector{Type: bigint, N: len(sel), I64: weights})})
}

func equalBetween(a []*column.Vector, i int, b []*column.Vector, j int) bool {
	for c := range a {
		if column.CompareValues(a[c], i, b[c], j) != 0 {
			return false
		}
	}
	return true
}

// forget drops the partitions that the watermark has closed.
func (x *changeOverRun) forget() error {
	if x.o.Window < 0 {
		return nil
	}
	buckets, err := x.state.Buckets(x.mark)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if err := x.state.DropBucket(b); err != nil {
			return err
		}
	}
	return nil
}
