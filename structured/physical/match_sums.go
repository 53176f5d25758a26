package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/pattern"
)

// matchSums are the aggregates that conditions read, carried on from round to round. Each thread's path was made by a
// request of the round before, and the aggregates over the path are those of that request:
//
//	round n    state of each request  ◀─ Ask(path) ─  round n+1    that state and the request's own row
type matchSums struct {
	slots []*slotSum
}

type slotSum struct {
	slot   int
	before expr.Accumulator // a group for each request of the last round
	now    expr.Accumulator // and of this one
	result *column.Vector
	gids   []uint32
	rows   []int32
}

func newMatchSums(k *matcher) (*matchSums, error) {
	used := map[int]bool{}
	for v := range k.conds {
		for _, s := range k.conds[v].Slots {
			used[s] = true
		}
	}
	var m matchSums
	for i := range k.m.Slots {
		if k.m.Slots[i].Kind != AggregateSlot || !used[i] {
			continue
		}
		s := &slotSum{slot: i}
		var err error
		if s.before, err = expr.NewAccumulator(k.m.Slots[i].Agg); err == nil {
			s.now, err = expr.NewAccumulator(k.m.Slots[i].Agg)
		}
		if err != nil {
			return nil, err
		}
		m.slots = append(m.slots, s)
	}
	return &m, nil
}

// restart computes the aggregates of the threads that the machines bring along, and numbers their paths.
func (m *matchSums) restart(k *matcher, ms []*pattern.Machine) error {
	var paths []int32
	for _, machine := range ms {
		paths = machine.Threads(paths)
	}
	for i, p := range paths {
		k.search.Paths.SetAsk(p, int32(i))
	}
	for _, s := range m.slots {
		s.now.Reset()
		s.now.Resize(len(paths))
		if err := s.addPaths(k, s.now, paths); err != nil {
			return err
		}
	}
	return nil
}

// addPaths adds the rows of each path to the group that is its place.
func (s *slotSum) addPaths(k *matcher, acc expr.Accumulator, paths []int32) error {
	s.rows, s.gids = s.rows[:0], s.gids[:0]
	var nodes []int32
	for i, p := range paths {
		nodes = k.search.Paths.Nodes(nodes[:0], p)
		for _, n := range nodes {
			if k.counts(s.slot, k.search.Prog.Positions[k.search.Paths.Position(n)].Var) {
				s.rows, s.gids = append(s.rows, k.search.Paths.Row(n)), append(s.gids, uint32(i))
			}
		}
	}
	return k.addRows(s.slot, acc, s.rows, s.gids)
}

// counts reports whether a row of a variable counts for an aggregate.
func (k *matcher) counts(slot, v int) bool {
	vars := k.m.Slots[slot].Vars
	return vars == nil || vars[v]
}

// addRows adds rows of the block to groups of an aggregate.
func (k *matcher) addRows(slot int, acc expr.Accumulator, rows []int32, gids []uint32) error {
	if len(rows) == 0 {
		return nil
	}
	args := k.slots.args[slot]
	taken := make([]*column.Vector, len(args))
	for i, a := range args {
		taken[i] = column.Take(nil, a, rows)
	}
	return acc.Update(gids, taken, len(rows))
}

// step moves the aggregates on to the requests of a round.
func (m *matchSums) step(k *matcher, reqs []pattern.Request) error {
	for _, s := range m.slots {
		s.before, s.now = s.now, s.before
		s.now.Reset()
		s.now.Resize(len(reqs))
		s.rows, s.gids = s.rows[:0], s.gids[:0]
		for i, r := range reqs {
			if r.Path != pattern.None {
				s.rows, s.gids = append(s.rows, k.search.Paths.Ask(r.Path)), append(s.gids, uint32(i))
			}
		}
		if len(s.rows) > 0 {
			states := s.before.State()
			for i, v := range states {
				states[i] = column.Take(nil, v, s.rows)
			}
			if err := s.now.Merge(s.gids, states, len(s.rows)); err != nil {
				return err
			}
		}
		s.rows, s.gids = s.rows[:0], s.gids[:0]
		for i, r := range reqs {
			if k.counts(s.slot, int(r.Var)) {
				s.rows, s.gids = append(s.rows, r.Row), append(s.gids, uint32(i))
			}
		}
		if err := k.addRows(s.slot, s.now, s.rows, s.gids); err != nil {
			return err
		}
		s.result = nil
	}
	return nil
}

// of are an aggregate's values for some requests of the round.
func (m *matchSums) of(slot int, points []matchPoint) (*column.Vector, error) {
	for _, s := range m.slots {
		if s.slot != slot {
			continue
		}
		if s.result == nil {
			v, err := s.now.Result()
			if err != nil {
				return nil, err
			}
			s.result = v
		}
		s.rows = resize(s.rows, len(points))
		for i := range points {
			s.rows[i] = int32(points[i].ask)
		}
		return column.Take(nil, s.result, s.rows), nil
	}
	panic("BUG: a condition reads an aggregate that is not carried on")
}
