package physical

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/executor/state/statetest"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/codec"
	"github.com/streamflow/streamflow/rdd"
)

// runner runs rdd graphs partition by partition in the test's goroutine. Operators pass through the codec once, as in a
// fragment, and stay resident from run to run.
type runner struct {
	t        testing.TB
	memory   rdd.Memory
	services map[string]any
	ops      map[string]rdd.Operator
	state    map[string]rdd.State
	store    *state.Store // nil: state is in maps

	binding  *rdd.Binding
	shuffled map[*rdd.RDD][][]*column.Batch
	sides    map[string][]*column.Batch
	counters map[string]int64
	reports  []rdd.Report
}

func newRunner(t testing.TB) *runner {
	return &runner{t: t, ops: map[string]rdd.Operator{}, state: map[string]rdd.State{}, services: map[string]any{SpillDir: t.TempDir()}}
}

// tiny gives operators so much memory and no more, and keeps state in a store that evicts all of it after each batch: from
// then on entries come from disk.
func (r *runner) tiny(memory int64) {
	store, err := state.Open(state.Options{Dir: filepath.Join(r.t.TempDir(), "state"), Memory: 1})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := store.Close(); err != nil {
			r.t.Error(err)
		}
	})
	r.store, r.memory = store, &stingy{limit: memory}
}

// ended makes the changes of state the committed ones, or takes them back.
func (r *runner) ended(commit bool) {
	if r.store == nil {
		return
	}
	r.state = map[string]rdd.State{}
	end := func() error { return r.store.Abort("q") }
	if commit {
		end = func() error { return r.store.Commit("q", r.binding.Batch) }
	}
	err := end()
	if err != nil {
		r.t.Fatal(err)
	}
}

