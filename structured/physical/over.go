package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// Over appends to each row what window functions make of the rows around it. Its input is sorted by the Partition columns and
// then by Order; it computes blocks of whole partitions.
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

// overBlock is how many rows a block has at least, so that small partitions share the cost of a step.
const overBlock = 16 << 10

func (o *Over) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := o.openFns(tc); err != nil {
		return nil, err
	}
	r := &overRun{o: o, in: in[0], mem: reserve(tc)}
	return output(tc, in, r.next, r.mem.release), nil
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
	o     *Over
	in    rdd.Reader
	mem   *reservation
	held  []*column.Batch // rows of partitions that may go on
	rows  int
	bytes int64
	ended bool
	out   *column.Batch // the block's rows that are still to be put out
}

func (r *overRun) next() (*column.Batch, error) {
	for r.out == nil || r.out.N == 0 {
		b, err := r.block()
		if err != nil {
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

// block reads whole partitions: until there are enough rows and one more partition has begun.
func (r *overRun) block() (*column.Batch, error) {
	for !r.ended {
		b, err := r.in.Next()
		if err == io.EOF {
			r.ended = true
			break
		}
		if err != nil {
			return nil, err
		}
		if b.N == 0 {
			continue
		}
		cut := -1
		if r.rows+b.N >= overBlock {
			cut = r.lastBorder(b)
		}
		if cut < 0 {
			if err := r.hold(b.Clone()); err != nil {
				return nil, err
			}
			continue
		}
		if err := r.hold(b.Slice(0, cut).Clone()); err != nil {
			return nil, err
		}
		out := r.take()
		return out, r.hold(b.Slice(cut, b.N).Clone())
	}
	if r.rows == 0 {
		return nil, io.EOF
	}
	return r.take(), nil
}

// lastBorder is the row of b at which its last partition begins; -1 when that one began before b.
func (r *overRun) lastBorder(b *column.Batch) int {
	for i := b.N - 1; i > 0; i-- {
		if column.CompareRows(b, i-1, b, i, r.o.Partition) != 0 {
			return i
		}
	}
	if n := len(r.held); n > 0 {
		if last := r.held[n-1]; column.CompareRows(last, last.N-1, b, 0, r.o.Partition) != 0 {
			return 0
		}
	}
	return -1
}

func (r *overRun) hold(b *column.Batch) error {
	if b.N == 0 {
		return nil
	}
	r.held = append(r.held, b)
	r.rows += b.N
	r.bytes += b.Bytes()
	// The block is put together once more, and each function has states of about the size of its operands.
	if !r.mem.to(3 * r.bytes) {
		return partitionTooLarge(r.rows)
	}
	return nil
}

func (r *overRun) take() *column.Batch {
	out := r.held[0]
	if len(r.held) > 1 {
		out = column.Concat(out.Schema, r.held)
	}
	r.held, r.rows, r.bytes = nil, 0, 0
	return out
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
