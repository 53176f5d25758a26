package driver

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// version is what a query begins with: an older version of itself, or a savepoint.
type version struct {
	phys       *physical.Physical
	offsets    map[string]connector.Offsets
	clocks     map[string][]int64
	watermarks map[string]int64
	// names under which state is kept that stays where it is; nil when none can stay, as in a savepoint.
	names func(op string) string
	// scan visits entries of an operator in the key groups [from, to), with their time of expiry.
	scan func(ctx context.Context, op *physical.StatefulOp, from, to int, visit func(*entry) error) error
}

// load is a new version of a query that takes over what an older one has.
type load struct {
	e       *Engine
	query   string
	from    *version
	to      *plannedQuery
	changes []opChange
	def     []byte // of the new version
	id      string
	// fresh begins all over from the new version's start: nothing is brought over.
	fresh bool
}

// state is the batch that does it.
func (l *load) state() *stream.StateLoad { return &stream.StateLoad{ID: l.id, Run: l.run} }

func (l *load) run(ctx context.Context, tx connector.Tx, r *stream.Record, stage func(string, int, []byte) error) (*stream.Commit, error) {
	c := &stream.Commit{Offsets: map[string]connector.Offsets{}, Clocks: map[string][]int64{}, Watermarks: map[string]int64{}, Counters: map[string]int64{}}
	c.Load = &stream.Loaded{ID: l.id, Definition: l.def, StateNames: map[string]string{}, StartOffsets: map[string]connector.Offsets{}}
	if err := l.place(ctx, c); err != nil {
		return nil, err
	}
	for i := range l.changes {
		ch := &l.changes[i]
		if ch.op == nil {
			continue
		}
		name := fmt.Sprintf("%s@%d", ch.op.Op, tx.Batch)
		switch {
		case l.fresh || ch.what == newState || ch.what == rebuildState:
		case ch.what == keepState && l.from.names != nil:
			name = l.from.names(ch.old.Op)
		default:
			if err := l.bring(ctx, ch, name, tx.Batch-1, stage); err != nil {
				return nil, fmt.Errorf("driver: state of %s: %w", ch.op.Op, err)
			}
		}
		c.Load.StateNames[ch.op.Op] = name
		if ch.old != nil && !l.fresh {
			if w, ok := l.from.watermarks[ch.old.Op]; ok {
				c.Watermarks[ch.op.Op] = w
			}
		}
	}
	return c, nil
}

// place says where the new version reads on, and what its clocks are.
func (l *load) place(ctx context.Context, c *stream.Commit) error {
	sources, marks := map[string]string{}, map[string]string{}
	if !l.fresh {
		sources = sourceMap(l.from.phys, l.to.phys)
		marks = watermarkMap(l.from.phys, l.to.phys, sources)
	}
	for _, s := range l.to.phys.Sources {
		if s.Stream == nil {
			continue
		}
		if old, ok := sources[s.Op]; ok {
			c.Offsets[s.Op] = l.from.offsets[old]
			continue
		}
		start := s.Start
		if start.Mode == "" {
			start = l.to.start
		}
		o, err := s.Stream.Begin(ctx, start)
		if err != nil {
			return fmt.Errorf("driver: start of %s: %w", s.Table.Name(), err)
		}
		c.Offsets[s.Op] = o
	}
	maps.Copy(c.Load.StartOffsets, c.Offsets)
	for _, w := range l.to.phys.Watermarks {
		c.Clocks[w.Op] = physical.NoClocks(w.Parts)
		if old, ok := marks[w.Op]; ok {
			copy(c.Clocks[w.Op], l.from.clocks[old])
		}
	}
	return nil
}

// bring writes the old version's entries as the new one's, partition by partition, each in a batch that leads from version.
func (l *load) bring(ctx context.Context, ch *opChange, name string, version int64, stage func(string, int, []byte) error) error {
	conv, err := newConversion(ch)
	if err != nil {
		return err
	}
	for p := range ch.op.Parts {
		from, to := state.Slot{Partition: p, Parts: ch.op.Parts}.Groups()
		write := func(op string, put func(rdd.State, *entry) error) error {
			deltas, err := l.e.opts.Cluster.LoadState(ctx, l.query, op, p, ch.op.Parts, version, func(st rdd.State) error {
				return l.from.scan(ctx, ch.old, from, to, func(e *entry) error { return put(st, e) })
			})
			for _, d := range deltas {
				if err == nil {
					err = stage(op, p, d)
				}
			}
			return err
		}
		if err := write(name, conv.put); err != nil {
			return err
		}
		if ch.op.TTL > 0 {
			if err := write(state.IndexOp(name), conv.index); err != nil {
				return err
			}
		}
	}
	return nil
}

// conversion makes entries of an old layout into entries of a new one.
type conversion struct {
	change *opChange
	now    int64 // of entries that get a time to live
	old    []*column.Builder
	new    []*column.Vector // of one row
	fresh  *column.Batch
	value  []byte
}

func newConversion(ch *opChange) (*conversion, error) {
	c := &conversion{change: ch, now: time.Now().UnixMicro()}
	if ch.columns == nil {
		return c, nil
	}
	for _, f := range ch.old.Layout.Value.Fields {
		c.old = append(c.old, column.NewBuilder(f.Type))
	}
	b, err := ch.op.Layout.Fresh()
	if err != nil {
		return nil, err
	}
	c.fresh = b.Clone()
	c.new = make([]*column.Vector, len(ch.columns))
	return c, nil
}

// put writes an entry of the old version.
func (c *conversion) put(st rdd.State, e *entry) error {
	value := e.value
	if c.change.columns != nil {
		for _, b := range c.old {
			b.Reset()
		}
		if err := column.DecodeRow(e.value, c.old); err != nil {
			return err
		}
		for i, from := range c.change.columns {
			if from < 0 {
				c.new[i] = c.fresh.Cols[i]
			} else {
				c.new[i] = c.old[from].Finish()
			}
		}
		c.value = column.AppendRow(c.value[:0], c.new, 0)
		value = c.value
	}
	if c.change.op.TTL > 0 {
		value = state.JoinExpiring(c.expires(e), value)
	}
	return st.Put(e.bucket, e.group, e.key, value)
}

// index writes what the index of a TTL has for an entry.
func (c *conversion) index(st rdd.State, e *entry) error {
	return st.Put(c.expires(e), e.group, state.IndexKey(e.bucket, e.key), nil)
}

// expires is the slot in which an entry ends: the one that it had, or a whole time to live from now.
func (c *conversion) expires(e *entry) int64 {
	if e.expires > 0 {
		return e.expires
	}
	return state.SlotOf(c.now, c.change.op.TTL)
}
