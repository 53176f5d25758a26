package rdd

import (
	"sort"

	"github.com/streamflow/streamflow/column"
)

// Assigner computes the target partition of rows for a Partitioner. It belongs to one task.
type Assigner struct {
	p      Partitioner
	keys   []column.SortKey
	cols   []*column.Vector
	hashes []uint64
	next   int
}

// NewAssigner returns the assigner of a map task; the tasks of a round-robin shuffle start at different targets.
func NewAssigner(p Partitioner, mapPart int) *Assigner {
	a := &Assigner{p: p, next: mapPart}
	if p.Kind == Range {
		for i := range p.Keys {
			a.keys = append(a.keys, column.SortKey{Col: i, Desc: i < len(p.Desc) && p.Desc[i], NullsFirst: i < len(p.NullsF) && p.NullsF[i]})
		}
	}
	return a
}

// Assign returns the partition of each row of b, in dst when that is large enough.
func (a *Assigner) Assign(dst []int32, b *column.Batch) []int32 {
	if cap(dst) < b.N {
		dst = make([]int32, b.N)
	}
	dst = dst[:b.N]
	switch a.p.Kind {
	case Hash:
		a.byHash(dst, b)
	case RoundRobin:
		a.byTurn(dst)
	case Range:
		a.byRange(dst, b)
	default:
		clear(dst)
	}
	return dst
}

func (a *Assigner) byHash(dst []int32, b *column.Batch) {
	a.cols = a.cols[:0]
	for _, k := range a.p.Keys {
		a.cols = append(a.cols, b.Cols[k])
	}
	a.hashes = column.Hash(a.hashes, a.cols, b.N)
	n := a.p.N
	for i, h := range a.hashes[:len(dst)] {
		dst[i] = int32(PartitionOf(KeyGroup(h), n))
	}
}

// byTurn deals rows one by one: any part of the input, however small, is spread evenly.
func (a *Assigner) byTurn(dst []int32) {
	n := a.p.N
	t := a.next % n
	for i := range dst {
		dst[i] = int32(t)
		if t++; t == n {
			t = 0
		}
	}
	a.next = t
}

// byRange finds the first bound that is not below the row. Bounds has the key columns in the order of Keys.
func (a *Assigner) byRange(dst []int32, b *column.Batch) {
	if a.p.Bounds == nil || a.p.Bounds.N == 0 {
		clear(dst)
		return
	}
	bounds := a.p.Bounds
	a.cols = a.cols[:0]
	for _, k := range a.p.Keys {
		a.cols = append(a.cols, b.Cols[k])
	}
	view := column.Batch{N: b.N, Cols: a.cols}
	for row := range dst {
		dst[row] = int32(sort.Search(bounds.N, func(i int) bool {
			return column.CompareRows(bounds, i, &view, row, a.keys) >= 0
		}))
	}
}
