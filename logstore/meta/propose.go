package meta

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hashicorp/raft"

	"github.com/streamflow/streamflow/logstore/peer/rpc"
)

const (
	// retryPause is how long a node waits before it asks again, when nothing else tells it that asking makes sense.
	retryPause = 50 * time.Millisecond
	// openPatience is how long the opening of a session is waited for before commands are looked at again.
	openPatience = time.Second
	// expiryTick is how often commands that wait for a leader are looked at.
	expiryTick = 100 * time.Millisecond
)

// errLost is the error of a node that ceased to lead while it had an entry under way, which may be committed or not.
var errLost = errors.New("meta: the node lost leadership over the entry")

func init() {
	for code, err := range map[string]error{
		"meta_not_leader":      ErrNotLeader,
		"meta_leadership_lost": errLost,
		"meta_no_leader":       ErrNoLeader,
		"meta_closed":          ErrClosed,
		"meta_unknown_outcome": ErrUnknownOutcome,
		"meta_no_machine":      errNoMachine,
	} {
		rpc.Register(code, err)
	}
}

// proposer turns a node's queue into log entries by way of the leader, wherever that is: one entry at a time, in the order
// of Submit, and each exactly once (session.go). An entry is sent again when its fate is unknown. Its outcome is what the
// machines of this node say when the entry reaches them, so whoever waits for it reads its own write.
type proposer struct {
	n  *Node
	at stamp // of the last entry
}

func newProposer(n *Node) *proposer {
	n.queue.timed = true
	return &proposer{n: n, at: stamp{node: n.opts.Self.ID}}
}

func (p *proposer) run() {
	defer close(p.n.done)
	for {
		select {
		case <-p.n.queue.wake:
		case <-p.n.ctx.Done():
		}
		for p.ready() {
			batch, _ := p.n.queue.take()
			p.commit(batch)
		}
		if p.n.ctx.Err() != nil {
			failAll(p.n.queue.expire(time.Now().Add(time.Hour)), ErrClosed)
			return
		}
	}
}

// ready reports whether there is a command, a leader, and an open session. Without a leader commands stay in the queue, where
// they can be withdrawn, until their time is up.
func (p *proposer) ready() bool {
	for !p.n.queue.empty() && p.n.ctx.Err() == nil {
		_, known, changed := p.n.leader.now()
		if known && p.open() {
			return true
		}
		if !known {
			select {
			case <-changed:
			case <-time.After(expiryTick):
			case <-p.n.ctx.Done():
			}
		}
		failAll(p.n.queue.expire(time.Now().Add(-p.n.opts.Timing.Apply)), ErrNoLeader)
	}
	return false
}

// open makes sure that this node has a session, and reports whether it has. A node that starts may not know yet which epoch
// its last one had: then the entry is refused, and by the time that is known here, so is the epoch.
func (p *proposer) open() bool {
	last, _ := p.n.fsm.sessions.own()
	if p.at.epoch > 0 && last.is(p.at) {
		return true
	}
	if last.epoch >= p.at.epoch {
		p.at = stamp{node: p.at.node, epoch: last.epoch + 1, nonce: rand.Uint64()}
	}
	ctx, cancel := context.WithTimeout(p.n.ctx, openPatience)
	defer cancel()
	_ = p.settle(ctx, appendStamped(nil, p.at, nil), func(s *session) bool { return s.epoch >= p.at.epoch })
	now, _ := p.n.fsm.sessions.own()
	return now.is(p.at)
}

// commit has one entry applied and hands the outcomes out.
func (p *proposer) commit(batch []*Pending) {
	if len(batch) == 0 {
		return
	}
	p.at.seq++
	ctx, cancel := context.WithTimeout(p.n.ctx, p.n.opts.Timing.Apply)
	defer cancel()
	entry := appendStamped(nil, p.at, commands(batch))
	err := p.settle(ctx, entry, func(s *session) bool { return s.epoch > p.at.epoch || s.is(p.at) && s.seq >= p.at.seq })
	s, _ := p.n.fsm.sessions.own()
	switch {
	case err == nil && s.is(p.at) && len(s.last.outcomes) == len(batch):
		finishAll(batch, s.last)
	case err == nil:
		p.n.opts.Logger.Error("meta: another process speaks for this node: node ids must differ", "node", p.at.node)
		failAll(batch, fmt.Errorf("%w: another process speaks for node %d", ErrUnknownOutcome, p.at.node))
	default:
		failAll(batch, err)
	}
}

