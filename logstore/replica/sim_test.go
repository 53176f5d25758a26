package replica

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// The simulation runs replicas, a controller, producers and consumers as one loop of random steps from a seed. Everything
// between them is a message that may be delayed, lost, duplicated and overtaken. Nodes lose what they did not sync, stand
// still, are fenced while they believe to lead, come back with old metadata, and find their disk damaged.

// entry is a record: which value, under which leader epoch.
type entry struct {
	epoch int32
	value int
}

// state is a partition's record in the metadata log.
type state struct {
	replicas, isr, elr []int32
	leader             int32
	epoch, version     int32
}

// sim is one run.
type sim struct {
	r      *rand.Rand
	minISR int
	calm   int // of ten disturbances so many do not happen
	fault  fault

	nodes    []*simNode
	history  []state // the metadata log
	sessions map[int32]int64
	fenced   map[int32]bool
	damaged  map[int32]bool // reported, and not refetched
	nextID   int64
	net      []message
	nowMs    int64

	committed []entry         // what some high watermark has passed
	acked     map[int]int     // offset by value
	latest    map[int32]int64 // highest high watermark that clients were told, by leader epoch
	leaders   map[int32]int32 // who led an epoch
	producers []*simProducer  // each sends one value after the other
	trace     []string        // the last steps
	stats     map[string]int  // how often things happened
	broken    error           // the first violation
}

// simProducer sends a value until it is acknowledged.
type simProducer struct{ value int }

// fault is a rule that a mutated run breaks.
type fault string

const (
	sound           fault = ""
	hwByProposed    fault = "the high watermark counts a proposed smaller set"
	hwBelowMin      fault = "the high watermark moves below min.insync.replicas"
	cutAtHW         fault = "a follower cuts at its own high watermark"
	countUnsynced   fault = "a follower acknowledges what it has not synced"
	forgetRefused   fault = "a refused proposal is forgotten"
	tellEarly       fault = "a new leader tells an old high watermark"
	actStale        fault = "a restarted node acts on the metadata that it had"
	damagedStays    fault = "a damaged replica stays in sync"
	damagedSilently fault = "a damaged replica begins anew in the same leader epoch"
	noEpochCheck    fault = "a leader takes fetches of other epochs"
	electAnyone     fault = "anyone is elected"
	commitUnknown   fault = "a follower that has not fetched counts as having everything"
	joinBehind      fault = "a follower joins before it has everything"
)

type simNode struct {
	s       *sim
	id      int32
	up      bool
	still   bool // stands still: neither hears nor does anything
	session int64
	applied int // of the metadata log

	log        []entry
	durable    int64
	epochs     Epochs
	noteSynced bool // the note of the epoch that it leads is on disk
	high       int64
	leaderHigh int64

	epoch    int32
	leaderID int32
	leader   *Leader
	nonce    int64 // of the fetch that it waits for
	waiting  []simWaiter
}

type simWaiter struct {
	offset int64
	p      *simProducer
	value  int
}

type message struct {
	to      int32 // -1: the controller
	from    int32
	session int64
	nonce   int64
	fetch   *Fetch
	resp    *simResponse
	alter   *ISRProposal
	refused *int32
}

type simResponse struct {
	epoch int32
	r     Response
	batch []entry
	high  int64
}

func newSim(seed uint64, f fault) *sim {
	r := rand.New(rand.NewPCG(seed, 77))
	s := &sim{
		r: r, fault: f, sessions: map[int32]int64{}, fenced: map[int32]bool{}, damaged: map[int32]bool{},
		acked: map[int]int{}, latest: map[int32]int64{}, leaders: map[int32]int32{}, stats: map[string]int{},
	}
	n := 3 + r.IntN(3)
	if r.IntN(3) > 0 {
		n = 3
	}
	s.calm = r.IntN(10)
	s.minISR = 1 + r.IntN(min(n, 3))
	if r.IntN(2) == 0 {
		s.minISR = 2
	}
	first := state{leader: 0, epoch: 1, version: 1}
	for id := range int32(min(n, max(3, s.minISR))) { // the others may come by a reassignment
		first.replicas = append(first.replicas, id)
		first.isr = append(first.isr, id)
	}
	s.history = []state{first}
	s.leaders[1] = 0
	for id := range int32(n) {
		node := &simNode{s: s, id: id, up: true, epoch: -1, leaderID: -1}
		s.nodes = append(s.nodes, node)
		s.nextID++
		s.sessions[id], node.session = s.nextID, s.nextID
		node.act()
	}
	for i := range 2 {
		s.producers = append(s.producers, &simProducer{value: i + 1})
	}
	return s
}

