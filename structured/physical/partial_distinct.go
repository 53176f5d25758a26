package physical

import (
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// DistinctSet is one kind of distinct operands, (a, b) of count(DISTINCT a, b), and the conditions under which aggregates over
// them see a row.
type DistinctSet struct {
	Args    []int // input columns
	Filters []int // boolean input columns, -1 for every row
}

// PartialDistinct begins a streaming aggregation with distinct aggregates. For each set it finds the different operands of
// each group and adds up how often they came; the other aggregates become partial states.
//
//	keys │ set │ operands of all sets, null but for the set's │ a count for each condition │ states
//	a    │ -1  │                                              │                            │ of the other aggregates
//	a    │  0  │ x                                            │ 3  1                       │
type PartialDistinct struct {
	Keys   []int
	Sets   []DistinctSet
	Weight int // the weight of rows that are changes, -1 for rows
	Fixed  []AggSpec
	Out    *column.Schema

	fixed  *groups
	seen   []*distinctSeen
	counts int // the most conditions of a set
}

// distinctSeen are the operands of one set with their counts.
type distinctSeen struct {
	set    *DistinctSet
	table  *column.GroupTable
	counts [][]int64 // of each condition
	cols   []*column.Vector
	hashes []uint64
	gids   []uint32
}

func (d *PartialDistinct) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := d.prepare(); err != nil {
		return nil, err
	}
	mem := reserve(tc)
	var queue []*column.Batch
	var out pieces
	var rows int64
	ended := false
	next := func() (*column.Batch, error) {
		for {
			if b := out.next(); b != nil {
				return b, nil
			}
			if len(queue) > 0 {
				out.set(queue[0])
				queue = queue[1:]
				continue
			}
			if ended {
				return nil, io.EOF
			}
			d.reset()
			mem.release()
			for {
				b, err := in[0].Next()
				if err == io.EOF {
					ended = true
					count(tc, tc.Op, RowsIn, rows)
					break
				}
				if err != nil {
					return nil, err
				}
				if b.N == 0 {
					continue
				}
				rows += int64(b.N)
				if err := d.add(b); err != nil {
					return nil, err
				}
				if !mem.to(d.bytes()) {
					break // passed on early: whoever merges does not mind
				}
			}
			queue = d.batches()
		}
	}
	return output(tc, in, next, mem.release), nil
}

func (d *PartialDistinct) prepare() error {
	if d.fixed != nil {
		d.reset()
		return nil
	}
	types := make([]column.Type, len(d.Keys))
	for i := range types {
		types[i] = d.Out.Fields[i].Type
	}
	var err error
	if d.fixed, err = newGroups(d.Keys, types, d.Fixed); err != nil {
		return err
	}
	at := len(d.Keys) + 1
	for i := range d.Sets {
		s := &d.Sets[i]
		all := append([]column.Type{}, types...)
		for range s.Args {
			all = append(all, d.Out.Fields[at].Type)
			at++
		}
		d.seen = append(d.seen, &distinctSeen{set: s, table: column.NewGroupTable(all), counts: make([][]int64, len(s.Filters))})
		d.counts = max(d.counts, len(s.Filters))
	}
	return nil
}

func (d *PartialDistinct) reset() {
	d.fixed.reset()
	for _, s := range d.seen {
		s.table.Reset()
		for i := range s.counts {
			s.counts[i] = s.counts[i][:0]
		}
	}
}

func (d *PartialDistinct) bytes() int64 {
	n := d.fixed.bytes()
	for _, s := range d.seen {
		n += s.table.Bytes() + int64(8*len(s.counts)*s.table.Len())
	}
	return n
}

func (d *PartialDistinct) add(b *column.Batch) error {
	if err := d.fixed.add(b); err != nil {
		return err
	}
	for _, s := range d.seen {
		s.add(d, b)
	}
	return nil
}

func (s *distinctSeen) add(d *PartialDistinct, b *column.Batch) {
	s.cols = s.cols[:0]
	for _, k := range d.Keys {
		s.cols = append(s.cols, b.Cols[k])
	}
	for _, c := range s.set.Args {
		s.cols = append(s.cols, b.Cols[c])
	}
	s.hashes = column.Hash(s.hashes, s.cols, b.N)
	s.gids = s.table.Insert(s.gids[:0], s.cols, s.hashes, b.N)
	for i, f := range s.set.Filters {
		for len(s.counts[i]) < s.table.Len() {
			s.counts[i] = append(s.counts[i], 0)
		}
		s.count(s.counts[i], b, f, d.Weight)
	}
}

