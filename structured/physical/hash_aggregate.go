package physical

import (
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
)

// HashAggregate groups its partition's rows by Keys. Final operators put out results, others states for a later one to
// merge. Without keys there is one group, which a final operator puts out even when there were no rows.
//
// When memory refuses, an operator that puts out states passes on what it has and starts afresh; a final one cuts its
// groups by hash into spill files and later merges file after file.
type HashAggregate struct {
	Keys  []int
	Aggs  []AggSpec
	Final bool
	// State is the schema of keys and states; Out that of the output (State unless Final).
	State, Out *column.Schema

	groups *groups
}

func (h *HashAggregate) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := h.prepare(); err != nil {
		return nil, err
	}
	run := &aggRun{h: h, tc: tc, op: tc.Op, in: in[0], mem: reserve(tc)}
	return output(tc, in, run.next, run.close), nil
}

// prepare makes the groups the first time and empties them later.
func (h *HashAggregate) prepare() error {
	if h.groups != nil {
		h.groups.reset()
		return nil
	}
	var err error
	h.groups, err = newGroups(h.Keys, h.keyTypes(), h.Aggs)
	return err
}

func (h *HashAggregate) keyTypes() []column.Type {
	types := make([]column.Type, len(h.Keys))
	for i := range h.Keys {
		types[i] = h.State.Fields[i].Type
	}
	return types
}

// aggRun is one run of a HashAggregate.
type aggRun struct {
	h       *HashAggregate
	tc      *rdd.TaskContext
	op      string
	in      rdd.Reader
	mem     *reservation
	out     pieces
	ended   bool
	rows    int64
	spilled *spillSet
	parts   []spillPart
}

// spillPart is a spill file that waits to be merged.
type spillPart struct {
	file  *spillFile
	depth int
}

func (r *aggRun) next() (*column.Batch, error) {
	for {
		if b := r.out.next(); b != nil {
			return b, nil
		}
		switch {
		case !r.ended:
			if err := r.consume(); err != nil {
				return nil, err
			}
		case len(r.parts) > 0:
			if err := r.merge(); err != nil {
				return nil, err
			}
		default:
			return nil, io.EOF
		}
	}
}

// consume reads input until its end or, if states may be passed on, until memory is full, and sets what to put out.
func (r *aggRun) consume() error {
	g := r.h.groups
	if r.out.b == nil && g.n > 0 && !r.h.Final {
		g.reset()
		r.mem.release()
	}
	for {
		b, err := r.in.Next()
		if err == io.EOF {
			r.ended = true
			return r.finish()
		}
		if err != nil {
			return err
		}
		if b.N == 0 {
			continue
		}
		r.rows += int64(b.N)
		if err := g.add(b); err != nil {
			return err
		}
		if r.mem.to(g.bytes()) {
			continue
		}
		if !r.h.Final {
			r.out.set(g.states(r.h.Out))
			return nil
		}
		if len(r.h.Keys) > 0 {
			if err := r.spill(0); err != nil {
				return err
			}
		}
	}
}

// finish sets what to put out when the input has ended.
func (r *aggRun) finish() error {
	count(r.tc, r.op, RowsIn, r.rows)
	g := r.h.groups
	if r.spilled != nil {
		if err := r.spill(0); err != nil {
			return err
		}
		r.cut(0)
		return nil
	}
	if !r.h.Final {
		r.out.set(g.states(r.h.Out))
		return nil
	}
	return r.emit()
}

func (r *aggRun) emit() error {
	g := r.h.groups
	if len(r.h.Keys) == 0 {
		g.one()
	}
	out, err := g.results(r.h.Out)
	r.out.set(out)
	return err
}

// spill writes all groups' states out and empties the table.
func (r *aggRun) spill(depth int) error {
	g := r.h.groups
	if r.spilled == nil {
		r.spilled = newSpillSet(r.tc, r.h.State, depth)
	}
	states := g.states(r.h.State)
	hashes := g.hashesOf()
	for from := 0; from < states.N; from += column.ExchangeRows {
		to := min(from+column.ExchangeRows, states.N)
		if err := r.spilled.write(states.Slice(from, to), hashes[from:to]); err != nil {
			return err
		}
	}
	g.reset()
	r.mem.release()
	return nil
}

// cut turns the files of the spill set into parts to be merged.
func (r *aggRun) cut(depth int) {
	for i, f := range r.spilled.files {
		if f != nil {
			r.parts = append(r.parts, spillPart{f, depth})
			r.spilled.files[i] = nil
		}
	}
	r.spilled = nil
}

// merge reads the last part into the emptied table and sets its results to be put out; a part that does not fit is cut
// again by other bits of the hash.
func (r *aggRun) merge() error {
	part := r.parts[len(r.parts)-1]
	r.parts = r.parts[:len(r.parts)-1]
	r.h.groups.reset()
	r.mem.release()
	in, err := part.file.read()
	if err != nil {
		return err
	}
	defer in.Close()
	g, err := r.merging()
	if err != nil {
		return err
	}
	saved := r.h.groups
	r.h.groups = g
	err = each(in, func(b *column.Batch) error {
		if err := g.add(b); err != nil {
			return err
		}
		if r.mem.to(g.bytes()) {
			return nil
		}
		if part.depth == maxSpillDepth {
			return outOfMemory(r.op, g.bytes())
		}
		return r.spill(part.depth + 1)
	})
	if err != nil {
		r.h.groups = saved
		return err
	}
	if r.spilled != nil {
		err = r.spill(part.depth + 1)
		r.cut(part.depth + 1)
	} else {
		err = r.emit()
	}
	r.h.groups = saved
	return err
}

// merging is groups over the layout of spilled states.
func (r *aggRun) merging() (*groups, error) {
	keys := make([]int, len(r.h.Keys))
	for i := range keys {
		keys[i] = i
	}
	return newGroups(keys, r.h.keyTypes(), mergeSpecs(r.h.Aggs, len(keys)))
}

// mergeSpecs are the aggregates as they read states that follow the keys.
func mergeSpecs(aggs []AggSpec, from int) []AggSpec {
	out := make([]AggSpec, len(aggs))
	for i, a := range aggs {
		out[i] = AggSpec{Agg: a.Agg, Merge: true}
		for range expr.StateTypes(a.Agg) {
			out[i].Cols = append(out[i].Cols, from)
			from++
		}
	}
	return out
}

func (r *aggRun) close() {
	r.mem.release()
	if r.spilled != nil {
		r.spilled.close()
	}
	for _, p := range r.parts {
		_ = p.file.close() // already unlinked: nothing is lost
	}
}

func outOfMemory(op string, bytes int64) error {
	return usererr.New("OUT_OF_MEMORY", "53200", "Operator %s needs %d bytes for one part of its data, even after spilling.", op, bytes).
		WithFix("Raise --memory, or use fewer slots so that each task has a larger share.").With("operator", op).With("bytes", fmt.Sprint(bytes))
}
