package replica

import "slices"

// Leader is what a partition's leader knows of its replicas. Times are milliseconds of any clock that does not go back.
type Leader struct {
	record    Leadership
	lagMs     int64
	start     int64 // where this epoch begins: nothing that was committed before is behind it
	high      int64 // what is below it is committed; never moves back
	end       int64 // of the leader's log
	durable   int64 // of the leader's log: what is on its own disk; durable <= end
	followers []progress

	possible []int32 // nodes in proposals that may still become true
	asked    bool    // a proposal is under way
	askedMs  int64
	refusals int // since the record moved
}

// progress is what the leader knows of a follower.
type progress struct {
	node        int32
	brokerEpoch int64 // 0: it has not fetched in this leader epoch
	durable     int64 // end of what is on its disk; -1: not known in this leader epoch
	caughtUpMs  int64 // when it last had everything that the leader had
	fetchMs     int64 // of its last fetch,
	fetchEnd    int64 // and the leader's end then
	holdUntilMs int64 // the controller refused it: not to be proposed before
}

// Actions is what follows from an event.
type Actions struct {
	Moved   bool         // the high watermark moved
	Propose *ISRProposal // to be sent to the controller, once
}

// NewLeader begins an epoch. high is what this node knew of the high watermark as a follower: perhaps too low, never too
// high. lagMs is replica.lag.time.max.ms.
func NewLeader(record Leadership, durable, end, high, lagMs, nowMs int64) *Leader {
	l := &Leader{record: record, lagMs: lagMs, start: end, high: high, end: end, durable: durable}
	l.setFollowers(nowMs)
	l.advance()
	return l
}

// setFollowers keeps the progress of those that stay.
func (l *Leader) setFollowers(nowMs int64) {
	var list []progress
	for _, n := range l.record.Replicas {
		if n == l.record.Self {
			continue
		}
		p := progress{node: n, durable: -1, caughtUpMs: nowMs, fetchMs: nowMs, fetchEnd: l.end}
		if old := l.progressOf(n); old != nil {
			p = *old
		}
		list = append(list, p)
	}
	l.followers = list
}

func (l *Leader) progressOf(node int32) *progress {
	for i := range l.followers {
		if l.followers[i].node == node {
			return &l.followers[i]
		}
	}
	return nil
}

// Record is the partition record that the leader acts on.
func (l *Leader) Record() Leadership { return l.record }

// High is the high watermark.
func (l *Leader) High() int64 { return l.high }

// Knows tells whether the high watermark is known: a new leader's own is old until it has reached the start of its epoch,
// and until then nothing that depends on it may be told to clients (KIP-207).
func (l *Leader) Knows() bool { return l.high >= l.start }

// Start is where the leader's epoch begins.
func (l *Leader) Start() int64 { return l.start }

// Update takes a newer partition record of the same leader epoch. What was proposed under an older one can no longer
// become true.
func (l *Leader) Update(record Leadership, nowMs int64) Actions {
	if record.PartitionEpoch > l.record.PartitionEpoch {
		l.possible, l.asked, l.refusals = nil, false, 0
	}
	before := l.record.ISR
	l.record = record
	l.setFollowers(nowMs)
	for _, n := range record.ISR {
		if p := l.progressOf(n); p != nil && !slices.Contains(before, n) {
			p.caughtUpMs = max(p.caughtUpMs, nowMs)
		}
	}
	return Actions{Moved: l.advance()}
}

// Appended tells the leader where its log ends now.
func (l *Leader) Appended(end int64) { l.end = end }

// Durable tells the leader what is on its own disk now.
func (l *Leader) Durable(end int64) Actions {
	l.durable = end
	return Actions{Moved: l.advance()}
}

// Fetched takes a fetch of this leader epoch by a follower whose log was found to agree with the leader's up to from.
// Everything below from is on its disk. A fetch of an earlier uptime session counts for nothing.
func (l *Leader) Fetched(node int32, brokerEpoch, from, nowMs int64) Actions {
	p := l.progressOf(node)
	if p == nil || brokerEpoch < p.brokerEpoch {
		return Actions{}
	}
	p.brokerEpoch, p.durable = brokerEpoch, from
	switch {
	case from >= l.end:
		p.caughtUpMs = nowMs
	case from >= p.fetchEnd:
		p.caughtUpMs = max(p.caughtUpMs, p.fetchMs)
	}
	p.fetchMs, p.fetchEnd = nowMs, l.end
	a := Actions{Moved: l.advance()}
	if !slices.Contains(l.record.ISR, node) {
		a.Propose = l.propose(nowMs)
	}
	return a
}

