package meta

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"sync"

	"github.com/streamflow/streamflow/logstore/peer/rpc"
)

// A command that was sent and not answered may have been applied or not. So that it can be sent again, the entries of a group
// of several nodes say whose they are: a node opens a session, numbers its entries in it, and has one under way at a time.
// The machines' side of this is below, and is the same on every node: an entry counts if its number is higher than the last
// of its session, and a session counts until the node's next one is opened. What the last entry of a session brought is kept,
// also in snapshots, for a node that learns of it late. (The idea is of section 6.3 of Ongaro's Raft thesis.)

// stamp names an entry. Epochs of a node's sessions are consecutive; the nonce tells apart two processes that would open the
// same one. seq 0 opens the session.
type stamp struct {
	node  int32
	epoch uint64
	nonce uint64
	seq   uint64
}

// session is the newest of a node's.
type session struct {
	epoch, nonce uint64
	seq          uint64 // of its last entry
	last         entryOutcome
}

func (s *session) is(at stamp) bool { return s != nil && s.epoch == at.epoch && s.nonce == at.nonce }

// sessions are those of all nodes. Commands change them in log order; the node reads its own.
type sessions struct {
	self int32

	mu      sync.Mutex
	byNode  map[int32]*session
	changed chan struct{} // closed when self's session changes
}

func newSessions(self int32) *sessions {
	return &sessions{self: self, byNode: map[int32]*session{}, changed: make(chan struct{})}
}

// open applies the entry that opens a session. It is refused unless it follows the node's last one.
func (t *sessions) open(at stamp) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := uint64(0)
	if s := t.byNode[at.node]; s != nil {
		last = s.epoch
	}
	if at.epoch == last+1 {
		t.byNode[at.node] = &session{epoch: at.epoch, nonce: at.nonce}
	}
	t.signal(at.node)
}

// admit reports whether an entry is to be applied. For one that was, it returns what it brought then.
func (t *sessions) admit(at stamp) (before entryOutcome, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.byNode[at.node]
	switch {
	case !s.is(at):
		return entryOutcome{stale: true}, false
	case at.seq == s.seq:
		return s.last, false
	case at.seq < s.seq:
		return entryOutcome{stale: true}, false
	}
	return entryOutcome{}, true
}

// applied notes what an admitted entry brought.
func (t *sessions) applied(at stamp, out entryOutcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.byNode[at.node]
	s.seq, s.last = at.seq, out
	t.signal(at.node)
}

func (t *sessions) signal(node int32) {
	if node == t.self {
		close(t.changed)
		t.changed = make(chan struct{})
	}
}

// own is this node's session as of now, and a channel that is closed when it changes.
func (t *sessions) own() (session, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.byNode[t.self]; s != nil {
		return *s, t.changed
	}
	return session{}, t.changed
}

// groupSection is the snapshot section of the sessions and of how far the machines had come; no machine has this name.
const groupSection = "raft:group"

const groupVersion = 1

var errGroupVersion = errors.New("of another version")

// encode is the section's bytes; docs/format/meta.md draws them.
func (t *sessions) encode(applied uint64) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	nodes := make([]int32, 0, len(t.byNode))
	for id := range t.byNode {
		nodes = append(nodes, id)
	}
	sort.Slice(nodes, func(i, j int) bool { return nodes[i] < nodes[j] })
	dst := binary.AppendUvarint([]byte{groupVersion}, applied)
	dst = binary.AppendUvarint(dst, uint64(len(nodes)))
	for _, id := range nodes {
		dst = t.byNode[id].encode(binary.AppendUvarint(dst, uint64(uint32(id))))
	}
	return dst
}

func (s *session) encode(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, s.epoch)
	dst = binary.LittleEndian.AppendUint64(dst, s.nonce)
	dst = binary.AppendUvarint(dst, s.seq)
	dst = binary.AppendUvarint(dst, s.last.index)
	dst = binary.AppendUvarint(dst, uint64(len(s.last.outcomes)))
	for _, o := range s.last.outcomes {
		if o.err != nil {
			dst = appendBytes(append(dst, 1), rpc.EncodeError(o.err))
		} else {
			dst = appendBytes(append(dst, 0), o.result)
		}
	}
	return dst
}

// restore replaces all sessions and returns how far the machines had come.
func (t *sessions) restore(b []byte) (applied uint64, err error) {
	byNode := map[int32]*session{}
	if len(b) > 0 {
		if b[0] != groupVersion {
			return 0, fmt.Errorf("version %d, this release reads %d: %w", b[0], groupVersion, errGroupVersion)
		}
		if applied, byNode, err = decodeSessions(b[1:]); err != nil {
			return 0, err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byNode = byNode
	t.signal(t.self)
	return applied, nil
}

func decodeSessions(b []byte) (applied uint64, byNode map[int32]*session, err error) {
	if applied, b, err = uvarint(b); err != nil {
		return 0, nil, err
	}
	count, b, err := uvarint(b)
	if err != nil {
		return 0, nil, err
	}
	byNode = map[int32]*session{}
	for range count {
		var id uint64
		if id, b, err = uvarint(b); err != nil {
			return 0, nil, err
		}
		s := &session{}
		if b, err = s.decode(b); err != nil {
			return 0, nil, fmt.Errorf("session of node %d: %w", id, err)
		}
		byNode[int32(uint32(id))] = s
	}
	if len(b) != 0 {
		return 0, nil, fmt.Errorf("%d bytes after the last session", len(b))
	}
	return applied, byNode, nil
}

func (s *session) decode(b []byte) (rest []byte, err error) {
	if s.epoch, b, err = uvarint(b); err != nil {
		return nil, err
	}
	if len(b) < 8 {
		return nil, errTruncated
	}
	s.nonce, b = binary.LittleEndian.Uint64(b), b[8:]
	var count uint64
	for _, to := range []*uint64{&s.seq, &s.last.index, &count} {
		if *to, b, err = uvarint(b); err != nil {
			return nil, err
		}
	}
	for range count {
		var o outcome
		if o, b, err = takeOutcome(b); err != nil {
			return nil, err
		}
		s.last.outcomes = append(s.last.outcomes, o)
	}
	return b, nil
}

func takeOutcome(b []byte) (o outcome, rest []byte, err error) {
	if len(b) == 0 || b[0] > 1 {
		return outcome{}, nil, errTruncated
	}
	failed := b[0] == 1
	body, rest, err := takeBytes(b[1:])
	if err != nil {
		return outcome{}, nil, err
	}
	if failed {
		return outcome{err: rpc.DecodeError(body)}, rest, nil
	}
	return outcome{result: append([]byte(nil), body...)}, rest, nil
}
