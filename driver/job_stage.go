package driver

import (
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/scheduler"
)

// The methods here are the owner goroutine's.

// begin fixes the binding of a stage, for all its attempts.
func (r *run) begin(stage int) {
	b := r.opts.Binding
	if r.opts.BeforeStage != nil {
		if own := r.opts.BeforeStage(stage, r.doneBefore(stage)); own != nil {
			b = own
		}
	}
	r.bindings[stage] = b
}

// room makes room for what will be known of stages. The last of them is the result stage if they are all there are.
func (r *run) room(shapes []scheduler.Shape, all bool) {
	tasks := 0
	for _, s := range shapes {
		tasks += s.Parts
	}
	slab := make([]*rdd.TaskResult, tasks)
	for _, s := range shapes {
		r.results = append(r.results, slab[:s.Parts:s.Parts])
		slab = slab[s.Parts:]
	}
	r.bindings = append(r.bindings, make([]*rdd.Binding, len(shapes))...)
	r.inputs = append(r.inputs, make([][]rdd.InputSpec, len(shapes))...)
	r.sources = append(r.sources, make([][][]rdd.Source, len(shapes))...)
	if all {
		r.last = len(r.results) - 1
	}
}

// doneBefore are the results of the stages whose tasks have all succeeded.
func (r *run) doneBefore(stage int) []*rdd.TaskResult {
	var list []*rdd.TaskResult
	for _, results := range r.results[:stage] {
		for _, t := range results {
			if t != nil {
				list = append(list, t)
			}
		}
	}
	return list
}

// spec is the order for a task.
func (r *run) spec(a scheduler.Action) *rdd.TaskSpec {
	s := r.job.stages[a.Stage]
	spec := &rdd.TaskSpec{Job: r.id, Stage: a.Stage, Partition: a.Part, Parts: s.Root.Parts, Attempt: a.Attempt,
		Fragment: s.Fragment.Hash, Binding: r.bindings[a.Stage], Inputs: r.inputsOf(s, a.Inputs)}
	if b := spec.Binding; b != nil {
		spec.Query = b.Query
	}
	if s.Output != nil {
		spec.Output = &rdd.OutputSpec{Shuffle: shuffleOf(a.Stage), Partitioner: *s.Output, InMemory: !r.opts.Files}
	}
	return spec
}

// inputsOf is made once for all tasks of a stage that read the same sources.
func (r *run) inputsOf(s *scheduler.Stage, sources [][]rdd.Source) []rdd.InputSpec {
	if len(sources) == 0 {
		return nil
	}
	if old := r.sources[s.ID]; len(old) > 0 && &old[0] == &sources[0] {
		return r.inputs[s.ID]
	}
	specs := make([]rdd.InputSpec, len(s.Inputs))
	for i, in := range s.Inputs {
		specs[i] = rdd.InputSpec{Shuffle: shuffleOf(in.Stage), Sources: sources[i], Broadcast: in.Broadcast, Reads: in.Reads}
	}
	r.sources[s.ID], r.inputs[s.ID] = sources, specs
	return specs
}

// ended notes the end of an attempt. The first success of a partition counts: its rows, side rows, counters and reports;
// what a later one brings, after a lost output was computed again, has been delivered already.
func (r *run) ended(ev scheduler.TaskEnded, res *rdd.TaskResult) {
	a, known := r.attempts[ev.Task]
	if known {
		a.cancel(nil)
		delete(r.attempts, ev.Task)
	}
	if !known || res.Err != nil || r.finished || r.results[ev.Stage][ev.Part] != nil {
		if res.Output != nil {
			res.Output.Close()
		}
		return
	}
	r.results[ev.Stage][ev.Part] = res
	r.job.settled(ev.Stage, ev.Part, ev.Executor)
	r.out.put(message{result: res, final: ev.Stage == r.last})
}

// lost forgets the attempts of an executor, which will not report or will not be heard.
func (r *run) lost(executor string) {
	for id, a := range r.attempts {
		if a.executor == executor {
			a.cancel(errKilled)
			delete(r.attempts, id)
		}
	}
}

func (r *run) finish(err error) {
	r.finished, r.err = true, err
	if err != nil {
		r.cancel(err)
	}
}
