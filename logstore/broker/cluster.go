package broker

import (
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/internal/usererr"
)

// brokerRecord is a broker as the metadata log has it.
type brokerRecord struct {
	BrokerInfo
	Session string `json:"session,omitempty"` // of the process: a registration that is sent again changes nothing
	Disk    string `json:"disk,omitempty"`    // of the data directory: another one has none of the records
}

// cluster is the part of the topics machine that is about brokers and the partitions' records.
type cluster struct {
	brokers   map[int32]*brokerRecord
	records   map[string][]PartitionRecord // by topic; a topic without has loneRecord(home) everywhere
	lastEpoch int64                        // of a broker
	home      int32                        // the node that had topics before there were records
	homeKnown bool
	unclean   int64 // elections that may have lost records
}

func newCluster() cluster {
	return cluster{brokers: map[int32]*brokerRecord{}, records: map[string][]PartitionRecord{}}
}

type registerBroker struct {
	ID         int32  `json:"id"`
	Session    string `json:"session"`
	Disk       string `json:"disk,omitempty"`
	ClientAddr string `json:"client,omitempty"`
	PeerAddr   string `json:"peer,omitempty"`
	Rack       string `json:"rack,omitempty"`
	Alone      bool   `json:"alone,omitempty"` // there is no controller to unfence it
	Holds      bool   `json:"holds,omitempty"` // it has partitions on its disk
	Lost       bool   `json:"lost,omitempty"`  // records that it acknowledged may be gone: it did not sync them, and was not closed
}

// brokerEpoch names a broker's session.
type brokerEpoch struct {
	ID    int32 `json:"id"`
	Epoch int64 `json:"epoch"`
}

type drainBroker struct {
	ID  int32 `json:"id"`
	Off bool  `json:"off,omitempty"` // take it back
}

func (m *topicsMachine) alive(id int32) bool {
	b := m.brokers[id]
	return b != nil && !b.Fenced
}

func (m *topicsMachine) leaving(id int32) bool { return m.brokers[id] != nil && m.brokers[id].Draining }

// rules are those of a topic.
func (m *topicsMachine) rules(t *Topic) rules {
	return rules{minISR: t.minISR(), alive: m.alive, leaving: m.leaving,
		unclean: t.Config("unclean.leader.election.enable") == "true"}
}

// record is a partition's record. p is one of t's partitions.
func (m *topicsMachine) record(t *Topic, p int32) PartitionRecord {
	if rs := m.records[t.Name]; int(p) < len(rs) {
		return rs[p]
	}
	return loneRecord(m.home)
}

// set changes a partition's record. The topic's other partitions get records too, if they have none.
func (m *topicsMachine) set(t *Topic, p int32, r PartitionRecord) {
	rs := m.records[t.Name]
	for int32(len(rs)) < t.Partitions {
		rs = append(rs, loneRecord(m.home))
	}
	m.records[t.Name] = rs
	rs[p] = r
}

// each changes every partition's record by fn.
func (m *topicsMachine) each(fn func(t *Topic, c rules, r PartitionRecord) PartitionRecord) {
	for _, t := range m.sorted() {
		c := m.rules(t)
		for p := range t.Partitions {
			old := m.record(t, p)
			if r := fn(t, c, old); !r.equal(old) {
				m.set(t, p, r)
			}
		}
	}
}

// register begins a broker's session and gives it an epoch. What the session before was part of, it is no longer.
func (m *topicsMachine) register(c registerBroker) (int64, error) {
	old := m.brokers[c.ID]
	if old != nil && old.Session == c.Session {
		return old.Epoch, nil
	}
	m.lastEpoch++
	b := &brokerRecord{Session: c.Session, Disk: c.Disk, BrokerInfo: BrokerInfo{
		ID: c.ID, Epoch: m.lastEpoch, ClientAddr: c.ClientAddr, PeerAddr: c.PeerAddr, Rack: c.Rack, Fenced: !c.Alone}}
	lost := c.Lost
	if old != nil {
		b.Draining = old.Draining
		lost = lost || old.Disk != "" && old.Disk != c.Disk
	}
	m.brokers[c.ID] = b
	m.settleHome(c)
	if !c.Alone {
		m.leave(c.ID, lost)
	}
	return b.Epoch, nil
}

// settleHome says whose the partitions are that have no records: the node's that was alone, or that has files when the first of
// several registers. When a node that was alone becomes one of several under another number, it is still that node.
func (m *topicsMachine) settleHome(c registerBroker) {
	switch old := m.brokers[m.home]; {
	case !m.homeKnown && (c.Alone || c.Holds):
		m.home, m.homeKnown = c.ID, true
	case m.homeKnown && !c.Alone && c.Holds && m.home != c.ID && len(m.brokers) == 2 && old != nil && old.PeerAddr == "":
		delete(m.brokers, m.home)
		m.home = c.ID
	}
}

