package driver

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// StateLookup asks for entries of an operator's state.
type StateLookup struct {
	Query    string
	Operator string // id, or the name that its user gave it
	// Key has the whole key, as text, column by column: one entry of each bucket at the most. Empty looks through all entries.
	Key []string
	// Where has columns and the text of what they must be equal to.
	Where map[string]string
	Limit int // entries at the most; 0 is 1,000
}

// StateRows is the answer: entries as JSON objects, at one committed version.
type StateRows struct {
	Query    string            `json:"query"`
	Operator string            `json:"operator"`
	Version  int64             `json:"version"`
	Rows     []json.RawMessage `json:"rows"`
	More     bool              `json:"more"` // there are more than were asked for
}

const defaultLookupLimit = 1000

// LookUpState finds entries of a query's state while the query runs: between two batches, all at one version.
func (e *Engine) LookUpState(ctx context.Context, l StateLookup) (*StateRows, error) {
	if l.Limit <= 0 {
		l.Limit = defaultLookupLimit
	}
	var out *StateRows
	err := e.settled(ctx, l.Query, func(q *query, r stream.Record) error {
		op, err := q.operator(l.Operator)
		if err != nil {
			return err
		}
		f := finder{limit: l.Limit, rows: newStateRows(&op.Layout, false), layout: &op.Layout}
		if err := f.filter(l.Where); err != nil {
			return err
		}
		if len(l.Key) > 0 {
			err = e.byKey(ctx, &r, op, l.Key, &f)
		} else {
			err = e.scanState(ctx, &r, op, f.take)
		}
		if errors.Is(err, errEnough) {
			err = nil
		}
		if err == nil {
			err = f.flush()
		}
		out = &StateRows{Query: q.name, Operator: op.Op, Version: r.NextBatch() - 1, Rows: f.found, More: f.more}
		return err
	})
	return out, err
}

// byKey gets the entries of one key.
func (e *Engine) byKey(ctx context.Context, r *stream.Record, op *physical.StatefulOp, key []string, f *finder) error {
	k := op.Layout.Key
	if k == nil {
		return usererr.New("STATE_KEY_OPAQUE", "0A000", "Keys of %s are no columns.", op.Op).WithFix("Leave key out to read all entries.")
	}
	if len(key) != len(k.Fields) {
		return usererr.New("STATE_KEY_INCOMPLETE", "22023", "The key of %s has %d columns (%s), not %d.", op.Op, len(k.Fields), k, len(key)).
			WithFix("Give key once for each column, or name one: %s=….", k.Fields[0].Name)
	}
	cols := make([]*column.Vector, len(key))
	for i, text := range key {
		v, err := parsed(text, k.Fields[i])
		if err != nil {
			return err
		}
		cols[i] = v
	}
	group := rdd.KeyGroup(column.Hash(nil, cols, 1)[0])
	bytes := column.AppendKey(nil, cols, 0)
	part := rdd.PartitionOf(group, op.Parts)
	return e.opts.Cluster.ViewState(ctx, r.Name, stateName(r, op.Op), part, op.Parts, r.NextBatch()-1, func(st rdd.State) error {
		return getEverywhere(st, part, group, bytes, op.TTL > 0, f.take)
	})
}

// getEverywhere looks a key up in every bucket.
func getEverywhere(st rdd.State, part, group int, key []byte, expiring bool, visit func(*entry) error) error {
	buckets, err := st.Buckets(1<<63 - 1)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		v, ok, err := st.Get(b, group, key)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		en := entry{partition: part, group: group, bucket: b, key: key, value: v}
		if expiring {
			if err := en.splitExpiring(); err != nil {
				return err
			}
		}
		if err := visit(&en); err != nil {
			return err
		}
	}
	return nil
}

// parsed is a text as a value of a column, in a vector of one.
func parsed(text string, f column.Field) (*column.Vector, error) {
	ctx := &expr.Context{Location: time.UTC}
	l, err := expr.EvalLiteralIn(ctx, &expr.Cast{Child: &expr.Literal{Value: text, Typ: column.Of(column.String)}, To: f.Type, Try: true})
	if err != nil {
		return nil, err
	}
	if l.Value == nil {
		return nil, usererr.New("CAST_INVALID_INPUT", "22018", "%q is no value of the column %s, which is %s.", text, f.Name, f.Type)
	}
	b := column.NewBuilder(f.Type)
	b.AppendValue(l.Value)
	return b.Finish(), nil
}

// finder gathers the entries that pass its conditions, as JSON.
type finder struct {
	layout *physical.StateLayout
	limit  int
	rows   *stateRows
	conds  []condition
	found  []json.RawMessage
	more   bool
	buf    []byte
}

// errEnough ends a scan that has found what was asked for.
var errEnough = errors.New("driver: enough entries")

func (f *finder) filter(where map[string]string) (err error) {
	f.found = []json.RawMessage{}
	f.conds, err = conditions(stateSchema(f.layout, false), where)
	return err
}

func (f *finder) take(e *entry) error {
	if err := f.rows.add(e); err != nil {
		return err
	}
	if f.rows.n < column.BatchRows {
		return nil
	}
	if err := f.flush(); err != nil {
		return err
	}
	if f.more {
		return errEnough
	}
	return nil
}

// flush moves what was taken to found.
func (f *finder) flush() error {
	if f.rows.n == 0 {
		return nil
	}
	b, err := f.rows.batch()
	if err != nil {
		return err
	}
	for i := range b.N {
		if !holds(f.conds, b, i, &f.buf) {
			continue
		}
		if len(f.found) == f.limit {
			f.more = true
			return nil
		}
		f.found = append(f.found, column.AppendJSONRow(nil, b, i, len(b.Cols), time.UTC))
	}
	return nil
}
