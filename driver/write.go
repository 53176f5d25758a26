package driver

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/streamlog"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// batchPrefix begins the names of records of batch writes. Such a record lives as long as the write: a node that starts
// and finds one publishes the write if it was committed and undoes it if not.
const batchPrefix = "batch-"

// batchWrite is a batch query's one transaction: the rows for its sink and those it sets aside. Queries that neither write
// nor have a name for their side outputs need none.
type batchWrite struct {
	e    *Engine
	tx   connector.Tx
	sink connector.Sink // nil for none
	op   string
	own  *streamlog.QueryLog // nil when there is no transaction
}

// writeTarget is what a restarted node needs to finish a batch write: where it went.
type writeTarget struct {
	Sides   string            `json:"sides,omitempty"`
	Table   string            `json:"table,omitempty"`
	Format  string            `json:"format,omitempty"`
	Options map[string]string `json:"options,omitempty"`
	Schema  string            `json:"schema,omitempty"`
	// Overwrite: the write replaces the table's content, or these files of it.
	Overwrite bool     `json:"overwrite,omitempty"`
	Replaces  []string `json:"replaces"`
}

// beginWrite starts the transaction of a batch run.
func (e *Engine) beginWrite(ctx context.Context, phys *physical.Physical, how batchRun, b *rdd.Binding) (*batchWrite, error) {
	w := &batchWrite{e: e, sink: phys.Sink, op: phys.SinkOp}
	if w.sink == nil && how.name == "" {
		return w, nil
	}
	w.tx = connector.Tx{Query: batchPrefix + uuid.NewString()}
	target := writeTarget{Sides: how.name}
	if t := how.target; t != nil {
		target.Table, target.Format, target.Options, target.Schema = t.Name(), t.Provider(), t.Options(), schemaOf(phys.Output).String()
		target.Overwrite = how.overwrite
		if r, ok := t.(interface{ Replaces() []string }); ok {
			target.Replaces = r.Replaces()
		}
	}
	def, err := json.Marshal(target)
	if err != nil {
		return nil, err
	}
	id, err := e.opts.Log.Broker.NextProducerID(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := e.send(ctx, stream.Command{Query: w.tx.Query, Create: &stream.CreateCmd{ID: w.tx.Query, Definition: def, ProducerID: id, Node: e.node()}}); err != nil {
		return nil, err
	}
	r, err := e.send(ctx, stream.Command{Query: w.tx.Query, Claim: &stream.ClaimCmd{}})
	if err != nil {
		return nil, err
	}
	w.tx.Epoch = r.Record.Epoch
	w.own = streamlog.NewQueryLog(e.opts.Log, w.tx.Query, how.name, 0)
	if _, err := w.own.Begin(ctx, w.tx); err != nil {
		return nil, w.abort(err)
	}
	if w.sink != nil {
		params, err := w.sink.Begin(ctx, w.tx)
		if err != nil {
			return nil, w.abort(err)
		}
		b.Params = params
	}
	return w, nil
}

// side stages rows that were set aside. Without a name for them only their count is known.
func (w *batchWrite) side(side string, b *column.Batch) error {
	if w.own == nil || !w.named() {
		return nil
	}
	return w.own.Stage(w.tx, side, b)
}

func (w *batchWrite) named() bool { return w.own.Sides() != "" }

// commit makes the write true and visible.
func (w *batchWrite) commit(ctx context.Context, tasks []*rdd.TaskResult) error {
	if w.own == nil {
		return nil
	}
	own, err := w.own.Flush(ctx, w.tx)
	if err != nil {
		return w.abort(err)
	}
	c := stream.Commit{Epoch: w.tx.Epoch, Ended: true, Tokens: map[string][][]byte{ownTokens: {own}}}
	if own == nil {
		delete(c.Tokens, ownTokens)
	}
	for _, t := range tasks {
		for _, r := range t.Reports {
			if r.Key == connector.TokenKey {
				c.Tokens[sinkTokens] = append(c.Tokens[sinkTokens], r.Value)
			}
		}
	}
	if _, err := w.e.send(ctx, stream.Command{Query: w.tx.Query, Commit: &c}); err != nil {
		// Whether the entry is in the log is settled by whoever claims the record next, at the latest when the node starts.
		return errors.Join(err, w.e.settle(ctx, w.tx.Query))
	}
	return w.publish(ctx, c.Tokens)
}

// Tokens of a batch write's commit entry.
const (
	ownTokens  = "own"
	sinkTokens = "sink"
)

func (w *batchWrite) publish(ctx context.Context, tokens map[string][][]byte) error {
	if err := w.own.Publish(ctx, w.tx, tokens[ownTokens]); err != nil {
		return err
	}
	if w.sink != nil {
		if err := w.sink.Publish(ctx, w.tx, tokens[sinkTokens]); err != nil {
			return err
		}
	}
	return w.end(ctx)
}

// abort undoes what was staged and returns the reason, joined with what went wrong while undoing.
func (w *batchWrite) abort(reason error) error {
	if w.own == nil {
		return reason
	}
	ctx := context.WithoutCancel(w.e.ctx)
	errs := []error{reason, w.own.Abort(ctx, w.tx)}
	if w.sink != nil {
		errs = append(errs, w.sink.Abort(ctx, w.tx))
	}
	return errors.Join(append(errs, w.end(ctx))...)
}

func (w *batchWrite) end(ctx context.Context) error {
	w.own.Close()
	_, err := w.e.send(ctx, stream.Command{Query: w.tx.Query, Drop: true})
	return err
}

// settle finishes or undoes the batch write of a record that nobody works on any more.
func (e *Engine) settle(ctx context.Context, name string) error {
	r, err := e.send(ctx, stream.Command{Query: name, Claim: &stream.ClaimCmd{}})
	if err != nil {
		return err
	}
	var target writeTarget
	if err := json.Unmarshal(r.Record.Definition, &target); err != nil {
		return err
	}
	w := &batchWrite{e: e, tx: connector.Tx{Query: name, Epoch: r.Record.Epoch}, own: streamlog.NewQueryLog(e.opts.Log, name, target.Sides, 0)}
	if w.sink, err = e.reopen(ctx, target); err != nil {
		return err
	}
	if c := r.Record.Committed; c != nil {
		w.tx.Epoch = c.Epoch
		return w.publish(ctx, c.Tokens)
	}
	return w.abort(nil)
}

// reopen plans the sink of an interrupted write again; nil when there was none, or its table is gone.
func (e *Engine) reopen(ctx context.Context, t writeTarget) (connector.Sink, error) {
	if t.Format == "" {
		return nil, nil
	}
	schema, err := column.ParseDDL(t.Schema)
	if err != nil {
		return nil, err
	}
	tab, err := e.opts.Catalog.Providers().Open(ctx, catalog.TableDef{Name: t.Table, Provider: t.Format, Options: t.Options, Schema: schema})
	if err != nil {
		e.log.Warn("the table of an interrupted write cannot be opened", "table", t.Table, "err", err)
		return nil, nil
	}
	if w, ok := tab.(connector.Writer); ok {
		return w.PlanWrite(ctx, connector.WriteRequest{Schema: schema, Overwrite: t.Overwrite, Replaces: t.Replaces})
	}
	return nil, nil
}

// isBatch reports whether a record is of a batch write.
func isBatch(name string) bool { return strings.HasPrefix(name, batchPrefix) }
