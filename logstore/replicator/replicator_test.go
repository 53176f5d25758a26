package replicator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
)

// producer is an idempotent client: it sends the next value to whoever leads, again and again until it is acknowledged.
type producer struct {
	c     *cluster
	id    int64
	seq   int32
	acked []string
	sent  int
}

func (p *producer) batch(value string) []byte {
	b := record.NewBuilder(record.None)
	b.SetProducer(record.Producer{ID: p.id, Epoch: 0, Sequence: p.seq})
	b.Add(int64(p.sent), nil, []byte(value))
	out, err := b.Finish()
	if err != nil {
		p.c.t.Fatal(err)
	}
	return out
}

// send sends one value until it is acknowledged or ctx is over.
func (p *producer) send(ctx context.Context, value string) bool {
	data := p.batch(value)
	for ctx.Err() == nil {
		if n := p.c.leader(); n != nil {
			_, err := n.part.Append(logstore.AppendRequest{Data: data}).Wait(ctx)
			if err == nil {
				p.seq++
				p.acked = append(p.acked, value)
				return true
			}
			if errors.Is(err, logstore.ErrOutOfOrderSequence) || errors.Is(err, logstore.ErrDuplicateSequence) {
				p.c.t.Errorf("producer %d: %v", p.id, err)
				return false
			}
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

func (p *producer) fill(n int) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for range n {
		p.sent++
		if !p.send(ctx, fmt.Sprintf("%d-%d-%s", p.id, p.sent, strings.Repeat("x", p.sent*37%300))) {
			p.c.t.Fatalf("producer %d: value %d was not acknowledged; %+v, %s", p.id, p.sent, p.c.state(), p.c.positions())
		}
	}
}

// check checks that every acknowledged value is there once, in order.
func (p *producer) check(n *node) {
	p.c.t.Helper()
	var got []string
	for _, v := range n.values(p.c.t) {
		if strings.HasPrefix(v, fmt.Sprintf("%d-", p.id)) {
			got = append(got, v)
		}
	}
	if len(got) != len(p.acked) {
		p.c.t.Fatalf("node %d has %d values of producer %d, %d were acknowledged", n.id, len(got), p.id, len(p.acked))
	}
	for i := range got {
		if got[i] != p.acked[i] {
			p.c.t.Fatalf("node %d: value %d is %q, want %q", n.id, i, got[i], p.acked[i])
		}
	}
}

func TestFollowersHaveWhatTheLeaderHas(t *testing.T) {
	c := newCluster(t, 3, 2)
	p := &producer{c: c, id: 1}
	p.fill(300)
	c.inSync()
	c.sameBytes()
	for _, n := range c.nodes {
		p.check(n)
	}
}

func TestKilledFollowerComesBack(t *testing.T) {
	c := newCluster(t, 3, 2)
	p := &producer{c: c, id: 1}
	p.fill(50)
	c.kill(3, nil)
	p.fill(100)
	c.start(3)
	p.fill(50)
	c.inSync()
	c.sameBytes()
	p.check(c.nodes[3])
}

func TestKilledLeaderLosesNothing(t *testing.T) {
	c := newCluster(t, 3, 2)
	p := &producer{c: c, id: 1}
	p.fill(50)
	c.kill(1, nil)
	p.fill(50)
	if c.state().leader == 1 {
		t.Fatal("the dead node leads")
	}
	c.start(1)
	c.inSync()
	c.sameBytes()
	p.check(c.nodes[1])
}

// TestDivergentTailIsCut lets a leader write what nobody else has, and then be deposed.
func TestDivergentTailIsCut(t *testing.T) {
	c := newCluster(t, 3, 2)
	p := &producer{c: c, id: 1}
	p.fill(30)
	old := c.leader()
	c.mu.Lock() // the old leader hears of nothing
	old.alive = false
	old.srv.close()
	c.mu.Unlock()
	var lost []*logstore.Pending
	for i := range 200 {
		b := record.NewBuilder(record.None)
		b.Add(int64(i), nil, []byte(strings.Repeat("lost", 50)))
		data, _ := b.Finish()
		lost = append(lost, old.part.Append(logstore.AppendRequest{Data: data}))
	}
	c.fence(old.id)
	p.fill(30)
	time.Sleep(50 * time.Millisecond) // let the tail reach the old leader's segments
	for i, x := range lost {
		select {
		case <-x.Done():
			if _, err := x.Wait(context.Background()); err == nil {
				t.Fatalf("append %d that nobody else has was acknowledged", i)
			}
		default:
		}
	}
	if end := old.part.Offsets().End; end < 200 {
		t.Fatalf("the old leader has %d records", end)
	}
	c.mu.Lock()
	old.srv = newServer(old)
	old.alive = true
	c.tell()
	c.mu.Unlock()
	for i, x := range lost {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if _, err := x.Wait(ctx); !errors.Is(err, logstore.ErrNotLeader) {
			t.Fatalf("append %d: %v, want not leader", i, err)
		}
		cancel()
	}
	c.inSync()
	c.sameBytes()
	p.check(old)
	c.kill(old.id, nil) // the cut holds
	c.start(old.id)
	c.inSync()
	c.sameBytes()
	p.check(old)
}

func TestTooFewReplicas(t *testing.T) {
	c := newCluster(t, 3, 2)
	p := &producer{c: c, id: 1}
	p.fill(10)
	c.kill(2, nil)
	c.kill(3, nil)
	n := c.leader()
	data := p.batch("refused")
	if _, err := n.part.Append(logstore.AppendRequest{Data: data}).Wait(context.Background()); !errors.Is(err, logstore.ErrNotEnoughReplicas) {
		t.Errorf("acks=all with one of two: %v", err)
	}
	b := record.NewBuilder(record.None)
	b.Add(1, nil, []byte("one"))
	one, _ := b.Finish()
	res, err := n.part.Append(logstore.AppendRequest{Data: one, Acks: logstore.AcksLeader}).Wait(context.Background())
	if err != nil {
		t.Errorf("acks=1 with one of two: %v", err)
	}
	if hw := n.part.Offsets().HighWatermark; hw > res.BaseOffset {
		t.Errorf("high watermark %d passed a record that one replica has", hw)
	}
	c.start(2)
	c.eventually("it is committed", func() bool { return n.part.Offsets().HighWatermark > res.BaseOffset })
	p.fill(10)
	c.start(3)
	c.inSync()
	c.sameBytes()
}

// TestPowerLossEverywhere kills all nodes at once, and checks that nothing acknowledged is lost (I13).
func TestPowerLossEverywhere(t *testing.T) {
	c := newCluster(t, 3, 2)
	p := &producer{c: c, id: 1}
	for round := range 3 {
		p.fill(40)
		for id := int32(1); id <= 3; id++ {
			c.kill(id, rand.New(rand.NewPCG(uint64(round), uint64(id))))
		}
		for id := int32(3); id >= 1; id-- {
			c.start(id)
		}
		p.fill(5)
		c.inSync()
		c.sameBytes()
		p.check(c.nodes[1])
	}
}

func seedOf(t *testing.T) uint64 {
	if s := os.Getenv("SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return rand.Uint64()
}

// TestKillsAtRandom kills and restarts nodes while producers write, one at a time (min.insync.replicas - 1 at most).
func TestKillsAtRandom(t *testing.T) {
	seed := seedOf(t)
	defer func() {
		if t.Failed() {
			t.Logf("repeat with: SEED=%d go test ./logstore/replicator -run TestKillsAtRandom", seed)
		}
	}()
	r := rand.New(rand.NewPCG(seed, 1))
	c := newCluster(t, 3, 2)
	producers := []*producer{{c: c, id: 1}, {c: c, id: 2}}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, p := range producers {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					p.fill(1)
				}
			}
		})
	}
	for range 8 {
		time.Sleep(time.Duration(10+r.IntN(60)) * time.Millisecond)
		id := int32(1 + r.IntN(3))
		var keep *rand.Rand
		if r.IntN(2) == 0 {
			keep = r
		}
		c.kill(id, keep)
		time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond)
		c.start(id)
		c.eventually("all in sync again", func() bool { return len(c.state().isr) == 3 })
	}
	close(stop)
	wg.Wait()
	c.inSync()
	c.sameBytes()
	for _, n := range c.nodes {
		for _, p := range producers {
			p.check(n)
		}
	}
}

