package expr

import (
	"github.com/streamflow/streamflow/column"
)

// Program evaluates a bound expression batch by batch: a flat list of instructions in order of need, each with an output
// vector that it reuses. Equal subexpressions are one instruction. One goroutine at a time may use it.
//
//	0  load    col 3
//	1  const   10
//	2  call >  r0 r1
//
// A row that fails is an error value beside the vector, not a stop: whoever consumes the row decides whether it counts,
// so that CASE WHEN x <> 0 THEN 1/x END may compute 1/x for all rows. Branches that cost more than that saves are
// programs of their own and see only the rows that take them.
type Program struct {
	instrs []instr
	regs   []reg
	root   int
	typ    column.Type
	dense  column.Vector // memory for a constant root
}

// reg is the value of an instruction for the current batch.
type reg struct {
	v    *column.Vector
	errs *RowErrors // nil when no row failed
}

type instr struct {
	op   op
	col  int   // load
	args []int // registers of eager operands, -1 for a branch
	fn   *Function
	kern kernel
	lazy lazyKernel
	subs []*branch // parallel to args where args[i] < 0
	typ  column.Type
	own  bool // the kernel sets validity
	raw  bool
	vary bool // another value for each row: never constant
	dict int  // argument whose dictionary may stand for its rows, or -1

	k     kctx
	out   column.Vector
	vecs  []*column.Vector
	wide  []*column.Vector // expanded constants by argument
	merge RowErrors
	codes dictRun
	opnds []operand
	run1  lazyRun // the evaluation under way
}

type op uint8

const (
	opLoad op = iota
	opConst
	opCall
	opLazy
)

// Type is the type of the result.
func (p *Program) Type() column.Type { return p.typ }

// Eval computes the expression for each row of b. The result is dense and valid until the next Eval, and no longer than
// b is. Failing rows end it with the first error, or go to ctx.Rows when that is set.
func (p *Program) Eval(ctx *Context, b *column.Batch) (*column.Vector, error) {
	r := p.run(ctx, b)
	if r.errs != nil {
		if ctx.Rows == nil {
			return nil, r.errs.Errs[0]
		}
		for i, row := range r.errs.Rows {
			ctx.Rows.Add(row, r.errs.Errs[i])
		}
	}
	return p.expand(r.v, b.N), nil
}

// run evaluates all instructions; the result may be Const.
func (p *Program) run(ctx *Context, b *column.Batch) reg {
	for i := range p.instrs {
		p.regs[i] = p.instrs[i].run(p, ctx, b)
	}
	return p.regs[p.root]
}

func (p *Program) expand(v *column.Vector, n int) *column.Vector {
	if !v.Const {
		return v
	}
	expandInto(&p.dense, v, n)
	return &p.dense
}

func (in *instr) run(p *Program, ctx *Context, b *column.Batch) reg {
	switch in.op {
	case opLoad:
		return reg{v: b.Cols[in.col]}
	case opConst:
		return reg{v: &in.out}
	case opLazy:
		return in.runLazy(p, ctx, b)
	}
	in.k.ctx, in.k.n, in.k.out = ctx, b.N, &in.out
	in.vecs = in.vecs[:0]
	constant := !in.vary
	for _, a := range in.args {
		v := p.regs[a].v
		constant = constant && v.Const
		in.vecs = append(in.vecs, v)
	}
	if constant {
		in.k.n = 1
	}
	in.k.errs.Reset()
	if in.dict < 0 || constant || !in.runDict() {
		in.compute(in.vecs, in.k.n, &in.out)
	}
	errs := in.errors(p, b.N, constant)
	in.out.Const = constant
	return reg{&in.out, errs}
}

// compute runs the kernel over vectors of n rows.
func (in *instr) compute(args []*column.Vector, n int, out *column.Vector) {
	in.k.n, in.k.out = n, out
	prep(out, in.typ, n)
	if !in.own {
		in.k.strict(args)
	}
	if !in.raw {
		in.widen(args, n)
	}
	in.kern(&in.k, args, out)
}

// widen replaces constant fixed-width arguments by dense ones, so that kernels have one form of loop. Strings stay:
// Vector.Bytes knows constants.
func (in *instr) widen(args []*column.Vector, n int) {
	for i, a := range args {
		if !a.Const || a.Type.Kind.Storage() == column.StorageBytes || a.Type.Kind == column.Null {
			continue
		}
		if in.wide == nil {
			in.wide = make([]*column.Vector, len(args))
		}
		if in.wide[i] == nil {
			in.wide[i] = &column.Vector{}
		}
		expandInto(in.wide[i], a, n)
		args[i] = in.wide[i]
	}
}

// errors joins the rows that failed here and in the operands. A failed row has failed everywhere above.
func (in *instr) errors(p *Program, n int, constant bool) *RowErrors {
	var below *RowErrors
	many := false
	for _, a := range in.args {
		if e := p.regs[a].errs; e != nil {
			many = below != nil
			below = e
		}
	}
	own := &in.k.errs
	if below != nil && in.own {
		in.failedAreNull(p, constant)
	}
	if constant && own.Len() > 0 {
		repeatError(own, n)
	}
	switch {
	case below == nil && own.Len() == 0:
		return nil
	case below == nil:
		return own
	case own.Len() == 0 && !many:
		return below
	}
	in.merge.Reset()
	for _, a := range in.args {
		mergeErrors(&in.merge, p.regs[a].errs)
	}
	mergeErrors(&in.merge, own)
	return &in.merge
}

// failedAreNull makes rows null that failed below, which functions with nulls of their own, such as isnull, would not.
func (in *instr) failedAreNull(p *Program, constant bool) {
	for _, a := range in.args {
		if e := p.regs[a].errs; e != nil {
			for _, r := range e.Rows {
				if !constant || r == 0 {
					in.k.null(int(r))
				}
			}
		}
	}
}

// repeatError makes the error of a constant the error of every row.
func repeatError(e *RowErrors, n int) {
	err := e.Errs[0]
	e.Reset()
	for i := 0; i < n; i++ {
		e.Rows, e.Errs = append(e.Rows, int32(i)), append(e.Errs, err)
	}
}

func mergeErrors(dst, src *RowErrors) {
	if src == nil {
		return
	}
	for i, r := range src.Rows {
		dst.Add(r, src.Errs[i])
	}
}
