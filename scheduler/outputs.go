package scheduler

// loseOutput marks one map output as gone: its task runs again, and stages that read it wait.
func (j *job) loseOutput(stage, part int) {
	s := &j.stages[stage]
	t := &s.tasks[part]
	t.done = false
	t.losses++
	s.done--
	s.ready = false // its own inputs may be gone too; refresh looks
	s.retry(part)
	for _, c := range s.children {
		j.stages[c].ready = false
	}
}

// loseExecutor forgets what an executor was running and holding. Outputs that nobody will read again stay marked as done:
// should a later loss make somebody read them after all, that reader reports them.
func (j *job) loseExecutor(id string) {
	for i := len(j.stages) - 1; i >= 0; i-- { // children first: whether they are complete decides
		s := &j.stages[i]
		needed := j.open && len(s.children) == 0 // who reads it is not known yet
		for _, c := range s.children {
			needed = needed || !j.stages[c].complete()
		}
		for p := range s.tasks {
			t := &s.tasks[p]
			if t.dropExecutor(id) {
				t.failures++
				s.retry(p)
			}
			if needed && t.done && t.output.Executor == id {
				j.loseOutput(i, p)
			}
		}
	}
}

// dropExecutor removes the attempts that ran there and reports whether there were any.
func (t *task) dropExecutor(id string) bool {
	kept := t.running[:0]
	for _, a := range t.running {
		if a.executor != id {
			kept = append(kept, a)
		}
	}
	dropped := len(kept) < len(t.running)
	t.running = kept
	return dropped
}
