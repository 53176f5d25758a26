package broker

import (
	"math"
	"slices"

	"github.com/google/uuid"
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
	Bumped     bool         `json:"bumped,omitempty"`  // Prepare states: Epoch is one above the transaction's, for the next one (KIP-890)
	NextID     int64        `json:"nextPid,omitempty"` // Prepare states: the producer id after the end, if Epoch is the last
}

// TxnEnding is how a transaction ended: a retry is told the same, and markers that a crash took are written again.
type TxnEnding struct {
	State  TxnState    `json:"state"` // PrepareCommit or PrepareAbort
	Epoch  int16       `json:"epoch"` // of the markers
	Places []TxnMarker `json:"places"`

	Bumped  bool  `json:"bumped,omitempty"` // the markers' epoch is one above that of the transaction's records
	Rotated bool  `json:"rotated,omitempty"`
	OldID   int64 `json:"oldPid,omitempty"` // when rotated: the producer id of the transaction, which has another one since
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

func (t *Txn) hasAll(places []TxnPlace) bool {
	for _, p := range places {
		if !t.Has(p) {
			return false
		}
	}
	return true
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

// end decides. Ending again in the same way what has just ended is a retry, and changes nothing. With c.Bump the epoch grows
// with each end, so that nothing that was sent for one transaction can become part of the next (KIP-890); then also a
// transaction that has nothing in it may be aborted.
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
		if c.Bump {
			t.bump(c.FreshID)
		}
		return nil
	case TxnEmpty:
		if c.Bump && !c.Commit {
			t.State = to
			t.bump(c.FreshID)
			return nil
		}
		if !c.Bump && t.Ended != nil && t.Ended.State == to && t.Ended.Epoch == c.Epoch {
			return nil
		}
		return ErrTxnState
	}
	return ErrTxnConcurrent
}

// bump raises the epoch for the markers and the next transaction. The last epoch is kept for fencing, so the next
// transaction has a fresh producer id when it would be reached.
func (t *Txn) bump(fresh int64) {
	t.Bumped = true
	if t.Epoch++; t.Epoch >= math.MaxInt16-1 {
		t.NextID = fresh
	}
}

// endedBy is whether a command ends again, with the epoch before the bump, what has just ended so. Its answer got lost.
func (t *Txn) endedBy(c txnCommand) bool {
	to := TxnPrepareAbort
	if c.Commit {
		to = TxnPrepareCommit
	}
	if c.Op != txnEnd || !c.Bump || t.Ended == nil || !t.Ended.Bumped || t.Ended.State != to || t.Ended.Epoch != c.Epoch+1 {
		return false
	}
	if t.Ended.Rotated {
		return t.Ended.OldID == c.ProducerID && t.Epoch == 0
	}
	return t.ProducerID == c.ProducerID && t.Epoch == t.Ended.Epoch
}

// ending is whether such a command comes while the markers are being written.
func (t *Txn) ending(c txnCommand) bool {
	return c.Op == txnEnd && c.Bump && t.Bumped && t.ProducerID == c.ProducerID && t.Epoch == c.Epoch+1 &&
		(t.State == TxnPrepareCommit || t.State == TxnPrepareAbort)
}

// complete notes where the markers are.
func (t *Txn) complete(markers []TxnMarker) error {
	if t.State != TxnPrepareCommit && t.State != TxnPrepareAbort {
		return ErrTxnState
	}
	t.Ended, t.State = &TxnEnding{State: t.State, Epoch: t.Epoch, Places: markers, Bumped: t.Bumped}, TxnEmpty
	if t.NextID != 0 {
		t.Ended.Rotated, t.Ended.OldID = true, t.ProducerID
		t.ProducerID, t.Epoch = t.NextID, 0
	}
	t.Partitions, t.Groups, t.Offsets, t.StartMs, t.Bumped, t.NextID = nil, nil, nil, 0, false, 0
	return nil
}

// producer is the producer id of the transaction that ended last.
func (e *TxnEnding) producer(t *Txn) int64 {
	if e.Rotated {
		return e.OldID
	}
	return t.ProducerID
}
