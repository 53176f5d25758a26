package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// aggregateFrames computes an aggregate over each row's frame. Any aggregate will do, for it needs nothing but partial states that
// can be merged in order:
//
//	level 2   ┌───────────────┐
//	level 1   ├───────┬───────┤   a state for each two of the level below
//	level 0   ├───┬───┼───┬───┤   a state for each row
//
// A frame is put together from at most two states of each level (a segment tree); all rows take their states of one level in one
// step. Where all frames are whole partitions, there is one state for each partition instead.
func aggregateFrames(s *spans, g *expr.Agg, fr *frames, args []*column.Vector) (*column.Vector, error) {
	if wholePartitions(s, fr) {
		return perPartition(s, g, args)
	}
	levels, err := buildLevels(g, args, s.b.N, longest(fr))
	if err != nil {
		return nil, err
	}
	acc, err := expr.NewAccumulator(g)
	if err != nil {
		return nil, err
	}
	acc.Resize(s.b.N)
	if err := mergeLevels(acc, levels, fr); err != nil {
		return nil, err
	}
	return acc.Result()
}

func wholePartitions(s *spans, fr *frames) bool {
	for i := range fr.from {
		if fr.from[i] != s.partStart[i] || fr.to[i] != s.partEnd[i] {
			return false
		}
	}
	return true
}

func perPartition(s *spans, g *expr.Agg, args []*column.Vector) (*column.Vector, error) {
	gids, sel := make([]uint32, s.b.N), make([]int32, s.b.N)
	n := 0
	for i := range gids {
		if s.partStart[i] == int32(i) {
			n++
		}
		gids[i], sel[i] = uint32(n-1), int32(n-1)
	}
	acc, err := expr.NewAccumulator(g)
	if err != nil {
		return nil, err
	}
	acc.Resize(n)
	if err := acc.Update(gids, args, s.b.N); err != nil {
		return nil, err
	}
	v, err := acc.Result()
	if err != nil {
		return nil, err
	}
	return column.Take(nil, v, sel), nil
}

func longest(fr *frames) (n int32) {
	for i := range fr.from {
		n = max(n, fr.to[i]-fr.from[i])
	}
	return n
}

// level is the states of one level of the tree.
type level []*column.Vector

// buildLevels makes states of 1, 2, 4, … rows, as far as a frame of the longest length can use them.
func buildLevels(g *expr.Agg, args []*column.Vector, rows int, longest int32) ([]level, error) {
	if rows == 0 {
		return nil, nil
	}
	acc, err := expr.NewAccumulator(g)
	if err != nil {
		return nil, err
	}
	acc.Resize(rows)
	if err := acc.Update(sequence(nil, rows), args, rows); err != nil {
		return nil, err
	}
	return levelsAbove(g, acc.State(), rows, longest)
}

// levelsAbove makes the levels above the lowest one, which has n states.
func levelsAbove(g *expr.Agg, lowest level, n int, longest int32) ([]level, error) {
	levels := []level{lowest}
	gids := make([]uint32, n)
	for size := int64(2); size <= int64(longest) && n > 0; size *= 2 {
		acc, err := expr.NewAccumulator(g)
		if err != nil {
			return nil, err
		}
		below := n
		n = (n + 1) / 2
		acc.Resize(n)
		for i := range gids[:below] {
			gids[i] = uint32(i / 2)
		}
		if err := acc.Merge(gids[:below], levels[len(levels)-1], below); err != nil {
			return nil, err
		}
		levels = append(levels, acc.State())
		if n == 1 {
			break
		}
	}
	return levels, nil
}

// mergeLevels puts each row's frame together, from left to right: going up, the states at the frame's left border; going down,
// those at its right.
func mergeLevels(acc expr.Accumulator, levels []level, fr *frames) error {
	right := make([]nodes, len(levels))
	from, to := append([]int32{}, fr.from...), append([]int32{}, fr.to...)
	var left nodes
	for k := range levels {
		left.reset()
		for i := range from {
			if from[i] >= to[i] {
				continue
			}
			if from[i]&1 == 1 {
				left.add(i, from[i])
				from[i]++
			}
			if to[i]&1 == 1 {
				to[i]--
				right[k].add(i, to[i])
			}
			from[i], to[i] = from[i]/2, to[i]/2
		}
		if err := left.merge(acc, levels[k]); err != nil {
			return err
		}
	}
	for k := len(levels) - 1; k >= 0; k-- {
		if err := right[k].merge(acc, levels[k]); err != nil {
			return err
		}
	}
	return nil
}

// nodes are states to be merged into rows.
type nodes struct {
	rows  []uint32
	state []int32
	taken []*column.Vector
}

func (n *nodes) reset() { n.rows, n.state = n.rows[:0], n.state[:0] }

func (n *nodes) add(row int, state int32) {
	n.rows, n.state = append(n.rows, uint32(row)), append(n.state, state)
}

func (n *nodes) merge(acc expr.Accumulator, l level) error {
	if len(n.rows) == 0 {
		return nil
	}
	if n.taken == nil {
		n.taken = make([]*column.Vector, len(l))
	}
	for i := range l {
		n.taken[i] = column.Take(n.taken[i], l[i], n.state)
	}
	return acc.Merge(n.rows, n.taken, len(n.rows))
}
