package expr

import (
	"fmt"

	"github.com/streamflow/streamflow/column"
)

// Accumulator holds the states of one aggregate for many groups. Groups are numbered from 0.
type Accumulator interface {
	// Resize makes room for groups 0 to groups-1; new ones are empty.
	Resize(groups int)
	// Update adds row i of args to group gids[i]. args are the aggregate's arguments, then its filter if it has one.
	Update(gids []uint32, args []*column.Vector, n int) error
	// Merge adds row i of state, as State returned it, to group gids[i].
	Merge(gids []uint32, state []*column.Vector, n int) error
	// State returns the states, one row for each group; their types are StateTypes. Valid until the next call.
	State() []*column.Vector
	// Result returns the results, one row for each group. Valid until the next call.
	Result() (*column.Vector, error)
	// Reset forgets all groups and keeps the memory.
	Reset()
	// Bytes is the memory held.
	Bytes() int64
}

// aggregator is an aggregate function bound to its types: what its state looks like and how to make accumulators.
type aggregator struct {
	state []column.Type
	make  func() Accumulator
}

// NewAccumulator returns an accumulator for a, whose arguments are evaluated by the caller.
func NewAccumulator(a *Agg) (Accumulator, error) {
	g, err := aggregatorOf(a)
	if err != nil {
		return nil, err
	}
	return g.make(), nil
}

// StateTypes are the types of the columns of a's partial state.
func StateTypes(a *Agg) []column.Type {
	g, err := aggregatorOf(a)
	if err != nil {
		panic("BUG: state of an aggregate that was not resolved: " + err.Error())
	}
	return g.state
}

func aggregatorOf(a *Agg) (aggregator, error) {
	f := functionOf(a.Fn)
	if f == nil || f.agg == nil {
		return aggregator{}, fmt.Errorf("expr: %s is no aggregate function", a.Fn)
	}
	of := f.agg
	if a.Changes {
		of = changesOf
	}
	g, err := of(a)
	if err != nil {
		return g, err
	}
	if a.Distinct {
		g = distinct(a, g)
	}
	if a.Filter != nil {
		g = filtered(g, len(a.Args))
	}
	return g, nil
}