func (s *sim) now() state { return s.history[len(s.history)-1] }

func (s *sim) violated(rule, format string, args ...any) {
	if s.broken == nil {
		s.broken = fmt.Errorf("%s: %s", rule, fmt.Sprintf(format, args...))
	}
}

func (s *sim) note(format string, args ...any) {
	if len(s.trace) > 60 {
		s.trace = s.trace[1:]
	}
	s.trace = append(s.trace, fmt.Sprintf(format, args...))
}

// run takes steps until one violates an invariant.
func (s *sim) run(steps int) error {
	for range steps {
		s.step()
		s.check()
		if s.broken != nil {
			return s.broken
		}
	}
	s.heal()
	return s.broken
}

func (s *sim) step() {
	s.nowMs += int64(s.r.IntN(20))
	n := s.nodes[s.r.IntN(len(s.nodes))]
	k := s.r.IntN(100)
	if k >= 88 && s.r.IntN(10) < s.calm {
		k = s.r.IntN(88)
	}
	switch {
	case k < 28:
		s.deliver()
	case k < 44:
		n.sendFetch()
	case k < 58:
		n.sync()
	case k < 70:
		s.produce()
	case k < 80:
		n.apply()
	case k < 84:
		s.consume(n)
	case k < 88:
		n.tick()
	case k < 90:
		n.still = !n.still && s.r.IntN(2) == 0
	case k < 92:
		s.fence(n.id)
	case k < 95:
		s.unfence(n)
	case k < 97:
		n.crash()
	case k < 98:
		n.restart()
	case k < 99:
		s.reassign(n)
	default:
		s.damage(n)
	}
}

// heal lets everything come up again: then producers must get their acknowledgements, or the partition is stuck.
func (s *sim) heal() {
	for _, n := range s.nodes {
		n.still = false
		n.restart()
	}
	for round := 0; round < 4000 && s.broken == nil; round++ {
		s.nowMs += 10
		for _, n := range s.nodes {
			s.unfence(n)
			n.apply()
			n.sync()
			n.sendFetch()
			n.tick()
		}
		for len(s.net) > 0 && s.broken == nil {
			m := s.net[0]
			s.net = s.net[1:]
			s.receive(m)
		}
		s.check()
		if round%10 == 0 {
			s.produce()
		}
		if round > 50 && s.settled() {
			return
		}
	}
	if s.broken == nil {
		s.violated("liveness", "after everything came back the replicas are not in sync: %+v", s.now())
	}
}

// settled: all replicas in sync, with the same log, all of it committed.
func (s *sim) settled() bool {
	m := s.now()
	if len(m.isr) != len(m.replicas) {
		return false
	}
	for _, id := range m.replicas {
		n := s.nodes[id]
		if len(n.log) != len(s.nodes[m.replicas[0]].log) || n.high != int64(len(n.log)) {
			return false
		}
	}
	return true
}

// --- the controller

func (s *sim) able(n int32) bool { return !s.fenced[n] && !s.damaged[n] }

// commit changes the record and elects if nobody leads.
func (s *sim) commit(m state, newEpoch bool) {
	old := s.now()
	c, ok := Elect(Election{Replicas: m.replicas, ISR: m.isr, ELR: m.elr, Current: m.leader, Able: s.able})
	if s.fault == electAnyone && m.leader < 0 {
		if i := slices.IndexFunc(m.replicas, s.able); i >= 0 {
			c, ok = Choice{Leader: m.replicas[(i+1)%len(m.replicas)]}, s.able(m.replicas[(i+1)%len(m.replicas)])
		}
	}
	m.leader = -1
	if ok {
		m.leader = c.Leader
		if !slices.Contains(m.isr, c.Leader) {
			before := m.isr
			m.isr = append(slices.Clone(m.isr), c.Leader)
			m.elr = Eligible(m.elr, before, m.isr, s.minISR)
		}
	}
	m.version = old.version + 1
	m.epoch = old.epoch
	if m.leader != old.leader || newEpoch {
		m.epoch++
	}
	if m.leader >= 0 && m.epoch > old.epoch {
		s.elected(m)
	}
	s.history = append(s.history, m)
}

