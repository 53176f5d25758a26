package broker

import (
	"context"
	"encoding/base64"
	"sync"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore/meta"
)

// clusterMachine holds the cluster's id: the first proposal wins.
type clusterMachine struct {
	mu sync.Mutex
	id string
}

func (*clusterMachine) Name() string { return "cluster" }

func (m *clusterMachine) Apply(cmd []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.id == "" {
		m.id = string(cmd)
	}
	return []byte(m.id), nil
}

func (m *clusterMachine) Snapshot() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return []byte(m.id)
}

func (m *clusterMachine) Restore(state []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.id = string(state)
	return nil
}

// ensure returns the id, proposing one (22 characters, as Kafka's) when there is none.
func (m *clusterMachine) ensure(ctx context.Context, node *meta.Node) (string, error) {
	m.mu.Lock()
	id := m.id
	m.mu.Unlock()
	if id != "" {
		return id, nil
	}
	fresh := uuid.New()
	out, err := node.Apply(ctx, m.Name(), []byte(base64.RawURLEncoding.EncodeToString(fresh[:])))
	return string(out), err
}
