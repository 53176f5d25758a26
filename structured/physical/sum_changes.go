package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Consolidate adds up the changes of a micro-batch, whose weights are the last column. For each key it puts out what became
// of its row: the last new one, or, when it only lost one, that one with weight -1. With Kinds it puts out every difference,
// and instead of the weight its kind.
//
//	key  weights of rows in the batch     changes          kinds
//	a    old -1, new +1                   new +1           old -U, new +U
//	b    old -1, x +1, x -1               old -1           old -D
//	c    new +1                           new +1           new +I
type Consolidate struct {
	Keys  []int
	Keyed bool // else rows are their own keys, and as many as their weight says
	Kinds bool
	Out   *column.Schema
}

func (c *Consolidate) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	return output(tc, in, drain(func(emit func(*column.Batch)) error { return c.run(tc, in[0], emit) }), nil), nil
}

func (c *Consolidate) run(tc *rdd.TaskContext, in rdd.Reader, emit func(*column.Batch)) error {
	rows, err := consolidateRows(in, len(c.Out.Fields)-1)
	if err != nil || rows == nil {
		return err
	}
	count(tc, tc.Op, RowsIn, rows.read)
	v := changeView{c: c, rows: rows}
	if c.Keyed {
		v.byKey()
	} else {
		v.byRow()
	}
	if len(v.sel) == 0 {
		return nil
	}
	cols := rows.table.Keys()
	out := &column.Batch{Schema: c.Out, N: len(v.sel)}
	for _, col := range cols {
		out.Cols = append(out.Cols, column.Take(nil, col, v.sel))
	}
	emit(&column.Batch{Schema: c.Out, N: out.N, Cols: append(out.Cols, v.last())})
	return nil
}

// consolidatedRows are the different rows of a batch with the sums of their weights.
type consolidatedRows struct {
	table *column.GroupTable
	sums  []int64
	read  int64
}

// consolidateRows adds up the weights of equal rows of in; nil when there were none. The weight is column n, after the row's.
func consolidateRows(in rdd.Reader, n int) (*consolidatedRows, error) {
	var r *consolidatedRows
	var hashes []uint64
	var gids []uint32
	err := each(in, func(b *column.Batch) error {
		if r == nil {
			r = &consolidatedRows{table: column.NewGroupTable(typesOf(b.Cols[:n]))}
		}
		r.read += int64(b.N)
		hashes = column.Hash(hashes, b.Cols[:n], b.N)
		gids = r.table.Insert(gids[:0], b.Cols[:n], hashes, b.N)
		for len(r.sums) < r.table.Len() {
			r.sums = append(r.sums, 0)
		}
		for i, g := range gids[:b.N] {
			r.sums[g] += weightAt(b.Cols[n], i)
		}
		return nil
	})
	return r, err
}

func typesOf(cols []*column.Vector) []column.Type {
	out := make([]column.Type, len(cols))
	for i, c := range cols {
		out[i] = c.Type
	}
	return out
}

// changeView chooses rows to put out.
type changeView struct {
	c     *Consolidate
	rows  *consolidatedRows
	sel   []int32
	kinds []string
}

func (v *changeView) put(row int32, kind string) {
	v.sel, v.kinds = append(v.sel, row), append(v.kinds, kind)
}

// byRow puts out each row as often as its weight says.
func (v *changeView) byRow() {
	for i, n := range v.rows.sums {
		for ; n < 0; n++ {
			v.put(int32(i), "-D")
		}
		for ; n > 0; n-- {
			v.put(int32(i), "+I")
		}
	}
}

// byKey puts out what became of each key.
func (v *changeView) byKey() {
	all := v.rows.table.Keys()
	keys := make([]*column.Vector, len(v.c.Keys))
	for i, k := range v.c.Keys {
		keys[i] = all[k]
	}
	n := len(v.rows.sums)
	table := column.NewGroupTable(typesOf(keys))
	gids := table.Insert(nil, keys, column.Hash(nil, keys, n), n)
	was, is := make([]int32, table.Len()), make([]int32, table.Len())
	for i, w := range v.rows.sums {
		switch g := gids[i]; {
		case w < 0:
			was[g] = int32(i) + 1
		case w > 0:
			is[g] = int32(i) + 1
		}
	}
	for g := range was {
		old, now := was[g]-1, is[g]-1
		switch {
		case old >= 0 && now >= 0:
			if v.c.Kinds {
				v.put(old, "-U")
			}
			v.put(now, "+U")
		case now >= 0:
			v.put(now, "+I")
		case old >= 0:
			v.put(old, "-D")
		}
	}
}

// last is the last column: kinds or weights.
func (v *changeView) last() *column.Vector {
	if v.c.Kinds {
		b := column.NewBuilder(column.Of(column.String))
		for _, k := range v.kinds {
			b.AppendString(k)
		}
		return b.Finish()
	}
	out := column.NewVector(bigint, len(v.kinds))
	for i, k := range v.kinds {
		out.I64[i] = 1
		if k[0] == '-' {
			out.I64[i] = -1
		}
	}
	return out
}