// leave takes a fenced broker out of every in-sync set and office.
func (m *topicsMachine) leave(id int32, lost bool) {
	m.each(func(t *Topic, c rules, r PartitionRecord) PartitionRecord {
		if !slices.Contains(r.Replicas, id) {
			return r
		}
		return m.noteUnclean(r, c.fence(r, id, lost))
	})
}

// noteUnclean counts a new leader that was not known to have every committed record.
func (m *topicsMachine) noteUnclean(old, r PartitionRecord) PartitionRecord {
	if r.Leader != noLeader && r.Leader != old.Leader && !slices.Contains(old.ISR, r.Leader) && !slices.Contains(old.ELR, r.Leader) {
		m.unclean++
	}
	return r
}

// session finds a broker in the session that a command means.
func (m *topicsMachine) session(c brokerEpoch) (*brokerRecord, error) {
	b := m.brokers[c.ID]
	if b == nil {
		return nil, errUnknownBroker(c.ID)
	}
	if b.Epoch != c.Epoch {
		return nil, usererr.New(CodeStaleBroker, "55000", "broker %d is in session %d, not %d", c.ID, b.Epoch, c.Epoch)
	}
	return b, nil
}

func (m *topicsMachine) fence(c brokerEpoch) error {
	b, err := m.session(c)
	if err != nil || b.Fenced {
		return err
	}
	m.brokers[c.ID] = b.with(func(b *brokerRecord) { b.Fenced = true })
	m.leave(c.ID, false)
	return nil
}

// unfence lets a broker lead and be in sync. It joins the partitions without records at once, and others when it has caught up.
func (m *topicsMachine) unfence(c brokerEpoch) error {
	b, err := m.session(c)
	if err != nil || !b.Fenced {
		return err
	}
	m.brokers[c.ID] = b.with(func(b *brokerRecord) { b.Fenced = false })
	m.each(func(t *Topic, rules rules, r PartitionRecord) PartitionRecord {
		if !slices.Contains(r.Replicas, c.ID) {
			return r
		}
		if IsInternal(t.Name) {
			return rules.join(r, c.ID)
		}
		return m.noteUnclean(r, r.next(rules.elect(r)))
	})
	return nil
}

// drain marks a broker as one to be emptied; leaderships go to others at once.
func (m *topicsMachine) drain(c drainBroker) error {
	b := m.brokers[c.ID]
	if b == nil {
		return errUnknownBroker(c.ID)
	}
	m.brokers[c.ID] = b.with(func(b *brokerRecord) { b.Draining = !c.Off })
	if !c.Off {
		m.each(func(_ *Topic, rules rules, r PartitionRecord) PartitionRecord { return rules.handOver(r, c.ID) })
	}
	return nil
}

// unregister forgets a broker that is gone for good and has no replica.
func (m *topicsMachine) unregister(id int32) error {
	b := m.brokers[id]
	switch {
	case b == nil:
		return errUnknownBroker(id)
	case !b.Fenced:
		return usererr.New(CodeBrokerInUse, "55006", "broker %d is running", id).WithFix("Stop it first.")
	}
	n := 0
	m.each(func(t *Topic, _ rules, r PartitionRecord) PartitionRecord {
		if slices.Contains(r.Replicas, id) && !IsInternal(t.Name) {
			n++
		}
		return r
	})
	if n > 0 {
		return usererr.New(CodeBrokerInUse, "55006", "broker %d has replicas of %d partitions", id, n).WithFix("Move them first: streamflow broker drain %d.", id)
	}
	m.each(func(t *Topic, c rules, r PartitionRecord) PartitionRecord {
		if !slices.Contains(r.Replicas, id) || len(r.Replicas) == 1 {
			return r
		}
		return c.reassign(r, without(r.Replicas, []int32{id}))
	})
	delete(m.brokers, id)
	return nil
}

// with is a changed copy: readers hold the record as it was.
func (b *brokerRecord) with(change func(*brokerRecord)) *brokerRecord {
	c := *b
	change(&c)
	return &c
}