// count adds the rows that pass a condition, with their weights, to the counts.
func (s *distinctSeen) count(to []int64, b *column.Batch, filter, weight int) {
	gids := s.gids[:b.N]
	switch {
	case filter < 0 && weight < 0:
		for _, g := range gids {
			to[g]++
		}
	case weight < 0:
		f := b.Cols[filter]
		if f.Valid == nil && !f.Const {
			for i, g := range gids {
				if f.Bools[i] {
					to[g]++
				}
			}
			return
		}
		for i, g := range gids {
			if trueAt(f, i) {
				to[g]++
			}
		}
	default:
		w := b.Cols[weight]
		for i, g := range gids {
			if filter < 0 || trueAt(b.Cols[filter], i) {
				to[g] += weightAt(w, i)
			}
		}
	}
}

// batches is what the operator puts out: the states, then the operands of each set.
func (d *PartialDistinct) batches() []*column.Batch {
	var out []*column.Batch
	if n := d.fixed.n; n > 0 {
		cols := d.fixed.keyColumns()
		cols = append(cols, setNumber(n, -1))
		cols = append(cols, d.null(n, len(cols), len(d.Out.Fields)-d.states())...)
		out = append(out, &column.Batch{Schema: d.Out, N: n, Cols: append(cols, statesOf(d.fixed.accs)...)})
	}
	at := len(d.Keys) + 1
	for i, s := range d.seen {
		if b := d.ofSet(s, i, at); b.N > 0 {
			out = append(out, b)
		}
		at += len(s.set.Args)
	}
	return out
}

func (d *PartialDistinct) states() int {
	n := 0
	for _, a := range d.fixed.accs {
		n += len(a.State())
	}
	return n
}

// ofSet are the operands of set i, whose columns begin at place at, that came at all and are not null.
func (d *PartialDistinct) ofSet(s *distinctSeen, i, at int) *column.Batch {
	keys := s.table.Keys()
	args := keys[len(d.Keys):]
	sel := make([]int32, 0, s.table.Len())
	for g := range s.table.Len() {
		if s.came(g) && allValidAt(args, g) {
			sel = append(sel, int32(g))
		}
	}
	n := len(sel)
	cols := make([]*column.Vector, 0, len(d.Out.Fields))
	for _, k := range keys[:len(d.Keys)] {
		cols = append(cols, column.Take(nil, k, sel))
	}
	cols = append(cols, setNumber(n, int32(i)))
	cols = append(cols, d.null(n, len(cols), at)...)
	for _, a := range args {
		cols = append(cols, column.Take(nil, a, sel))
	}
	first := len(d.Out.Fields) - d.states() - d.counts
	cols = append(cols, d.null(n, len(cols), first)...)
	for _, c := range s.counts {
		v := column.NewVector(bigint, n)
		for j, g := range sel {
			v.I64[j] = c[g]
		}
		cols = append(cols, v)
	}
	return &column.Batch{Schema: d.Out, N: n, Cols: append(cols, d.null(n, len(cols), len(d.Out.Fields))...)}
}

func (s *distinctSeen) came(g int) bool {
	for _, c := range s.counts {
		if c[g] != 0 {
			return true
		}
	}
	return false
}

func allValidAt(cols []*column.Vector, i int) bool {
	for _, c := range cols {
		if !c.IsValid(i) {
			return false
		}
	}
	return true
}

func setNumber(n int, set int32) *column.Vector {
	v := column.NewVector(integer, n)
	for i := range v.I32 {
		v.I32[i] = set
	}
	return v
}

// null are columns [from, to) of the output without values.
func (d *PartialDistinct) null(n, from, to int) []*column.Vector {
	out := make([]*column.Vector, 0, to-from)
	for c := from; c < to; c++ {
		b := column.NewBuilder(d.Out.Fields[c].Type)
		for range n {
			b.AppendNull()
		}
		out = append(out, b.Finish())
	}
	return out
}
