package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// Over appends to each row what window functions make of the rows around it. Its input is sorted by the Partition columns and
// then by Order; it computes blocks of whole partitions. A partition that memory does not hold is computed piece by piece from
// a file (over_large.go).
//
//	sorted rows ─▶ block: some whole partitions ─▶ borders of partitions, peers and frames ─▶ one column for each function
type Over struct {
	Partition []column.SortKey
	Order     []column.SortKey
	Fns       []*expr.Over // operands are bound
	Out       *column.Schema
	Env       Env

	args []evaluator // of each function
}

func (o *Over) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := o.openFns(tc); err != nil {
		return nil, err
	}
	r := &overRun{o: o, tc: tc, op: tc.Op, blocks: blocks{in: in[0], by: o.Partition, mem: reserve(tc), spills: true}}
	return output(tc, in, r.next, r.close), nil
}

// openFns compiles the functions' operands.
func (o *Over) openFns(tc *rdd.TaskContext) error {
	if o.args == nil {
		o.args = make([]evaluator, len(o.Fns))
	}
	for i, f := range o.Fns {
		if err := o.args[i].open(tc, o.Env, f.Fn.Children()); err != nil {
			return err
		}
	}
	return nil
}

type overRun struct {
	o  *Over
	tc *rdd.TaskContext
	op string
	blocks
	out   *column.Batch // the block's rows that are still to be put out
	large *largeOver    // the partition that is put out from a file, if there is one
}

func (r *overRun) close() {
	if r.large != nil {
		r.large.close()
	}
	r.mem.release()
}

func (r *overRun) next() (*column.Batch, error) {
	for r.out == nil || r.out.N == 0 {
		if r.large != nil {
			b, err := r.large.next()
			if err != io.EOF {
				return b, err
			}
			r.large.close()
			r.large = nil
			continue
		}
		b, err := r.block()
		if err == errRefused {
			if b = r.whole(); b == nil {
				if r.large, err = r.openLarge(); err != nil {
					return nil, err
				}
				continue
			}
		} else if err != nil {
			return nil, err
		}
		if r.out, err = r.o.compute(b); err != nil {
			return nil, err
		}
	}
	n := min(r.out.N, column.BatchRows)
	b := r.out.Slice(0, n)
	r.out = r.out.Slice(n, r.out.N)
	return b, nil
}

// compute is b with the functions' columns.
func (o *Over) compute(b *column.Batch) (*column.Batch, error) {
	s := newSpans(b, o.Partition, o.Order)
	out := &column.Batch{Schema: o.Out, N: b.N, Cols: append([]*column.Vector{}, b.Cols...)}
	for i, f := range o.Fns {
		args, err := o.args[i].eval(b)
		if err != nil {
			return nil, err
		}
		v, err := o.function(s, f, args)
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, v)
	}
	return out, nil
}

func (o *Over) function(s *spans, f *expr.Over, args []*column.Vector) (*column.Vector, error) {
	switch fn := f.Fn.(type) {
	case *expr.Call:
		return rowFunction(s, fn.Fn, f.Frame, args)
	case *expr.Agg:
		fr, err := s.frames(f.Frame)
		if err != nil {
			return nil, err
		}
		if picked := picks(s, fn, fr, args); picked != nil {
			return picked, nil
		}
		return aggregateFrames(s, fn, fr, args)
	}
	panic("BUG: a window function is neither aggregate nor call: " + f.String())
}
