package broker

import (
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/internal/usererr"
)

// alterPartitions is what a leader asks: other in-sync sets for partitions that it leads (KIP-497, KIP-903).
type alterPartitions struct {
	Leader  brokerEpoch `json:"leader"`
	Changes []isrChange `json:"changes"`
}

// isrChange is one of them. It holds only on the record that it was made from.
type isrChange struct {
	TopicID        uuid.UUID     `json:"topicId"`
	Partition      int32         `json:"p"`
	LeaderEpoch    int32         `json:"leaderEpoch"`
	PartitionEpoch int32         `json:"epoch"`
	ISR            []brokerEpoch `json:"isr"` // sessions of those who were seen to be in sync; epoch 0 is not checked
}

// placeResult is what became of one partition of a command for many.
type placeResult struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// err is a result as an error; nil for a success.
func (r placeResult) err() error {
	if r.Code == "" {
		return nil
	}
	return usererr.New(r.Code, "55000", "%s", r.Message)
}

func resultOf(err error) placeResult {
	if err == nil {
		return placeResult{}
	}
	if ue, ok := usererr.As(err); ok {
		return placeResult{ue.Code, ue.Message}
	}
	return placeResult{"INTERNAL_ERROR", err.Error()}
}

func (m *topicsMachine) alterISR(c alterPartitions) ([]placeResult, error) {
	if _, err := m.session(c.Leader); err != nil {
		return nil, err
	}
	out := make([]placeResult, len(c.Changes))
	for i, ch := range c.Changes {
		out[i] = resultOf(m.alterOne(c.Leader.ID, ch))
	}
	return out, nil
}

func (m *topicsMachine) alterOne(leader int32, ch isrChange) error {
	t, err := m.place(ch.TopicID, ch.Partition)
	if err != nil {
		return err
	}
	old := m.record(t, ch.Partition)
	isr, err := m.checkISR(t, leader, old, ch)
	if err != nil {
		return err
	}
	c := m.rules(t)
	n := c.elect(c.complete(c.shrink(old, isr)))
	next := old.next(n)
	if next.PartitionEpoch == old.PartitionEpoch { // asked for what is: from here on no earlier proposal can come true
		next.PartitionEpoch++
	}
	m.set(t, ch.Partition, next)
	return nil
}

// checkISR is the set that a leader asks for, if it may.
func (m *topicsMachine) checkISR(t *Topic, leader int32, old PartitionRecord, ch isrChange) ([]int32, error) {
	refuse := func(code, format string, args ...any) ([]int32, error) {
		return nil, usererr.New(code, "55000", "partition %d of topic %q: %s", ch.Partition, t.Name, fmt.Sprintf(format, args...))
	}
	if old.Leader != leader || old.LeaderEpoch != ch.LeaderEpoch {
		return refuse(CodeFencedLeader, "the leader is %d in epoch %d, not %d in epoch %d", old.Leader, old.LeaderEpoch, leader, ch.LeaderEpoch)
	}
	if old.PartitionEpoch != ch.PartitionEpoch {
		return refuse(CodeStalePartition, "the record is of epoch %d, not %d", old.PartitionEpoch, ch.PartitionEpoch)
	}
	var isr []int32
	for _, b := range ch.ISR {
		if !slices.Contains(old.Replicas, b.ID) || slices.Contains(isr, b.ID) {
			return refuse(CodeIneligible, "broker %d is no replica, or named twice", b.ID)
		}
		if !m.alive(b.ID) || b.Epoch != 0 && m.brokers[b.ID].Epoch != b.Epoch {
			return refuse(CodeIneligible, "broker %d is fenced, or in another session", b.ID)
		}
		isr = append(isr, b.ID)
	}
	if !slices.Contains(isr, leader) {
		return refuse(CodeIneligible, "the leader is not in the set")
	}
	return isr, nil
}

// electLeaders asks for elections. Without places it is about every partition.
type electLeaders struct {
	Unclean bool       `json:"unclean,omitempty"` // an operator's word: rather lose records than wait
	Places  []TxnPlace `json:"places,omitempty"`
}

