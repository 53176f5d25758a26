package meta

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// fate is what a caller was told of a command.
type fate int

const (
	applied fate = iota // the command was applied, once
	unknown             // at most once
	refused             // never
)

// chaos is what callers and a troublemaker share.
type chaos struct {
	c    *cluster
	mu   sync.RWMutex // held for reading while a node is used, for writing while one is restarted
	fate sync.Map     // command -> fate
}

// TestChaos runs callers on every node while nodes are cut off, restarted and deposed and connections break, and then looks
// whether each command was applied as often as its caller was told, in the caller's order, and was seen by whoever looked
// after it was acknowledged. META_CHAOS_SEED repeats a run's choices, though not its schedule.
func TestChaos(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("META_CHAOS_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("repeat with META_CHAOS_SEED=%d go test ./logstore/meta -run TestChaos", seed)
	x := &chaos{c: newCluster(t, 3, smallSnapshots)}
	x.c.leader()
	ctx, stop := context.WithCancel(context.Background())
	var callers sync.WaitGroup
	for id := range int32(3) {
		for k := range 2 {
			r := rand.New(rand.NewPCG(seed, uint64(id)*10+uint64(k)))
			callers.Go(func() { x.call(ctx, t, r, id+1, k) })
		}
	}
	x.trouble(rand.New(rand.NewPCG(seed, 99)), 5*time.Second)
	stop()
	callers.Wait()
	x.check(t)
}

// call applies commands on one node, and looks for them on another.
func (x *chaos) call(ctx context.Context, t *testing.T, r *rand.Rand, id int32, k int) {
	for i := 0; ctx.Err() == nil; i++ {
		cmd := fmt.Sprintf("%d/%d/%d", id, k, i)
		x.mu.RLock()
		m, other := x.c.nodes[id], x.c.nodes[r.Int32N(3)+1]
		patience, cancel := context.WithTimeout(context.Background(), time.Duration(20+r.IntN(2000))*time.Millisecond)
		_, err := m.Apply(patience, "counter", []byte(cmd))
		switch {
		case err == nil:
			x.fate.Store(cmd, applied)
			if m.m.times(cmd) != 1 {
				t.Errorf("node %d does not see its own %s", id, cmd)
			}
			if other.Barrier(patience) == nil && other.m.times(cmd) != 1 {
				t.Errorf("node %d does not see %s of node %d after a barrier", other.id, cmd, id)
			}
		case errors.Is(err, ErrUnknownOutcome):
			x.fate.Store(cmd, unknown)
		default:
			x.fate.Store(cmd, refused)
		}
		cancel()
		x.mu.RUnlock()
		time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
	}
}

// trouble makes trouble, never for two nodes at a time for long, and ends with none.
func (x *chaos) trouble(r *rand.Rand, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		id := r.Int32N(3) + 1
		switch r.IntN(5) {
		case 0:
			x.c.net.isolate(id, true)
			time.Sleep(time.Duration(r.IntN(1200)) * time.Millisecond)
			x.c.net.isolate(id, false)
		case 1:
			x.mu.Lock()
			x.c.nodes[id].stop()
			x.c.restart(id)
			x.mu.Unlock()
		case 2:
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_ = x.c.nodes[id].TransferLeadership(ctx, -1)
			cancel()
		case 3:
			x.c.net.breakAll()
		case 4: // the leader, whoever it is
			for _, m := range x.c.nodes {
				if m.IsLeader() {
					x.c.net.isolate(m.id, true)
					time.Sleep(time.Duration(400+r.IntN(800)) * time.Millisecond)
					x.c.net.isolate(m.id, false)
				}
			}
		}
		time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
	}
}

func (x *chaos) check(t *testing.T) {
	order := x.c.agree()
	at := map[string]int{}
	last := map[string]int{}
	for i, cmd := range order {
		at[cmd] = i + 1
		var id, k, seq int
		if _, err := fmt.Sscanf(cmd, "%d/%d/%d", &id, &k, &seq); err != nil {
			t.Fatal(err)
		}
		caller := fmt.Sprint(id, "/", k)
		if had, ok := last[caller]; ok && seq <= had {
			t.Errorf("%s stands behind %s/%d", cmd, caller, had)
		}
		last[caller] = seq
	}
	count := map[fate]int{}
	x.fate.Range(func(k, v any) bool {
		count[v.(fate)]++
		switch _, is := at[k.(string)]; {
		case v == applied && !is:
			t.Errorf("%s was acknowledged and is lost", k)
		case v == refused && is:
			t.Errorf("%s was refused and is there", k)
		}
		return true
	})
	t.Logf("%d applied, %d of unknown outcome, %d refused", count[applied], count[unknown], count[refused])
	if count[applied] < 50 {
		t.Errorf("only %d commands were applied", count[applied])
	}
}
