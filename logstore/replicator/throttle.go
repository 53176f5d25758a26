package replicator

import (
	"sync"
	"time"
)

// throttle spends a budget of bytes a second on throttled partitions. A response may overdraw it; then nothing is asked until
// it is paid back (KIP-73).
type throttle struct {
	rate func() int64

	mu     sync.Mutex
	budget int64
	at     time.Time
}

func newThrottle(rate func() int64) *throttle { return &throttle{rate: rate} }

// wait is how long throttled partitions must be left out; 0 if they may be fetched.
func (t *throttle) wait(now time.Time) time.Duration {
	rate := t.rate()
	if rate <= 0 {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refill(now, rate)
	if t.budget > 0 {
		return 0
	}
	return time.Duration(1-t.budget) * time.Second / time.Duration(rate)
}

func (t *throttle) spend(now time.Time, n int64) {
	rate := t.rate()
	if rate <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refill(now, rate)
	t.budget -= n
}

// refill adds what time has brought; at most one second's worth is saved up.
func (t *throttle) refill(now time.Time, rate int64) {
	if t.at.IsZero() {
		t.budget = rate
	} else if d := now.Sub(t.at); d > 0 {
		t.budget = min(rate, t.budget+int64(d.Seconds()*float64(rate)))
	}
	t.at = now
}
