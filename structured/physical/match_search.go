package physical

import (
	"errors"
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/pattern"
)

// matcher searches a block of rows and is kept by the resident operator.
type matcher struct {
	m      *Match
	search pattern.Search
	conds  []condition // by variable
	args   []evaluator // of each slot that is an aggregate
	sums   *matchSums  // nil when no condition reads an aggregate
	slots  slotReader
	values evaluator // the measures

	tc   *rdd.TaskContext
	dead *aside
	late *aside // timeouts
	bad  map[int32]bool

	b     *column.Batch
	parts []matchPart
	lo    []int32 // first and
	hi    []int32 // one behind the last row of each row's partition
}

// matchPart is a partition in a block: the machine, and the first row that its slots may reach.
type matchPart struct {
	lo int32
	m  *pattern.Machine
}

func machines(parts []matchPart) []*pattern.Machine {
	out := make([]*pattern.Machine, len(parts))
	for i, p := range parts {
		out[i] = p.m
	}
	return out
}

// condition is when a row can be a variable.
type condition struct {
	MatchExpr
	any   bool // it always can
	ofRow bool // it depends on the row alone, and is computed for a whole block
	eval  evaluator
	true_ []uint64        // ofRow: by row of the block
	fails map[int32]error // ofRow: rows for which it could not be computed
	sel   []int           // requests of the round
	yes   []int32
}

func newMatcher(m *Match) (*matcher, error) {
	k := &matcher{m: m, args: make([]evaluator, len(m.Slots)), conds: make([]condition, len(m.Conds))}
	k.search.Config = m.Pattern
	k.search.RowOnly = true
	sums := false
	for v := range k.conds {
		c := &k.conds[v]
		c.MatchExpr, c.any, c.ofRow = m.Conds[v], m.Conds[v].Cond == nil, true
		for _, s := range c.Slots {
			c.ofRow = c.ofRow && m.Slots[s].ofRow(v)
			sums = sums || m.Slots[s].Kind == AggregateSlot
		}
		k.search.RowOnly = k.search.RowOnly && c.ofRow
	}
	k.slots.prepare(k)
	if sums {
		var err error
		if k.sums, err = newMatchSums(k); err != nil {
			return nil, err
		}
	}
	k.search.Test = k.test
	return k, nil
}

// open prepares for the run that tc belongs to.
func (k *matcher) open(tc *rdd.TaskContext) error {
	k.tc = tc
	k.dead = newAside(tc, connector.Dead, RowsDead, k.m.From, k.m.Env.Loc)
	k.late = newAside(tc, connector.Timeout, RowsTimeout, timeoutProvenance(k.m), k.m.Env.Loc)
	for v := range k.conds {
		if c := &k.conds[v]; !c.any {
			if err := c.eval.open(tc, k.m.Env, []expr.Expr{c.Cond}); err != nil {
				return err
			}
			c.eval.ctx.Rows = &c.eval.rows
		}
	}
	for i, s := range k.m.Slots {
		if s.Kind == AggregateSlot {
			if err := k.args[i].open(tc, k.m.Env, s.Agg.Children()); err != nil {
				return err
			}
		}
	}
	return k.values.open(tc, k.m.Env, k.m.Measures.List)
}

// forget drops what belongs to the last block.
func (k *matcher) forget() {
	k.b, k.parts, k.lo, k.hi = nil, nil, nil, nil
	k.search.Paths.Reset(nil)
	k.search.Found = nil
}

// begin takes up a block; the machines are not started yet.
func (k *matcher) begin(b *column.Batch, parts []matchPart) {
	k.b, k.parts, k.bad = b, parts, nil
	k.lo, k.hi = resize(k.lo, b.N), resize(k.hi, b.N)
	for _, p := range parts {
		for i := p.lo; i < p.m.End; i++ {
			k.lo[i], k.hi[i] = p.lo, p.m.End
		}
	}
	k.search.Found = k.search.Found[:0]
	k.search.Paths.Reset(k.slots.tracks)
	k.search.Times = nil
	if k.m.Time >= 0 {
		k.search.Times = column.Expand(b.Cols[k.m.Time], b.N).I64[:b.N]
	}
}

