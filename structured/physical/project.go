package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Project computes List from each row, as the columns of Out.
type Project struct {
	List []expr.Expr
	Out  *column.Schema
	Env  Env
	From Provenance

	eval evaluator
	full column.Batch
	good *column.Batch
	sel  []int32
}

func (p *Project) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := p.eval.open(tc, p.Env, p.List); err != nil {
		return nil, err
	}
	dead := newAside(tc, connector.Dead, RowsDead, p.From, p.Env.Loc)
	next := func() (*column.Batch, error) {
		for {
			b, err := in[0].Next()
			if err != nil {
				return b, err
			}
			out, err := p.apply(b, dead)
			if err != nil || out.N > 0 {
				return out, err
			}
		}
	}
	return output(tc, in, next, nil), nil
}

func (p *Project) apply(b *column.Batch, dead *aside) (*column.Batch, error) {
	cols, err := p.eval.eval(b)
	if err != nil {
		return nil, err
	}
	p.full = column.Batch{Schema: p.Out, N: b.N, Cols: cols}
	if p.eval.rows.Len() == 0 {
		return &p.full, nil
	}
	if err := setAside(dead, b, &p.eval.rows); err != nil {
		return nil, err
	}
	p.sel = without(seq(p.sel, b.N), p.eval.rows.Rows)
	p.good = column.TakeBatch(p.good, &p.full, p.sel)
	return p.good, nil
}
