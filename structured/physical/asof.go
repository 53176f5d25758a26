package physical

import (
	"io"
	"math/big"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/logical"
)

// Asof is the as-of join: both inputs, left then right, lie together by key and are sorted by the keys and then the time. It
// walks through both once and holds one right row before and one after the left row's time, so that its memory does not depend
// on how many there are.
//
//	left   ── k1 09:00 ── k1 09:05 ── k2 …
//	right  ── k1 08:59 ── k1 09:04 ── k1 09:06 ── …
//	              └ backward of 09:00    └ forward of 09:05
type Asof struct {
	Keep                bool             // a left row without a partner is put out with nulls
	LeftKeys, RightKeys []column.SortKey // of equal length and types
	LeftTime, RightTime int
	Direction           logical.AsofDirection
	Strict              bool
	Tolerance           any   // int64 of the time's unit, float64 or Dec128; nil for any distance
	LeftOut, RightOut   []int // columns of each side in the output
	RightTypes          *column.Schema
	Out                 *column.Schema
}

func (a *Asof) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	r := &asofRun{a: a, left: in[0], right: in[1], rows: column.NewBatchBuilder(a.RightTypes)}
	return output(tc, in, r.next, nil), nil
}

type asofRun struct {
	a           *Asof
	left, right rdd.Reader

	before    *column.Batch // one row: the last right row of the key that is at or before the left row's time
	beforeRow int
	b         *column.Batch // the right batch, whose row is the first that is not yet before
	row       int
	ended     bool
	owned     bool            // the batch is a copy
	ahead     []*column.Batch // copies of the batches after it that were read already

	rows *column.BatchBuilder // the partners of the left batch
	mate []int32
	sel  []int32
}

// next joins a left batch.
func (r *asofRun) next() (*column.Batch, error) {
	for {
		l, err := r.left.Next()
		if err != nil {
			return nil, err
		}
		if l.N == 0 {
			continue
		}
		if err := r.find(l); err != nil {
			return nil, err
		}
		if out := r.put(l); out.N > 0 {
			return out, nil
		}
	}
}

// find looks for the partner of each row of l; its place among rows is in mate, -1 for none.
func (r *asofRun) find(l *column.Batch) error {
	r.rows.Reset()
	r.mate = resize(r.mate, l.N)
	lastBatch, lastRow := (*column.Batch)(nil), -1
	for i := 0; i < l.N; i++ {
		if err := r.advance(l, i); err != nil {
			return err
		}
		b, row, err := r.partner(l, i)
		switch {
		case err != nil:
			return err
		case b == nil:
			r.mate[i] = -1
		case b == lastBatch && row == lastRow:
			r.mate[i] = int32(r.rows.Len() - 1)
		default:
			r.mate[i] = int32(r.rows.Len())
			r.rows.AppendRowFrom(b, row)
			lastBatch, lastRow = b, row
		}
	}
	return nil
}

// advance moves the right side until its row lies behind l's row i, and remembers the last that did not.
func (r *asofRun) advance(l *column.Batch, i int) error {
	for {
		if err := r.fill(); err != nil || r.ended {
			return err
		}
		c := r.compareKeys(l, i, r.b, r.row)
		if c < 0 || c == 0 && !r.passes(l, i, r.b, r.row) {
			return nil
		}
		r.before, r.beforeRow = r.b, r.row
		r.row++
	}
}

// passes reports whether a right row counts as before the left row: at its time or earlier, or strictly earlier where the very
// same time is looked for among those that follow.
func (r *asofRun) passes(l *column.Batch, i int, b *column.Batch, row int) bool {
	lt, rt := l.Cols[r.a.LeftTime], b.Cols[r.a.RightTime]
	if !rt.IsValid(row) {
		return true
	}
	if !lt.IsValid(i) {
		return false
	}
	c := column.CompareValues(rt, row, lt, i)
	if c == 0 {
		return !r.equalsFollow()
	}
	return c < 0
}

// equalsFollow tells on which side of the border rows of the very same time stand: a search backwards wants them before it unless
// it is strict, one forwards behind it unless it is strict.
func (r *asofRun) equalsFollow() bool {
	if r.a.Direction == logical.Forward {
		return !r.a.Strict
	}
	return r.a.Strict
}

// fill reads the next right batch when the last is used up.
func (r *asofRun) fill() error {
	for !r.ended && (r.b == nil || r.row >= r.b.N) {
		if r.before == r.b && r.b != nil {
			one := r.b.Slice(r.beforeRow, r.beforeRow+1).Clone() // the reader reuses its batch
			r.before, r.beforeRow = one, 0
		}
		if len(r.ahead) > 0 {
			r.b, r.row, r.owned, r.ahead = r.ahead[0], 0, true, r.ahead[1:]
			continue
		}
		b, err := r.right.Next()
		if err == io.EOF {
			r.ended, r.b = true, nil
			return nil
		}
		if err != nil {
			return err
		}
		r.b, r.row, r.owned = b, 0, false
	}
	return nil
}

func (r *asofRun) compareKeys(l *column.Batch, i int, b *column.Batch, row int) int {
	for k := range r.a.LeftKeys {
		x, y := l.Cols[r.a.LeftKeys[k].Col], b.Cols[r.a.RightKeys[k].Col]
		switch xv, yv := x.IsValid(i), y.IsValid(row); {
		case !xv && !yv:
			continue
		case !xv:
			return -1
		case !yv:
			return 1
		}
		if c := column.CompareValues(x, i, y, row); c != 0 {
			return c
		}
	}
	return 0
}