// elected checks I2 and I12.
func (s *sim) elected(m state) {
	s.stats["elections"]++
	n := s.nodes[m.leader]
	s.leaders[m.epoch] = m.leader
	if got := int64(len(n.log)); got < int64(len(s.committed)) {
		s.violated("I2 leader completeness", "node %d leads epoch %d with %d records, %d are committed", n.id, m.epoch, got, len(s.committed))
		return
	}
	for i, e := range s.committed {
		if n.log[i] != e {
			s.violated("I2 leader completeness", "node %d leads epoch %d with %v at %d, committed is %v", n.id, m.epoch, n.log[i], i, e)
			return
		}
	}
}

func (s *sim) shrink(m state, gone int32) state {
	before := m.isr
	m.isr = slices.DeleteFunc(slices.Clone(m.isr), func(n int32) bool { return n == gone })
	m.elr = Eligible(m.elr, before, m.isr, s.minISR)
	return m
}

func (s *sim) fence(id int32) {
	if s.fenced[id] {
		return
	}
	s.fenced[id] = true
	s.note("fence %d", id)
	m := s.now()
	if slices.Contains(m.isr, id) {
		m = s.shrink(m, id)
	}
	if m.leader == id {
		m.leader = -1
	}
	s.commit(m, false)
}

// unfence registers a node whose session is new, or believes its heartbeat again.
func (s *sim) unfence(n *simNode) {
	if !n.up || n.still || (!s.fenced[n.id] && s.sessions[n.id] == n.session) {
		return
	}
	if s.sessions[n.id] != n.session || n.session == 0 {
		s.fence(n.id) // the session before is over
		s.nextID++
		n.session, s.sessions[n.id] = s.nextID, s.nextID
	}
	s.fenced[n.id] = false
	s.note("unfence %d, session %d", n.id, n.session)
	s.commit(s.now(), false)
	n.applied = len(s.history) - 1 // registering returns when the node knows of it
	n.act()
}

// damage finds a replica's disk damaged: it loses records that it had on disk, which the controller hears of before the
// replica is begun anew.
func (s *sim) damage(n *simNode) {
	m := s.now()
	if !n.up || n.still || n.durable == 0 || len(s.damaged) > 0 || !slices.Contains(m.replicas, n.id) {
		return
	}
	others := func(list []int32) bool { return slices.ContainsFunc(list, func(x int32) bool { return x != n.id }) }
	if !others(m.isr) && !others(m.elr) {
		return // the only one that has everything: nothing could help
	}
	s.note("damage %d", n.id)
	s.stats["damages"]++
	if s.fault != damagedStays {
		s.damaged[n.id] = true
		if slices.Contains(m.isr, n.id) {
			m = s.shrink(m, n.id)
		}
		m.elr = slices.DeleteFunc(slices.Clone(m.elr), func(x int32) bool { return x == n.id })
		if m.leader == n.id {
			m.leader = -1
		}
		s.commit(m, s.fault != damagedSilently)
	}
	n.log, n.durable, n.high, n.leaderHigh, n.epochs = nil, 0, 0, 0, nil
	n.leader, n.waiting, n.leaderID, n.nonce = nil, nil, -1, 0
	if s.fault != damagedStays {
		n.applied = len(s.history) - 1
		n.act()
	}
	delete(s.damaged, n.id)
}

// reassign makes a node a replica, or one no more. A replica goes under a new leader epoch: what it fetched counts no more.
func (s *sim) reassign(n *simNode) {
	m := s.now()
	if !slices.Contains(m.replicas, n.id) {
		s.note("replica %d comes", n.id)
		m.replicas = append(slices.Clone(m.replicas), n.id)
		s.commit(m, false)
		return
	}
	rest := func(list []int32) []int32 {
		return slices.DeleteFunc(slices.Clone(list), func(x int32) bool { return x == n.id })
	}
	if len(m.replicas) <= max(2, s.minISR) || len(rest(m.isr)) < s.minISR {
		return
	}
	s.note("replica %d goes", n.id)
	s.stats["reassignments"]++
	if m.leader == n.id {
		m.leader = -1
	}
	m.replicas, m.isr, m.elr = rest(m.replicas), rest(m.isr), rest(m.elr)
	s.commit(m, true)
}

