package physical

import (
	"errors"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// HashJoin joins its two inputs, left then right: it builds a table of one side and probes it with the other. Pairs with
// equal keys must satisfy Cond too. Without keys every pair is looked at.
//
// When memory refuses the build side, both sides are cut by hash into spill files and joined file by file. Where a cut cannot
// help, because one key has too many rows or there is none, the build side is joined block by block (hash_join_blocks.go).
//
// In a streaming query the build side may be Static: a plan of its own that is run inside the task and kept.
type HashJoin struct {
	Kind                logical.JoinKind
	LeftKeys, RightKeys []int
	NullSafe            []bool // keys for which null equals null
	BuildLeft           bool
	LeftOut, RightOut   []int     // columns of each side in the output
	Cond                expr.Expr // bound to CondCols; nil when keys decide
	CondCols            []int     // columns of left followed by right that Cond reads
	Left, Right         *column.Schema
	Out                 *column.Schema
	Static              *Static
	// Publish lists the keys of the build side that are handed to the operators of the probe side, as filters.
	Publish []KeyRef
	Env     Env
	From    Provenance

	filter  *expr.Filter
	static  *column.JoinTable // the built static side
	version string            // of what it was built from
}

// compile prepares the condition.
func (h *HashJoin) compile() (err error) {
	if h.Cond != nil && h.filter == nil {
		h.filter, err = expr.CompileFilter(h.Cond)
	}
	return err
}

func (h *HashJoin) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := h.compile(); err != nil {
		return nil, err
	}
	r := newJoinRun(h, tc)
	switch {
	case h.Static != nil:
		if v := h.Static.version(tc); h.static == nil || v != h.version {
			held, err := h.Static.collect(tc)
			if err != nil {
				return nil, err
			}
			h.static, h.version = r.table(held), v
		}
		r.build, r.probeIn = nil, in[0]
		r.begin(h.static, in[0])
	case h.BuildLeft:
		r.build, r.probeIn = in[0], in[1]
	default:
		r.build, r.probeIn = in[1], in[0]
	}
	return output(tc, in, r.next, r.close), nil
}

// sides of the join in terms of probe and build.
func (h *HashJoin) buildSide() (keys, out []int, schema *column.Schema) {
	if h.BuildLeft {
		return h.LeftKeys, h.LeftOut, h.Left
	}
	return h.RightKeys, h.RightOut, h.Right
}

func (h *HashJoin) probeSide() (keys, out []int, schema *column.Schema) {
	if h.BuildLeft {
		return h.RightKeys, h.RightOut, h.Right
	}
	return h.LeftKeys, h.LeftOut, h.Left
}

// keepsProbe: probe rows without a partner are put out with nulls. keepsBuild: the same for build rows.
func (h *HashJoin) keepsProbe() bool {
	return h.Kind == logical.FullOuter || h.Kind == logical.LeftOuter && !h.BuildLeft || h.Kind == logical.RightOuter && h.BuildLeft
}

func (h *HashJoin) keepsBuild() bool {
	return h.Kind == logical.FullOuter || h.Kind == logical.LeftOuter && h.BuildLeft || h.Kind == logical.RightOuter && !h.BuildLeft
}

// half: only rows of the left side are put out, those with a partner (semi) or without (anti).
func (h *HashJoin) half() bool { return h.Kind == logical.LeftSemi || h.Kind == logical.LeftAnti }

// joinRun is one run of a HashJoin; see hash_join_pass.go for how a probe batch is joined.
type joinRun struct {
	h       *HashJoin
	tc      *rdd.TaskContext
	op      string
	mem     *reservation
	build   rdd.Reader
	probeIn rdd.Reader
	begun   bool
	pass    *joinPass
	blocks  *joinBlocks // what is joined block by block, nil otherwise
	parts   []joinPart
	partIn  []rdd.Reader // the files of the part being joined
	ctx     expr.Context
	errs    expr.RowErrors
	dead    *aside
}

// joinPart is both sides' rows of one cut; a side without rows has no file.
type joinPart struct {
	build, probe *spillFile
	depth        int
}

func newJoinRun(h *HashJoin, tc *rdd.TaskContext) *joinRun {
	r := &joinRun{h: h, tc: tc, op: tc.Op, mem: reserve(tc)}
	r.ctx = h.Env.context(tc, &r.errs)
	from := h.From
	from.Offset, from.Visible = -1, len(h.CondCols)
	r.dead = newAside(tc, connector.Dead, RowsDead, from, h.Env.Loc)
	return r
}

// table builds the join table of collected rows.
func (r *joinRun) table(held []*column.Batch) *column.JoinTable {
	keys, _, schema := r.h.buildSide()
	t := column.NewJoinTable(column.Concat(schema, held), keys)
	t.NullSafe = r.h.NullSafe
	return t
}

func (r *joinRun) begin(t *column.JoinTable, probe rdd.Reader) {
	r.begun = true
	r.pass = newJoinPass(r, t, probe)
}

