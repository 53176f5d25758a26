package quota

import (
	"sync"
	"time"
)

// Bucket holds tokens that time refills. It may be overdrawn.
type Bucket struct {
	mu     sync.Mutex
	rate   float64 // tokens a second
	burst  float64 // what it holds when it is full
	tokens float64
	at     time.Time // when tokens was right
}

// burstSeconds is how much of each kind may be taken at once, in seconds of its rate.
var burstSeconds = [kinds]float64{Produce: 1, Fetch: 1, Request: 1, Mutation: 10, Connections: 1}

// maxWait bounds how long a client is told to wait. Handlers' time is bounded by its window, as in Kafka.
var maxWait = [kinds]time.Duration{Produce: 5 * time.Minute, Fetch: 5 * time.Minute, Request: time.Second, Mutation: 5 * time.Minute, Connections: 30 * time.Second}

// set changes the rate. A bucket that is new is full.
func (b *Bucket) set(k Kind, rate float64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	full := rate * burstSeconds[k]
	if k != Request {
		full = max(1, full) // of what is counted, one must be possible
	}
	if b.burst == 0 {
		b.tokens = full
	}
	b.rate, b.burst, b.tokens = rate, full, min(b.tokens, full)
}

func (b *Bucket) refill(now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.tokens = min(b.burst, b.tokens+b.rate*d.Seconds())
		b.at = now
	}
}

// Take takes n tokens and says how long until the debt, if there is one, is paid.
func (b *Bucket) Take(now time.Time, n float64) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	b.tokens -= n
	return b.wait()
}

// TryTake takes n tokens unless there is a debt already; then it says how long that takes, and takes none.
func (b *Bucket) TryTake(now time.Time, n float64) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	if b.tokens < 0 {
		return b.wait(), false
	}
	b.tokens -= n
	return b.wait(), true
}

func (b *Bucket) wait() time.Duration {
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / b.rate * float64(time.Second))
}

// Burst is what may be taken at once without a debt from a full bucket.
func (b *Bucket) Burst() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.burst
}

// full says whether the bucket need not be remembered.
func (b *Bucket) full(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	return b.tokens >= b.burst
}

// Bound is a wait as clients of a kind are told it.
func (k Kind) Bound(d time.Duration) time.Duration { return min(d, maxWait[k]) }
