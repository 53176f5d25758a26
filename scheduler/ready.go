package scheduler

import "github.com/streamflow/streamflow/rdd"

// Ready cuts those stages of the graph below root that can begin: whose parents are complete. It returns the new ones, and whether
// the result stage, which ends in root, is among them. A stage that all its readers want later (rdd.Dep) is left out as long as others
// are on their way.
func (c *Cutter) Ready(root *rdd.RDD, complete func(stage int) bool) (fresh []*Stage, last bool, err error) {
	first := len(c.stages)
	for _, patient := range []bool{true, false} {
		r := readying{Cutter: c, complete: complete, patient: patient, seen: map[madeKey]bool{}}
		if last, err = r.visit(root, nil, false); err != nil {
			return nil, false, err
		}
		if len(c.stages) > first || c.running(complete) {
			break
		}
	}
	return c.stages[first:], last, nil
}

func (c *Cutter) running(complete func(int) bool) bool {
	for _, s := range c.stages {
		if !complete(s.ID) {
			return true
		}
	}
	return false
}

// readying is one search for stages that are ready.
type readying struct {
	*Cutter
	complete func(int) bool
	patient  bool
	seen     map[madeKey]bool // visited; true when that was for a reader who wants it now
}

// visit cuts the stage that ends in root if its parents are complete, else what of them is ready, and reports whether it has been cut.
func (r *readying) visit(root *rdd.RDD, out *rdd.Partitioner, later bool) (cut bool, err error) {
	key := keyOf(root, out)
	if _, ok := r.made[key]; ok {
		return true, nil
	}
	if now, ok := r.seen[key]; ok && (now || later) {
		return false, nil
	}
	r.seen[key] = !later
	ready := !(later && r.patient)
	for _, d := range rdd.Borders(root) {
		has, err := r.visit(d.Parent, outputOf(&d), d.Later)
		if err != nil {
			return false, err
		}
		ready = ready && has && r.complete(r.made[keyOf(d.Parent, outputOf(&d))])
	}
	if !ready {
		return false, nil
	}
	_, err = r.stage(root, out)
	return err == nil, err
}
