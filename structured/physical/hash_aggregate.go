package physical

import (
	"errors"
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
// When memory refuses, an operator that puts out states passes on what it has and starts afresh, so that a group may come
// out several times; a final one, and one that must put out each group once (Whole), cuts its groups by hash into spill
// files and later merges file after file.
type HashAggregate struct {
	Keys  []int
	Aggs  []AggSpec
	Final bool
	Whole bool
	// State is the schema of keys and states; Out that of the output (State unless Final).
	State, Out *column.Schema

	groups *groups
}

func (h *HashAggregate) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := h.prepare(); err != nil {
		return nil, err
	}
	run := &aggRun{h: h, tc: tc, op: tc.Op, in: in[0], mem: reserve(tc), g: h.groups}
	if !h.Final && !h.Whole {
		part := &partialRun{aggRun: run}
		return output(tc, in, part.next, run.close), nil
	}
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

// aggRun is one run of a HashAggregate that puts out each group once.
type aggRun struct {
	h       *HashAggregate
	tc      *rdd.TaskContext
	op      string
	in      rdd.Reader
	mem     *reservation
	g       *groups    // those being filled or put out: the operator's own, or those of a part
	out     *groupRows // what is being put out
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
		if r.out != nil {
			if b, _ := r.out.next(column.BatchRows); b != nil {
				return b, nil
			}
			r.out = nil
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

// consume reads the input, spilling when memory is full, and sets what to put out.
func (r *aggRun) consume() error {
	err := each(r.in, func(b *column.Batch) error {
		r.rows += int64(b.N)
		return r.add(b, 0)
	})
	if err != nil {
		return err
	}
	r.ended = true
	count(r.tc, r.op, RowsIn, r.rows)
	return r.finish(0)
}

// add takes the rows of b into the groups, and spills them when memory refuses more.
func (r *aggRun) add(b *column.Batch, depth int) error {
	if err := r.g.add(b); err != nil {
		return err
	}
	if len(r.g.keys) == 0 || r.mem.to(r.g.bytes()) {
		return nil
	}
	if depth > maxSpillDepth {
		return outOfMemory(r.op, r.g.bytes())
	}
	return r.spill(depth)
}

// finish sets what to put out, or which parts to merge, when all rows of a depth were read.
func (r *aggRun) finish(depth int) (err error) {
	if r.spilled != nil {
		if err := r.spill(depth); err != nil {
			return err
		}
		r.cut(depth)
		return nil
	}
	if len(r.g.keys) == 0 {
		r.g.one()
	}
	if !r.h.Final {
		r.out = r.g.states(r.h.Out)
		return nil
	}
	r.out, err = r.g.results(r.h.Out)
	return err
}

// spill writes all groups' states out and starts with an empty table.
func (r *aggRun) spill(depth int) error {
	if r.spilled == nil {
		r.spilled = newSpillSet(r.tc, r.h.State, depth)
	}
	states := r.g.states(r.h.State)
	for {
		b, hashes := states.next(spillRows)
		if b == nil {
			break
		}
		if err := r.spilled.write(b, hashes); err != nil {
			return err
		}
	}
	r.mem.release()
	return r.g.renew()
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

// merge reads the last part into new groups and sets their results to be put out; a part that does not fit is cut again by
// other bits of the hash.
func (r *aggRun) merge() error {
	part := r.parts[len(r.parts)-1]
	r.parts = r.parts[:len(r.parts)-1]
	r.mem.release()
	var err error
	if r.g, err = newGroups(leading(len(r.h.Keys)), r.h.keyTypes(), mergeSpecs(r.h.Aggs, len(r.h.Keys))); err != nil {
		return err
	}
	in, err := part.file.read()
	if err != nil {
		return err
	}
	err = each(in, func(b *column.Batch) error { return r.add(b, part.depth+1) })
	if err := errors.Join(err, in.Close()); err != nil {
		return err
	}
	return r.finish(part.depth + 1)
}

// residentGroups is how much memory the groups of an operator keep from one run to the next: what a micro-batch needs.
const residentGroups = 1 << 20

func (r *aggRun) close() {
	if r.spilled != nil {
		r.spilled.close()
	}
	for _, p := range r.parts {
		_ = p.file.close() // already unlinked: nothing is lost
	}
	if r.h.groups.bytes() > residentGroups {
		r.h.groups = nil
	}
	r.g, r.out = nil, nil
	r.mem.release()
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

func outOfMemory(op string, bytes int64) error {
	return usererr.New("OUT_OF_MEMORY", "53200", "Operator %s needs %d bytes for one part of its data, even after spilling.", op, bytes).
		WithFix("Raise --memory, or use fewer slots so that each task has a larger share.").With("operator", op).With("bytes", fmt.Sprint(bytes))
}
