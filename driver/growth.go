package driver

import (
	"fmt"
	"sync"

	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/scheduler"
	"github.com/streamflow/streamflow/structured/physical"
)

// growth is the plan of a job that is planned while it runs (physical.Adaptive), and the cutting of its stages as they become ready:
//
//	scheduler ──Complete──▶ run.planOn ──sizes──▶ growth.next ──▶ Adaptive.Measure, Cutter.Ready ──Extend──▶ scheduler
//
// All stages are of one job: what an earlier one wrote and was lost is computed again by lineage.
type growth struct {
	turn sync.Mutex // held from planning on until the scheduler is told, so that stages come in the order of their numbers

	mu       sync.Mutex
	plan     *physical.Adaptive
	cutter   *scheduler.Cutter
	stages   []*scheduler.Stage
	complete map[int]bool
	last     bool
}

// PrepareBatch prepares the job of a batch plan, which is planned on while it runs if that can bring anything.
func (c *Cluster) PrepareBatch(phys *physical.Physical) (*Job, error) {
	plan := phys.Adaptive(c.Slots())
	if plan == nil {
		return c.Prepare(phys.Lower())
	}
	g := &growth{plan: plan, cutter: scheduler.NewCutter(), complete: map[int]bool{}}
	stages, err := g.ready()
	if err != nil {
		return nil, err
	}
	j := c.job(stages)
	j.growth = g
	return j, nil
}

// open reports whether more stages will follow.
func (g *growth) open() bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.last
}

// ready cuts the stages that can begin now. It is called with mu held, or before anybody else knows of g.
func (g *growth) ready() ([]*scheduler.Stage, error) {
	fresh, last, err := g.cutter.Ready(g.plan.Root(), func(stage int) bool { return g.complete[stage] })
	if err != nil {
		return nil, fmt.Errorf("driver: plan on: %w", err)
	}
	g.last = last
	g.stages = append(g.stages, fresh...)
	for _, s := range fresh {
		g.plan.Begin(s.Root)
	}
	return fresh, nil
}

// next plans on after a stage has written what sizes say, by task.
func (g *growth) next(stage int, sizes [][]rdd.Size) (fresh []*scheduler.Stage, last bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("driver: panic while planning on: %v", r)
		}
	}()
	g.complete[stage] = true
	s := g.stages[stage]
	g.plan.Measure(s.Root, *s.Output, physical.Measure(sizes))
	fresh, err = g.ready()
	return fresh, g.last, err
}

// planOn lets the job grow by what a stage has written. Planning is not the owner's work: it may take a moment.
func (r *run) planOn(stage int) {
	sizes := make([][]rdd.Size, len(r.results[stage]))
	for i, t := range r.results[stage] {
		sizes[i] = t.Sizes
	}
	go func() {
		r.job.growth.turn.Lock()
		defer r.job.growth.turn.Unlock()
		fresh, last, err := r.job.growth.next(stage, sizes)
		switch c := r.job.cluster; {
		case err != nil:
			c.send(event{Event: scheduler.Cancel{Job: r.id, Err: err}})
		case len(fresh) > 0:
			shapes := make([]scheduler.Shape, len(fresh))
			for i, s := range fresh {
				shapes[i] = s.Shape()
			}
			c.send(event{Event: scheduler.Extend{Job: r.id, Stages: shapes, Last: last}, stages: fresh})
		}
	}()
}

// grow takes in new stages. It is the owner goroutine's.
func (r *run) grow(stages []*scheduler.Stage, last bool) {
	r.job.add(stages)
	r.room(r.job.shapes[len(r.results):], last)
	r.out.put(message{stages: stages})
}

// Plan is the plan of the job as it is now: of one that is planned while it runs, the final one when it has ended. Nil when it was not
// prepared from a plan that adapts.
func (j *Job) Plan() *physical.Physical {
	if j.growth == nil {
		return nil
	}
	j.growth.mu.Lock()
	defer j.growth.mu.Unlock()
	return j.growth.plan.Plan()
}
