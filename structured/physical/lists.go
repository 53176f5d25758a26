package physical

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
)

// ListSpec is an aggregate over changes whose values are kept, each with how often it is there, because no state of fixed
// size could take one back. Where the result is the least or the greatest value one chunk of them is read, else all.
type ListSpec struct {
	Agg      *expr.Agg // without filter; its operands are columns 0, 1, … of the values
	Cols     []int     // the input columns of the operands; -1 for a constant
	Filter   int       // a boolean input column, -1 for none
	Distinct bool      // each value counts once
}

// listRun applies a micro-batch to the values of a ListSpec.
type listRun struct {
	spec   *ListSpec
	number byte
	cols   []int // the operands that are columns
	picks  int   // -1 the least value, 1 the greatest, 0 all are needed

	edits []listEdit
	arena []byte
	args  []*column.Vector
	set   *orderedSet
	owner []byte
	batch []setEntry

	calc   *groups
	values *column.BatchBuilder
}

// listEdit is a value's weight in the batch.
type listEdit struct {
	gid      uint32
	from, to int // of the value's key in the arena
	weight   int64
}

func newListRun(spec *ListSpec, number int) (*listRun, error) {
	l := &listRun{spec: spec, number: byte(number)}
	schema := &column.Schema{}
	calc := AggSpec{Agg: spec.Agg}
	for i, c := range spec.Cols {
		if c < 0 {
			calc.Cols = append(calc.Cols, -1)
			continue
		}
		calc.Cols = append(calc.Cols, len(l.cols))
		l.cols = append(l.cols, c)
		schema.Fields = append(schema.Fields, column.Field{Name: fmt.Sprint("_", i), Type: spec.Agg.Args[i].DataType(), Nullable: true})
	}
	l.values = column.NewBatchBuilder(schema)
	switch spec.Agg.Fn {
	case "min":
		l.picks = -1
	case "max":
		l.picks = 1
	}
	var err error
	l.calc, err = newGroups(nil, nil, []AggSpec{calc})
	return l, err
}

// add notes the values of b's rows.
func (l *listRun) add(b *column.Batch, gids []uint32, weight int) {
	l.args = l.args[:0]
	for _, c := range l.cols {
		l.args = append(l.args, b.Cols[c])
	}
	w := b.Cols[weight]
	for i := range b.N {
		if f := l.spec.Filter; f >= 0 && !trueAt(b.Cols[f], i) {
			continue
		}
		if l.picks != 0 && !l.args[0].IsValid(i) {
			continue
		}
		from := len(l.arena)
		l.arena = column.AppendKey(l.arena, l.args, i)
		l.edits = append(l.edits, listEdit{gids[i], from, len(l.arena), weightAt(w, i)})
	}
}

func trueAt(v *column.Vector, i int) bool {
	if v.Const {
		i = 0
	}
	return v.IsValid(i) && v.Bools[i]
}

func weightAt(v *column.Vector, i int) int64 {
	if v.Const {
		i = 0
	}
	return v.I64[i]
}

func (l *listRun) bytes(e listEdit) []byte { return l.arena[e.from:e.to] }

// consolidate sorts the edits by group and value and adds up those of equal ones.
func (l *listRun) consolidate() {
	slices.SortFunc(l.edits, func(a, b listEdit) int {
		if c := cmp.Compare(a.gid, b.gid); c != 0 {
			return c
		}
		return bytes.Compare(l.bytes(a), l.bytes(b))
	})
	kept := l.edits[:0]
	for _, e := range l.edits {
		if n := len(kept); n > 0 && kept[n-1].gid == e.gid && bytes.Equal(l.bytes(kept[n-1]), l.bytes(e)) {
			kept[n-1].weight += e.weight
			continue
		}
		kept = append(kept, e)
	}
	l.edits = slices.DeleteFunc(kept, func(e listEdit) bool { return e.weight == 0 })
}

