package driver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// copyPast appends an operator's entries at an older version, which are made from a kept snapshot and the changelog beside
// the query.
func (e *Engine) copyPast(ctx context.Context, r *stream.Record, op *physical.StatefulOp, o *stateOptions, to *memory.Table) error {
	w := newStateWriter(&op.Layout, to, false)
	err := eachPast(r, op, o.version, o.partition, func(slot state.Slot) error {
		return e.opts.Cluster.ViewPastState(ctx, slot, o.version, o.base, func(st rdd.State) error {
			return scanPartition(st, slot.Partition, op.TTL > 0, w.add)
		})
	})
	if err != nil {
		return e.notKept(r, op, o.version, err)
	}
	return w.flush()
}

// copyChanges appends what the batches from o.from to o.to changed. The number of partitions is looked up for each stretch of
// batches that had the same.
func (e *Engine) copyChanges(ctx context.Context, r *stream.Record, op *physical.StatefulOp, o *stateOptions, to *memory.Table) error {
	w := newStateWriter(&op.Layout, to, true)
	last := r.NextBatch() - 1
	end := o.to
	if end < 0 {
		end = last
	}
	if end > last || o.from > last {
		return e.notKept(r, op, max(end, o.from), state.ErrVersion)
	}
	for from := o.from; from <= end; {
		until := sameShape(r.Shapes[stateName(r, op.Op)], from, end)
		err := eachPast(r, op, from, o.partition, func(slot state.Slot) error {
			return e.opts.Cluster.StateChanges(ctx, slot, from, until, o.base, func(c *state.Change) error {
				en := entry{partition: slot.Partition, group: c.KeyGroup, bucket: c.Bucket, key: c.Key, value: c.Value, batch: c.Version, deleted: c.Deleted}
				if op.TTL > 0 {
					if err := en.splitExpiring(); err != nil {
						return err
					}
				}
				return w.add(&en)
			})
		})
		if err != nil {
			return e.notKept(r, op, from-1, err)
		}
		from = until + 1
	}
	return w.flush()
}

// sameShape is the last version up to end that was written in as many partitions as from.
func sameShape(shapes []rdd.StateShape, from, end int64) int64 {
	for _, s := range shapes {
		if s.From >= from && s.From < end {
			return s.From
		}
	}
	return end
}

// eachPast calls visit with the partitions that a version was written in, or with the only one that is asked for.
func eachPast(r *stream.Record, op *physical.StatefulOp, version int64, only int, visit func(state.Slot) error) error {
	name := stateName(r, op.Op)
	parts := rdd.PartsAt(r.Shapes[name], version, op.Parts)
	if only >= parts {
		return usererr.New("STDS_INVALID_OPTION_VALUE", "42616", "The operator %s has %d partitions of state, and no partition %d.", op.Op, parts, only)
	}
	for p := range parts {
		if only >= 0 && p != only {
			continue
		}
		if err := visit(state.Slot{Query: r.Name, Op: name, Partition: p, Parts: parts}); err != nil {
			return err
		}
	}
	return nil
}

// notKept says which versions there are, when the reason of an error is that one is not.
func (e *Engine) notKept(r *stream.Record, op *physical.StatefulOp, version int64, err error) error {
	if !errors.Is(err, state.ErrVersion) {
		return err
	}
	oldest, newest, there := e.versions(r, op)
	u := usererr.New("STDS_VERSION_NOT_KEPT", "22023", "Version %d of the state of %s of query %s is not kept", version, op.Op, r.Name)
	if !there {
		u.Message += "; it has committed no batch yet."
		return u
	}
	u.Message += fmt.Sprintf("; the versions %d to %d are.", oldest, newest)
	return u.WithFix("Read one of those. Versions stay for %s, which is set before the query is created or replaced.", confStateRetain)
}

// versions are the oldest and the newest version of an operator's state that can be read.
func (e *Engine) versions(r *stream.Record, op *physical.StatefulOp) (oldest, newest int64, there bool) {
	newest = r.NextBatch() - 1
	if newest < 0 {
		return 0, 0, false
	}
	if list, err := e.opts.Cluster.KeptState(r.Name); err == nil && len(list) > 0 && !e.opts.Log.WholeChangelog(r.Name) {
		oldest = list[0].Version
	}
	if _, began, ok := strings.Cut(stateName(r, op.Op), "@"); ok {
		if n, err := strconv.ParseInt(began, 10, 64); err == nil {
			oldest = max(oldest, n)
		}
	}
	return min(oldest, newest), newest, true
}
