package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// ChangeJoin joins two inputs whose rows may be taken back, and puts out changes: the sum of what it has put out is at any
// time the join of what has come. It holds the rows of both sides for ever, or for a time to live.
//
//	new left × held right, new left × new right, held left × new right     pairs, with the product of the weights
//	rows of a kept side whose partners came or went                        beside nulls (outer), or alone (semi, anti)
//
// A row of a kept side is held with the number of its partners, so that their coming and going is seen without reading them
// again.
type ChangeJoin struct {
	Kind        logical.JoinKind
	NullSafe    []bool // keys for which null equals null
	Left, Right JoinSide
	LeftWeight  int       // column of the left input with the rows' weights; -1 when each counts once
	RightWeight int       // of the right
	Cond        expr.Expr // bound to CondCols; nil when keys decide
	CondCols    []int     // columns of left followed by right that Cond reads
	Out         *column.Schema
	Env         Env
	From        Provenance

	filter      *expr.Filter
	left, right *heldSide
}

// half: only rows of the left side are put out.
func (s *ChangeJoin) half() bool { return oneOf(s.Kind, logical.LeftSemi, logical.LeftAnti) }

func (s *ChangeJoin) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	r := &changeJoinRun{s: s, tc: tc, mem: reserve(tc)}
	r.held = heldTable{state: state, op: tc.Op, expires: stateExpires(tc)}
	r.pairing = pairing{left: s.left, right: s.right, nullSafe: s.NullSafe, filter: s.filter, condCols: s.CondCols, onPairs: r.met}
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

