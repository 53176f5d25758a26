package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Generate repeats each row for every row that its generator makes of it, beside the generator's columns.
type Generate struct {
	Gen  *expr.Generate // bound
	Keep []int          // columns of the input that are passed on
	Out  *column.Schema // those, then the generator's
	Env  Env
	From Provenance

	gen  *expr.Generation
	ctx  expr.Context
	errs expr.RowErrors
	kept *column.Batch
	good *column.Batch
	rep  *column.Batch
	sel  []int32
	out  column.Batch
}

func (g *Generate) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if g.gen == nil {
		gen, err := expr.CompileGenerate(g.Gen)
		if err != nil {
			return nil, err
		}
		g.gen = gen
	}
	g.ctx = g.Env.context(tc, &g.errs)
	dead := newAside(tc, connector.Dead, RowsDead, g.From, g.Env.Loc)
	next := func() (*column.Batch, error) {
		for {
			b, err := in[0].Next()
			if err != nil {
				return nil, err
			}
			out, err := g.apply(b, dead)
			if err != nil || out.N > 0 {
				return out, err
			}
		}
	}
	return output(tc, in, next, nil), nil
}

// apply generates from b; when rows fail they are set aside and the others generated from again.
func (g *Generate) apply(b *column.Batch, dead *aside) (*column.Batch, error) {
	g.errs.Reset()
	rows, cols, err := g.gen.Eval(&g.ctx, b)
	if err != nil {
		return nil, err
	}
	if g.errs.Len() > 0 {
		if err := setAside(dead, b, &g.errs); err != nil {
			return nil, err
		}
		g.sel = without(seq(g.sel, b.N), g.errs.Rows)
		g.good = column.TakeBatch(g.good, b, g.sel)
		return g.apply(g.good, dead)
	}
	g.kept = pick(g.kept, b, g.Keep)
	g.rep = column.TakeBatch(g.rep, g.kept, rows)
	g.out = column.Batch{Schema: g.Out, N: len(rows), Cols: append(append(g.out.Cols[:0], g.rep.Cols...), cols...)}
	return &g.out, nil
}
