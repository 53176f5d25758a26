package driver

import (
	"context"

	"github.com/streamflow/streamflow/driver/savepoint"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// liveEntries visits the entries that executors have of a query at its record's committed version.
func (e *Engine) liveEntries(r stream.Record) func(context.Context, *physical.StatefulOp, int, int, func(*entry) error) error {
	return func(ctx context.Context, op *physical.StatefulOp, from, to int, visit func(*entry) error) error {
		for p := rdd.PartitionOf(from, op.Parts); p <= rdd.PartitionOf(to-1, op.Parts); p++ {
			err := e.opts.Cluster.ViewState(ctx, r.Name, stateName(&r, op.Op), p, op.Parts, r.NextBatch()-1, func(st rdd.State) error {
				return scanPartition(st, p, op.TTL > 0, func(en *entry) error {
					if en.group < from || en.group >= to {
						return nil
					}
					return visit(en)
				})
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// savedEntries visits the entries of a savepoint.
func (e *Engine) savedEntries(m *savepoint.Manifest) func(context.Context, *physical.StatefulOp, int, int, func(*entry) error) error {
	return func(ctx context.Context, op *physical.StatefulOp, from, to int, visit func(*entry) error) error {
		return e.opts.Savepoints.Scan(ctx, m, op.Op, from, to, func(s *savepoint.Entry) error {
			en := entry{group: s.Group, bucket: s.Bucket, key: s.Key, value: s.Value}
			if op.TTL > 0 {
				if err := en.splitExpiring(); err != nil {
					return err
				}
			}
			return visit(&en)
		})
	}
}