// alter is AlterPartition: a compare and swap.
func (s *sim) alter(m message) {
	cur, p := s.now(), m.alter
	ok := s.sessions[m.from] == m.session && !s.fenced[m.from] && cur.leader == m.from && cur.epoch == p.LeaderEpoch && cur.version == p.PartitionEpoch
	for _, x := range p.ISR {
		ok = ok && slices.Contains(cur.replicas, x.Node) && s.able(x.Node) && (x.BrokerEpoch == 0 || x.BrokerEpoch == s.sessions[x.Node])
	}
	if !ok {
		s.send(message{to: m.from, refused: &p.PartitionEpoch})
		return
	}
	s.note("isr %v of %v", p.Nodes(), cur.isr)
	s.stats["alters"]++
	before := cur.isr
	cur.isr = p.Nodes()
	cur.elr = Eligible(cur.elr, before, cur.isr, s.minISR)
	s.commit(cur, false)
}

// --- messages

func (s *sim) send(m message) {
	if len(s.net) < 40 {
		s.net = append(s.net, m)
	}
}

// deliver picks any message: it arrives, is lost, or arrives and comes again.
func (s *sim) deliver() {
	if len(s.net) == 0 {
		return
	}
	i := s.r.IntN(len(s.net))
	m := s.net[i]
	fate := s.r.IntN(10)
	if fate > 0 || len(s.net) > 30 {
		s.net = slices.Delete(s.net, i, i+1)
	}
	if fate == 1 {
		return
	}
	s.receive(m)
}

func (s *sim) receive(m message) {
	if m.to < 0 {
		s.alter(m)
		return
	}
	n := s.nodes[m.to]
	if !n.up || n.still {
		return
	}
	switch {
	case m.fetch != nil:
		n.answer(m)
	case m.resp != nil:
		n.take(m)
	case m.refused != nil && n.leader != nil:
		a := n.leader.Refused(*m.refused, s.nowMs)
		if s.fault == forgetRefused {
			n.leader.possible, n.leader.asked, a.Propose = nil, false, nil
			n.leader.advance()
		}
		n.actions(a)
	}
}

// --- clients

func (s *sim) produce() {
	p := s.producers[s.r.IntN(len(s.producers))]
	n := s.nodes[s.r.IntN(len(s.nodes))]
	if n.up && !n.still && n.leader != nil && n.leader.record.Enough() {
		n.append(p)
	}
}

// consume asks a node that believes to lead for its latest offset.
func (s *sim) consume(n *simNode) {
	if !n.up || n.still || n.leader == nil || (!n.leader.Knows() && s.fault != tellEarly) {
		return
	}
	for epoch, high := range s.latest {
		if epoch <= n.epoch && high > n.high {
			s.violated("I8 monotonic", "node %d tells %d in epoch %d, clients were told %d in epoch %d", n.id, n.high, n.epoch, high, epoch)
		}
	}
	s.latest[n.epoch] = max(s.latest[n.epoch], n.high)
}

func (s *sim) ack(w simWaiter) {
	s.acked[w.value] = int(w.offset)
	s.stats["acks"]++
	if w.p.value == w.value {
		w.p.value += len(s.producers)
	}
	if int(w.offset) >= len(s.committed) || s.committed[w.offset].value != w.value {
		s.violated("I9 acknowledged", "value %d at %d is not what is committed there", w.value, w.offset)
	}
}

func (s *sim) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "min.insync.replicas %d, %+v, fenced %v, committed %d\n", s.minISR, s.now(), s.fenced, len(s.committed))
	for _, n := range s.nodes {
		fmt.Fprintf(&b, "node %d: up %v still %v session %d/%d applied %d of %d, epoch %d leader %d (%v), durable %d high %d epochs %v, log %v\n",
			n.id, n.up, n.still, n.session, s.sessions[n.id], n.applied, len(s.history)-1, n.epoch, n.leaderID, n.leader != nil, n.durable, n.high, n.epochs, n.log)
	}
	b.WriteString(strings.Join(s.trace, "\n"))
	return b.String()
}
