package scheduler

// A job may be open: what it does next depends on what its stages wrote. Whenever a stage is complete for the first time the
// scheduler says so, and whoever plans the job answers with the stages that are known now:
//
//	Submit{Open} ─▶ stages 0, 1 ─▶ Complete 0 ─▶ Extend{2} ─▶ Complete 1, Complete 2 ─▶ Extend{3, Last} ─▶ Finish
//
// All stages are of one job, so that an output of any earlier stage that is lost is computed again by lineage.

// tell reports the stages of an open job that have become complete.
func (s *Scheduler) tell(j *job) {
	for i := range j.stages {
		if st := &j.stages[i]; j.open && st.begun && !st.told && st.complete() {
			st.told = true
			s.do(Action{Kind: Complete, Task: Task{Job: j.id, Stage: i}})
		}
	}
}

// extend takes in the stages that an open job goes on with. A job that has ended meanwhile needs none.
func (s *Scheduler) extend(e Extend) {
	j := s.byID[e.Job]
	if j == nil {
		return
	}
	if !j.open || e.Last && len(e.Stages) == 0 {
		panic("BUG: scheduler: job " + j.id + " is extended without being open, or ends in no stage")
	}
	j.add(e.Stages)
	j.open = !e.Last
	s.advance(j)
}