func (m *topicsMachine) elect(c electLeaders) []placeResult {
	if c.Places == nil {
		m.each(func(_ *Topic, rules rules, r PartitionRecord) PartitionRecord {
			n, _ := electIn(rules, r, c.Unclean)
			return m.noteUnclean(r, n)
		})
		return nil
	}
	out := make([]placeResult, len(c.Places))
	for i, pl := range c.Places {
		out[i] = resultOf(m.electOne(pl, c.Unclean))
	}
	return out
}

func (m *topicsMachine) electOne(pl TxnPlace, unclean bool) error {
	t := m.topics[pl.Topic]
	if t == nil || pl.Partition < 0 || pl.Partition >= t.Partitions {
		return usererr.New(CodeUnknownPart, "22023", "there is no partition %d of topic %q", pl.Partition, pl.Topic)
	}
	old := m.record(t, pl.Partition)
	n, err := electIn(m.rules(t), old, unclean)
	if err == nil {
		m.set(t, pl.Partition, m.noteUnclean(old, n))
	}
	return err
}

// electIn is one election: the preferred leader, or, unclean, any leader for a partition that has none.
func electIn(c rules, r PartitionRecord, unclean bool) (PartitionRecord, error) {
	if !unclean {
		switch n := c.prefer(r); {
		case !n.equal(r):
			return n, nil
		case r.Leader == r.Replicas[0]:
			return r, usererr.New(CodeNoElection, "55000", "the preferred leader %d leads already", r.Leader)
		default:
			return r, usererr.New(CodePreferredAway, "55000", "the preferred leader %d is not in sync", r.Replicas[0])
		}
	}
	if r.Leader != noLeader {
		return r, usererr.New(CodeNoElection, "55000", "%d leads", r.Leader)
	}
	n := c.elect(r)
	if n.Leader == noLeader {
		n = c.force(n)
	}
	if n.Leader == noLeader {
		return r, usererr.New(CodeNoCandidate, "55000", "no broker of %v is alive", r.Replicas)
	}
	return r.next(n), nil
}

// reassignPlace asks that a partition's replicas be others; without replicas, that this be taken back.
type reassignPlace struct {
	TxnPlace
	Replicas []int32 `json:"replicas,omitempty"`
}

func (m *topicsMachine) reassign(list []reassignPlace) []placeResult {
	out := make([]placeResult, len(list))
	for i, x := range list {
		out[i] = resultOf(m.reassignOne(x))
	}
	return out
}

func (m *topicsMachine) reassignOne(x reassignPlace) error {
	t := m.topics[x.Topic]
	if t == nil || x.Partition < 0 || x.Partition >= t.Partitions {
		return usererr.New(CodeUnknownPart, "22023", "there is no partition %d of topic %q", x.Partition, x.Topic)
	}
	old, c := m.record(t, x.Partition), m.rules(t)
	if len(x.Replicas) == 0 {
		if !old.Reassigning() {
			return usererr.New(CodeNoReassignment, "55000", "partition %d of topic %q is not being reassigned", x.Partition, x.Topic)
		}
		if !old.survives(old.before()) {
			return usererr.New(CodeInvalidAssignment, "55000", "partition %d of topic %q: only replicas that came with the reassignment have all records", x.Partition, x.Topic)
		}
		m.set(t, x.Partition, c.cancel(old))
		return nil
	}
	if err := m.checkReplicas(t, x.Partition, x.Replicas); err != nil {
		return err
	}
	if !old.survives(append(slices.Clone(x.Replicas), old.before()...)) {
		return usererr.New(CodeInvalidAssignment, "55000", "partition %d of topic %q: no replica that would stay has all records", x.Partition, x.Topic)
	}
	n := c.reassign(old, x.Replicas)
	if IsInternal(t.Name) { // there is nothing to copy
		for _, b := range x.Replicas {
			if m.alive(b) {
				n = c.join(n, b)
			}
		}
	}
	m.set(t, x.Partition, n)
	return nil
}