// settle sends an entry until this node's session says that it is done with. Only one attempt is looked after: when another
// node leads, the attempt at the old leader is given up for one at the new.
func (p *proposer) settle(ctx context.Context, entry []byte, done func(*session) bool) error {
	a := &attempt{n: p.n, entry: entry}
	defer a.drop()
	for {
		s, moved := p.n.fsm.sessions.own()
		if done(&s) {
			return nil
		}
		leader, known, changed := p.n.leader.now()
		if known {
			a.aim(ctx, leader)
		}
		select {
		case <-moved:
		case <-changed:
		case err := <-a.answer:
			a.note(err)
		case <-a.pause:
			a.pause = nil
		case <-ctx.Done():
			return p.undecided(a)
		}
	}
}

// undecided is the error of an entry whose time is up.
func (p *proposer) undecided(a *attempt) error {
	a.drop()
	kind, cause := ErrNoLeader, a.last
	if a.sent {
		kind = ErrUnknownOutcome
	}
	if p.n.ctx.Err() != nil {
		cause = ErrClosed
	}
	if cause == nil {
		return kind
	}
	return fmt.Errorf("%w: %w", kind, cause)
}

// attempt is the sending of an entry to one leader.
type attempt struct {
	n      *Node
	entry  []byte
	target int32
	stop   context.CancelFunc // of the sending under way; nil: none is
	answer chan error
	pause  <-chan time.Time // until which no other begins; nil: none
	taken  bool             // the leader said that the entry is applied
	sent   bool             // some leader may have proposed the entry
	last   error
}

// aim begins to send to a leader, unless that is under way or not worth it yet.
func (a *attempt) aim(ctx context.Context, leader int32) {
	if a.stop != nil && a.target == leader || a.stop == nil && (a.taken || a.pause != nil) {
		return
	}
	a.drop()
	ctx, a.stop = context.WithCancel(ctx)
	a.target, a.answer = leader, make(chan error, 1)
	answer := a.answer
	go func() { answer <- a.n.sendEntry(ctx, leader, a.entry) }()
}

// note takes the answer of the sending under way.
func (a *attempt) note(err error) {
	before := a.sent
	a.drop()
	if err == nil {
		a.taken = true // it comes with the log
		return
	}
	if errors.Is(err, ErrNotLeader) || errors.Is(err, ErrUnreachable) {
		a.sent = before
	}
	a.last = err
	a.pause = time.After(retryPause)
}

// drop gives the sending under way up. Nobody knows then how far it came.
func (a *attempt) drop() {
	if a.stop != nil {
		a.stop()
		a.sent = true
	}
	a.stop, a.answer = nil, nil
}

// sendEntry has the leader propose an entry and returns when it is applied there.
func (n *Node) sendEntry(ctx context.Context, leader int32, entry []byte) error {
	if leader == n.opts.Self.ID {
		return n.proposeEntry(ctx, entry)
	}
	_, err := n.ask(ctx, leader, kindApply, entry)
	return err
}

// proposeEntry appends an entry to the log of this node, which leads, and returns when it is applied.
func (n *Node) proposeEntry(ctx context.Context, entry []byte) error {
	f := n.raft.Apply(entry, 5*time.Second)
	done := make(chan error, 1)
	go func() { done <- f.Error() }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress), errors.Is(err, raft.ErrEnqueueTimeout):
		return fmt.Errorf("%w: %w", ErrNotLeader, err)
	}
	return fmt.Errorf("%w: %w", errLost, err)
}
