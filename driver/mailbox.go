package driver

import "sync"

// mailbox carries messages from the owner goroutine, which never waits, to one receiver.
type mailbox struct {
	wake chan struct{} // ready to be received from when there is something to take

	mu   sync.Mutex
	list []message
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

func (m *mailbox) put(x message) {
	m.mu.Lock()
	m.list = append(m.list, x)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// take returns what has come since the last call.
func (m *mailbox) take() []message {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.list
	m.list = nil
	return list
}
