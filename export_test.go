package streamflow

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/streamflow/streamflow/executor"
	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/shuffle"
	"github.com/streamflow/streamflow/structured/connector/streamlog"
	"github.com/streamflow/streamflow/structured/physical"
)

// Mortal is an executor that may die: it takes its map outputs and state with it.
type Mortal struct {
	*executor.Executor
	node  *Node
	dead  atomic.Bool
	tasks atomic.Int64
	dies  int64 // with which task, 0 for never
}

// Run is the executor's. It dies when it has done all of its last task, and before anybody hears of it.
func (m *Mortal) Run(ctx context.Context, spec *rdd.TaskSpec, done func(*rdd.TaskResult)) {
	last := m.tasks.Add(1) == m.dies
	m.Executor.Run(ctx, spec, func(r *rdd.TaskResult) {
		if !last {
			done(r)
			return
		}
		m.dead.Store(true)
		if r.Output != nil {
			r.Output.Close()
		}
		go m.node.cluster.Lose(m.ID())
	})
}

// ThreeExecutors puts three executors, which fetch from each other, in the place of the node's own one. The first one dies with its
// task of that number, if it is not 0.
func (n *Node) ThreeExecutors(t testing.TB, dies int64) []*Mortal {
	env := &streamlog.Env{Broker: n.broker}
	var list []*Mortal
	peer := func(id string) (shuffle.Fetcher, error) {
		for _, m := range list {
			if m.ID() == id && !m.dead.Load() {
				return m.Shuffle(), nil
			}
		}
		return nil, errors.New("no such executor")
	}
	for i := range 3 {
		x, err := executor.New(executor.Options{ID: fmt.Sprintf("x%d", i), Slots: 1, MemoryLimit: 256 << 20, Dir: t.TempDir(), Log: n.logger, Peer: peer,
			Services: map[string]any{streamlog.ServiceName: env, physical.SpillDir: filepath.Join(n.conf.Dir, "spill")},
			Changelog: func(ctx context.Context, s state.Slot, after int64, apply func([]byte, int64) error) error {
				return env.ReplayState(ctx, s.Query, s.Op, s.Partition, after, apply)
			}})
		if err != nil {
			t.Fatal(err)
		}
		m := &Mortal{Executor: x, node: n}
		if i == 0 {
			m.dies = dies
		}
		list = append(list, m)
	}
	n.cluster.Lose(n.executor.ID())
	for _, m := range list {
		n.cluster.Add(m)
	}
	return list
}

// Tasks is how many tasks it was given; Dead whether it died.
func (m *Mortal) Tasks() int64 { return m.tasks.Load() }
func (m *Mortal) Dead() bool   { return m.dead.Load() }
