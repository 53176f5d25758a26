package driver

import (
	"context"
	"errors"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/rdd"
)

// ViewPastState shows a partition of an operator's state as it was at a version that is kept, while the query goes on. base
// is the version of the snapshot to begin with, -1 for the newest that serves.
func (c *Cluster) ViewPastState(ctx context.Context, slot state.Slot, version, base int64, view func(rdd.State) error) error {
	x := c.holder(slot.Query, slot.Op, slot.Partition)
	if x == nil {
		return ErrClusterClosed
	}
	return x.ViewPastState(ctx, slot, version, base, view)
}

// StateChanges visits what versions changed in a partition of an operator's state.
func (c *Cluster) StateChanges(ctx context.Context, slot state.Slot, from, to, base int64, visit func(*state.Change) error) error {
	x := c.holder(slot.Query, slot.Op, slot.Partition)
	if x == nil {
		return ErrClusterClosed
	}
	return x.StateChanges(ctx, slot, from, to, base, visit)
}

// KeptState lists the snapshots that are kept of a query's state, of the executor that has the longest list.
func (c *Cluster) KeptState(query string) ([]state.Kept, error) {
	var longest []state.Kept
	for _, x := range c.all() {
		list, err := x.KeptState(query)
		if err != nil {
			return nil, err
		}
		if len(list) > len(longest) {
			longest = list
		}
	}
	return longest, nil
}

// RescaleState moves an operator's state to another number of partitions, in every executor.
func (c *Cluster) RescaleState(query, op string, from, to int, version int64) error {
	var errs []error
	for _, x := range c.all() {
		errs = append(errs, x.RescaleState(query, op, from, to, version))
	}
	return errors.Join(errs...)
}
