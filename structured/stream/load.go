package stream

import (
	"context"

	"github.com/streamflow/streamflow/structured/connector"
)

// load runs the batch that brings state over. It is a batch as any other to the query's log, to state and to the record: it
// is staged, committed by one entry and then published, and it is undone or finished by whoever comes after a crash. Sinks do
// not hear of it.
func (l *Loop) load(ctx context.Context, r *Record, n int64) error {
	came := running
	err := l.runLoad(ctx, r, n, &came)
	return l.outcome(n, came, err)
}

func (l *Loop) runLoad(ctx context.Context, r *Record, n int64, came *phase) error {
	tx := connector.Tx{Query: l.Spec.Name, ID: l.id, Epoch: l.epoch, Batch: n}
	if _, err := l.Spec.Own.Begin(ctx, tx); err != nil {
		return err
	}
	c, err := l.Spec.Load.Run(ctx, tx, r, func(op string, partition int, delta []byte) error {
		return l.Spec.Own.StageState(tx, op, partition, delta)
	})
	if err != nil {
		return err
	}
	token, err := l.Spec.Own.Flush(ctx, tx)
	if err != nil {
		return err
	}
	c.Epoch, c.Batch, c.Silent, c.Load.ID = l.epoch, n, true, l.Spec.Load.ID
	if own := keepToken(r, token); own != nil {
		c.Tokens = map[string][][]byte{ownToken: own}
	}
	*came = committing
	if err := l.Log.Commit(ctx, l.Spec.Name, *c); err != nil {
		return err
	}
	*came = committed
	return l.publish(ctx, c)
}
