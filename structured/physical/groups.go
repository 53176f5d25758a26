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
	g := &groups{keys: keys, aggs: aggs}
	if len(keys) > 0 {
		g.table = column.NewGroupTable(types)
	}
	for _, a := range aggs {
		acc, err := expr.NewAccumulator(a.Agg)
		if err != nil {
			return nil, err
		}
		g.accs = append(g.accs, acc)
	}
	return g, nil
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
		g.hashes = column.Hash(g.hashes, g.cols, b.N)
		g.gids = g.table.Insert(g.gids[:0], g.cols, g.hashes, b.N)
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
		if p, err = expr.Compile(g.aggs[i].Agg.Args[arg]); err != nil {
			return nil, err
		}
		if g.consts == nil {
			g.consts = map[[2]int]*expr.Program{}
		}
		g.consts[at] = p
	}
	return p.Eval(&expr.Context{}, b)
}

// states is a batch of the keys and states of all groups; it is valid until the groups change.
func (g *groups) states(schema *column.Schema) *column.Batch {
	out := &column.Batch{Schema: schema, N: g.n, Cols: g.keyColumns()}
	for _, a := range g.accs {
		out.Cols = append(out.Cols, a.State()...)
	}
	return out
}

// results is a batch of the keys and results of all groups; it is valid until the groups change.
func (g *groups) results(schema *column.Schema) (*column.Batch, error) {
	out := &column.Batch{Schema: schema, N: g.n, Cols: g.keyColumns()}
	for _, a := range g.accs {
		v, err := a.Result()
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, v)
	}
	return out, nil
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
