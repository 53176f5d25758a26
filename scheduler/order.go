package scheduler

import (
	"slices"

	"github.com/streamflow/streamflow/rdd"
)

// Order puts the stages with an operator for which first holds, and what these read, in front, and lets every later stage
// with an operator for which then holds wait for them: a watermark that several sources decide is then the same in all
// stages of a micro-batch. No stage for which first holds may read one for which then holds. The result stage stays last.
func Order(stages []*Stage, first, then func(op string) bool) {
	last := len(stages) - 1
	front := make([]bool, len(stages))
	var heads []*Stage
	for i := last - 1; i >= 0; i-- { // children before parents
		if stages[i].runs(first) {
			front[i] = true
			heads = append(heads, stages[i])
		}
		if front[i] {
			for _, in := range stages[i].Inputs {
				front[in.Stage] = true
			}
		}
	}
	rank := func(s *Stage) int {
		if front[s.ID] {
			return 0
		}
		return 1
	}
	order := slices.Clone(stages)
	slices.SortStableFunc(order[:max(last, 0)], func(a, b *Stage) int { return rank(a) - rank(b) })
	place := make([]int, len(stages))
	for i, s := range order {
		place[s.ID] = i
	}
	for i, s := range order {
		s.ID = i
		for k := range s.Inputs {
			s.Inputs[k].Stage = place[s.Inputs[k].Stage]
		}
	}
	for _, s := range order {
		if !s.runs(then) || slices.Contains(heads, s) {
			continue
		}
		for _, h := range heads {
			if h.ID < s.ID {
				s.After = append(s.After, h.ID)
			}
		}
		slices.Sort(s.After)
	}
	copy(stages, order)
}

// runs reports whether an operator of the stage has an id for which is holds.
func (s *Stage) runs(is func(op string) bool) bool {
	return s.has(func(r *rdd.RDD) bool { return is(r.ID) })
}

// has reports whether an operator of the stage is one for which is holds.
func (s *Stage) has(is func(*rdd.RDD) bool) bool {
	var walk func(*rdd.RDD) bool
	walk = func(r *rdd.RDD) bool {
		if is(r) {
			return true
		}
		for _, d := range r.Deps {
			if d.Kind == rdd.Narrow && walk(d.Parent) {
				return true
			}
		}
		return false
	}
	return walk(s.Root)
}
