package quota

import (
	"fmt"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func apply(t testing.TB, m *Machine, changes ...Change) {
	t.Helper()
	if _, err := m.Apply(Encode(changes)); err != nil {
		t.Fatal(err)
	}
}

func set(e Entity, k Kind, v float64) Change { return Change{e, map[string]float64{Keys[k]: v}} }

// TestPrecedence takes limits away from the most specific to the least: each time the next one holds (KIP-55).
func TestPrecedence(t *testing.T) {
	u, c := Named("alice"), Named("app")
	order := []struct {
		e      Entity
		shared account
	}{
		{Entity{User: u, Client: c}, account{user: "alice", client: "app"}},
		{Entity{User: u, Client: Rest}, account{user: "alice", client: "app"}},
		{Entity{User: u}, account{user: "alice"}},
		{Entity{User: Rest, Client: c}, account{user: "alice", client: "app"}},
		{Entity{User: Rest, Client: Rest}, account{user: "alice", client: "app"}},
		{Entity{User: Rest}, account{user: "alice"}},
		{Entity{Client: c}, account{client: "app"}},
		{Entity{Client: Rest}, account{client: "app"}},
	}
	m := NewMachine()
	for i, o := range order {
		apply(t, m, set(o.e, Produce, float64(i+1)))
	}
	apply(t, m, set(Entity{User: u, Client: c}, Fetch, 100)) // another kind of the same entity
	for i, o := range order {
		if rate, shared := m.Limits().find(Produce, "alice", "app"); rate != float64(i+1) || shared != o.shared {
			t.Errorf("%s: %v with %v", o.e, rate, shared)
		}
		apply(t, m, set(o.e, Produce, 0))
	}
	if rate, _ := m.Limits().find(Produce, "alice", "app"); rate != 0 || m.Limits().Any(Produce) || !m.Limits().Any(Fetch) {
		t.Errorf("a limit of %v is left", rate)
	}
	if rate, _ := m.Limits().find(Fetch, "bob", "app"); rate != 0 {
		t.Errorf("bob is under alice's limit: %v", rate)
	}
}

// TestBucket pays debts by time alone.
func TestBucket(t *testing.T) {
	m := NewMachine()
	meter := NewMeter(m)
	if meter.Client(start, Produce, "alice", "app") != nil {
		t.Error("a bucket without a limit")
	}
	apply(t, m, set(Entity{User: Named("alice")}, Produce, 1000))
	b := meter.Client(start, Produce, "alice", "app")
	if meter.Client(start, Produce, "alice", "other") != b || meter.Client(start, Produce, "bob", "app") != nil || meter.Client(start, Fetch, "alice", "app") != nil {
		t.Error("who shares a bucket")
	}
	now := start
	for i, c := range []struct {
		after time.Duration
		take  float64
		wait  time.Duration
	}{
		{0, 600, 0}, {0, 400, 0}, // full at first: a second's worth
		{0, 500, 500 * time.Millisecond},                     // overdrawn
		{250 * time.Millisecond, 0, 250 * time.Millisecond},  // half paid
		{250 * time.Millisecond, 1000, time.Second},          // paid, overdrawn again
		{time.Hour, 2000, time.Second}, {time.Hour, 1000, 0}, // never more than a second's worth
		{-time.Hour, 100, 100 * time.Millisecond}, // a clock that goes back gives nothing
	} {
		now = now.Add(c.after)
		if got := b.Take(now, c.take); got.Round(time.Millisecond) != c.wait {
			t.Errorf("step %d: wait %v, want %v", i, got, c.wait)
		}
	}
	apply(t, m, set(Entity{User: Named("alice")}, Produce, 100))
	if meter.Client(now, Produce, "alice", "app") != b || b.Burst() != 100 || b.Take(now, 0) != time.Second {
		t.Errorf("a changed limit: burst %v wait %v", b.Burst(), b.Take(now, 0))
	}
}

func TestTryTake(t *testing.T) {
	m := NewMachine()
	apply(t, m, set(Entity{User: Rest}, Mutation, 0.5))
	b := NewMeter(m).Client(start, Mutation, "alice", "")
	if _, ok := b.TryTake(start, 6); !ok {
		t.Error("a full bucket refuses")
	}
	if wait, ok := b.TryTake(start, 1); ok || wait != 2*time.Second {
		t.Errorf("an overdrawn bucket gives: %v %v", wait, ok)
	}
	if _, ok := b.TryTake(start.Add(2*time.Second), 1); !ok {
		t.Error("a paid debt still refuses")
	}
}

func TestAddresses(t *testing.T) {
	m := NewMachine()
	apply(t, m, set(Entity{IP: Rest}, Connections, 2), set(Entity{IP: Named("10.0.0.1")}, Connections, 100))
	meter := NewMeter(m)
	if a, b := meter.Address(start, Connections, "10.0.0.1"), meter.Address(start, Connections, "10.0.0.2"); a.Burst() != 100 || b.Burst() != 2 {
		t.Errorf("bursts %v %v", a.Burst(), b.Burst())
	}
}

func TestMachine(t *testing.T) {
	m := NewMachine()
	apply(t, m, set(Entity{User: Named("a"), Client: Rest}, Produce, 10), set(Entity{User: Named("a"), Client: Rest}, Request, 12.5), set(Entity{IP: Rest}, Connections, 3))
	n := NewMachine()
	if err := n.Restore(m.Snapshot()); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(n.Limits().Entries()), fmt.Sprint(m.Limits().Entries()); got != want || len(n.Limits().Entries()) != 2 {
		t.Errorf("restored %s, want %s", got, want)
	}
	for name, c := range map[string]Change{
		"nobody": set(Entity{}, Produce, 1), "ip and user": set(Entity{IP: Rest, User: Rest}, Connections, 1), "empty name": set(Entity{User: Named("")}, Produce, 1),
		"negative": set(Entity{User: Rest}, Produce, -1), "half a byte": set(Entity{User: Rest}, Produce, 0.5), "bytes of an ip": set(Entity{IP: Rest}, Produce, 1),
		"connections of a user": set(Entity{User: Rest}, Connections, 1), "unknown": {Entity{User: Rest}, map[string]float64{"x": 1}},
	} {
		if _, err := m.Apply(Encode([]Change{c})); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestMeterForgets keeps buckets in debt and lets go of others.
func TestMeterForgets(t *testing.T) {
	m := NewMachine()
	apply(t, m, set(Entity{User: Rest}, Produce, 10))
	meter := NewMeter(m)
	meter.Client(start, Produce, "debtor", "").Take(start, 1e6)
	for i := range maxBuckets {
		meter.Client(start, Produce, fmt.Sprint(i), "")
	}
	if n := len(meter.buckets); n > maxBuckets || meter.Client(start, Produce, "debtor", "").Take(start, 0) == 0 {
		t.Errorf("%d buckets; the debtor's debt is forgotten", n)
	}
}

// BenchmarkNoLimit is what every request pays where nothing is limited; BenchmarkTake, where it is.
func BenchmarkNoLimit(b *testing.B) {
	m := NewMeter(NewMachine())
	for b.Loop() {
		if m.Client(start, Produce, "alice", "app") != nil {
			b.Fatal("a limit")
		}
	}
}

func BenchmarkTake(b *testing.B) {
	m := NewMachine()
	apply(b, m, set(Entity{User: Rest}, Produce, 1e9))
	bucket := NewMeter(m).Client(start, Produce, "alice", "app")
	b.ReportAllocs()
	now := start
	for b.Loop() {
		now = now.Add(time.Microsecond)
		bucket.Take(now, 100)
	}
}

// TestStateOfDocs reads a state as docs/format/meta.md has it, and writes the same: later releases must.
func TestStateOfDocs(t *testing.T) {
	const state = `[{"entity":{"user":{"match":1},"client":{"match":2,"name":"app"}},"limits":{"producer_byte_rate":1000}},{"entity":{"ip":{"match":2,"name":"10.0.0.1"}},"limits":{"connection_creation_rate":5}}]`
	m := NewMachine()
	if err := m.Restore([]byte(state)); err != nil {
		t.Fatal(err)
	}
	l := m.Limits()
	if l.of[Entity{User: Rest, Client: Named("app")}][Produce] != 1000 || l.of[Entity{IP: Named("10.0.0.1")}][Connections] != 5 {
		t.Errorf("read %v", l.Entries())
	}
	again := NewMachine()
	if err := again.Restore(m.Snapshot()); err != nil || fmt.Sprint(again.Limits().Entries()) != fmt.Sprint(l.Entries()) {
		t.Errorf("written as %s, %v", m.Snapshot(), err)
	}
}