// partner chooses between the rows before and behind.
func (r *asofRun) partner(l *column.Batch, i int) (*column.Batch, int, error) {
	lt := l.Cols[r.a.LeftTime]
	if !lt.IsValid(i) || r.nullKey(l, i) {
		return nil, 0, nil
	}
	var before, after *column.Batch
	if r.a.Direction != logical.Forward && r.before != nil && r.belongs(l, i, r.before, r.beforeRow) {
		before = r.before
	}
	if r.a.Direction != logical.Backward && r.b != nil && r.row < r.b.N {
		after = r.b
		row := r.row
		if r.a.Strict && r.a.Direction == logical.Nearest {
			var err error
			if after, row, err = r.later(l, i); err != nil {
				return nil, 0, err
			}
		}
		if after != nil && r.belongs(l, i, after, row) {
			if before == nil || r.nearer(lt, i, after, row) {
				return after, row, nil
			}
		}
	}
	return before, r.beforeRow, nil
}

// later is the first right row after the very time of the left row; rows read ahead for it wait in ahead.
func (r *asofRun) later(l *column.Batch, i int) (*column.Batch, int, error) {
	b, row := r.b, r.row
	for n := 0; ; {
		for ; row < b.N; row++ {
			if r.compareKeys(l, i, b, row) != 0 || column.CompareValues(b.Cols[r.a.RightTime], row, l.Cols[r.a.LeftTime], i) != 0 {
				return b, row, nil
			}
		}
		if n == len(r.ahead) {
			r.own()
			next, err := r.right.Next()
			if err == io.EOF {
				return nil, 0, nil
			}
			if err != nil {
				return nil, 0, err
			}
			r.ahead = append(r.ahead, next.Clone())
		}
		b, row, n = r.ahead[n], 0, n+1
	}
}

// own makes the batch at hand outlive the reader's next.
func (r *asofRun) own() {
	if r.owned {
		return
	}
	c := r.b.Clone()
	if r.before == r.b {
		r.before = c
	}
	r.b, r.owned = c, true
}

func (r *asofRun) nullKey(l *column.Batch, i int) bool {
	for _, k := range r.a.LeftKeys {
		if !l.Cols[k.Col].IsValid(i) {
			return true
		}
	}
	return false
}

// belongs reports whether a right row has the left row's key, a time, and is near enough.
func (r *asofRun) belongs(l *column.Batch, i int, b *column.Batch, row int) bool {
	rt := b.Cols[r.a.RightTime]
	if !rt.IsValid(row) || r.compareKeys(l, i, b, row) != 0 {
		return false
	}
	return r.a.Tolerance == nil || within(distance(l.Cols[r.a.LeftTime], i, rt, row), r.a.Tolerance)
}

// nearer reports whether the row behind is nearer than the one before.
func (r *asofRun) nearer(lt *column.Vector, i int, after *column.Batch, row int) bool {
	back := distance(lt, i, r.before.Cols[r.a.RightTime], r.beforeRow)
	return less(distance(lt, i, after.Cols[r.a.RightTime], row), back)
}

// put makes the output of l: its columns, and those of the partners.
func (r *asofRun) put(l *column.Batch) *column.Batch {
	out := &column.Batch{Schema: r.a.Out, N: l.N}
	partners := r.rows.Finish()
	mate := r.mate
	if !r.a.Keep {
		r.sel = r.sel[:0]
		for i, m := range r.mate {
			if m >= 0 {
				r.sel = append(r.sel, int32(i))
				r.mate[len(r.sel)-1] = m
			}
		}
		mate = r.mate[:len(r.sel)]
		out.N = len(r.sel)
	}
	for _, c := range r.a.LeftOut {
		v := l.Cols[c]
		if out.N < l.N {
			v = column.Take(nil, v, r.sel)
		}
		out.Cols = append(out.Cols, v)
	}
	for _, c := range r.a.RightOut {
		out.Cols = append(out.Cols, column.Take(nil, partners.Cols[c], mate))
	}
	return out
}

// distance is how far two times are apart: int64, float64 or *big.Int.
func distance(x *column.Vector, i int, y *column.Vector, j int) any {
	switch x.Type.Kind.Storage() {
	case column.StorageF32, column.StorageF64:
		d := floatAt(x, i) - floatAt(y, j)
		return max(d, -d)
	case column.StorageDec:
		d := new(big.Int).Sub(x.Dec[i].Big(), y.Dec[j].Big())
		return d.Abs(d)
	}
	d := intAt(x, i) - intAt(y, j)
	if x.Type.Kind == column.Date {
		d *= microsOfDay
	}
	return max(d, -d)
}

func within(d, tolerance any) bool { return !less(tolerance, d) }

func less(a, b any) bool {
	switch a := a.(type) {
	case int64:
		return a < b.(int64)
	case float64:
		return a < b.(float64)
	}
	return bigOf(a).Cmp(bigOf(b)) < 0
}

func bigOf(v any) *big.Int {
	if d, ok := v.(column.Dec128); ok {
		return d.Big()
	}
	return v.(*big.Int)
}
