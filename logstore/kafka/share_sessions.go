package kafka

import (
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
)

// maxShareSessions is how many share sessions a node keeps (Kafka's group.share.max.share.sessions).
const maxShareSessions = 2000

// shareMember is a member of a share group.
type shareMember struct{ group, id string }

// shareSession is what KIP-932 keeps for a member at the leader of partitions: which ones it fetches, and the number of its next
// request. It ends with its connection; what the member has goes back then.
type shareSession struct {
	shareMember
	epoch int32
	parts []shareKey // in the order of turns
	conn  *conn
}

type shareSessions struct {
	mu  sync.Mutex
	all map[shareMember]*shareSession
}

// begin makes a session, in the place of one that the member had.
func (ss *shareSessions) begin(m shareMember, c *conn) (s, before *shareSession, err error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	before = ss.all[m]
	if before == nil && len(ss.all) >= maxShareSessions {
		return nil, nil, kerr.ShareSessionLimitReached
	}
	s = &shareSession{shareMember: m, epoch: 1, conn: c}
	ss.all[m] = s
	return s, before, nil
}

// take is the session of a request with that number; the last one, when it is to end.
func (ss *shareSessions) take(m shareMember, epoch int32) (*shareSession, error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.all[m]
	switch {
	case s == nil:
		return nil, kerr.ShareSessionNotFound
	case epoch == epochFinal:
		delete(ss.all, m)
		return s, nil
	case s.epoch != epoch:
		return nil, kerr.InvalidShareSessionEpoch
	}
	s.epoch = nextEpoch(epoch)
	return s, nil
}

// change adds and removes partitions, and returns all, in another order each time, so that each has its turn.
func (ss *shareSessions) change(s *shareSession, add, remove []shareKey) []shareKey {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, k := range add {
		if !slices.Contains(s.parts, k) {
			s.parts = append(s.parts, k)
		}
	}
	s.parts = slices.DeleteFunc(s.parts, func(k shareKey) bool { return slices.Contains(remove, k) })
	if len(s.parts) > 1 {
		s.parts = append(s.parts[1:], s.parts[0])
	}
	return slices.Clone(s.parts)
}

// of are the sessions of a connection, which end.
func (ss *shareSessions) of(c *conn) (out []*shareSession) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for m, s := range ss.all {
		if s.conn == c {
			out = append(out, s)
			delete(ss.all, m)
		}
	}
	return out
}

// end takes back what a member has in the partitions of its session.
func (sh *shares) end(s *shareSession) {
	for _, k := range s.parts {
		sh.part(k).leave(sh, s.id)
	}
}

// gone ends the sessions of a connection.
func (sh *shares) gone(c *conn) {
	for _, s := range sh.sessions.of(c) {
		sh.end(s)
	}
}