// checkReplicas refuses lists of replicas that cannot be.
func (m *topicsMachine) checkReplicas(t *Topic, p int32, replicas []int32) error {
	bad := func(format string, args ...any) error {
		return usererr.New(CodeInvalidAssignment, "22023", "partition %d of topic %q: %s", p, t.Name, fmt.Sprintf(format, args...))
	}
	if len(replicas) == 0 {
		return bad("no replicas")
	}
	for i, b := range replicas {
		if m.brokers[b] == nil {
			return bad("there is no broker %d", b)
		}
		if slices.Contains(replicas[:i], b) {
			return bad("broker %d is named twice", b)
		}
	}
	return nil
}

// assign makes the records of partitions from first on.
func (m *topicsMachine) assign(t *Topic, first int32, replicas [][]int32) error {
	records, err := m.recordsFor(t, first, replicas)
	for i, r := range records {
		m.set(t, first+int32(i), r)
	}
	return err
}

// recordsFor are the records of new partitions; none for a topic without.
func (m *topicsMachine) recordsFor(t *Topic, first int32, replicas [][]int32) ([]PartitionRecord, error) {
	if len(replicas) == 0 {
		return nil, nil
	}
	if int32(len(replicas)) != t.Partitions-first {
		return nil, usererr.New(CodeInvalidAssignment, "22023", "topic %q: %d partitions are assigned, %d are new", t.Name, len(replicas), t.Partitions-first)
	}
	c := m.rules(t)
	records := make([]PartitionRecord, len(replicas))
	for i, list := range replicas {
		p := first + int32(i)
		if err := m.checkReplicas(t, p, list); err != nil {
			return nil, err
		}
		if records[i] = newRecord(list, c); records[i].Leader == noLeader {
			return nil, usererr.New(CodeInvalidAssignment, "22023", "partition %d of topic %q: no broker of %v is alive", p, t.Name, list)
		}
	}
	return records, nil
}

// validate is what assign would refuse.
func (m *topicsMachine) validate(t *Topic, first int32, replicas [][]int32) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, err := m.recordsFor(t, first, replicas)
	return err
}

// place finds a partition by its topic's id.
func (m *topicsMachine) place(id uuid.UUID, p int32) (*Topic, error) {
	t := m.byID[id]
	if t == nil || p < 0 || p >= t.Partitions {
		return nil, usererr.New(CodeUnknownPart, "22023", "there is no partition %d of a topic %s", p, id)
	}
	return t, nil
}

func errUnknownBroker(id int32) error {
	return usererr.New(CodeUnknownBroker, "42704", "there is no broker %d", id).WithFix("List them: streamflow broker list.")
}

func (m *topicsMachine) sortedBrokers() []*brokerRecord {
	var all []*brokerRecord
	for _, id := range slices.Sorted(maps.Keys(m.brokers)) {
		all = append(all, m.brokers[id])
	}
	return all
}

func (m *topicsMachine) restoreCluster(s topicsState) {
	m.cluster = newCluster()
	m.lastEpoch, m.cluster.unclean = s.LastEpoch, s.Unclean
	if s.Home != nil {
		m.home, m.homeKnown = *s.Home, true
	}
	for _, b := range s.Brokers {
		if b != nil {
			m.brokers[b.ID] = b
		}
	}
	for name, rs := range s.Records {
		if t := m.topics[name]; t != nil && len(rs) <= int(t.Partitions) {
			m.records[name] = rs
		}
	}
}

// The readers of the cluster's part. They take the lock; records and brokers that they return are never changed.

func (m *topicsMachine) broker(id int32) *brokerRecord {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.brokers[id]
}

func (m *topicsMachine) brokerInfos() []BrokerInfo {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []BrokerInfo
	for _, b := range m.sortedBrokers() {
		out = append(out, b.BrokerInfo)
	}
	return out
}

func (m *topicsMachine) recordOf(t *Topic, p int32) PartitionRecord {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.record(t, p)
}

func (m *topicsMachine) recordsOf(t *Topic) []PartitionRecord {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]PartitionRecord, t.Partitions)
	for p := range out {
		out[p] = m.record(t, int32(p))
	}
	return out
}

// eachRecord shows every partition. fn must not call the machine.
func (m *topicsMachine) eachRecord(fn func(t *Topic, p int32, r PartitionRecord)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, t := range m.sorted() {
		for p := range t.Partitions {
			fn(t, p, m.record(t, p))
		}
	}
}

// unpreferred counts the partitions whose preferred leader is in sync and does not lead.
func (m *topicsMachine) unpreferred() (n int) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, t := range m.sorted() {
		c := m.rules(t)
		for p := range t.Partitions {
			if r := m.record(t, p); !c.prefer(r).equal(r) {
				n++
			}
		}
	}
	return n
}

func (m *topicsMachine) uncleanElections() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.cluster.unclean
}