// run computes all partitions of root.
func (r *runner) run(root *rdd.RDD, binding *rdd.Binding) ([]*column.Batch, error) {
	r.binding, r.shuffled, r.reports = binding, map[*rdd.RDD][][]*column.Batch{}, nil
	r.sides, r.counters = map[string][]*column.Batch{}, map[string]int64{}
	var out []*column.Batch
	for p := 0; p < root.Parts; p++ {
		got, err := r.partition(root, p)
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	return out, nil
}

func (r *runner) partition(n *rdd.RDD, p int) ([]*column.Batch, error) {
	tc := r.context(p, n.Parts)
	in, err := r.open(n, tc, p)
	if err != nil {
		return nil, err
	}
	var out []*column.Batch
	for {
		b, err := in.Next()
		if err == io.EOF {
			return out, in.Close()
		}
		if err != nil {
			in.Close()
			return nil, err
		}
		if len(b.Cols) != len(b.Schema.Fields) {
			return nil, fmt.Errorf("%s: %d columns, schema has %d", n.ID, len(b.Cols), len(b.Schema.Fields))
		}
		for i, c := range b.Cols {
			if c.N != b.N {
				return nil, fmt.Errorf("%s: column %d has %d rows, the batch %d", n.ID, i, c.N, b.N)
			}
		}
		out = append(out, b.Clone())
	}
}

func (r *runner) context(p, parts int) *rdd.TaskContext {
	tc := &rdd.TaskContext{Context: context.Background(), Partition: p, Parts: parts, Binding: r.binding, Log: slog.Default(),
		Memory: r.memory, Services: r.services, KeyFilters: map[string]*column.KeyFilter{},
		Count:  func(op, name string, n int64) { r.counters[op+" "+name] += n },
		Report: func(op, key string, v []byte) { r.reports = append(r.reports, rdd.Report{Op: op, Key: key, Value: v}) },
		Emit: func(side string, b *column.Batch) error {
			r.sides[side] = append(r.sides[side], b.Clone())
			return nil
		}}
	tc.OpenState = func(op string) (rdd.State, error) {
		id := fmt.Sprintf("%s/%d", op, p)
		if r.store != nil && r.state[id] == nil {
			st, err := r.store.Open(context.Background(), "q", op, p, parts, r.binding.StateVersion)
			if err != nil {
				return nil, err
			}
			r.state[id] = st
		}
		if r.state[id] == nil {
			r.state[id] = statetest.NewMap()
		}
		return &owned{State: r.state[id], part: p, parts: parts}, nil
	}
	return tc
}

// owned refuses keys that belong to another partition, as the state store does.
type owned struct {
	rdd.State
	part, parts int
}

func (o *owned) Put(bucket int64, group int, key, value []byte) error {
	if got := rdd.PartitionOf(group, o.parts); got != o.part {
		return fmt.Errorf("key group %d belongs to partition %d, not %d", group, got, o.part)
	}
	return o.State.Put(bucket, group, key, value)
}

func (r *runner) open(n *rdd.RDD, tc *rdd.TaskContext, p int) (rdd.Reader, error) {
	in := make([]rdd.Reader, len(n.Deps))
	for i, d := range n.Deps {
		reader, err := r.input(d, tc, p)
		if err != nil {
			return nil, err
		}
		in[i] = reader
	}
	id := fmt.Sprintf("%s/%d", n.ID, p)
	if r.ops[id] == nil {
		v, err := codec.Decode(codec.Encode(n.Op))
		if err != nil {
			return nil, fmt.Errorf("%s through the codec: %w", n.ID, err)
		}
		r.ops[id] = v.(rdd.Operator)
	}
	tc.Op = n.ID
	return r.ops[id].Open(tc, in)
}

func (r *runner) input(d rdd.Dep, tc *rdd.TaskContext, p int) (rdd.Reader, error) {
	switch d.Kind {
	case rdd.Narrow:
		own := p - d.Base
		if own < 0 || own >= d.Parent.Parts {
			return empty{}, nil
		}
		if own != p || d.Parent.Parts != tc.Parts {
			tc = r.context(own, d.Parent.Parts)
		}
		return r.open(d.Parent, tc, own)
	case rdd.Broadcast:
		all, err := r.shuffle(d, 1)
		if err != nil {
			return nil, err
		}
		return &fixed{all[0]}, nil
	}
	all, err := r.shuffle(d, d.Partitioner.N)
	if err != nil {
		return nil, err
	}
	return &fixed{all[p]}, nil
}

func (r *runner) shuffle(d rdd.Dep, n int) ([][]*column.Batch, error) {
	if done := r.shuffled[d.Parent]; done != nil {
		return done, nil
	}
	out := make([][]*column.Batch, n)
	for p := 0; p < d.Parent.Parts; p++ {
		batches, err := r.partition(d.Parent, p)
		if err != nil {
			return nil, err
		}
		if d.Kind == rdd.Broadcast {
			out[0] = append(out[0], batches...)
			continue
		}
		assign := rdd.NewAssigner(d.Partitioner, p)
		for _, b := range batches {
			targets := assign.Assign(nil, b)
			sel := make([][]int32, n)
			for row, to := range targets {
				sel[to] = append(sel[to], int32(row))
			}
			for to, s := range sel {
				if len(s) > 0 {
					out[to] = append(out[to], column.TakeBatch(nil, b, s))
				}
			}
		}
	}
	r.shuffled[d.Parent] = out
	return out, nil
}

// fixed yields prepared batches.
type fixed struct{ batches []*column.Batch }

func (f *fixed) Next() (*column.Batch, error) {
	if len(f.batches) == 0 {
		return nil, io.EOF
	}
	b := f.batches[0]
	f.batches = f.batches[1:]
	return b, nil
}
func (f *fixed) Close() error { return nil }

// stingy grants up to limit bytes.
type stingy struct{ limit, used int64 }

func (s *stingy) Reserve(n int64) bool {
	if s.used+n > s.limit {
		return false
	}
	s.used += n
	return true
}
func (s *stingy) Release(n int64) {
	s.used -= n
	if s.used < 0 {
		panic("BUG: released more than reserved")
	}
}

// texts are rows as text, in order.
func texts(batches []*column.Batch) []string {
	var out []string
	for _, b := range batches {
		for i := 0; i < b.N; i++ {
			parts := make([]string, len(b.Cols))
			for c, v := range b.Cols {
				parts[c] = text(v, i)
			}
			out = append(out, strings.Join(parts, " "))
		}
	}
	return out
}

func text(v *column.Vector, i int) string {
	x := column.Value(v, i)
	if x == nil {
		return "null"
	}
	return fmt.Sprint(x)
}

// bag is texts without order.
func bag(batches []*column.Batch) []string {
	out := texts(batches)
	sort.Strings(out)
	return out
}

func equal(t testing.TB, what string, got, want []string) {
	t.Helper()
	for i := 0; i < len(got) || i < len(want); i++ {
		g, w := "(nothing)", "(nothing)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("%s: row %d is %s, want %s (%d rows, want %d)", what, i, g, w, len(got), len(want))
		}
	}
}

// table makes a batch of int64 and string columns from rows; nil is null.
func rowsBatch(t testing.TB, ddl string, rows ...[]any) *column.Batch {
	t.Helper()
	s, err := column.ParseDDL(ddl)
	if err != nil {
		t.Fatal(err)
	}
	b, err := column.FromRows(s, rows...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// call resolves a function of the table.
func call(t testing.TB, name string, args ...expr.Expr) expr.Expr {
	t.Helper()
	e, err := expr.ResolveCall(&expr.UnresolvedCall{Name: name, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func as(e expr.Expr, name string) expr.Expr {
	return &expr.Alias{Child: e, Name: name, ID: expr.NewID()}
}
