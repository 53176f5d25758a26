package physical

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Rank keeps the first N rows of each partition of a stream by an order: row_number() <= N, rank() <= N or dense_rank() <= N.
// It puts out changes: rows that come among the first, rows that leave them, and, where the rank is a column, rows whose rank
// is another one. In mode append it puts out the first rows of partitions that the watermark has closed.
//
// Of rows that are never taken back only the first N are kept, for no other can become one of them. Of changes all are kept.
//
//	bucket  end of the partition's time (µs), or 0   see orderedSet, owner AppendKey(partition), keys orderKey's
type Rank struct {
	Partition []int
	Order     []column.SortKey
	Function  string // row_number, rank or dense_rank
	N         int64
	Row       []int // the input's columns that are put out
	Number    bool  // the rank is put out, too, after them
	Weight    int   // the column of the input's weights, -1 for rows that are never taken back
	Mode      connector.OutputMode
	Window    int // which of Partition closes it, -1 for none
	Size      int64
	Upserts   bool           // leave out rows that another one replaces: the key is partition and rank
	Out       *column.Schema // Row, rank, weight

	seen *seen
	key  orderKey
}

func (r *Rank) replaceOnly() { r.Upserts = true }

func (r *Rank) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	if r.seen != nil && r.seen.table != nil {
		r.seen.table.Reset()
	}
	r.key = orderKey{keys: r.Order, rows: r.Row}
	run := &rankRun{r: r, tc: tc, op: tc.Op, state: state, mark: closesUpTo(tc)}
	return output(tc, in, drain(func(emit func(*column.Batch)) error { return run.run(in[0], emit) }), nil), nil
}

// rankRun is one micro-batch of a Rank.
type rankRun struct {
	r     *Rank
	tc    *rdd.TaskContext
	op    string
	state rdd.State
	mark  int64

	edits   []rankEdit
	arena   []byte
	set     *orderedSet
	owner   []byte
	old     []ranked
	fresh   []ranked
	batch   []setEntry
	kept    []setEntry
	rows    *column.BatchBuilder
	numbers []int32
	weights []int64
	emit    func(*column.Batch)
}

// rankEdit is a row that came, at a place of the arena, or went.
type rankEdit struct {
	gid    uint32
	head   uint64 // of the key: what mostly decides
	from   int
	to     int
	weight int64
}

// ranked is one of the first rows.
type ranked struct {
	key, row []byte
	rank     int64
	n        int64
}

func (x *rankRun) run(in rdd.Reader, emit func(*column.Batch)) error {
	x.emit = emit
	x.rows = column.NewBatchBuilder(&column.Schema{Fields: x.r.Out.Fields[:len(x.r.Row)]})
	x.set = &orderedSet{state: x.state, width: 1}
	if err := x.read(in); err != nil {
		return err
	}
	if err := x.apply(); err != nil {
		return err
	}
	if x.r.Window >= 0 {
		if err := x.close(); err != nil {
			return err
		}
	}
	x.flush()
	return nil
}

// read groups the input by partition.
func (x *rankRun) read(in rdd.Reader) error {
	r := x.r
	var rows int64
	var tops topFilter
	err := each(in, func(b *column.Batch) error {
		rows += int64(b.N)
		if r.seen == nil {
			schema := &column.Schema{}
			for _, k := range r.Partition {
				schema.Fields = append(schema.Fields, b.Schema.Fields[k])
			}
			r.seen = newSeen(r.Partition, schema)
		}
		gids := x.assign(b)
		r.key.bind(b)
		for i, g := range gids {
			from := len(x.arena)
			x.arena = r.key.appendOrder(x.arena, b, i)
			w := int64(1)
			if r.Weight >= 0 {
				w = weightAt(b.Cols[r.Weight], i)
			} else if !tops.passes(r, g, x.arena[from:]) {
				x.arena = x.arena[:from]
				continue
			}
			x.arena = r.key.appendRow(x.arena, from, i)
			x.edits = append(x.edits, rankEdit{g, headOf(x.arena[from:]), from, len(x.arena), w})
		}
		return nil
	})
	count(x.tc, x.op, RowsIn, rows)
	return err
}

// assign numbers the partitions of b's rows.
func (x *rankRun) assign(b *column.Batch) []uint32 {
	s := x.r.seen
	if len(x.r.Partition) == 0 {
		s.gids = resize(s.gids, b.N)
		clear(s.gids)
		return s.gids
	}
	s.hash(b)
	s.gids = s.table.Insert(s.gids[:0], s.keys, s.hashes, b.N)
	return s.gids[:b.N]
}

func headOf(b []byte) uint64 {
	var h uint64
	for i := range 8 {
		h <<= 8
		if i < len(b) {
			h |= uint64(b[i])
		}
	}
	return h
}

func (x *rankRun) bytes(e *rankEdit) []byte { return x.arena[e.from:e.to] }