func (s *ChangeJoin) prepare() error {
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

// changeJoinRun is one micro-batch of a ChangeJoin.
type changeJoinRun struct {
	s    *ChangeJoin
	tc   *rdd.TaskContext
	mem  *reservation
	emit func(*column.Batch)
	held heldTable
	pairing
	weights []int64
}

func (r *changeJoinRun) run(leftIn, rightIn rdd.Reader) error {
	left, err := r.collect(r.s.left, r.s.LeftWeight, leftIn)
	if err != nil {
		return err
	}
	right, err := r.collect(r.s.right, r.s.RightWeight, rightIn)
	if err != nil {
		return err
	}
	if left.b.N+right.b.N == 0 {
		return nil
	}
	left.keys, right.keys = keysOf(left, r.nullSafe), keysOf(right, r.nullSafe)
	heldRight, err := r.held.fetch(r.s.right, left.keys, nil)
	if err != nil {
		return err
	}
	heldLeft, err := r.heldLeft(right)
	if err != nil {
		return err
	}
	for _, pair := range [][2]*joinRows{{left, heldRight}, {left, right}, {heldLeft, right}} {
		if err := r.join(pair[0], pair[1]); err != nil {
			return err
		}
	}
	for _, rows := range []*joinRows{left, heldLeft, right, heldRight} {
		r.settle(rows)
	}
	for _, rows := range []*joinRows{heldLeft, heldRight} {
		if err := r.held.recount(rows); err != nil {
			return err
		}
	}
	if err := r.held.hold(left); err != nil {
		return err
	}
	return r.held.hold(right)
}

// heldLeft are the left rows that the new right rows may be partners of. Where only keys decide whether a left row has a
// partner, and not which, they are needed only when a key gets its first or loses its last.
func (r *changeJoinRun) heldLeft(right *joinRows) (*joinRows, error) {
	if !r.s.half() || r.filter != nil {
		return r.held.fetch(r.s.left, right.keys, nil)
	}
	before, err := r.held.fetch(r.s.right, right.keys, nil)
	if err != nil {
		return nil, err
	}
	had, has := make([]int64, len(right.keys.first)), make([]int64, len(right.keys.first))
	for i, ref := range before.refs {
		had[ref.key] += before.weights[i]
	}
	copy(has, had)
	for i, g := range right.keys.gids {
		has[g] += right.weights[i]
	}
	flips := make([]bool, len(had))
	for g := range had {
		flips[g] = (had[g] > 0) != (has[g] > 0)
	}
	rows, err := r.held.fetch(r.s.left, right.keys, flips)
	if err != nil {
		return nil, err
	}
	for i, ref := range rows.refs {
		rows.counts[i] = had[ref.key] // what is held of it is from when the key last flipped
	}
	return rows, nil
}

// collect reads a side's new rows whole, in those columns that are needed, and adds up the weights of equal ones.
func (r *changeJoinRun) collect(side *heldSide, weight int, in rdd.Reader) (*joinRows, error) {
	var list []*column.Batch
	var weights []int64
	var rows, bytes int64
	err := each(in, func(b *column.Batch) error {
		rows += int64(b.N)
		for i := range b.N {
			w := int64(1)
			if weight >= 0 {
				w = b.Cols[weight].I64[i]
			}
			weights = append(weights, w)
		}
		side.picked = pick(side.picked, b, side.cols)
		side.picked.Schema = side.schema
		c := side.picked.Clone()
		list = append(list, c)
		// Rows are there as columns and encoded, and a table is made of them.
		if bytes += c.Bytes(); !r.mem.to(4 * bytes) {
			return outOfMemory(r.tc.Op, 4*bytes)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	count(r.tc, r.tc.Op, RowsIn, rows)
	out := &joinRows{side: side, b: column.Concat(side.schema, list), weights: weights}
	out.consolidate()
	out.counts, out.more = make([]int64, out.b.N), make([]int64, out.b.N)
	return out, nil
}

// met takes pairs: it puts them out with the product of their weights and counts partners.
func (r *changeJoinRun) met(left *joinRows, lrows []int32, right *joinRows, rrows []int32) {
	left.meet(lrows, right, rrows)
	right.meet(rrows, left, lrows)
	if r.s.half() {
		return
	}
	r.weights = resize(r.weights, len(lrows))
	for i := range lrows {
		r.weights[i] = left.weights[lrows[i]] * right.weights[rrows[i]]
	}
	r.emit(r.weigh(r.gather(r.s.Out, left, lrows, right, rrows), r.weights))
}

// meet counts partners of rows.
func (j *joinRows) meet(rows []int32, partners *joinRows, prows []int32) {
	if !j.side.keeps {
		return
	}
	for i, row := range rows {
		j.more[row] += partners.weights[prows[i]]
	}
}

// weigh gives output rows their weights, in the last column.
func (r *changeJoinRun) weigh(b *column.Batch, weights []int64) *column.Batch {
	b.Cols = append(b.Cols, &column.Vector{Type: bigint, N: len(weights), I64: append([]int64(nil), weights...)})
	return b
}

// settle puts out what the join owes rows of a kept side by themselves: each is in the result as often as it is there, when
// it has no partner (outer, anti), or when it has one (semi). New rows are in it as they are now; of held ones the difference.
func (r *changeJoinRun) settle(rows *joinRows) {
	if !rows.side.keeps {
		return
	}
	var which []int32
	r.weights = r.weights[:0]
	for i, w := range rows.weights {
		w *= r.owed(rows.counts[i] + rows.more[i])
		if rows.refs != nil {
			w -= rows.weights[i] * r.owed(rows.counts[i])
		}
		if w != 0 {
			which, r.weights = append(which, int32(i)), append(r.weights, w)
		}
	}
	for from := 0; from < len(which); from += column.BatchRows {
		to := min(from+column.BatchRows, len(which))
		r.emit(r.weigh(r.alone(r.s.Out, rows, which[from:to]), r.weights[from:to]))
	}
}

// owed is how often a row with so many partners is put out by itself.
func (r *changeJoinRun) owed(partners int64) int64 {
	if (partners > 0) == (r.s.Kind == logical.LeftSemi) {
		return 1
	}
	return 0
}