// Tick looks who lags. It is due every half of the lag time.
func (l *Leader) Tick(nowMs int64) Actions {
	if l.asked && nowMs-l.askedMs >= l.lagMs {
		l.asked = false // its answer was lost; what was proposed stays possible
	}
	return Actions{Propose: l.propose(nowMs)}
}

// Refused says that the controller refused the proposal that was made under that partition epoch. A copy of it may still be
// on its way, so what it proposed stays possible until the record moves: the leader asks for that at once, but only once. A
// leader that is refused again has been deposed, most likely, and asks no more than Tick does.
func (l *Leader) Refused(partitionEpoch int32, nowMs int64) Actions {
	if !l.asked || partitionEpoch != l.record.PartitionEpoch {
		return Actions{}
	}
	l.asked = false
	for _, n := range l.possible {
		if p := l.progressOf(n); p != nil && !slices.Contains(l.record.ISR, n) {
			p.holdUntilMs = nowMs + l.lagMs
		}
	}
	if l.refusals++; l.refusals > 1 {
		return Actions{}
	}
	return Actions{Propose: l.propose(nowMs)}
}

// propose asks for the in-sync set as the leader sees it, if that is not the one in force. One proposal is under way at a
// time.
func (l *Leader) propose(nowMs int64) *ISRProposal {
	if l.asked {
		return nil
	}
	set := l.wanted(nowMs)
	if slices.Equal(nodes(set), l.record.ISR) && !l.doubtful() {
		return nil
	}
	l.asked, l.askedMs = true, nowMs
	for _, m := range set {
		if !slices.Contains(l.possible, m.Node) {
			l.possible = append(l.possible, m.Node)
		}
	}
	return &ISRProposal{LeaderEpoch: l.record.Epoch, PartitionEpoch: l.record.PartitionEpoch, ISR: set}
}

func nodes(set []ISRMember) []int32 { return ISRProposal{ISR: set}.Nodes() }

// doubtful tells that a node is counted only because of a proposal that came to nothing: proposing the set in force again
// settles it.
func (l *Leader) doubtful() bool {
	return slices.ContainsFunc(l.possible, func(n int32) bool { return !slices.Contains(l.record.ISR, n) })
}

// wanted is the in-sync set as the leader sees it, in the order of the one in force, newcomers last.
func (l *Leader) wanted(nowMs int64) []ISRMember {
	var set []ISRMember
	for _, n := range l.record.ISR {
		switch p := l.progressOf(n); {
		case n == l.record.Self:
			set = append(set, ISRMember{Node: n})
		case p != nil && !l.lags(p, nowMs):
			set = append(set, ISRMember{Node: n, BrokerEpoch: p.brokerEpoch})
		}
	}
	for i := range l.followers {
		p := &l.followers[i]
		if !slices.Contains(l.record.ISR, p.node) && l.mayJoin(p, nowMs) {
			set = append(set, ISRMember{Node: p.node, BrokerEpoch: p.brokerEpoch})
		}
	}
	return set
}

func (l *Leader) lags(p *progress, nowMs int64) bool {
	return p.durable < l.end && nowMs-p.caughtUpMs > l.lagMs
}

// mayJoin: it has everything that was committed before this epoch and in it, and does not lag.
func (l *Leader) mayJoin(p *progress, nowMs int64) bool {
	return p.durable >= max(l.high, l.start) && nowMs >= p.holdUntilMs && nowMs-p.fetchMs <= l.lagMs
}

// advance moves the high watermark to what every member of the maximal in-sync set has on disk.
func (l *Leader) advance() (moved bool) {
	if !l.record.Enough() {
		return false
	}
	to := l.durable
	for i := range l.followers {
		p := &l.followers[i]
		if slices.Contains(l.record.ISR, p.node) || slices.Contains(l.possible, p.node) {
			to = min(to, p.durable)
		}
	}
	if to <= l.high {
		return false
	}
	l.high = to
	return true
}

// MaximalISR is the committed in-sync set and everybody who may be in it without the leader knowing yet.
func (l *Leader) MaximalISR() []int32 {
	out := slices.Clone(l.record.ISR)
	for _, n := range l.possible {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// Lag is how far a follower is behind the leader's log, in offsets; false if the node is no follower.
func (l *Leader) Lag(node int32) (int64, bool) {
	p := l.progressOf(node)
	if p == nil {
		return 0, false
	}
	return l.end - max(p.durable, 0), true
}

// Has tells whether a node is a follower.
func (l *Leader) Has(node int32) bool { return l.progressOf(node) != nil }
