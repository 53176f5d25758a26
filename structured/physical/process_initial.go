package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// InitialRows are a table from which a function fills state before the first row of a key. Each task reads the table and takes
// the keys that are its own.
type InitialRows struct {
	Table *Static
	Keys  []int // its columns, as Process.Keys
	Args  []int // the columns that the function reads
}

// initialKeys are the rows of a task's keys, key by key.
type initialKeys struct {
	keys, args []*column.Vector
	hashes     []uint64
	from, to   []int          // the rows of each key
	at         map[string]int // which of them a key is
}

// read takes up the table.
func (t *InitialRows) read(tc *rdd.TaskContext) (*initialKeys, error) {
	k := &initialKeys{at: map[string]int{}}
	list, err := t.Table.collect(tc)
	if err != nil || len(list) == 0 {
		return k, err
	}
	all := column.Concat(t.Table.Out, list)
	order := ascending(t.Keys)
	for c, f := range t.Table.Out.Fields {
		if position(t.Keys, c) < 0 && !f.Type.IsNested() {
			order = append(order, column.SortKey{Col: c})
		}
	}
	all = column.TakeBatch(nil, all, column.SortIndices(all, order))
	for _, c := range t.Keys {
		k.keys = append(k.keys, column.Expand(all.Cols[c], all.N))
	}
	for _, c := range t.Args {
		k.args = append(k.args, all.Cols[c])
	}
	k.hashes = column.Hash(nil, k.keys, all.N)
	by := order[:len(t.Keys)]
	for i := 0; i < all.N; {
		from := i
		for i++; i < all.N && column.CompareRows(all, i-1, all, i, by) == 0; i++ {
		}
		if len(t.Keys) > 0 && rdd.PartitionOf(rdd.KeyGroup(k.hashes[from]), tc.Parts) != tc.Partition {
			continue
		}
		k.at[string(column.AppendKey(nil, k.keys, from))] = len(k.from)
		k.from, k.to = append(k.from, from), append(k.to, i)
	}
	return k, nil
}

// fill gives the function the rows of key n, which was taken up.
func (r *processRun) fill(k *initialKeys, n int) error {
	for i := k.from[n]; i < k.to[n]; i++ {
		if err := r.failed(r.f.run.Initial(k.args, i)); err != nil {
			return err
		}
	}
	return nil
}

// fill fills the state of a query that begins.
func (r *statefulProcessRun) fill() error {
	if r.f.Initial == nil || r.tc.Binding.Batch != 0 {
		return nil
	}
	k, err := r.f.Initial.read(r.tc)
	if err != nil {
		return err
	}
	for n, i := range k.from {
		key := dueKey{rdd.KeyGroup(k.hashes[i]), column.AppendKey(nil, k.keys, i)}
		r.found, r.alarms = false, [2]int64{noAlarm, noAlarm}
		if err := r.begin(k.keys, i, nil); err != nil {
			return err
		}
		if err := r.processRun.fill(k, n); err != nil {
			return err
		}
		if err := r.keep(key); err != nil {
			return err
		}
	}
	return nil
}
