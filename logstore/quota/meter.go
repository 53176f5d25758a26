package quota

import (
	"sync"
	"time"
)

// Meter is the buckets of a node.
type Meter struct {
	machine *Machine
	mu      sync.Mutex
	buckets map[metered]*Bucket
}

type metered struct {
	kind Kind
	account
}

// NewMeter returns a meter under the machine's limits.
func NewMeter(m *Machine) *Meter { return &Meter{machine: m, buckets: map[metered]*Bucket{}} }

// Limits are those that hold now.
func (m *Meter) Limits() *Limits { return m.machine.Limits() }

// Client is the bucket that a client takes from; nil without a limit.
func (m *Meter) Client(now time.Time, k Kind, user, client string) *Bucket {
	l := m.machine.Limits()
	if !l.any[k] {
		return nil
	}
	rate, who := l.find(k, user, client)
	return m.bucket(now, metered{k, who}, rate)
}

// Address is the bucket that connections from an address take from; nil without a limit.
func (m *Meter) Address(now time.Time, k Kind, ip string) *Bucket {
	l := m.machine.Limits()
	if !l.any[k] {
		return nil
	}
	rate, who := l.findIP(k, ip)
	return m.bucket(now, metered{k, who}, rate)
}

// maxBuckets is how many buckets are kept before those that are full are forgotten.
const maxBuckets = 10_000

func (m *Meter) bucket(now time.Time, key metered, rate float64) *Bucket {
	if rate == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.buckets[key]
	if b == nil {
		if len(m.buckets) >= maxBuckets {
			m.forget(now)
		}
		b = &Bucket{at: now}
		m.buckets[key] = b
	}
	b.set(key.kind, rate, now)
	return b
}

func (m *Meter) forget(now time.Time) {
	for k, b := range m.buckets {
		if b.full(now) {
			delete(m.buckets, k)
		}
	}
}
