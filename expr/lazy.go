package expr

import (
	"github.com/streamflow/streamflow/column"
)

// lazyKernel computes an operation that does not need all operands for all rows: and, or, coalesce and CASE. It asks for
// an operand and says for which rows it counts.
type lazyKernel func(l *lazyRun, out *column.Vector)

var lazyFunctions = map[string]*Function{}

// branch is an operand that is dear enough to be evaluated only on the rows that need it.
type branch struct {
	prog *Program
	cols []int
	sub  column.Batch
	pos  []int32
	errs RowErrors
}

// eagerCost is the estimated cost up to which an operand is computed for all rows: below it, gathering the rows that
// need it costs more than computing the others for nothing.
const eagerCost = 30

// operand is a value of a lazy operation: row i is v[pos[i]], or v[i] when pos is nil.
type operand struct {
	v    *column.Vector
	errs *RowErrors
	pos  []int32
}

func (o *operand) at(i int) int {
	if o.pos != nil {
		return int(o.pos[i])
	}
	return i
}

// lazyRun is one evaluation of a lazy instruction.
type lazyRun struct {
	in  *instr
	p   *Program
	ctx *Context
	b   *column.Batch
	n   int
	k   *kctx
}

func (in *instr) runLazy(p *Program, ctx *Context, b *column.Batch) reg {
	in.k.ctx, in.k.n, in.k.out = ctx, b.N, &in.out
	in.k.errs.Reset()
	prep(&in.out, in.typ, b.N)
	in.run1 = lazyRun{in: in, p: p, ctx: ctx, b: b, n: b.N, k: &in.k}
	in.lazy(&in.run1, &in.out)
	if in.k.errs.Len() > 0 {
		return reg{&in.out, &in.k.errs}
	}
	return reg{v: &in.out}
}

// operand evaluates operand j; sel lists the rows that need it and is only looked at when eager(j) is false.
func (l *lazyRun) operand(j int, sel []int32) operand {
	if r := l.in.args[j]; r >= 0 {
		return operand{v: l.p.regs[r].v, errs: l.p.regs[r].errs}
	}
	return l.in.subs[j].eval(l.ctx, l.b, sel)
}

// eager reports whether operand j is already computed for all rows.
func (l *lazyRun) eager(j int) bool { return l.in.args[j] >= 0 }

func (br *branch) eval(ctx *Context, b *column.Batch, sel []int32) operand {
	if len(sel) == b.N {
		r := br.prog.run(ctx, b)
		return operand{v: r.v, errs: r.errs}
	}
	br.gather(b, sel)
	r := br.prog.run(ctx, &br.sub)
	br.pos = resize(br.pos, b.N)
	for i, s := range sel {
		br.pos[s] = int32(i)
	}
	o := operand{v: r.v, pos: br.pos}
	if r.errs != nil {
		br.errs.Reset()
		for i, row := range r.errs.Rows {
			br.errs.Rows = append(br.errs.Rows, sel[row])
			br.errs.Errs = append(br.errs.Errs, r.errs.Errs[i])
		}
		o.errs = &br.errs
	}
	return o
}

// gather makes the batch of the selected rows; only the columns that the branch reads are filled.
func (br *branch) gather(b *column.Batch, sel []int32) {
	br.sub.Schema, br.sub.N = b.Schema, len(sel)
	br.sub.Cols = resize(br.sub.Cols, len(b.Cols))
	for _, c := range br.cols {
		br.sub.Cols[c] = column.Take(br.sub.Cols[c], b.Cols[c], sel)
	}
}

// lazily adds a lazy instruction. Operands that always count, and cheap ones, are eager.
func (c *compiler) lazily(f *Function, typ column.Type, operands []Expr, always int, kern lazyKernel) (int, error) {
	in := instr{op: opLazy, fn: f, typ: typ, lazy: kern, args: make([]int, len(operands)), subs: make([]*branch, len(operands)), dict: -1}
	for i, e := range operands {
		if i < always || costOf(e) <= eagerCost {
			r, err := c.add(e)
			if err != nil {
				return 0, err
			}
			in.args[i] = r
			continue
		}
		prog, err := Compile(e)
		if err != nil {
			return 0, err
		}
		in.args[i] = -1
		in.subs[i] = &branch{prog: prog, cols: columnsOf(e)}
	}
	c.instrs = append(c.instrs, in)
	return len(c.instrs) - 1, nil
}

func (c *compiler) lazyCall(f *Function, e *Call) (int, error) {
	var kern lazyKernel
	switch e.Fn {
	case "and":
		kern = logic(false)
	case "or":
		kern = logic(true)
	case "coalesce":
		kern = coalesce
	}
	return c.lazily(f, e.Typ, e.Args, 1, kern)
}

func (c *compiler) lazyCase(e *Case) (int, error) {
	n := len(e.Whens)
	kern := func(l *lazyRun, out *column.Vector) { l.decide(n, e.Else != nil, out) }
	if codes := literalCodes(e); codes != nil {
		kern = func(l *lazyRun, out *column.Vector) { l.decideCodes(n, codes, out) }
	}
	return c.lazily(caseFunction, e.DataType(), e.Children(), 1, kern)
}

// Lazy reports whether a function computes operands only for the rows that need them, so that an operand which fails may do no
// harm: and, or, coalesce and the like.
func Lazy(fn string) bool { return lazyFunctions[fn] != nil }
