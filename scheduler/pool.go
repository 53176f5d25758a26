package scheduler

import "slices"

// executor counts slots; 0 <= running.
type executor struct {
	id             string
	slots, running int
}

func (x *executor) free() int { return x.slots - x.running }

func (s *Scheduler) find(id string) *executor {
	for _, x := range s.executors {
		if x.id == id {
			return x
		}
	}
	return nil
}

// place chooses the executor for a partition: the preferred one, else the one with the most free slots. It returns nil
// when the task has to wait.
func (s *Scheduler) place(st *stage, part int) *executor {
	if part < len(st.Prefer) && st.Prefer[part] != "" {
		if x := s.find(st.Prefer[part]); x != nil && (x.free() > 0 || st.Pinned) {
			if x.free() > 0 {
				return x
			}
			return nil
		}
	}
	var best *executor
	for _, x := range s.executors {
		if x.free() > 0 && (best == nil || x.free() > best.free()) {
			best = x
		}
	}
	return best
}

func (s *Scheduler) freeSlots() int {
	n := 0
	for _, x := range s.executors {
		n += max(x.free(), 0)
	}
	return n
}

// order puts the jobs into the order in which they are offered slots: first come first served, or, when pools are fair, the
// pool with the fewest running tasks for its weight first.
func (s *Scheduler) order() []*job {
	if !s.opts.Fair {
		return s.jobs
	}
	jobs := append(s.fair[:0], s.jobs...)
	slices.SortStableFunc(jobs, func(a, b *job) int {
		return s.running[a.pool]*s.weight(b.pool) - s.running[b.pool]*s.weight(a.pool)
	})
	s.fair = jobs
	return jobs
}

func (s *Scheduler) weight(pool string) int {
	if w := s.opts.Weights[pool]; w > 0 {
		return w
	}
	return 1
}
