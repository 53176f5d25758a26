package physical

import (
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// StreamJoin joins two streams, a micro-batch at a time. It holds the rows of both sides as long as a partner may come:
//
//	            left rows ──┬──▶ join with the right rows held ──▶ out
//	new rows                ├──▶ join with the new right rows  ──▶ out
//	            right rows ─┴──▶ join with the left rows held  ──▶ out
//	            then hold those whose bound the watermark has not passed
//	held rows whose bound it has passed ──▶ out, beside nulls, if they never had a partner (outer, anti) ──▶ dropped
//
// Each pair is found once, in the batch in which the later of its rows comes, so what is put out over the life of the query
// does not depend on where batches end. Semi joins put out a left row when its first partner is found.
type StreamJoin struct {
	Kind        logical.JoinKind
	NullSafe    []bool // keys for which null equals null
	Left, Right JoinSide
	Cond        expr.Expr // bound to CondCols; nil when keys decide
	CondCols    []int     // columns of left followed by right that Cond reads
	Out         *column.Schema
	Env         Env
	From        Provenance

	filter      *expr.Filter
	left, right *heldSide
}

// JoinSide is one input of a StreamJoin.
type JoinSide struct {
	In   *column.Schema
	Keys []int // key columns, in the order of the other side's
	Part []int // columns that the input is partitioned by: rows are held under their key group
	Out  []int // columns of the output

	// A row may find partners until the watermark is at column Until + UntilAdd; -1: for ever. Bounds are rounded up to
	// Grain, a power of two in microseconds (0: not at all; negative: as suits how far off they are).
	Until    int
	UntilAdd int64
	Grain    int64

	// Column Time is the row's event time (-1: none): partners' bounds are at or after it plus TimeAdd. With Near, they are
	// at most Reach after the row's own bound.
	Time    int
	TimeAdd int64
	Near    bool
	Reach   int64
}

// half: only rows of the left side are put out, those with a partner (semi) or without (anti).
func (s *StreamJoin) half() bool { return oneOf(s.Kind, logical.LeftSemi, logical.LeftAnti) }

func (s *StreamJoin) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	r := &streamJoinRun{s: s, tc: tc, op: tc.Op, state: state, mark: closesUpTo(tc), mem: reserve(tc)}
	r.pairing = pairing{left: s.left, right: s.right, nullSafe: s.NullSafe, filter: s.filter, condCols: s.CondCols, onPairs: r.met}
	r.expires = stateExpires(tc)
	r.ctx = s.Env.context(tc, &r.errs)
	from := s.From
	from.Offset, from.Visible = -1, len(s.CondCols)
	r.dead = newAside(tc, connector.Dead, RowsDead, from, s.Env.Loc)
	work := func(emit func(*column.Batch)) error {
		r.emit = emit
		return r.run(in[0], in[1])
	}
	return output(tc, in, drain(work), r.mem.release), nil
}

func (s *StreamJoin) prepare() error {
	if s.left != nil {
		return nil
	}
	if s.Cond != nil {
		f, err := expr.CompileFilter(s.Cond)
		if err != nil {
			return err
		}
		s.filter = f
	}
	leftCond, rightCond := ofSides(s.CondCols, len(s.Left.In.Fields))
	s.left = newHeldSide(&s.Left, 0, leftCond, keepsLeft(s.Kind) || s.half())
	s.right = newHeldSide(&s.Right, 1, rightCond, keepsRight(s.Kind))
	return nil
}

// stateExpires reports whether entries of the operator's state have a time to live.
func stateExpires(tc *rdd.TaskContext) bool {
	return tc.Binding != nil && tc.Binding.StateTTL[tc.Op] > 0
}

// ofSides are the columns of left followed by right as those of each side; left has n.
func ofSides(cols []int, n int) (left, right []int) {
	for _, c := range cols {
		if c < n {
			left = append(left, c)
		} else {
			right = append(right, c-n)
		}
	}
	return left, right
}

// streamJoinRun is one micro-batch of a StreamJoin.
type streamJoinRun struct {
	s     *StreamJoin
	tc    *rdd.TaskContext
	op    string
	state rdd.State
	mark  int64
	mem   *reservation
	emit  func(*column.Batch)
	pairing
	expires bool // entries of the state live for a time only
}

func (r *streamJoinRun) run(leftIn, rightIn rdd.Reader) error {
	left, err := r.collect(r.s.left, leftIn)
	if err != nil {
		return err
	}
	right, err := r.collect(r.s.right, rightIn)
	if err != nil {
		return err
	}
	if left.b.N+right.b.N > 0 {
		if err := r.meet(left, right); err != nil {
			return err
		}
	}
	return r.expire()
}

