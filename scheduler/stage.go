package scheduler

import (
	"github.com/streamflow/streamflow/internal/codec"
	"github.com/streamflow/streamflow/rdd"
)

// Stage is a part of a job that runs without moving rows between tasks.
type Stage struct {
	ID       int
	Root     *rdd.RDD
	Fragment *rdd.Fragment
	Inputs   []Input          // in the order of the fragment's shuffle inputs
	After    []int            // stages that it waits for besides
	Output   *rdd.Partitioner // nil for the result stage
}

// Input is the map output of another stage.
type Input struct {
	Stage     int
	Broadcast bool
	Reads     []rdd.Read // see rdd.Dep
}

// broadcast is how a stage writes what every task of its children reads.
var broadcast = rdd.Partitioner{Kind: rdd.Single, N: 1}

// Stages cuts the graph below root at its shuffle and broadcast dependencies. Parents come before children, the result
// stage is the last, and rows that several children read in the same way are computed once.
func Stages(root *rdd.RDD) ([]*Stage, error) {
	c := NewCutter()
	_, err := c.stage(root, nil)
	return c.stages, err
}

// Cutter cuts a graph into stages, all at once or as they become ready. It knows the stages that it has cut by the RDD that they
// end in and how that is written, so that a graph that has grown or changed above them goes on with them.
type Cutter struct {
	stages []*Stage
	made   map[madeKey]int
}

// NewCutter returns a cutter that has cut nothing.
func NewCutter() *Cutter { return &Cutter{made: map[madeKey]int{}} }

type madeKey struct {
	root   *rdd.RDD
	output string
}

func keyOf(root *rdd.RDD, out *rdd.Partitioner) madeKey {
	key := madeKey{root: root}
	if out != nil {
		key.output = string(codec.EncodeAs(*out))
	}
	return key
}

// outputOf is how the stage below a dependency writes.
func outputOf(d *rdd.Dep) *rdd.Partitioner {
	if d.Kind == rdd.Broadcast {
		return &broadcast
	}
	return &d.Partitioner
}

// stage cuts the stage that ends in root and those that it reads.
func (c *Cutter) stage(root *rdd.RDD, out *rdd.Partitioner) (int, error) {
	key := keyOf(root, out)
	if id, ok := c.made[key]; ok {
		return id, nil
	}
	fragment, deps, err := rdd.Cut(root)
	if err != nil {
		return 0, err
	}
	s := &Stage{Root: root, Fragment: fragment, Output: out}
	for i := range deps {
		d := &deps[i]
		parent, err := c.stage(d.Parent, outputOf(d))
		if err != nil {
			return 0, err
		}
		s.Inputs = append(s.Inputs, Input{Stage: parent, Broadcast: d.Kind == rdd.Broadcast, Reads: d.Reads})
	}
	s.ID = len(c.stages)
	c.stages = append(c.stages, s)
	c.made[key] = s.ID
	return s.ID, nil
}

// Shape is what scheduling needs to know of the stage.
func (s *Stage) Shape() Shape {
	sh := Shape{Parts: s.Root.Parts, Parents: make([]int, len(s.Inputs)), After: s.After}
	for i, in := range s.Inputs {
		sh.Parents[i] = in.Stage
	}
	sh.Once = s.has(func(r *rdd.RDD) bool { op, ok := r.Op.(rdd.Once); return ok && op.Once() })
	return sh
}
