package logstore

import (
	"fmt"

	"github.com/streamflow/streamflow/logstore/replica"
)

// Leadership is what the cluster decided about a partition that this node leads.
type Leadership = replica.Leadership

// DivergingEpoch tells a follower where its log left the leader's.
type DivergingEpoch = replica.DivergingEpoch

// ISRMember is a member of a proposed in-sync set.
type ISRMember = replica.ISRMember

// ISRProposal asks the controller to change a partition's in-sync replicas.
type ISRProposal = replica.ISRProposal

// Role is what a partition is on this node.
type Role struct {
	Leader     bool
	LeaderID   int32 // -1 when nobody leads
	Epoch      int32 // leader epoch; -1 before anybody was told
	Replicated bool  // there are other replicas
}

// Role is what the partition is on this node. One that was never told is its own only replica.
func (p *Partition) Role() Role {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.role
}

// Lead makes this node the partition's leader, or tells the leader what changed: an answer to its proposal, a fenced
// replica, another min.insync.replicas. A record older than the one in force changes nothing.
//
// An older leader epoch is ErrFencedLeaderEpoch. So is the epoch in which this node led a replicated partition before it was
// restarted: followers may have taken batches from it that it never had on disk, so that it must not give their offsets away
// again under the same epoch. The controller gives a broker that comes back a new one.
func (p *Partition) Lead(l Leadership) error {
	p.step.Lock()
	defer p.step.Unlock()
	p.mu.Lock()
	if err := p.mayLead(l); err != nil {
		p.mu.Unlock()
		return fmt.Errorf("logstore: lead %s: %w", p.tp, err)
	}
	var a replica.Actions
	switch old := p.repl.leader; {
	case len(l.Replicas) <= 1:
		p.leadAlone(l)
	case old == nil || p.role.Epoch != l.Epoch:
		p.beginEpoch(l)
	case l.PartitionEpoch >= old.Record().PartitionEpoch:
		a = old.Update(l, p.log.ms())
	}
	if r := p.repl.leader; r != nil && !r.Record().Enough() {
		p.repl.failWaiters(ErrNotEnoughReplicasAfterAppend)
	}
	p.act(a)
	p.mu.Unlock()
	p.propose(a)
	return nil
}

// mayLead checks the epoch. p.mu is held.
func (p *Partition) mayLead(l Leadership) error {
	ledIt := p.role.Leader && p.role.Epoch == l.Epoch
	switch {
	case p.failed != nil:
		return p.failed
	case l.Epoch < p.role.Epoch:
		return fmt.Errorf("%w: epoch %d, had %d", ErrFencedLeaderEpoch, l.Epoch, p.role.Epoch)
	case len(l.Replicas) > 1 && !ledIt && l.Epoch <= p.epochs.Last():
		return fmt.Errorf("%w: epoch %d was led before this node started", ErrFencedLeaderEpoch, l.Epoch)
	}
	return nil
}

// leadAlone makes this the only replica: what is durable here is committed. p.mu is held.
func (p *Partition) leadAlone(l Leadership) {
	p.role = Role{Leader: true, LeaderID: l.Self, Epoch: l.Epoch}
	p.repl.leader = nil
	p.state.track, p.state.ending = false, nil
	p.setHigh(p.durable)
	p.settle()
}

// beginEpoch makes this node the leader of a new epoch, or gives a sole replica its first followers. p.mu is held.
func (p *Partition) beginEpoch(l Leadership) {
	p.replicated()
	p.role = Role{Leader: true, LeaderID: l.Self, Epoch: l.Epoch, Replicated: true}
	p.repl.filled, p.repl.early = p.durable, false
	p.repl.leader = replica.NewLeader(l, p.durable, p.end, p.high, p.log.o.ReplicaLag.Milliseconds(), p.log.ms())
	p.noteEpoch(l.Epoch)
	wake(p.log.leads)
	p.setHigh(p.repl.leader.High())
	p.feed()
}

// Follow makes this node a follower of leader (-1: nobody leads at the moment). What waits for acknowledgement fails with
// ErrNotLeader: whether it will be committed is not known.
func (p *Partition) Follow(leader, epoch int32) error {
	p.step.Lock()
	defer p.step.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil && p.damage == nil {
		return p.failed
	}
	if epoch < p.role.Epoch {
		return fmt.Errorf("logstore: follow in %s: %w: epoch %d, had %d", p.tp, ErrFencedLeaderEpoch, epoch, p.role.Epoch)
	}
	p.replicated()
	p.role = Role{LeaderID: leader, Epoch: epoch, Replicated: true}
	p.repl.leader, p.repl.leaderHigh = nil, p.high
	p.repl.failWaiters(ErrNotLeader)
	p.wake()
	p.feed()
	return nil
}

// replicated prepares a partition for having other replicas. p.mu is held.
func (p *Partition) replicated() { p.state.track = true }

// RefuseISR says that the controller refused the proposal that was made under that partition epoch. A broker that does not
// know what became of a proposal says nothing: the leader proposes again, and counts both sets until Lead says which one it
// is.
func (p *Partition) RefuseISR(partitionEpoch int32) {
	p.mu.Lock()
	var a replica.Actions
	if p.repl.leader != nil {
		a = p.repl.leader.Refused(partitionEpoch, p.log.ms())
	}
	p.mu.Unlock()
	p.propose(a)
}

// tickISR looks for followers that lag.
func (p *Partition) tickISR() {
	p.mu.Lock()
	var a replica.Actions
	if p.repl.leader != nil && p.failed == nil {
		a = p.repl.leader.Tick(p.log.ms())
	}
	p.mu.Unlock()
	p.propose(a)
}

func (p *Partition) propose(a replica.Actions) {
	if a.Propose != nil && p.log.o.OnISRChange != nil {
		p.log.o.OnISRChange(p, *a.Propose)
	}
}

// ms is a time that does not go back, in milliseconds since the log was opened.
func (l *Log) ms() int64 { return l.o.Clock.Now().Sub(l.opened).Milliseconds() }