// find runs the machines over the block.
func (k *matcher) find() error {
	for i := range k.m.Slots {
		if err := k.slots.takeArgs(k, i); err != nil {
			return err
		}
	}
	for v := range k.conds {
		if err := k.wholeBlock(v); err != nil {
			return err
		}
	}
	ms := machines(k.parts)
	if k.sums != nil {
		if err := k.sums.restart(k, ms); err != nil {
			return err
		}
	}
	if err := k.search.Run(ms); err != nil {
		return k.failed(err)
	}
	return k.dead.flush()
}

// failed makes a mistake of the search the user's, where it is theirs.
func (k *matcher) failed(err error) error {
	if !errors.Is(err, pattern.ErrTooMany) {
		return err
	}
	return usererr.New("MATCH_RECOGNIZE_TOO_MANY_MATCHES", "54000", "Operator %s has more than %d ways to match open in one partition.", k.tc.Op, pattern.MaxThreads).
		WithFix("Make the DEFINE conditions more selective, bound the match by WITHIN, or partition by more columns.")
}

// wholeBlock computes a condition of rows alone for all rows.
func (k *matcher) wholeBlock(v int) error {
	c := &k.conds[v]
	if c.any || !c.ofRow {
		return nil
	}
	b := &column.Batch{N: k.b.N, Schema: &column.Schema{}}
	for _, s := range c.Slots {
		b.Cols = append(b.Cols, k.slots.shifted(k, &k.m.Slots[s]))
	}
	out, err := c.eval.eval(b)
	if err != nil {
		return err
	}
	c.true_ = resize(c.true_, (b.N+63)/64)
	clear(c.true_)
	for _, i := range column.SelectTrue(nil, out[0], b.N) {
		c.true_[i>>6] |= 1 << (i & 63)
	}
	c.fails = nil
	for i, row := range c.eval.rows.Rows {
		if c.fails == nil {
			c.fails = map[int32]error{}
		}
		c.fails[row] = c.eval.rows.Errs[i]
		c.true_[row>>6] &^= 1 << (row & 63)
	}
	return nil
}

// test answers the requests of a round.
func (k *matcher) test(reqs []pattern.Request, ok []bool) error {
	if k.sums != nil {
		if err := k.sums.step(k, reqs); err != nil {
			return err
		}
	}
	for v := range k.conds {
		k.conds[v].sel = k.conds[v].sel[:0]
	}
	for i, r := range reqs {
		c := &k.conds[r.Var]
		switch {
		case c.any:
			ok[i] = true
		case c.ofRow:
			ok[i] = c.true_[r.Row>>6]>>(r.Row&63)&1 != 0
			if err := c.fails[r.Row]; err != nil {
				if err := k.refuse(r.Row, err); err != nil {
					return err
				}
			}
		default:
			ok[i] = false
			c.sel = append(c.sel, i)
		}
	}
	for v := range k.conds {
		if len(k.conds[v].sel) > 0 {
			if err := k.ask(v, reqs, ok); err != nil {
				return err
			}
		}
	}
	return nil
}

// ask computes a condition for the requests that it was selected for.
func (k *matcher) ask(v int, reqs []pattern.Request, ok []bool) error {
	c := &k.conds[v]
	points := k.slots.points[:0]
	for _, i := range c.sel {
		r := reqs[i]
		points = append(points, matchPoint{path: r.Path, row: r.Row, v: int(r.Var), whole: pattern.None, ask: i})
	}
	k.slots.points = points
	b, err := k.slots.batch(k, c.Slots, points, func(slot int) (*column.Vector, error) { return k.sums.of(slot, points) })
	if err != nil {
		return err
	}
	out, err := c.eval.eval(b)
	if err != nil {
		return err
	}
	c.yes = column.SelectTrue(c.yes, out[0], len(points))
	for _, i := range c.yes {
		ok[c.sel[i]] = true
	}
	for i, row := range c.eval.rows.Rows {
		at := c.sel[row]
		ok[at] = false
		if err := k.refuse(reqs[at].Row, c.eval.rows.Errs[i]); err != nil {
			return err
		}
	}
	return nil
}

// refuse deals with a row for which a condition could not be computed: in a streaming query it is reported once and can be
// nothing; otherwise the run fails.
func (k *matcher) refuse(row int32, err error) error {
	if !streaming(k.tc) {
		return err
	}
	if k.bad[row] {
		return nil
	}
	if k.bad == nil {
		k.bad = map[int32]bool{}
	}
	k.bad[row] = true
	k.dead.add(k.b, int(row), fmt.Sprintf("DEFINE: %v", err))
	return nil
}