// sortEdits orders the edits by partition and row, and adds up those of equal rows.
func (x *rankRun) sortEdits() {
	slices.SortFunc(x.edits, func(a, b rankEdit) int {
		if c := cmp.Compare(a.gid, b.gid); c != 0 {
			return c
		}
		if c := cmp.Compare(a.head, b.head); c != 0 {
			return c
		}
		return bytes.Compare(x.bytes(&a), x.bytes(&b))
	})
	kept := x.edits[:0]
	for _, e := range x.edits {
		if n := len(kept); n > 0 && kept[n-1].gid == e.gid && bytes.Equal(x.bytes(&kept[n-1]), x.bytes(&e)) {
			kept[n-1].weight += e.weight
			continue
		}
		kept = append(kept, e)
	}
	x.edits = slices.DeleteFunc(kept, func(e rankEdit) bool { return e.weight == 0 })
}

// apply brings partition after partition up to date.
func (x *rankRun) apply() error {
	x.sortEdits()
	edits := x.edits
	if len(edits) == 0 {
		return nil
	}
	keys, hashes := x.partitions()
	for len(edits) > 0 {
		g, n := edits[0].gid, 1
		for n < len(edits) && edits[n].gid == g {
			n++
		}
		if err := x.partition(keys, int(g), rdd.KeyGroup(hashes[g]), edits[:n]); err != nil {
			return fmt.Errorf("%s: %w", x.op, err)
		}
		edits = edits[n:]
	}
	return nil
}

func (x *rankRun) partitions() ([]*column.Vector, []uint64) {
	if len(x.r.Partition) == 0 {
		return nil, []uint64{0}
	}
	return x.r.seen.table.Keys(), x.r.seen.table.Hashes()
}

func (x *rankRun) partition(keys []*column.Vector, g, group int, edits []rankEdit) error {
	r := x.r
	bucket := bucketOf(keys, r.Window, r.Size, g)
	x.owner = column.AppendKey(x.owner[:0], keys, g)
	if err := x.set.open(bucket, group, x.owner); err != nil {
		return err
	}
	var err error
	if x.old, err = x.first(x.old[:0]); err != nil {
		return err
	}
	x.batch = x.batch[:0]
	for i := range edits {
		x.batch = append(x.batch, setEntry{key: x.bytes(&edits[i]), counts: []int64{edits[i].weight}})
	}
	if r.Weight < 0 {
		return x.append(edits)
	}
	if _, err := x.set.apply(x.batch); err != nil {
		return err
	}
	if x.fresh, err = x.first(x.fresh[:0]); err != nil {
		return err
	}
	return x.finish()
}

// append adds rows to those kept, of which only the first ones stay.
func (x *rankRun) append([]rankEdit) error {
	x.kept = x.kept[:0]
	for _, o := range x.old {
		x.kept = append(x.kept, setEntry{key: o.key, counts: []int64{o.n}})
	}
	merged, _ := mergeEntries(nil, x.kept, x.batch)
	cut := newRanking(x.r)
	x.fresh = x.fresh[:0]
	for i, e := range merged {
		more, err := cut.add(&x.fresh, e)
		if err != nil {
			return err
		}
		if !more {
			merged = merged[:i]
			break
		}
	}
	if len(merged) == len(x.old) && sameRanked(x.old, x.fresh) {
		x.set.release()
		return nil
	}
	for i := range merged {
		merged[i].counts = []int64{x.fresh[i].n}
	}
	if err := x.set.replace(merged); err != nil {
		return err
	}
	return x.finish()
}

func sameRanked(a, b []ranked) bool {
	return slices.EqualFunc(a, b, func(x, y ranked) bool { return x.n == y.n && x.rank == y.rank && bytes.Equal(x.key, y.key) })
}

// finish puts out the differences, unless they are for later.
func (x *rankRun) finish() error {
	defer x.set.release()
	if x.r.Mode == connector.Append {
		return nil
	}
	return x.differences()
}

// first are the first rows of the open set.
func (x *rankRun) first(dst []ranked) ([]ranked, error) {
	cut := newRanking(x.r)
	var failed error
	err := x.set.visit(false, func(e setEntry) bool {
		more, err := cut.add(&dst, e)
		failed = err
		return more && err == nil
	})
	if err == nil {
		err = failed
	}
	return dst, err
}

// ranking numbers rows in order.
type ranking struct {
	r      *Rank
	before int64 // rows so far
	dense  int64
	last   []byte
	rank   int64
}

func newRanking(r *Rank) *ranking { return &ranking{r: r} }

// add adds the next row to dst, as often as it is among the first; it reports whether there may be more.
func (k *ranking) add(dst *[]ranked, e setEntry) (bool, error) {
	order, row, err := splitOrder(e.key)
	if err != nil {
		return false, err
	}
	n := e.counts[0]
	switch {
	case k.r.Function == "row_number":
		if k.before >= k.r.N {
			return false, nil
		}
		n = min(n, k.r.N-k.before)
		k.rank = k.before + 1
	case k.before == 0 || !bytes.Equal(order, k.last):
		k.dense++
		k.rank = k.before + 1
		if k.r.Function == "dense_rank" {
			k.rank = k.dense
		}
		k.last = order
	}
	if k.rank > k.r.N {
		return false, nil
	}
	k.before += n
	*dst = append(*dst, ranked{key: e.key, row: row, rank: k.rank, n: n})
	return true, nil
}
