package expr

import "github.com/streamflow/streamflow/column"

// aggregate resolves a call of an aggregate function.
func (f *Function) aggregate(c *UnresolvedCall) (Expr, error) {
	args := c.Args
	if f.Name == "count" {
		args = countArgs(c)
	}
	if err := f.checkCount(len(args)); err != nil {
		return nil, err
	}
	args, err := f.fitArgs(args)
	if err != nil {
		return nil, err
	}
	typ, err := f.out(args)
	if err != nil {
		return nil, err
	}
	a := &Agg{Fn: f.Name, Args: args, Distinct: c.Distinct && !distinctFree[f.Name], Typ: typ, Null: f.null != never}
	if c.Filter != nil {
		cond, ok := param{class: 'b'}.fit(c.Filter)
		if !ok {
			return nil, unexpectedType(f.Name+" FILTER", 0, c.Filter, `"BOOLEAN"`)
		}
		a.Filter = cond
	}
	return a, nil
}

// distinctFree aggregates give the same result with and without DISTINCT.
var distinctFree = map[string]bool{"min": true, "max": true, "bool_and": true, "bool_or": true, "collect_set": true, "approx_count_distinct": true, "bit_and": true, "bit_or": true}

// countArgs makes count(*) and count() of count(1).
func countArgs(c *UnresolvedCall) []Expr {
	if len(c.Args) == 1 {
		if _, ok := c.Args[0].(*Star); ok {
			return []Expr{Lit(1)}
		}
	}
	return c.Args
}

// filtered makes an aggregator see only the rows whose last argument, the filter, is true.
func filtered(g aggregator, args int) aggregator {
	inner := g.make
	g.make = func() Accumulator { return &filterAcc{Accumulator: inner(), at: args} }
	return g
}

type filterAcc struct {
	Accumulator
	at   int
	sel  []int32
	gids []uint32
	args []*column.Vector
}

func (f *filterAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	f.sel = column.SelectTrue(f.sel, args[f.at], n)
	if len(f.sel) == n {
		return f.Accumulator.Update(gids, args[:f.at], n)
	}
	f.take(gids, args[:f.at])
	return f.Accumulator.Update(f.gids, f.args, len(f.sel))
}

func (f *filterAcc) take(gids []uint32, args []*column.Vector) {
	f.gids = resize(f.gids, len(f.sel))
	for i, s := range f.sel {
		f.gids[i] = gids[s]
	}
	f.args = resize(f.args, len(args))
	for i, a := range args {
		f.args[i] = column.Take(f.args[i], a, f.sel)
	}
}

// distinct makes an aggregator see each combination of arguments once for each group. The state is the list of them;
// the aggregate itself runs when the result is asked for.
func distinct(a *Agg, g aggregator) aggregator {
	fields := make([]column.Field, len(a.Args))
	for i, e := range a.Args {
		fields[i] = column.Field{Name: string(rune('a' + i)), Type: e.DataType(), Nullable: true}
	}
	row := column.StructOf(fields...)
	return aggregator{state: []column.Type{column.ListOf(row, false)}, make: func() Accumulator {
		types := []column.Type{column.Of(column.Int32)}
		for _, f := range fields {
			types = append(types, f.Type)
		}
		return &distinctAcc{seen: column.NewGroupTable(types), inner: g.make, row: row}
	}}
}

type distinctAcc struct {
	seen   *column.GroupTable // (group, arguments)
	groups int
	inner  func() Accumulator
	row    column.Type
	gid    column.Vector
	keys   []*column.Vector
	hashes []uint64
	ids    []uint32
	out    Accumulator
}

func (d *distinctAcc) Resize(groups int) { d.groups = max(d.groups, groups) }

func (d *distinctAcc) Update(gids []uint32, args []*column.Vector, n int) error {
	prep(&d.gid, column.Of(column.Int32), n)
	for i, g := range gids[:n] {
		d.gid.I32[i] = int32(g)
	}
	d.keys = append(append(d.keys[:0], &d.gid), args...)
	d.hashes = column.Hash(d.hashes, d.keys, n)
	d.ids = d.seen.Insert(d.ids, d.keys, d.hashes, n)
	return nil
}

func (d *distinctAcc) Merge(gids []uint32, state []*column.Vector, n int) error {
	list := state[0]
	var rows []uint32
	var sel []int32
	for i := 0; i < n; i++ {
		if !list.IsValid(i) {
			continue
		}
		for j := list.Offs[i]; j < list.Offs[i+1]; j++ {
			rows, sel = append(rows, gids[i]), append(sel, j)
		}
	}
	args := make([]*column.Vector, len(d.row.Fields))
	for f := range args {
		args[f] = column.Take(nil, list.Kids[0].Kids[f], sel)
	}
	return d.Update(rows, args, len(rows))
}

func (d *distinctAcc) State() []*column.Vector {
	keys := d.seen.Keys()
	order, offs := d.byGroup(keys[0])
	kids := make([]*column.Vector, len(keys)-1)
	for f := range kids {
		kids[f] = column.Take(nil, keys[f+1], order)
	}
	return []*column.Vector{{Type: column.ListOf(d.row, false), N: d.groups, Offs: offs, Kids: []*column.Vector{{Type: d.row, N: len(order), Kids: kids}}}}
}

// byGroup lists the entries of the table group by group.
func (d *distinctAcc) byGroup(group *column.Vector) (order, offs []int32) {
	n := d.seen.Len()
	offs = make([]int32, d.groups+1)
	for i := 0; i < n; i++ {
		offs[group.I32[i]+1]++
	}
	for g := 0; g < d.groups; g++ {
		offs[g+1] += offs[g]
	}
	next := append([]int32{}, offs...)
	order = make([]int32, n)
	for i := 0; i < n; i++ {
		g := group.I32[i]
		order[next[g]] = int32(i)
		next[g]++
	}
	return order, offs
}

func (d *distinctAcc) Result() (*column.Vector, error) {
	d.out = d.inner()
	d.out.Resize(d.groups)
	keys := d.seen.Keys()
	n := d.seen.Len()
	gids := make([]uint32, n)
	for i := range gids {
		gids[i] = uint32(keys[0].I32[i])
	}
	if err := d.out.Update(gids, keys[1:], n); err != nil {
		return nil, err
	}
	return d.out.Result()
}

func (d *distinctAcc) Reset() {
	d.seen.Reset()
	d.groups = 0
}

func (d *distinctAcc) Bytes() int64 { return d.seen.Bytes() }
