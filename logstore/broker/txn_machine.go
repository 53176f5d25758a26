package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"sync"
)

// What a transaction's coordinator refuses.
var (
	ErrProducerFenced = errors.New("a newer producer has this transactional id")
	ErrTxnState       = errors.New("the transaction is not in a state for that")
	ErrTxnConcurrent  = errors.New("the transaction before is still being ended")
	ErrTxnMapping     = errors.New("the transactional id does not have this producer id")
)

// txnMachine holds the transactional ids. At a commit it hands the transaction's offsets to the offsets machine, in the same
// command, so that they become visible with the decision.
type txnMachine struct {
	mu      sync.RWMutex
	txns    map[string]*Txn
	offsets *offsetsMachine
}

// txnCommand is one step. Op says which; ProducerID and Epoch say who.
type txnCommand struct {
	Office     *office       `json:"office,omitempty"` // of the coordinator that sends it; nil on a node that is alone
	Op         txnOp         `json:"op"`
	ID         string        `json:"id"`
	ProducerID int64         `json:"pid"`
	Epoch      int16         `json:"epoch"`
	NowMs      int64         `json:"nowMs,omitempty"`
	FreshID    int64         `json:"freshPid,omitempty"`  // init, end: the producer id to use if a new one is wanted
	TimeoutMs  int64         `json:"timeoutMs,omitempty"` // init
	Partitions []TxnPlace    `json:"partitions,omitempty"`
	Group      string        `json:"group,omitempty"`
	Offsets    []GroupOffset `json:"offsets,omitempty"`
	Commit     bool          `json:"commit,omitempty"`
	Bump       bool          `json:"bump,omitempty"`    // end: the epoch grows
	Markers    []TxnMarker   `json:"markers,omitempty"` // complete
}

type txnOp string

const (
	txnInit     txnOp = "init"
	txnAdd      txnOp = "add"      // partitions
	txnGroup    txnOp = "group"    // a group whose offsets will come
	txnOffsets  txnOp = "offsets"  // a group's offsets
	txnEnd      txnOp = "end"      // decide
	txnExpire   txnOp = "expire"   // decide to abort, and fence the producer
	txnComplete txnOp = "complete" // markers are written
)

func newTxnMachine(offsets *offsetsMachine) *txnMachine {
	return &txnMachine{txns: map[string]*Txn{}, offsets: offsets}
}

func (*txnMachine) Name() string { return "txns" }

// Apply returns the Txn after the command, as JSON.
func (m *txnMachine) Apply(cmd []byte) ([]byte, error) {
	var c txnCommand
	if err := json.Unmarshal(cmd, &c); err != nil {
		return nil, fmt.Errorf("txns: command: %w", err)
	}
	if err := m.offsets.topics.inOffice(c.Office); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := m.step(c)
	if err != nil {
		return nil, fmt.Errorf("transactional id %q: %w", c.ID, err)
	}
	m.txns[c.ID] = t
	return json.Marshal(t)
}

func (m *txnMachine) step(c txnCommand) (*Txn, error) {
	old := m.txns[c.ID]
	if c.Op == txnInit {
		return initTxn(old, c)
	}
	switch {
	case old == nil:
		return nil, ErrTxnMapping
	case old.endedBy(c):
		return old, nil
	case old.ending(c):
		return nil, ErrTxnConcurrent
	case old.ProducerID != c.ProducerID:
		return nil, ErrTxnMapping
	}
	if old.Epoch != c.Epoch {
		return nil, ErrProducerFenced
	}
	t := *old
	switch c.Op {
	case txnAdd, txnGroup:
		return &t, t.extend(c)
	case txnOffsets:
		return &t, t.addOffsets(c)
	case txnEnd, txnExpire:
		if err := t.end(c); err != nil {
			return nil, err
		}
		if old.State == TxnOngoing && t.State == TxnPrepareCommit {
			m.release(old.Offsets)
		}
		return &t, nil
	case txnComplete:
		return &t, t.complete(c.Markers)
	}
	return nil, fmt.Errorf("unknown operation %q", c.Op)
}

func (m *txnMachine) release(all []TxnOffsets) {
	m.offsets.mu.Lock()
	defer m.offsets.mu.Unlock()
	for _, o := range all {
		m.offsets.commit(o.Group, o.Offsets)
	}
}

func (m *txnMachine) Snapshot() []byte {
	b, err := json.Marshal(m.list())
	if err != nil {
		panic("BUG: transactions do not encode: " + err.Error())
	}
	return b
}

func (m *txnMachine) Restore(state []byte) error {
	var all []*Txn
	if err := json.Unmarshal(state, &all); err != nil {
		return fmt.Errorf("txns: state: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.txns = map[string]*Txn{}
	for _, t := range all {
		if t != nil {
			m.txns[t.ID] = t
		}
	}
	return nil
}

func (m *txnMachine) get(id string) *Txn {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.txns[id]
}

func (m *txnMachine) list() []*Txn {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := make([]*Txn, 0, len(m.txns))
	for _, t := range m.txns {
		all = append(all, t)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all
}

// pending are the partitions of a topic that open transactions hold offsets for.
func (m *txnMachine) pending(group, topic string) map[int32]bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out map[int32]bool
	for _, t := range m.txns {
		for _, g := range t.Offsets {
			for _, o := range g.Offsets {
				if g.Group == group && o.Topic == topic {
					if out == nil {
						out = map[int32]bool{}
					}
					out[o.Partition] = true
				}
			}
		}
	}
	return out
}
