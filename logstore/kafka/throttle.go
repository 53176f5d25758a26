package kafka

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamflow/streamflow/logstore/quota"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// metering is what a connection may use. Reader and writer both ask.
type metering struct {
	mu      sync.Mutex
	limits  *quota.Limits // by which the buckets were found
	who     Principal
	client  string
	buckets [quota.Connections]*quota.Bucket

	until atomic.Int64 // Unix nanoseconds until which the connection is not read
}

// bucket is what a client of the connection takes from; nil without a limit.
func (c *conn) bucket(k quota.Kind, client string) *quota.Bucket {
	m := c.s.opts.Quotas
	if m == nil || c.id.internal {
		return nil
	}
	l := m.Limits()
	if !l.Any(k) {
		return nil
	}
	who := c.principal()
	t := &c.metering
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.limits != l || t.who != who || t.client != client {
		now := c.s.opts.Now()
		for k := range t.buckets {
			t.buckets[k] = m.Client(now, quota.Kind(k), who.Name, client)
		}
		t.limits, t.who, t.client = l, who, client
	}
	return t.buckets[k]
}

// charge takes n of a kind. What is too much is answered with how many milliseconds to wait, and the connection is not read for
// so long (KIP-219).
func (c *conn) charge(k quota.Kind, client string, n float64) int32 {
	b := c.bucket(k, client)
	if b == nil || n <= 0 {
		return 0
	}
	now := c.s.opts.Now()
	return c.mute(now, k.Bound(b.Take(now, n)))
}

// mute stops the reading of the connection, and returns for how many milliseconds.
func (c *conn) mute(now time.Time, wait time.Duration) int32 {
	if wait <= 0 {
		return 0
	}
	until := now.Add(wait).UnixNano()
	for {
		old := c.metering.until.Load()
		if old >= until || c.metering.until.CompareAndSwap(old, until) {
			break
		}
	}
	return int32((wait + time.Millisecond - 1) / time.Millisecond)
}

// obeyMute waits until the connection may be read.
func (c *conn) obeyMute() error {
	for {
		until := c.metering.until.Load()
		if until == 0 {
			return nil
		}
		wait := time.Duration(until - c.s.opts.Now().UnixNano())
		if wait <= 0 {
			c.metering.until.CompareAndSwap(until, 0)
			return nil
		}
		c.pause(wait)
		if err := c.ctx.Err(); err != nil {
			return err
		}
	}
}

// working measures what a handler takes, where that is limited; stop charges it and returns the milliseconds to wait. Handlers
// that wait for others are not measured while they do.
func (c *conn) working(client string) (stop func() int32) {
	if c.bucket(quota.Request, client) == nil {
		return func() int32 { return 0 }
	}
	begin := time.Now()
	return func() int32 { return c.charge(quota.Request, client, time.Since(begin).Seconds()*100) }
}

// waits says which requests are answered when others do something.
func waits(key int16) bool {
	switch kmsg.Key(key) {
	case kmsg.JoinGroup, kmsg.SyncGroup, kmsg.SASLAuthenticate:
		return true
	}
	return false
}

// throttled sets the time to wait in a response that has a place for it, unless it has a longer one.
func throttled(resp kmsg.Response, ms int32) {
	if ms == 0 {
		return
	}
	if r, ok := resp.(kmsg.ThrottleResponse); ok {
		if had, _ := r.Throttle(); had < ms {
			resp.(kmsg.SetThrottleResponse).SetThrottle(ms)
		}
	}
}

// fetchRoom bounds a fetch by what its client may have at once, so that no response makes a debt of more than that.
func (c *conn) fetchRoom(client string, room int) int {
	if b := c.bucket(quota.Fetch, client); b != nil {
		return min(room, int(b.Burst()))
	}
	return room
}

// mutate takes n changes of topics. A strict client, who has said by its version that it knows the error, is refused while it
// is in debt; any other is served and kept waiting (KIP-599).
func (c *call) mutate(n int, strict bool) (ms int32, ok bool) {
	b := c.conn.bucket(quota.Mutation, c.clientID)
	if b == nil || n <= 0 {
		return 0, true
	}
	now := c.opts.Now()
	if !strict {
		return c.conn.charge(quota.Mutation, c.clientID, float64(n)), true
	}
	wait, ok := b.TryTake(now, float64(n))
	return c.conn.mute(now, quota.Mutation.Bound(wait)), ok
}

// mayMutate is mutate with what the response says.
func (c *call) mayMutate(resp kmsg.Response, n int32, strict bool) error {
	ms, ok := c.mutate(int(n), strict)
	throttled(resp, ms)
	if !ok {
		return kerr.ThrottlingQuotaExceeded
	}
	return nil
}

// admitConnection keeps a connection waiting whose address opens too many (KIP-612).
func (c *conn) admitConnection() error {
	m := c.s.opts.Quotas
	if m == nil || c.id.internal {
		return nil
	}
	now := c.s.opts.Now()
	if b := m.Address(now, quota.Connections, c.id.host); b != nil {
		if wait := b.Take(now, 1); wait > 0 {
			c.pause(quota.Connections.Bound(wait))
		}
	}
	return c.ctx.Err()
}