// collect reads a side's new rows whole, in those columns that are needed.
func (r *streamJoinRun) collect(side *heldSide, in rdd.Reader) (*joinRows, error) {
	var list []*column.Batch
	var rows, bytes int64
	err := each(in, func(b *column.Batch) error {
		rows += int64(b.N)
		side.picked = pick(side.picked, b, side.cols)
		side.picked.Schema = side.schema
		c := side.picked.Clone()
		list = append(list, c)
		// Rows are there twice while they are put together, and a table is made of them.
		if bytes += c.Bytes(); !r.mem.to(3 * bytes) {
			return outOfMemory(r.op, 3*bytes)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	count(r.tc, r.op, RowsIn, rows)
	out := &joinRows{side: side}
	if len(list) == 1 {
		out.b = list[0]
	} else {
		out.b = column.Concat(side.schema, list)
	}
	if side.keeps {
		out.matched = make([]bool, out.b.N)
	}
	return out, nil
}

// meet joins the new rows with each other and with those held, and holds them.
func (r *streamJoinRun) meet(left, right *joinRows) error {
	live, err := r.buckets()
	if err != nil {
		return err
	}
	lkeys, rkeys := keysOf(left, r.nullSafe), keysOf(right, r.nullSafe)
	heldRight, err := r.fetch(r.s.right, live, left, lkeys)
	if err != nil {
		return err
	}
	heldLeft, err := r.fetch(r.s.left, live, right, rkeys)
	if err != nil {
		return err
	}
	for _, pair := range [][2]*joinRows{{left, heldRight}, {left, right}, {heldLeft, right}} {
		if err := r.join(pair[0], pair[1]); err != nil {
			return err
		}
	}
	if r.s.Kind == logical.LeftSemi {
		r.putOut(left, rowsWhere(left.matched, true, left.b.N))
		r.putOut(heldLeft, rowsWhere(heldLeft.matched, true, heldLeft.b.N))
	}
	for _, h := range []*joinRows{heldLeft, heldRight} {
		if err := r.noteMatches(h); err != nil {
			return err
		}
	}
	if err := r.hold(left, lkeys); err != nil {
		return err
	}
	return r.hold(right, rkeys)
}

func rowsWhere(list []bool, want bool, n int) []int32 {
	var rows []int32
	for i, x := range list[:n] {
		if x == want {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

// expire drops the rows whose bound the watermark has passed. Those that never had a partner are put out where the join
// keeps them.
func (r *streamJoinRun) expire() error {
	buckets, err := r.state.Buckets(bucketsUpTo(r.mark))
	if err != nil {
		return err
	}
	for _, b := range buckets {
		side := r.s.left
		if b&1 == 1 {
			side = r.s.right
		}
		if r.lonely(side) {
			if err := r.putOutUnmatched(side, b); err != nil {
				return err
			}
		}
		if err := r.state.DropBucket(b); err != nil {
			return err
		}
	}
	return nil
}

// putOutUnmatched puts out the rows of a bucket that never had a partner.
func (r *streamJoinRun) putOutUnmatched(side *heldSide, bucket int64) error {
	resetBuilders(side.builders)
	n := 0
	flush := func() {
		b := &column.Batch{Schema: side.schema, N: n, Cols: finishBuilders(side.builders)}
		r.putOut(&joinRows{side: side, b: b}, column.AllRows(nil, n))
		resetBuilders(side.builders)
		n = 0
	}
	var failed error
	err := r.state.Scan(bucket, func(_ int, _, value []byte) bool {
		failed = eachHeld(value, func(head byte, row []byte, _ int) error {
			if head&headMatched != 0 {
				return nil
			}
			n++
			return column.DecodeRow(row, side.builders)
		})
		if n >= column.BatchRows {
			flush()
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return r.damaged(err)
	}
	if n > 0 {
		flush()
	}
	return nil
}

// passed reports whether a bound lies at or before the watermark.
func (r *streamJoinRun) passed(until int64) bool { return until <= r.mark }

// never is the bound of rows that are held for ever: no watermark passes it but the end of input.
const never = int64(1) << 61

func bucketsUpTo(mark int64) int64 {
	switch {
	case mark >= never:
		return math.MaxInt64
	case mark <= -never:
		return math.MinInt64
	}
	return mark<<1 | 1
}
