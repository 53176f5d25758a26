package broker

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
)

// producerBlock is how many producer ids one command reserves.
const producerBlock = 1000

// producersMachine hands out blocks of producer ids. No id is ever handed out twice; ids of a block that a stopped node had
// not used are lost.
type producersMachine struct {
	mu   sync.Mutex
	next int64
}

type producerCommand struct {
	Reserve int64 `json:"reserve"`
}

func (*producersMachine) Name() string { return "producers" }

// Apply returns the first id of the block, in decimal.
func (m *producersMachine) Apply(cmd []byte) ([]byte, error) {
	var c producerCommand
	if err := json.Unmarshal(cmd, &c); err != nil || c.Reserve <= 0 {
		return nil, fmt.Errorf("producers: command %q: %w", cmd, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	first := m.next
	m.next += c.Reserve
	return strconv.AppendInt(nil, first, 10), nil
}

func (m *producersMachine) Snapshot() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strconv.AppendInt(nil, m.next, 10)
}

func (m *producersMachine) Restore(state []byte) error {
	next, err := strconv.ParseInt(string(state), 10, 64)
	if err != nil {
		return fmt.Errorf("producers: state: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next = next
	return nil
}
