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
}

// broadcast is how a stage writes what every task of its children reads.
var broadcast = rdd.Partitioner{Kind: rdd.Single, N: 1}

// Stages cuts the graph below root at its shuffle and broadcast dependencies. Parents come before children, the result
// stage is the last, and rows that several children read in the same way are computed once.
func Stages(root *rdd.RDD) ([]*Stage, error) {
	c := cutter{made: map[madeKey]int{}}
	_, err := c.stage(root, nil)
	return c.stages, err
}

type madeKey struct {
	root   *rdd.RDD
	output string
}

type cutter struct {
	stages []*Stage
	made   map[madeKey]int
}

func (c *cutter) stage(root *rdd.RDD, out *rdd.Partitioner) (int, error) {
	key := madeKey{root: root}
	if out != nil {
		key.output = string(codec.EncodeAs(*out))
	}
	if id, ok := c.made[key]; ok {
		return id, nil
	}
	fragment, deps, err := rdd.Cut(root)
	if err != nil {
		return 0, err
	}
	s := &Stage{Root: root, Fragment: fragment, Output: out}
	for _, d := range deps {
		p := &broadcast
		if d.Kind == rdd.Shuffle {
			p = &d.Partitioner
		}
		parent, err := c.stage(d.Parent, p)
		if err != nil {
			return 0, err
		}
		s.Inputs = append(s.Inputs, Input{Stage: parent, Broadcast: d.Kind == rdd.Broadcast})
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
	return sh
}
