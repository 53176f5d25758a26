package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// overBase is what the rows of a partition before the first one that is kept come to.
type overBase struct {
	rows   int64  // how many they are
	dense  int64  // how many different keys of the order, that of the first kept row not counted
	states []byte // of the aggregates whose frames begin with the partition: AppendRow, empty for no rows
}

// carriedBlock is a block of partitions that is computed with what lies before it.
type carriedBlock struct {
	o     *Over
	s     *spans
	parts []overPart
	args  [][]*column.Vector // of each function
	bases [][]*column.Vector // the states before, a row for each partition; nil for functions that need none
	out   *column.Batch
}

// carries reports whether a function needs the state of all rows before.
func carries(f *expr.Over) (*expr.Agg, bool) {
	g, ok := f.Fn.(*expr.Agg)
	return g, ok && (f.Frame == nil || f.Frame.Start.Kind == expr.UnboundedPreceding)
}

// carried computes the functions over a block of whole partitions, each after the rows that its base stands for.
func (o *Over) carried(b *column.Batch, parts []overPart) (*carriedBlock, error) {
	c := &carriedBlock{o: o, s: newSpans(b, o.Partition, o.Order), parts: parts, args: make([][]*column.Vector, len(o.Fns))}
	c.out = &column.Batch{Schema: o.Out, N: b.N, Cols: append([]*column.Vector{}, b.Cols...)}
	if err := c.decode(); err != nil {
		return nil, err
	}
	for i, f := range o.Fns {
		args, err := o.args[i].eval(b)
		if err != nil {
			return nil, err
		}
		for _, a := range args {
			c.args[i] = append(c.args[i], a.Clone())
		}
		v, err := c.function(i, f)
		if err != nil {
			return nil, err
		}
		c.out.Cols = append(c.out.Cols, v)
	}
	return c, nil
}

// stateTypes are the types of all states that a base holds.
func (o *Over) stateTypes() []column.Type {
	var out []column.Type
	for _, f := range o.Fns {
		if g, ok := carries(f); ok {
			out = append(out, expr.StateTypes(g)...)
		}
	}
	return out
}

// decode reads the bases' states.
func (c *carriedBlock) decode() error {
	types := c.o.stateTypes()
	c.bases = make([][]*column.Vector, len(c.o.Fns))
	if len(types) == 0 {
		return nil
	}
	list := make([]*column.Builder, len(types))
	for i, t := range types {
		list[i] = column.NewBuilder(t)
	}
	none, err := c.o.emptyStates()
	if err != nil {
		return err
	}
	for _, p := range c.parts {
		states := p.base.states
		if len(states) == 0 {
			states = none
		}
		if err := column.DecodeRow(states, list); err != nil {
			return err
		}
	}
	all := finishBuilders(list)
	for i, f := range c.o.Fns {
		if g, ok := carries(f); ok {
			n := len(expr.StateTypes(g))
			c.bases[i], all = all[:n], all[n:]
		}
	}
	return nil
}

// emptyStates are the states of no rows, as a base holds them.
func (o *Over) emptyStates() ([]byte, error) {
	var cols []*column.Vector
	for _, f := range o.Fns {
		if g, ok := carries(f); ok {
			acc, err := expr.NewAccumulator(g)
			if err != nil {
				return nil, err
			}
			acc.Resize(1)
			cols = append(cols, acc.State()...)
		}
	}
	return column.AppendRow(nil, cols, 0), nil
}

func (c *carriedBlock) function(i int, f *expr.Over) (*column.Vector, error) {
	if call, ok := f.Fn.(*expr.Call); ok {
		v, err := rowFunction(c.s, call.Fn, f.Frame, c.args[i])
		if err == nil {
			c.number(call.Fn, v)
		}
		return v, err
	}
	g, ok := carries(f)
	if !ok {
		return c.o.function(c.s, f, c.args[i])
	}
	fr, err := c.s.frames(f.Frame)
	if err != nil {
		return nil, err
	}
	levels, err := buildLevels(g, c.args[i], c.s.b.N, longest(fr))
	if err != nil {
		return nil, err
	}
	acc, err := expr.NewAccumulator(g)
	if err != nil {
		return nil, err
	}
	acc.Resize(c.s.b.N)
	if err := c.mergeBase(acc, i); err != nil {
		return nil, err
	}
	if err := mergeLevels(acc, levels, fr); err != nil {
		return nil, err
	}
	return acc.Result()
}

// mergeBase gives each row the state of what lies before its block.
func (c *carriedBlock) mergeBase(acc expr.Accumulator, fn int) error {
	sel := make([]int32, 0, c.s.b.N)
	for part, p := range c.parts {
		for range p.to - p.from {
			sel = append(sel, int32(part))
		}
	}
	states := make([]*column.Vector, len(c.bases[fn]))
	for k, v := range c.bases[fn] {
		states[k] = column.Take(nil, v, sel)
	}
	return acc.Merge(sequence(nil, len(sel)), states, len(sel))
}

// number makes ranks count the rows before the block.
func (c *carriedBlock) number(fn string, v *column.Vector) {
	for _, p := range c.parts {
		add := int32(0)
		switch fn {
		case "row_number", "rank":
			add = int32(p.base.rows)
		case "dense_rank":
			add = int32(p.base.dense)
		}
		for i := p.from; add != 0 && i < p.to; i++ {
			v.I32[i] += add
		}
	}
}

// base is what the rows of a partition before row first come to.
func (c *carriedBlock) base(part int, p *overPart, first int) (overBase, error) {
	out := overBase{rows: p.base.rows + int64(first-p.from), dense: p.base.dense}
	if first < p.to {
		out.dense += int64(c.s.dense[first]) - 1
	} else {
		out.dense += int64(c.s.dense[p.to-1])
	}
	var cols []*column.Vector
	for i, f := range c.o.Fns {
		g, ok := carries(f)
		if !ok {
			continue
		}
		acc, err := expr.NewAccumulator(g)
		if err != nil {
			return out, err
		}
		acc.Resize(1)
		before := make([]*column.Vector, len(c.bases[i]))
		for k, v := range c.bases[i] {
			before[k] = column.Take(nil, v, []int32{int32(part)})
		}
		if err := acc.Merge([]uint32{0}, before, 1); err != nil {
			return out, err
		}
		if n := first - p.from; n > 0 {
			sel := make([]int32, n)
			for j := range sel {
				sel[j] = int32(p.from + j)
			}
			args := make([]*column.Vector, len(c.args[i]))
			for k, a := range c.args[i] {
				args[k] = column.Take(nil, a, sel)
			}
			if err := acc.Update(make([]uint32, n), args, n); err != nil {
				return out, err
			}
		}
		cols = append(cols, acc.State()...)
	}
	out.states = column.AppendRow(nil, cols, 0)
	return out, nil
}
