package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// AggSpec is one aggregate of an aggregation.
type AggSpec struct {
	Agg   *expr.Agg // arguments are bound; only their types and constants matter here
	Cols  []int     // input columns: the arguments and the filter if there is one, or the states; -1 for a constant
	Merge bool      // the input is states to be merged rather than rows
}

// groups are the groups of an aggregation and their states.
type groups struct {
	keys  []int
	types []column.Type // of the keys
	aggs  []AggSpec
	table *column.GroupTable // nil when there are no keys: one group
	accs  []expr.Accumulator

	n      int // groups
	gids   []uint32
	hashes []uint64
	cols   []*column.Vector
	consts map[[2]int]*expr.Program
}

// newGroups makes the groups of keys (columns of types) and aggregates.
func newGroups(keys []int, types []column.Type, aggs []AggSpec) (*groups, error) {
	g := &groups{keys: keys, types: types, aggs: aggs}
	return g, g.renew()
}

// renew makes table and accumulators anew: unlike reset it keeps no memory.
func (g *groups) renew() error {
	g.n, g.table, g.accs = 0, nil, nil
	if len(g.keys) > 0 {
		g.table = column.NewGroupTable(g.types)
	}
	for _, a := range g.aggs {
		acc, err := expr.NewAccumulator(a.Agg)
		if err != nil {
			return err
		}
		g.accs = append(g.accs, acc)
	}
	return nil
}

// single makes each row of b a group of its own, in order, without looking for equal ones. The table is not used.
func (g *groups) single(b *column.Batch) error {
	g.gids = resize(g.gids, b.N)
	for i := range g.gids {
		g.gids[i] = uint32(i)
	}
	g.n = b.N
	for i, a := range g.accs {
		a.Reset()
		a.Resize(b.N)
		if err := g.accumulate(i, b); err != nil {
			return err
		}
	}
	return nil
}

// add updates or merges all aggregates with the rows of b.
func (g *groups) add(b *column.Batch) error {
	g.assign(b)
	for i := range g.aggs {
		if err := g.accumulate(i, b); err != nil {
			return err
		}
	}
	return nil
}

// assign finds the group of each row, in g.gids, and makes room for new ones.
func (g *groups) assign(b *column.Batch) {
	if g.table == nil {
		g.gids = resize(g.gids, b.N)
		clear(g.gids)
		g.n = 1
	} else {
		g.cols = g.cols[:0]
		for _, k := range g.keys {
			g.cols = append(g.cols, b.Cols[k])
		}
		var coded bool
		if g.gids, coded = g.table.InsertCoded(g.gids, g.cols, b.N); !coded {
			g.hashes = column.Hash(g.hashes, g.cols, b.N)
			g.gids = g.table.Insert(g.gids[:0], g.cols, g.hashes, b.N)
		}
		g.n = g.table.Len()
	}
	for _, a := range g.accs {
		a.Resize(g.n)
	}
}

// one makes the single group of an aggregation without keys, which exists even without rows.
func (g *groups) one() {
	g.n = 1
	for _, a := range g.accs {
		a.Resize(1)
	}
}

func (g *groups) accumulate(i int, b *column.Batch) error {
	spec, acc := &g.aggs[i], g.accs[i]
	args, err := g.args(i, b)
	if err != nil {
		return err
	}
	if spec.Merge {
		return acc.Merge(g.gids[:b.N], args, b.N)
	}
	return acc.Update(g.gids[:b.N], args, b.N)
}

// args are the columns that aggregate i reads.
func (g *groups) args(i int, b *column.Batch) ([]*column.Vector, error) {
	g.cols = g.cols[:0]
	for k, c := range g.aggs[i].Cols {
		if c >= 0 {
			g.cols = append(g.cols, b.Cols[c])
			continue
		}
		v, err := g.constant(i, k, b)
		if err != nil {
			return nil, err
		}
		g.cols = append(g.cols, v)
	}
	return g.cols, nil
}

// constant is the value of a constant argument for each row of b.
func (g *groups) constant(i, arg int, b *column.Batch) (*column.Vector, error) {
	at := [2]int{i, arg}
	p := g.consts[at]
	if p == nil {
		var err error
		if p, err = expr.Compile(g.aggs[i].Agg.Children()[arg]); err != nil {
			return nil, err
		}
		if g.consts == nil {
			g.consts = map[[2]int]*expr.Program{}
		}
		g.consts[at] = p
	}
	return p.Eval(&expr.Context{}, b)
}

// states are the keys and states of all groups, valid until the groups change.
func (g *groups) states(schema *column.Schema) *groupRows {
	out := &groupRows{g: g, schema: schema}
	for _, a := range g.accs {
		out.values = append(out.values, a.State()...)
	}
	return out
}

// results are the keys and results of all groups, valid until the groups change.
func (g *groups) results(schema *column.Schema) (*groupRows, error) {
	out := &groupRows{g: g, schema: schema}
	for _, a := range g.accs {
		v, err := a.Result()
		if err != nil {
			return nil, err
		}
		out.values = append(out.values, v)
	}
	return out, nil
}

// groupRows hands out the rows of groups a piece at a time. Only the piece's keys are made, so that putting out a table
// takes no second one.
type groupRows struct {
	g      *groups
	schema *column.Schema
	values []*column.Vector
	keys   *column.Batch // when set, its rows are the groups and its columns hold their keys
	from   int
}

// next is the next rows, up to limit, and the hashes of the table's keys; nil at the end. They are valid until the next call.
func (r *groupRows) next(limit int) (*column.Batch, []uint64) {
	n := min(limit, r.g.n-r.from)
	if n <= 0 {
		return nil, nil
	}
	from, to := r.from, r.from+n
	r.from = to
	out := &column.Batch{Schema: r.schema, N: n}
	switch {
	case r.keys != nil:
		for _, k := range r.g.keys {
			out.Cols = append(out.Cols, piece(r.keys.Cols[k], from, to))
		}
	case r.g.table != nil:
		out.Cols = append(out.Cols, r.g.table.KeyRange(from, to)...)
	}
	for _, v := range r.values {
		out.Cols = append(out.Cols, piece(v, from, to))
	}
	if r.keys != nil {
		return out, nil
	}
	return out, r.g.hashesOf()[from:to]
}

func piece(v *column.Vector, from, to int) *column.Vector {
	if from == 0 && to == v.N {
		return v
	}
	return v.Slice(from, to)
}

func (g *groups) keyColumns() []*column.Vector {
	if g.table == nil {
		return nil
	}
	return append([]*column.Vector{}, g.table.Keys()...)
}

// hashesOf are the key hashes of the groups, for cutting them by hash.
func (g *groups) hashesOf() []uint64 {
	if g.table == nil {
		return []uint64{0}
	}
	return g.table.Hashes()
}

func (g *groups) bytes() int64 {
	var n int64
	if g.table != nil {
		n = g.table.Bytes()
	}
	for _, a := range g.accs {
		n += a.Bytes()
	}
	return n
}

func (g *groups) reset() {
	g.n = 0
	if g.table != nil {
		g.table.Reset()
	}
	for _, a := range g.accs {
		a.Reset()
	}
}
