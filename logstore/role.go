package logstore

import (
	"fmt"

	"github.com/streamflow/streamflow/logstore/replica"
)

// Leadership is what the cluster decided about a partition that this node leads.
type Leadership = replica.Leadership

// Role is what a partition is on this node.
type Role struct {
	Leader     bool
	LeaderID   int32 // -1 when nobody leads
	Epoch      int32 // leader epoch; -1 before anybody was told
	Replicated bool  // there are other replicas
}

// LeaderView is what a fetch response tells a follower beside the batches.
type LeaderView struct {
	Epoch         int32 // the leader epoch that the fetch was sent under
	HighWatermark int64
	LogStart      int64
}

// ReplicaFetch is a follower's fetch of one partition. From is the end of what the follower has on disk: a leader counts
// everything below it as durable there.
type ReplicaFetch struct {
	Node             int32
	BrokerEpoch      int64 // of the follower's uptime session (KIP-903)
	From             int64
	Epoch            int32 // the leader epoch that the follower knows (KIP-320)
	LastFetchedEpoch int32 // of the batch before From; -1 if it has none (KIP-595)
	MaxBytes         int
}

// DivergingEpoch tells a follower where its log left the leader's.
type DivergingEpoch = replica.DivergingEpoch

// ISRMember is a member of a proposed in-sync set.
type ISRMember = replica.ISRMember

// ISRProposal asks the controller to change a partition's in-sync replicas.
type ISRProposal = replica.ISRProposal

// Lead makes this node the partition's leader, or tells the leader what changed: an answer to its proposal, a fenced
// replica, another min.insync.replicas. An older epoch is ErrFencedLeaderEpoch.
func (p *Partition) Lead(l Leadership) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return p.failed
	}
	if l.Epoch < p.role.Epoch {
		return fmt.Errorf("logstore: lead %s: %w: epoch %d, had %d", p.tp, ErrFencedLeaderEpoch, l.Epoch, p.role.Epoch)
	}
	p.role = Role{Leader: true, LeaderID: l.Self, Epoch: l.Epoch, Replicated: len(l.Replicas) > 1}
	return nil
}

// Follow makes this node a follower of leader (-1: nobody leads at the moment). What waits for acknowledgement fails with
// ErrNotLeader: whether it will be committed is not known.
func (p *Partition) Follow(leader, epoch int32) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return p.failed
	}
	if epoch < p.role.Epoch {
		return fmt.Errorf("logstore: follow in %s: %w: epoch %d, had %d", p.tp, ErrFencedLeaderEpoch, epoch, p.role.Epoch)
	}
	p.role = Role{LeaderID: leader, Epoch: epoch, Replicated: true}
	return nil
}

// Role is what the partition is on this node. One that was never told is its own only replica.
func (p *Partition) Role() Role {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.role
}
