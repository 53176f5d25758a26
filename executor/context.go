package executor

import (
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/rdd"
)

// context is what the task's operators get.
func (t *task) context() *rdd.TaskContext {
	s := t.spec
	binding := s.Binding
	if binding == nil {
		binding = &rdd.Binding{StateVersion: -1}
	}
	return &rdd.TaskContext{
		Context: t.ctx, Job: s.Job, Stage: s.Stage, Partition: s.Partition, Parts: s.Parts, Attempt: s.Attempt, Binding: binding,
		Log: t.x.opts.Log, Memory: &t.memory, Services: t.x.opts.Services,
		OpenState:  func(op string) (rdd.State, error) { return t.openState(op, s.Partition, s.Parts) },
		KeyFilters: map[string]*column.KeyFilter{},
		Clocks:     map[string]int64{}, Emit: t.emit, Report: t.report, Count: t.count,
	}
}

// open starts an operator and everything below it. A union places its parents side by side, so a parent's partition, and
// the context that its operators get, may differ from the stage's.
func (t *task) open(n *rdd.Node, tc *rdd.TaskContext, part int) (rdd.Reader, error) {
	in := make([]rdd.Reader, len(n.Inputs))
	for i := range n.Inputs {
		r, err := t.openInput(&n.Inputs[i], tc, part)
		if err != nil {
			closeAll(in[:i])
			return nil, err
		}
		in[i] = r
	}
	tc.Op = n.ID
	var r rdd.Reader
	var err error
	at := t.timing(n.ID)
	t.measure(at, func() { r, err = n.Op.Open(tc, in) })
	if err != nil {
		closeAll(in)
		return nil, fmt.Errorf("%s: %w", n.ID, err)
	}
	if len(in) == 0 {
		r = &guarded{t.ctx, r}
	}
	return &timed{t, at, r}, nil
}

func (t *task) openInput(in *rdd.Input, tc *rdd.TaskContext, part int) (rdd.Reader, error) {
	if in.Node == nil {
		if in.Shuffle < 0 || in.Shuffle >= len(t.spec.Inputs) {
			return nil, fmt.Errorf("executor: fragment %s reads input %d of %d", t.spec.Fragment, in.Shuffle, len(t.spec.Inputs))
		}
		spec := &t.spec.Inputs[in.Shuffle]
		return &guarded{t.ctx, newShuffleInput(t, spec, part, in.Schema)}, nil
	}
	own := part - in.Base
	if own < 0 || own >= in.Node.Parts {
		return empty{}, nil
	}
	if own != tc.Partition || in.Node.Parts != tc.Parts {
		other := *tc
		other.Partition, other.Parts = own, in.Node.Parts
		other.OpenState = func(op string) (rdd.State, error) { return t.openState(op, own, in.Node.Parts) }
		tc = &other
	}
	return t.open(in.Node, tc, own)
}

func closeAll(readers []rdd.Reader) {
	for _, r := range readers {
		r.Close()
	}
}

func (t *task) openState(op string, part, parts int) (rdd.State, error) {
	b := t.spec.Binding
	if b == nil || b.Query == "" {
		return nil, fmt.Errorf("executor: %s opens state in a batch run, which has none", op)
	}
	name := b.StateNames[op]
	if name == "" {
		name = op
	}
	s, err := t.openPartition(name, part, parts)
	if err != nil {
		return nil, err
	}
	ttl := b.StateTTL[op]
	if ttl <= 0 {
		return s, nil
	}
	index, err := t.openPartition(state.IndexOp(name), part, parts)
	if err != nil {
		return nil, err
	}
	e, expired, err := state.NewExpiring(s, index, ttl, b.Now)
	if err != nil {
		return nil, err
	}
	if expired > 0 {
		t.count(op, StateExpired, expired)
	}
	return e, nil
}

// StateExpired counts the entries of an operator's state that its TTL has ended.
const StateExpired = "state.expired"

func (t *task) openPartition(op string, part, parts int) (*state.Partition, error) {
	b := t.spec.Binding
	s, err := t.x.state.Open(t.ctx, b.Query, op, part, parts, b.StateVersion)
	if err != nil {
		return nil, err
	}
	t.states = append(t.states, s)
	return s, nil
}

// deltas attaches the changes of state to the result.
func (t *task) deltas() error {
	for _, s := range t.states {
		pieces, err := s.Delta()
		if err != nil {
			return err
		}
		for _, p := range pieces {
			t.report(s.Op(), rdd.StateDeltaKey, p)
		}
	}
	return nil
}

func (t *task) emit(side string, b *column.Batch) error {
	if b.N > 0 {
		t.sides = append(t.sides, rdd.Side{Name: side, Batch: b.Clone()})
	}
	return nil
}

func (t *task) report(op, key string, value []byte) {
	t.reports = append(t.reports, rdd.Report{Op: op, Key: key, Value: value})
}

func (t *task) count(op, counter string, n int64) {
	for i := range t.counters {
		if c := &t.counters[i]; c.Name == counter && c.Op == op {
			c.N += n
			return
		}
	}
	t.counters = append(t.counters, rdd.Counter{Op: op, Name: counter, N: n})
}
