package expr

import "github.com/streamflow/streamflow/column"

// Filter selects rows by a condition. Its conjuncts run in the order written, each on the rows that the ones before it
// kept; a comparison with a constant writes the selection directly.
type Filter struct {
	parts []conjunct
}

type conjunct struct {
	prog *Program
	cmp  *compareConst // nil: the program's boolean decides
	cols []int
	cost int
	br   branch
}

// CompileFilter makes the filter of a bound boolean expression.
func CompileFilter(e Expr) (*Filter, error) {
	f := &Filter{}
	for _, c := range Conjuncts(e) {
		part, err := compileConjunct(c)
		if err != nil {
			return nil, err
		}
		f.parts = append(f.parts, part)
	}
	return f, nil
}

// Conjuncts splits a AND b AND c.
func Conjuncts(e Expr) []Expr {
	if c, ok := e.(*Call); ok && c.Fn == "and" {
		return append(Conjuncts(c.Args[0]), Conjuncts(c.Args[1])...)
	}
	return []Expr{e}
}

// AndAll joins conditions; nil when there are none.
func AndAll(list []Expr) Expr {
	var out Expr
	for _, e := range list {
		if out == nil {
			out = e
			continue
		}
		out = &Call{Fn: "and", Args: []Expr{out, e}, Typ: column.Of(column.Bool), Null: out.Nullable() || e.Nullable()}
	}
	return out
}

func compileConjunct(e Expr) (conjunct, error) {
	c := conjunct{cols: columnsOf(e), cost: costOf(e)}
	cmp, side := asCompareConst(e)
	if cmp != nil {
		e = side
		c.cmp = cmp
	}
	p, err := Compile(e)
	c.prog = p
	c.br = branch{prog: p, cols: c.cols}
	return c, err
}

// Select returns in dst the rows of b for which the condition is true, in order. Failing rows end it, or go to ctx.Rows
// and are not selected.
func (f *Filter) Select(ctx *Context, b *column.Batch, dst []int32) ([]int32, error) {
	dst = dst[:0]
	var sel []int32 // nil: all rows
	for i := range f.parts {
		out, err := f.parts[i].narrow(ctx, b, sel, dst)
		if err != nil {
			return nil, err
		}
		if len(out) == 0 {
			return out, nil
		}
		dst, sel = out, out
	}
	if sel == nil {
		for i := 0; i < b.N; i++ {
			dst = append(dst, int32(i))
		}
	}
	return dst, nil
}

// narrow writes to dst the rows of sel (nil: all) that satisfy the conjunct. dst may be sel: what is written never runs
// ahead of what is read.
func (c *conjunct) narrow(ctx *Context, b *column.Batch, sel, dst []int32) ([]int32, error) {
	if sel != nil && len(sel) < b.N && (c.cost > 3 && len(sel)*2 < b.N || c.cost > eagerCost) {
		o := c.br.eval(ctx, b, sel)
		return c.keep(ctx, &o, sel, dst, b.N)
	}
	r := c.prog.run(ctx, b)
	o := operand{v: r.v, errs: r.errs}
	return c.keep(ctx, &o, sel, dst, b.N)
}

func (c *conjunct) keep(ctx *Context, o *operand, sel, dst []int32, n int) ([]int32, error) {
	if o.errs != nil {
		if err := c.failures(ctx, o, sel); err != nil {
			return nil, err
		}
	}
	if c.cmp != nil {
		if out, ok := c.cmp.selectRows(o, sel, dst, n); ok {
			return out, nil
		}
	}
	return selectBools(o, sel, dst, n), nil
}

// failures records the failed rows among sel; their values are null, so they are not selected.
func (c *conjunct) failures(ctx *Context, o *operand, sel []int32) error {
	k := 0
	for j, r := range o.errs.Rows {
		for sel != nil && k < len(sel) && sel[k] < r {
			k++
		}
		if sel != nil && (k == len(sel) || sel[k] != r) {
			continue
		}
		if ctx.Rows == nil {
			return o.errs.Errs[j]
		}
		ctx.Rows.Add(r, o.errs.Errs[j])
	}
	return nil
}

func selectBools(o *operand, sel, dst []int32, n int) []int32 {
	if o.v.Type.Kind == column.Null {
		return dst[:0]
	}
	if sel == nil && o.pos == nil && !o.v.Const {
		return column.SelectTrue(dst[:0], o.v, n)
	}
	if sel == nil {
		sel = identity(n)
	}
	dst = resize(dst, len(sel))
	k := 0
	for _, r := range sel {
		if valid, x := boolAt(o, int(r)); valid && x {
			dst[k] = r
			k++
		}
	}
	return dst[:k]
}

func identity(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}