func (r *joinRun) next() (*column.Batch, error) {
	if !r.begun {
		r.begun = true
		if err := r.open(r.build, r.probeIn, 0); err != nil {
			return nil, err
		}
	}
	for {
		if r.pass != nil {
			b, err := r.pass.next()
			if b != nil || err != nil {
				return b, err
			}
			r.pass = nil
			r.mem.release()
		}
		switch {
		case r.blocks != nil:
			if err := r.blocks.next(); err != nil {
				return nil, err
			}
		case len(r.parts) == 0:
			return nil, errEnd
		default:
			if err := r.openPart(); err != nil {
				return nil, err
			}
		}
	}
}

// open reads the build side and starts the pass over the probe side. When memory refuses, it cuts both or goes by blocks.
func (r *joinRun) open(build, probe rdd.Reader, depth int) error {
	held, full, err := r.hold(build, depth)
	if err != nil {
		return err
	}
	keys, _, _ := r.h.buildSide()
	switch {
	case !full:
		t := r.table(held)
		if depth == 0 {
			publishKeys(r.tc, r.h.Publish, t.Build)
		}
		r.pass = newJoinPass(r, t, probe)
		return nil
	case len(keys) == 0 || depth > maxSpillDepth:
		return r.openBlocks(held, build, probe)
	}
	return r.cut(held, build, probe, depth)
}

// leastBuild is what a part of a build side may take however little memory is left: parts of a few rows would be read too
// often.
const leastBuild = 512 << 10

// tableRow is the memory of a row in a join table besides the row: its key, its hash, two to four slots, its place.
const tableRow = 64

// hold copies the build side until its end or until memory refuses; full says that it refused.
func (r *joinRun) hold(build rdd.Reader, depth int) (held []*column.Batch, full bool, err error) {
	var bytes, rows int64
	var last *column.Batch
	for {
		b, err := build.Next()
		if err == io.EOF {
			return held, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if b.N == 0 {
			continue
		}
		last = b.CloneAfter(last)
		held = append(held, last)
		bytes += last.Bytes()
		if depth > 0 && bytes < leastBuild {
			continue
		}
		rows += int64(b.N)
		// The rows are there once more while they are put side by side, and the table has keys, hashes and slots.
		if !r.mem.to(2*bytes + tableRow*rows) {
			return held, true, nil
		}
	}
}

// cut writes both sides to spill files by the hashes of their keys and queues the parts.
func (r *joinRun) cut(held []*column.Batch, build, probe rdd.Reader, depth int) error {
	keys, _, schema := r.h.buildSide()
	left := newSpillSet(r.tc, schema, depth)
	write := func(b *column.Batch) error { return left.write(b, hashRows(b, keys)) }
	for i, b := range held {
		if err := write(b); err != nil {
			return errors.Join(err, left.closed())
		}
		held[i] = nil
	}
	r.mem.release()
	if err := each(build, write); err != nil {
		return errors.Join(err, left.closed())
	}
	keys, _, schema = r.h.probeSide()
	right := newSpillSet(r.tc, schema, depth)
	err := each(probe, func(b *column.Batch) error { return right.write(b, hashRows(b, keys)) })
	whole := left.rows()
	for i := range left.files {
		if left.files[i] == nil && right.files[i] == nil {
			continue
		}
		next := depth + 1
		if left.files[i] != nil && left.files[i].rows == whole {
			next = maxSpillDepth + 1 // nothing was cut off: most likely the rows have one key
		}
		r.parts = append(r.parts, joinPart{left.files[i], right.files[i], next})
	}
	return err
}

func (r *joinRun) openPart() error {
	r.closePart()
	p := r.parts[len(r.parts)-1]
	r.parts = r.parts[:len(r.parts)-1]
	build, err := r.readPart(p.build)
	if err != nil {
		return err
	}
	probe, err := r.readPart(p.probe)
	if err != nil {
		return err
	}
	return r.open(build, probe, p.depth)
}

func (r *joinRun) readPart(f *spillFile) (rdd.Reader, error) {
	if f == nil {
		return empty{}, nil
	}
	in, err := f.read()
	if err == nil {
		r.partIn = append(r.partIn, in)
	}
	return in, err
}

func (r *joinRun) closePart() {
	for _, in := range r.partIn {
		_ = in.Close() // an unlinked file: nothing is lost
	}
	r.partIn = nil
}

func (r *joinRun) close() {
	r.mem.release()
	r.closePart()
	if r.blocks != nil {
		r.blocks.close()
	}
	for _, p := range r.parts {
		for _, f := range []*spillFile{p.build, p.probe} {
			if f != nil {
				_ = f.close() // already unlinked: nothing is lost
			}
		}
	}
	r.parts, r.pass, r.blocks = nil, nil, nil
}

func hashRows(b *column.Batch, keys []int) []uint64 {
	cols := make([]*column.Vector, len(keys))
	for i, k := range keys {
		cols[i] = b.Cols[k]
	}
	return column.Hash(nil, cols, b.N)
}
