package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/logical"
)

// errEnd ends a reader; a name for io.EOF where it is a value rather than an event.
var errEnd = io.EOF

// joinPass joins one probe input with one table.
//
//	probe batch ─▶ pairs (up to 4096 at a time) ─▶ Cond ─▶ out
//	            └▶ probe rows without partner ─▶ out (outer, anti)        at the end of each batch
//	table ──────▶ build rows without partner ─▶ out (outer, anti)         at the end of the probe
type joinPass struct {
	r     *joinRun
	h     *HashJoin
	t     *column.JoinTable
	probe rdd.Reader
	p     *column.Probe

	b       *column.Batch // the probe batch being joined, nil between batches
	matched []bool        // its rows that have a partner
	ended   bool

	keys       []*column.Vector
	rows, mate []int32
	sel        []int32
	pairs      *column.Batch
	out        *column.Batch
	rest       []int32 // build rows still to be put out at the end
	swept      bool

	seen *rowSet // in a join by blocks: probe rows that have found a partner in any block
	at   int     // which row of the probe side b begins with
	last bool    // this pass is over what all blocks have left of the probe side
}

func newJoinPass(r *joinRun, t *column.JoinTable, probe rdd.Reader) *joinPass {
	return &joinPass{r: r, h: r.h, t: t, probe: probe, p: t.NewProbe(), out: &column.Batch{}}
}

// next is the next batch of output, nil at the end of the pass.
func (j *joinPass) next() (*column.Batch, error) {
	for !j.ended {
		if j.b == nil {
			b, err := j.probe.Next()
			if err == io.EOF {
				j.ended = true
				break
			}
			if err != nil {
				return b, err
			}
			j.start(b)
		}
		out, done, err := j.step()
		if err != nil {
			return nil, err
		}
		if done {
			j.at += j.b.N
			j.b = nil
		}
		if out != nil && out.N > 0 {
			return out, nil
		}
	}
	return j.sweep(), nil
}

// start looks up the keys of a probe batch.
func (j *joinPass) start(b *column.Batch) {
	j.b = b
	keys, _, _ := j.h.probeSide()
	j.keys = j.keys[:0]
	for _, k := range keys {
		j.keys = append(j.keys, b.Cols[k])
	}
	j.p.Start(j.keys, b.N)
	j.matched = resize(j.matched, b.N)
	clear(j.matched)
}

// step joins some pairs of the batch; done when it was the last of them.
func (j *joinPass) step() (out *column.Batch, done bool, err error) {
	if j.last {
		j.seen.load(j.matched[:j.b.N], j.at)
		return j.probeRest(), true, nil
	}
	if j.h.half() && !j.h.BuildLeft && j.h.Cond == nil {
		j.matched = j.p.Matched(j.matched)
		return j.endBatch(), true, nil
	}
	j.rows, j.mate = j.p.Next(j.rows, j.mate, column.BatchRows)
	if len(j.rows) == 0 {
		return j.endBatch(), true, nil
	}
	if j.h.Cond != nil {
		if err := j.satisfy(); err != nil {
			return nil, false, err
		}
	}
	if j.h.keepsProbe() || j.h.half() && !j.h.BuildLeft {
		for _, row := range j.rows {
			j.matched[row] = true
		}
	}
	if j.h.keepsBuild() || j.h.half() && j.h.BuildLeft {
		j.t.Mark(j.mate)
	}
	if j.h.half() {
		return nil, false, nil
	}
	return j.emit(j.b, j.rows, j.t.Build, j.mate), false, nil
}

// satisfy keeps the pairs for which the condition is true.
func (j *joinPass) satisfy() error {
	j.gatherPairs()
	j.r.errs.Reset()
	sel, err := j.h.filter.Select(&j.r.ctx, j.pairs, j.sel[:0])
	if err != nil {
		return err
	}
	j.sel = sel
	if j.r.errs.Len() > 0 {
		if err := setAside(j.r.dead, j.pairs, &j.r.errs); err != nil {
			return err
		}
		j.sel = without(j.sel, j.r.errs.Rows)
	}
	for i, row := range j.sel {
		j.rows[i], j.mate[i] = j.rows[row], j.mate[row]
	}
	j.rows, j.mate = j.rows[:len(j.sel)], j.mate[:len(j.sel)]
	return nil
}

