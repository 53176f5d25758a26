package physical

import (
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
)

// Static is a plan without exchanges that runs whole inside a task: the side of a join that does not change while a
// streaming query runs. Its splits are chosen when the query is planned, so every batch joins with the same rows; or they are
// bound to each batch, if it is Refreshed.
type Static struct {
	Refreshed bool
	ID        string
	Op        rdd.Operator
	Kids      []*Static
	Splits    []rdd.Split
	Out       *column.Schema
}

// collect runs the plan and returns copies of its rows.
func (s *Static) collect(tc *rdd.TaskContext) ([]*column.Batch, error) {
	inner := *tc
	inner.Partition, inner.Parts = 0, 1
	inner.Binding = &rdd.Binding{Splits: map[string][][]rdd.Split{}, StateVersion: -1}
	s.bind(inner.Binding.Splits)
	if s.Refreshed && tc.Binding != nil {
		for id := range inner.Binding.Splits {
			if now, ok := tc.Binding.Splits[id]; ok {
				inner.Binding.Splits[id] = now
			}
		}
	}
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

// TablesParam is the binding parameter that changes when splits of refreshed tables do.
const TablesParam = "tables"

// version tells the states of a refreshed table apart.
func (s *Static) version(tc *rdd.TaskContext) string {
	if !s.Refreshed || tc.Binding == nil {
		return ""
	}
	return tc.Binding.Params[TablesParam]
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
