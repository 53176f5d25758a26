package meta

import (
	"sync"

	"github.com/hashicorp/raft"
)

// leadership is what this node knows of who leads.
type leadership struct {
	mu      sync.Mutex
	id      int32
	known   bool
	turn    uint64 // counts the times that this node began or ceased to lead
	ready   bool   // this node leads, and its machines have seen all that earlier leaders committed
	term    uint64 // in which it is ready
	changed chan struct{}
}

func (l *leadership) init() { l.changed = make(chan struct{}) }

func (l *leadership) alone(self int32) {
	l.id, l.known, l.ready = self, true, true
}

// signal tells who waits. l.mu is held.
func (l *leadership) signal() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *leadership) now() (id int32, known bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id, l.known, l.changed
}

// set notes who leads and reports whether that is news.
func (l *leadership) set(id int32, known bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == known && (!known || l.id == id) {
		return false
	}
	l.id, l.known = id, known
	l.signal()
	return true
}

// begin starts a new turn, in which this node is not ready.
func (l *leadership) begin() (turn uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn++
	if l.ready {
		l.ready = false
		l.signal()
	}
	return l.turn
}

// becomeReady ends the preparation of a turn, unless another one has begun.
func (l *leadership) becomeReady(turn, term uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turn == turn {
		l.ready, l.term = true, term
		l.signal()
	}
}

func (l *leadership) isReady() (term uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.term, l.ready
}

// Leader is the node that leads, as far as this one knows.
func (n *Node) Leader() (id int32, ok bool) {
	id, ok, _ = n.leader.now()
	return id, ok
}

// IsLeader reports whether this node leads and its machines have seen all that earlier leaders committed. Another node may
// have taken over without this one knowing yet; what must not rest on that goes through Apply or Barrier.
func (n *Node) IsLeader() bool {
	_, ready := n.leader.isReady()
	return ready && (n.group == nil || n.raft.State() == raft.Leader)
}

// LeaderChanged is closed when Leader or IsLeader may answer differently than at the time of the call.
func (n *Node) LeaderChanged() <-chan struct{} {
	_, _, changed := n.leader.now()
	return changed
}

// followLeadership keeps leadership up to date.
func (n *Node) followLeadership() {
	seen := make(chan raft.Observation, 64)
	o := raft.NewObserver(seen, false, func(o *raft.Observation) bool {
		_, ok := o.Data.(raft.LeaderObservation)
		return ok
	})
	n.raft.RegisterObserver(o)
	defer n.raft.DeregisterObserver(o)
	for {
		n.noteLeader()
		select {
		case <-seen:
		case leads := <-n.raft.LeaderCh():
			turn := n.leader.begin()
			if leads {
				n.group.spawn(func() { n.prepareToLead(turn) })
			}
		case <-n.ctx.Done():
			return
		}
	}
}

func (n *Node) noteLeader() {
	_, server := n.raft.LeaderWithID()
	id, known := nodeID(server)
	if n.leader.set(id, known) && known {
		n.opts.Logger.Info("meta: leader known", "node", n.opts.Self.ID, "leader", id, "term", n.raft.CurrentTerm())
	}
}

// prepareToLead waits until everything that earlier leaders committed is applied here.
func (n *Node) prepareToLead(turn uint64) {
	for n.ctx.Err() == nil && n.raft.State() == raft.Leader {
		term := n.raft.CurrentTerm()
		if err := n.raft.Barrier(0).Error(); err != nil {
			n.opts.Logger.Debug("meta: not ready to lead", "node", n.opts.Self.ID, "error", err)
			n.pause(retryPause)
			continue
		}
		if n.raft.State() == raft.Leader && n.raft.CurrentTerm() == term {
			n.leader.becomeReady(turn, term)
			return
		}
	}
}
