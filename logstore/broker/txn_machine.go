package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/google/uuid"
)

// What a transaction's coordinator refuses.
var (
	ErrProducerFenced = errors.New("a newer producer has this transactional id")
	ErrTxnState       = errors.New("the transaction is not in a state for that")
	ErrTxnConcurrent  = errors.New("the transaction before is still being ended")
	ErrTxnMapping     = errors.New("the transactional id does not have this producer id")
)

// TxnState is where a transactional id stands.
type TxnState string

const (
	TxnEmpty         TxnState = "Empty" // no transaction is open
	TxnOngoing       TxnState = "Ongoing"
	TxnPrepareCommit TxnState = "PrepareCommit" // committed; markers are being written
	TxnPrepareAbort  TxnState = "PrepareAbort"
)

// Txn is a transactional id as of one moment. It is never changed; a change makes a new one.
type Txn struct {
	ID         string       `json:"id"`
	ProducerID int64        `json:"pid"`
	Epoch      int16        `json:"epoch"`
	TimeoutMs  int64        `json:"timeoutMs"`
	State      TxnState     `json:"state"`
	StartMs    int64        `json:"startMs,omitempty"`
	Partitions []TxnPlace   `json:"partitions,omitempty"` // sorted
	Groups     []string     `json:"groups,omitempty"`
	Offsets    []TxnOffsets `json:"offsets,omitempty"` // visible at commit
	Ended      *TxnEnding   `json:"ended,omitempty"`   // the transaction before
}

// TxnEnding is how a transaction ended: a retry is told the same, and markers that a crash took are written again.
type TxnEnding struct {
	State  TxnState    `json:"state"` // PrepareCommit or PrepareAbort
	Epoch  int16       `json:"epoch"` // of the markers
	Places []TxnMarker `json:"places"`
}

// TxnMarker is where a marker went: every record of the transaction in this partition is below End. A producer's records
// above it are of a later transaction.
type TxnMarker struct {
	TxnPlace
	TopicID uuid.UUID `json:"topicId"`
	End     int64     `json:"end"`
}

// TxnPlace is a partition that a transaction writes to.
type TxnPlace struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"p"`
}

// TxnOffsets are offsets of one group.
type TxnOffsets struct {
	Group   string        `json:"group"`
	Offsets []GroupOffset `json:"offsets"`
}

// Has is whether the open transaction may write to a partition.
func (t *Txn) Has(p TxnPlace) bool {
	_, ok := slices.BinarySearchFunc(t.Partitions, p, comparePlaces)
	return ok
}

func comparePlaces(a, b TxnPlace) int {
	if a.Topic != b.Topic {
		if a.Topic < b.Topic {
			return -1
		}
		return 1
	}
	return int(a.Partition) - int(b.Partition)
}

// txnMachine holds the transactional ids. At a commit it hands the transaction's offsets to the offsets machine, in the same
// command, so that they become visible with the decision.
type txnMachine struct {
	mu      sync.RWMutex
	txns    map[string]*Txn
	offsets *offsetsMachine
}

// txnCommand is one step. Op says which; ProducerID and Epoch say who.
type txnCommand struct {
	Op         txnOp         `json:"op"`
	ID         string        `json:"id"`
	ProducerID int64         `json:"pid"`
	Epoch      int16         `json:"epoch"`
	NowMs      int64         `json:"nowMs,omitempty"`
	FreshID    int64         `json:"freshPid,omitempty"`  // init: the producer id to use if a new one is wanted
	TimeoutMs  int64         `json:"timeoutMs,omitempty"` // init
	Partitions []TxnPlace    `json:"partitions,omitempty"`
	Group      string        `json:"group,omitempty"`
	Offsets    []GroupOffset `json:"offsets,omitempty"`
	Commit     bool          `json:"commit,omitempty"`
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
	if old == nil || old.ProducerID != c.ProducerID {
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

// initTxn gives a producer the id, and fences whoever had it. An open transaction is aborted first: the outcome is then
// PrepareAbort, and init comes again after it.
func initTxn(old *Txn, c txnCommand) (*Txn, error) {
	if old == nil {
		return &Txn{ID: c.ID, ProducerID: c.FreshID, TimeoutMs: c.TimeoutMs, State: TxnEmpty}, nil
	}
	if c.ProducerID >= 0 && (c.ProducerID != old.ProducerID || c.Epoch != old.Epoch) {
		return nil, ErrProducerFenced
	}
	t := *old
	switch old.State {
	case TxnPrepareCommit, TxnPrepareAbort:
		return nil, ErrTxnConcurrent
	case TxnOngoing:
		t.State = TxnPrepareAbort
		t.Offsets = nil
		t.Epoch++
		return &t, nil
	}
	t.TimeoutMs = c.TimeoutMs
	if t.Epoch++; t.Epoch >= math.MaxInt16-1 { // the last is kept for fencing
		t.ProducerID, t.Epoch = c.FreshID, 0
	}
	return &t, nil
}

// extend opens the transaction if it is not, and notes partitions or a group.
func (t *Txn) extend(c txnCommand) error {
	switch t.State {
	case TxnPrepareCommit, TxnPrepareAbort:
		return ErrTxnConcurrent
	case TxnEmpty:
		t.State, t.StartMs = TxnOngoing, c.NowMs
	}
	if c.Op == txnGroup && !slices.Contains(t.Groups, c.Group) {
		t.Groups = append(slices.Clone(t.Groups), c.Group)
		return nil
	}
	t.Partitions = append(slices.Clone(t.Partitions), c.Partitions...)
	slices.SortFunc(t.Partitions, comparePlaces)
	t.Partitions = slices.Compact(t.Partitions)
	return nil
}

func (t *Txn) addOffsets(c txnCommand) error {
	if t.State != TxnOngoing || !slices.Contains(t.Groups, c.Group) {
		return ErrTxnState
	}
	t.Offsets = append(slices.Clone(t.Offsets), TxnOffsets{c.Group, c.Offsets})
	return nil
}

// end decides. Ending again in the same way what has just ended is a retry, and changes nothing.
func (t *Txn) end(c txnCommand) error {
	to := TxnPrepareAbort
	if c.Commit {
		to = TxnPrepareCommit
	}
	switch t.State {
	case TxnOngoing:
		t.State, t.Offsets = to, nil
		if c.Op == txnExpire {
			t.Epoch++
		}
		return nil
	case TxnEmpty:
		if t.Ended != nil && t.Ended.State == to && t.Ended.Epoch == c.Epoch {
			return nil
		}
		return ErrTxnState
	}
	return ErrTxnConcurrent
}

// complete notes where the markers are.
func (t *Txn) complete(markers []TxnMarker) error {
	if t.State != TxnPrepareCommit && t.State != TxnPrepareAbort {
		return ErrTxnState
	}
	t.Ended, t.State = &TxnEnding{State: t.State, Epoch: t.Epoch, Places: markers}, TxnEmpty
	t.Partitions, t.Groups, t.Offsets, t.StartMs = nil, nil, nil, 0
	return nil
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
