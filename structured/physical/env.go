package physical

import (
	"strconv"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// Env is what expressions need of the session. It travels in each operator that evaluates any.
type Env struct {
	Loc  *time.Location
	Now  int64
	ANSI bool
}

// NowParam is the binding parameter that overrides Env.Now, so that a streaming query's current_timestamp moves on while
// its fragments stay the same.
const NowParam = "now"

// evaluator runs a list of bound expressions over batches. It compiles once and is kept by the resident operator.
type evaluator struct {
	progs []*expr.Program
	ctx   expr.Context
	rows  expr.RowErrors
	out   []*column.Vector
}

// open compiles the expressions the first time and prepares for the run that tc belongs to.
func (e *evaluator) open(tc *rdd.TaskContext, env Env, list []expr.Expr) error {
	e.ctx = env.context(tc, &e.rows)
	if e.progs != nil || len(list) == 0 {
		return nil
	}
	progs := make([]*expr.Program, len(list))
	for i, x := range list {
		p, err := expr.Compile(x)
		if err != nil {
			return err
		}
		progs[i] = p
	}
	e.progs = progs
	e.out = make([]*column.Vector, len(list))
	return nil
}

// eval computes all expressions over b; the vectors are valid until the next call. Rows that failed are in e.rows.
func (e *evaluator) eval(b *column.Batch) ([]*column.Vector, error) {
	e.rows.Reset()
	for i, p := range e.progs {
		v, err := p.Eval(&e.ctx, b)
		if err != nil {
			return nil, err
		}
		e.out[i] = v
	}
	return e.out, nil
}

// context is the evaluation context of a run. In a streaming run rows that fail are collected instead of failing the batch.
func (env Env) context(tc *rdd.TaskContext, rows *expr.RowErrors) expr.Context {
	c := expr.Context{Location: env.Loc, Now: env.Now, ANSI: env.ANSI, Partition: tc.Partition}
	if tc.Binding != nil {
		if now, err := strconv.ParseInt(tc.Binding.Params[NowParam], 10, 64); err == nil {
			c.Now = now
		}
		if tc.Binding.Query != "" {
			c.Rows = rows
		}
	}
	return c
}

// streaming reports whether the task belongs to a streaming query's micro-batch.
func streaming(tc *rdd.TaskContext) bool { return tc.Binding != nil && tc.Binding.Query != "" }