// txnBatch is one record of a transaction.
func txnBatch(t *testing.T, pid int64, seq int32, value string) []byte {
	b := record.NewBuilder(record.None)
	b.SetProducer(record.Producer{ID: pid, Epoch: 0, Sequence: seq})
	b.SetTransactional(true)
	b.Add(int64(seq), nil, []byte(value))
	out, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTransactionsAreReplicated: a new leader knows what is open, what was committed and what was aborted, and dedups.
func TestTransactionsAreReplicated(t *testing.T) {
	c := newCluster(t, 3, 2)
	send := func(pid int64, seq int32, value string) logstore.AppendResult {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		res, err := c.leader().part.Append(logstore.AppendRequest{Data: txnBatch(t, pid, seq, value)}).Wait(ctx)
		if err != nil {
			t.Fatalf("append: %v", err)
		}
		return res
	}
	end := func(pid int64, commit bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := c.leader().part.WriteMarker(pid, 0, commit).Wait(ctx); err != nil {
			t.Fatalf("marker: %v", err)
		}
	}
	send(1, 0, "committed")
	send(2, 0, "aborted")
	end(1, true)
	end(2, false)
	open := send(3, 0, "open")
	c.inSync()
	for _, n := range c.nodes {
		o := n.part.Offsets()
		if o.LastStable != open.BaseOffset {
			t.Errorf("node %d: last stable offset %d, want %d", n.id, o.LastStable, open.BaseOffset)
		}
		res, err := n.part.Read(0, 1<<20, true)
		if err != nil || len(res.Aborted) != 1 || res.Aborted[0].ProducerID != 2 {
			t.Errorf("node %d: aborted %+v, %v", n.id, res.Aborted, err)
		}
	}
	c.kill(1, nil)
	if res := send(3, 0, "open"); !res.Duplicate || res.BaseOffset != open.BaseOffset {
		t.Errorf("the new leader takes a repeat for news: %+v", res)
	}
	if txns := c.leader().part.OpenTxns(); len(txns) != 1 || txns[0].ProducerID != 3 {
		t.Errorf("open transactions %+v", txns)
	}
	end(3, true)
	c.start(1)
	c.inSync()
	c.sameBytes()
	for _, n := range c.nodes {
		if o := n.part.Offsets(); o.LastStable != o.End {
			t.Errorf("node %d: %+v", n.id, o)
		}
	}
}

// TestDamagedReplicaIsFetchedAgain flips a bit on one node's disk, below what was synced.
func TestDamagedReplicaIsFetchedAgain(t *testing.T) {
	c := newCluster(t, 3, 2)
	p := &producer{c: c, id: 1}
	p.fill(400)
	c.inSync()
	n := c.nodes[2]
	n.stop()
	c.mu.Lock()
	n.alive = false
	c.mu.Unlock()
	c.fence(2)
	const file = "data/topics/t/0/00000000000000000000.log"
	f, err := n.fs.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	f.ReadAt(b, 3000)
	b[0] ^= 8
	f.WriteAt(b, 3000)
	for _, ext := range []string{".index", ".timeindex"} {
		n.fs.Remove(strings.TrimSuffix(file, ".log") + ext)
	}
	c.start(2)
	if c.resets != 1 {
		t.Error("nobody noticed the damage")
	}
	p.fill(20)
	c.inSync()
	c.sameBytes()
	p.check(n)
}

// TestFollowerBehindTheLogStart: what it lacks is gone everywhere; it begins where the leader's log begins.
func TestFollowerBehindTheLogStart(t *testing.T) {
	c := newCluster(t, 3, 2)
	p := &producer{c: c, id: 1}
	p.fill(50)
	c.kill(3, nil)
	p.fill(300)
	leader := c.leader()
	start, err := leader.part.DeleteRecords(-1)
	if err != nil {
		t.Fatal(err)
	}
	p.fill(10)
	c.start(3)
	c.inSync()
	if o := c.nodes[3].part.Offsets(); o.LogStart != start {
		t.Errorf("node 3 begins at %d, the leader at %d", o.LogStart, start)
	}
	c.eventually("the other follower's log start follows", func() bool { return c.nodes[2].part.Offsets().LogStart == start })
	c.sameBytes()
}

func TestUncleanLeader(t *testing.T) {
	c := newCluster(t, 2, 1)
	p := &producer{c: c, id: 1}
	p.fill(20)
	c.kill(2, nil)
	p.fill(20) // on node 1 only
	c.kill(1, nil)
	if c.leader() != nil {
		t.Fatal("somebody leads")
	}
	c.start(2)
	if c.leader() != nil {
		t.Fatal("a replica that is not in sync leads, though nobody allowed it")
	}
	c.unclean = true
	c.mu.Lock()
	c.change(func(*partitionRecord) {})
	c.mu.Unlock()
	if n := c.leader(); n == nil || n.id != 2 {
		t.Fatal("nobody leads, though it was allowed")
	}
	c.start(1) // cuts what it had committed
	c.inSync()
	c.sameBytes()
}

func TestThrottle(t *testing.T) {
	rate := int64(1000)
	th := newThrottle(func() int64 { return rate })
	now := time.Now()
	if d := th.wait(now); d != 0 {
		t.Errorf("wait %v at first", d)
	}
	th.spend(now, 3000)
	if d := th.wait(now); d < 1900*time.Millisecond || d > 2100*time.Millisecond {
		t.Errorf("wait %v after 3 seconds' worth, one saved up", d)
	}
	if d := th.wait(now.Add(2100 * time.Millisecond)); d != 0 {
		t.Errorf("wait %v when it is paid back", d)
	}
	rate = 0
	if d := th.wait(now); d != 0 {
		t.Errorf("wait %v without a limit", d)
	}
}

// TestThrottledPartitionTakesItsTime: a replica that a reassignment brings must not take the network from the others.
func TestThrottledPartitionTakesItsTime(t *testing.T) {
	c := newCluster(t, 3, 2)
	p := &producer{c: c, id: 1}
	p.fill(20)
	c.kill(3, nil)
	p.fill(400) // some 100 KB
	c.rate.Store(40 << 10)
	start := time.Now()
	c.start(3)
	c.inSync()
	if took := time.Since(start); took < 500*time.Millisecond {
		t.Errorf("it was all there after %v", took)
	}
	c.sameBytes()
}
