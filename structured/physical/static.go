package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Static is a plan without exchanges that runs whole inside a task: the side of a join that does not change while a
// streaming query runs. Its splits are chosen when the query is planned, so every batch joins with the same rows.
type Static struct {
	ID     string
	Op     rdd.Operator
	Kids   []*Static
	Splits []rdd.Split
	Out    *column.Schema
}

// collect runs the plan and returns copies of its rows.
func (s *Static) collect(tc *rdd.TaskContext) ([]*column.Batch, error) {
	inner := *tc
	inner.Partition, inner.Parts = 0, 1
	inner.Binding = &rdd.Binding{Splits: map[string][][]rdd.Split{}, StateVersion: -1}
	s.bind(inner.Binding.Splits)
	in, err := s.open(&inner)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var held []*column.Batch
	err = each(in, func(b *column.Batch) error {
		held = append(held, b.Clone())
		return nil
	})
	return held, err
}

func (s *Static) bind(splits map[string][][]rdd.Split) {
	if len(s.Kids) == 0 {
		splits[s.ID] = [][]rdd.Split{s.Splits}
	}
	for _, k := range s.Kids {
		k.bind(splits)
	}
}

// open opens the operators from the leaves up. Each has a context of its own, which knows its id.
func (s *Static) open(tc *rdd.TaskContext) (rdd.Reader, error) {
	in := make([]rdd.Reader, len(s.Kids))
	for i, k := range s.Kids {
		r, err := k.open(tc)
		if err != nil {
			return nil, err
		}
		in[i] = r
	}
	own := *tc
	own.Op = s.ID
	return s.Op.Open(&own, in)
}