// applyList brings the values up to date and returns the result of each of the batch's groups. had are the results stored for
// the groups s.gids.
func (r *statefulRun) applyList(l *listRun, had *column.Vector) (*column.Vector, error) {
	g := r.s.groups
	l.consolidate()
	l.set = &orderedSet{state: r.state, width: 1}
	keys, hashes := g.keyColumns(), g.hashesOf()
	from := make([]int32, g.n) // where a group's result comes from: a new one, or ^ of a stored one
	for i := range from {
		from[i] = -1
	}
	for at, gid := range r.s.gids {
		from[gid] = ^int32(at)
	}
	var fresh uint32
	l.begin()
	edits := l.edits
	for i := range from {
		n := 0
		for n < len(edits) && edits[n].gid == uint32(i) {
			n++
		}
		if n == 0 && r.s.stored[i] {
			continue
		}
		from[i] = int32(fresh)
		r.s.key = column.AppendKey(r.s.key[:0], keys, i)
		if err := l.open(r.s.bucketOf(keys, i), rdd.KeyGroup(hashes[i]), r.s.key); err != nil {
			return nil, err
		}
		if err := l.edit(edits[:n]); err != nil {
			return nil, err
		}
		edits = edits[n:]
		if err := l.compute(fresh); err != nil {
			return nil, err
		}
		fresh++
	}
	l.edits, l.arena = l.edits[:0], l.arena[:0]
	results, err := l.results(int(fresh))
	if err != nil {
		return nil, err
	}
	return pickResults(l.spec.Agg.Typ, from, results, had), nil
}

func pickResults(t column.Type, from []int32, fresh, had *column.Vector) *column.Vector {
	b := column.NewBuilder(t)
	for _, f := range from {
		if f >= 0 {
			b.AppendFrom(fresh, int(f))
		} else {
			b.AppendFrom(had, int(^f))
		}
	}
	return b.Finish()
}

func (l *listRun) open(bucket int64, group int, key []byte) error {
	l.owner = append(append(l.owner[:0], l.number), key...)
	return l.set.open(bucket, group, l.owner)
}

func (l *listRun) edit(edits []listEdit) error {
	if len(edits) == 0 {
		return nil
	}
	l.batch = l.batch[:0]
	for _, e := range edits {
		l.batch = append(l.batch, setEntry{key: l.bytes(e), counts: []int64{e.weight}})
	}
	_, err := l.set.apply(l.batch)
	l.set.release()
	return err
}

// drop forgets the values of a group.
func (l *listRun) drop(state rdd.State, bucket int64, group int, key []byte) error {
	if l.set == nil {
		l.set = &orderedSet{state: state, width: 1}
	}
	if err := l.open(bucket, group, key); err != nil {
		return err
	}
	return l.set.replace(nil)
}

func (l *listRun) begin() {
	l.values.Reset()
	l.calc.reset()
	l.calc.gids = l.calc.gids[:0]
}

// compute adds the values of the open set to the calculation of result n.
func (l *listRun) compute(n uint32) error {
	var failed error
	err := l.set.visit(l.picks > 0, func(e setEntry) bool {
		times := e.counts[0]
		if l.spec.Distinct || l.picks != 0 {
			times = 1
		}
		for ; times > 0 && failed == nil; times-- {
			failed = l.value(e.key, n)
		}
		return failed == nil && l.picks == 0
	})
	l.set.release()
	if err == nil {
		err = failed
	}
	return err
}

func (l *listRun) value(key []byte, n uint32) error {
	if err := column.DecodeKey(key, l.values.Cols); err != nil {
		return err
	}
	l.calc.gids = append(l.calc.gids, n)
	if len(l.calc.gids) == column.BatchRows {
		return l.flush()
	}
	return nil
}

func (l *listRun) flush() error {
	g := l.calc
	if len(g.gids) == 0 {
		return nil
	}
	b := l.values.Finish()
	g.accs[0].Resize(int(g.gids[len(g.gids)-1]) + 1)
	err := g.accumulate(0, b)
	l.values.Reset()
	g.gids = g.gids[:0]
	return err
}

func (l *listRun) results(n int) (*column.Vector, error) {
	if err := l.flush(); err != nil {
		return nil, err
	}
	l.calc.accs[0].Resize(n)
	return l.calc.accs[0].Result()
}

// empty is the result of n groups without values.
func (l *listRun) empty(n int) (*column.Vector, error) {
	l.begin()
	return l.results(n)
}
