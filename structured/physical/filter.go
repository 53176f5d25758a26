package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Filter passes the rows for which Cond is true, all when it is nil, and whose Keys may have a partner in joins above. Keep lists
// the columns it passes on, all when nil: what only the condition reads is not gathered.
type Filter struct {
	Cond expr.Expr
	Keys []KeyRef
	Keep []int
	Env  Env
	From Provenance

	filter *expr.Filter
	keys   keyTest
	ctx    expr.Context
	errs   expr.RowErrors
	sel    []int32
	first  []int // see firstColumns, and for how many tests of keys they are
	kept   *column.Batch
	out    *column.Batch

	firstFor int
}

func (f *Filter) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if f.filter == nil && f.Cond != nil {
		c, err := expr.CompileFilter(f.Cond)
		if err != nil {
			return nil, err
		}
		f.filter = c
	}
	f.ctx = f.Env.context(tc, &f.errs)
	dead := newAside(tc, connector.Dead, RowsDead, f.From, f.Env.Loc)
	f.keys = keyTest{refs: f.Keys}
	if late, ok := rdd.Late(in[0]); ok && !streaming(tc) {
		return output(tc, in, func() (*column.Batch, error) { return f.nextLate(tc, late) }, nil), nil
	}
	next := func() (*column.Batch, error) {
		for {
			b, err := in[0].Next()
			if err != nil {
				return b, err
			}
			if !f.keys.begun {
				f.keys.begin(tc)
			}
			out, err := f.pass(b, dead)
			if err != nil || out.N > 0 {
				return out, err
			}
		}
	}
	return output(tc, in, next, nil), nil
}

// pass is the batch of the rows of b that satisfy the condition; b itself when all do.
func (f *Filter) pass(b *column.Batch, dead *aside) (*column.Batch, error) {
	if err := f.choose(b, dead); err != nil {
		return nil, err
	}
	b = f.keep(b)
	if len(f.sel) == b.N {
		return b, nil
	}
	f.out = column.TakeBatch(f.out, b, f.sel)
	return f.out, nil
}

// choose fills f.sel with the rows of b that pass.
func (f *Filter) choose(b *column.Batch, dead *aside) error {
	if f.filter == nil {
		f.sel = f.keys.narrow(b, column.AllRows(f.sel, b.N))
		return nil
	}
	f.errs.Reset()
	sel, err := f.filter.Select(&f.ctx, b, f.sel[:0])
	if err != nil {
		return err
	}
	f.sel = sel
	if f.errs.Len() > 0 {
		if err := setAside(dead, b, &f.errs); err != nil {
			return err
		}
		f.sel = without(f.sel, f.errs.Rows)
	}
	f.sel = f.keys.narrow(b, f.sel)
	return nil
}

// keep is b with the columns that are passed on.
func (f *Filter) keep(b *column.Batch) *column.Batch {
	if f.Keep == nil {
		return b
	}
	f.kept = pick(f.kept, b, f.Keep)
	return f.kept
}

// setAside sends the rows that failed to the dead side.
func setAside(dead *aside, b *column.Batch, errs *expr.RowErrors) error {
	for i, row := range errs.Rows {
		dead.add(b, int(row), errs.Errs[i].Error())
	}
	return dead.flush()
}

// without removes the rows of drop from sel; both are ascending.
func without(sel, drop []int32) []int32 {
	out := sel[:0]
	for _, row := range sel {
		for len(drop) > 0 && drop[0] < row {
			drop = drop[1:]
		}
		if len(drop) == 0 || drop[0] != row {
			out = append(out, row)
		}
	}
	return out
}

// pick is b with the given columns only, in dst when it is not nil.
func pick(dst *column.Batch, b *column.Batch, cols []int) *column.Batch {
	if dst == nil {
		dst = &column.Batch{Schema: &column.Schema{}, Cols: make([]*column.Vector, len(cols))}
		for _, c := range cols {
			dst.Schema.Fields = append(dst.Schema.Fields, b.Schema.Fields[c])
		}
	}
	for i, c := range cols {
		dst.Cols[i] = b.Cols[c]
	}
	dst.N = b.N
	return dst
}

// seq is 0..n-1, in dst when it is large enough.
func seq(dst []int32, n int) []int32 {
	if cap(dst) < n {
		dst = make([]int32, n)
	}
	dst = dst[:n]
	for i := range dst {
		dst[i] = int32(i)
	}
	return dst
}