// gatherPairs fills j.pairs with the columns that the condition reads.
func (j *joinPass) gatherPairs() {
	if j.pairs == nil {
		j.pairs = &column.Batch{Schema: &column.Schema{}, Cols: make([]*column.Vector, len(j.h.CondCols))}
		for _, c := range j.h.CondCols {
			j.pairs.Schema.Fields = append(j.pairs.Schema.Fields, j.field(c))
		}
	}
	j.pairs.N = len(j.rows)
	for i, c := range j.h.CondCols {
		src, col, rows := j.b, c, j.rows
		isLeft := c < len(j.h.Left.Fields)
		if !isLeft {
			col -= len(j.h.Left.Fields)
		}
		if isLeft == j.h.BuildLeft {
			src, rows = j.t.Build, j.mate
		}
		j.pairs.Cols[i] = column.Take(j.pairs.Cols[i], src.Cols[col], rows)
	}
}

func (j *joinPass) field(c int) column.Field {
	if n := len(j.h.Left.Fields); c >= n {
		return j.h.Right.Fields[c-n]
	}
	return j.h.Left.Fields[c]
}

// endBatch is what the batch still gives after its last pair; while there are more blocks to come that is not known yet.
func (j *joinPass) endBatch() *column.Batch {
	if j.seen != nil {
		j.seen.add(j.at, j.matched[:j.b.N])
		return nil
	}
	return j.probeRest()
}

// probeRest is what the batch's rows without (or, for a semi join, with) a partner give.
func (j *joinPass) probeRest() *column.Batch {
	half := j.h.half() && !j.h.BuildLeft
	if !half && !j.h.keepsProbe() {
		return nil
	}
	want := half && j.h.Kind == logical.LeftSemi
	j.rows = j.rows[:0]
	for i, m := range j.matched[:j.b.N] {
		if m == want {
			j.rows = append(j.rows, int32(i))
		}
	}
	j.mate = absent(j.mate, len(j.rows))
	return j.emit(j.b, j.rows, j.t.Build, j.mate)
}

// sweep puts out the build rows that the kind of join still owes.
func (j *joinPass) sweep() *column.Batch {
	if !j.swept {
		j.swept = true
		j.rest = j.owed()
	}
	if len(j.rest) == 0 {
		return nil
	}
	n := min(len(j.rest), column.BatchRows)
	j.mate = append(j.mate[:0], j.rest[:n]...)
	j.rest = j.rest[n:]
	j.rows = absent(j.rows, n)
	_, _, schema := j.h.probeSide()
	none := &column.Batch{Schema: schema, Cols: make([]*column.Vector, len(schema.Fields))}
	for i, f := range schema.Fields {
		none.Cols[i] = column.NewVector(f.Type, 0)
	}
	return j.emit(none, j.rows, j.t.Build, j.mate)
}

func (j *joinPass) owed() []int32 {
	switch {
	case j.h.keepsBuild(), j.h.Kind == logical.LeftAnti && j.h.BuildLeft:
		return j.t.Unmarked(nil)
	case j.h.Kind == logical.LeftSemi && j.h.BuildLeft:
		return without(column.AllRows(nil, j.t.Build.N), j.t.Unmarked(nil))
	}
	return nil
}

// emit gathers output rows: rows of the probe batch beside rows of the build batch, -1 for nulls.
func (j *joinPass) emit(probe *column.Batch, rows []int32, build *column.Batch, mate []int32) *column.Batch {
	left, lrows, right, rrows := probe, rows, build, mate
	if j.h.BuildLeft {
		left, lrows, right, rrows = build, mate, probe, rows
	}
	if j.out.Cols == nil {
		j.out.Cols = make([]*column.Vector, len(j.h.Out.Fields))
	}
	j.out.Schema, j.out.N = j.h.Out, len(rows)
	k := 0
	for _, c := range j.h.LeftOut {
		j.out.Cols[k] = column.Take(j.out.Cols[k], left.Cols[c], lrows)
		k++
	}
	for _, c := range j.h.RightOut {
		j.out.Cols[k] = column.Take(j.out.Cols[k], right.Cols[c], rrows)
		k++
	}
	return j.out
}

// absent is n times -1: no row.
func absent(dst []int32, n int) []int32 {
	dst = resize(dst, n)
	for i := range dst {
		dst[i] = -1
	}
	return dst
}
