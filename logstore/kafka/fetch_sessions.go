package kafka

import (
	"math"
	"math/rand/v2"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
)

// fetchSession is what KIP-227 keeps for a client between its fetches: the partitions, and what it was told of them. While a
// request uses it, nobody else does.
type fetchSession struct {
	id        int32
	epoch     int32 // of the next request
	byID      bool  // partitions are named by topic id
	follower  bool
	committed bool // it was read so last
	set       *fetchSet
	bornMs    int64
	usedMs    int64
	busy      bool // guarded by the cache's mutex
	gone      bool // no longer in the cache; its user lets its partitions go
}

// fetchSessionEvictMs is how long a session is safe from others that want its place (Kafka's own constant).
const fetchSessionEvictMs = 120_000

// fetchSessions is the cache of sessions, bounded in number. A new session takes the place of the longest unused one if that
// has not been used for evictMs, else of a smaller one that is older than evictMs; followers' sessions are worth more than
// clients'. A client without a session sends full requests.
type fetchSessions struct {
	limit   int
	evictMs int64

	mu   sync.Mutex
	byID map[int32]*fetchSession
}

func newFetchSessions(limit int, evictMs int64) *fetchSessions {
	return &fetchSessions{limit: limit, evictMs: evictMs, byID: map[int32]*fetchSession{}}
}

// add gives a session an id and puts it into the cache, in use; false when there is no room for it.
func (c *fetchSessions) add(s *fetchSession, now int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit <= 0 || len(c.byID) >= c.limit && !c.evict(s, now) {
		return false
	}
	for s.id == 0 || c.byID[s.id] != nil {
		s.id = rand.Int32N(math.MaxInt32)
	}
	s.bornMs, s.usedMs, s.epoch, s.busy = now, now, 1, true
	c.byID[s.id] = s
	return true
}

// evict makes room for a session, if one is worth less.
func (c *fetchSessions) evict(wanted *fetchSession, now int64) bool {
	var oldest, least *fetchSession
	for _, s := range c.byID {
		if s.busy {
			continue
		}
		if oldest == nil || s.usedMs < oldest.usedMs {
			oldest = s
		}
		if now-s.bornMs > c.evictMs && (least == nil || s.worthLess(least)) {
			least = s
		}
	}
	switch {
	case oldest != nil && now-oldest.usedMs > c.evictMs:
		c.remove(oldest)
	case least != nil && least.worthLess(wanted):
		c.remove(least)
	default:
		return false
	}
	return true
}

func (s *fetchSession) worthLess(than *fetchSession) bool {
	if s.follower != than.follower {
		return !s.follower
	}
	return s.set.size() < than.set.size()
}

// take returns a session for the use of a request that says it is of the given epoch, and names topics by id or not.
func (c *fetchSessions) take(id, epoch int32, byID bool, now int64) (*fetchSession, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.byID[id]
	switch {
	case s == nil:
		return nil, kerr.FetchSessionIDNotFound
	case s.busy || s.epoch != epoch:
		return nil, kerr.InvalidFetchSessionEpoch
	case s.byID != byID:
		return nil, kerr.FetchSessionTopicIDError
	}
	s.busy, s.usedMs, s.epoch = true, now, nextEpoch(epoch)
	return s, nil
}

// put ends a request's use.
func (c *fetchSessions) put(s *fetchSession) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.busy = false
	if s.gone {
		s.set.unwatchAll()
	}
}

// drop removes a session that its client ends.
func (c *fetchSessions) drop(id int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.byID[id]; s != nil {
		c.remove(s)
	}
}

// remove wants c.mu.
func (c *fetchSessions) remove(s *fetchSession) {
	delete(c.byID, s.id)
	s.gone = true
	if !s.busy {
		s.set.unwatchAll()
	}
}

func (c *fetchSessions) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.byID {
		c.remove(s)
	}
}

func (c *fetchSessions) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byID)
}

// nextEpoch is the epoch after e: 1 follows the largest.
func nextEpoch(e int32) int32 {
	if e == math.MaxInt32 {
		return 1
	}
	return e + 1
}
