package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/proctest"
)

var (
	crashRounds = flag.Int("crash-rounds", 8, "how often TestCrash kills the node")
	crashSeed   = flag.Uint64("crash-seed", 0, "seed of TestCrash; 0 takes a new one")
)

const (
	crashInput = "crash.in"
	crashDelay = 10 * time.Second // how far event time may lie behind
	crashParts = 4
)

// crashQueries are the streaming queries that run while the node is killed. They differ in what they have to restore: the
// first nothing, the others windows, small and overlapping, in one partition or in two, into JSON and into Arrow topics.
var crashQueries = []crashQuery{
	{name: "copy", sql: "SELECT id, k, v FROM `crash.in` WHERE v % 3 = 0"},
	{name: "tumble", size: 5 * time.Second, slide: 5 * time.Second,
		sql: "SELECT window(ts, '5 seconds').start AS w, k, count(*) AS n, sum(v) AS total FROM `crash.in` GROUP BY window(ts, '5 seconds'), k"},
	{name: "slide", size: 20 * time.Second, slide: 5 * time.Second, arrow: true,
		sql: "SELECT window(ts, '20 seconds', '5 seconds').start AS w, k, count(*) AS n, sum(v) AS total FROM `crash.in` WHERE v % 5 <> 0 GROUP BY window(ts, '20 seconds', '5 seconds'), k"},
}

// crashQuery is a streaming query of the test; it writes into the topic <name>.out.
type crashQuery struct {
	name        string
	sql         string
	size, slide time.Duration // of its windows; 0 for a query without
	arrow       bool
}

// TestCrash kills the node with SIGKILL at random moments while streaming queries run, and starts it again on the same
// directory. What a foreign read-committed client finds in the end must be exactly what a computation without crashes, done
// here, makes of the input's log: no row lost, none twice, and the same for what the queries set aside.
//
//	go test ./cmd/streamflow -run 'TestCrash$' -crash-rounds=40 -crash-seed=7 -v
func TestCrash(t *testing.T) {
	seed := *crashSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with: go test ./cmd/streamflow -run 'TestCrash$' -crash-rounds=%d -crash-seed=%d -v", *crashRounds, seed)
	c := &crash{t: t, rng: rand.New(rand.NewPCG(seed, 1)), node: proctest.NewNode(t)}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(*crashRounds)*10*time.Second+2*time.Minute)
	defer cancel()

	c.node.Env = c.environment()
	c.node.Start()
	c.createTopics(ctx)
	for _, q := range crashQueries {
		c.node.SQL(fmt.Sprintf("CREATE STREAMING QUERY %s AS INSERT INTO `%s.out` %s", q.name, q.name, q.sql))
	}
	seen := watchOutputs(t, c.node.Kafka)
	feed := startFeed(t, c.node.Kafka, seed)
	for round := range *crashRounds {
		c.round(round)
	}
	feed.finish(ctx)
	c.node.Command("streamflow", "topic", "seal", crashInput).Must(t)
	for round := range max(2, *crashRounds/8) {
		c.round(round)
	}
	c.awaitFinished(ctx)
	c.killAndStart() // at once after the end: what was promised must be there all the same
	c.check(ctx, feed, seen)
	if code := c.node.Stop(); code != 0 {
		t.Errorf("the node ended with code %d after SIGTERM", code)
	}
}

// crash is one run of the test.
type crash struct {
	t    *testing.T
	rng  *rand.Rand
	node *proctest.Node
}

// environment varies what decides about the way back: how often state is snapshotted, and where segments end.
func (c *crash) environment() []string {
	interval := []string{"1ms", "100ms", "1s", "1h"}[c.rng.IntN(4)]
	return []string{"STREAMFLOW_STORAGE_STATE_CHECKPOINT_INTERVAL=" + interval, "STREAMFLOW_STORAGE_SEGMENT_SIZE=256KiB", "STREAMFLOW_PROCESSING_PARALLELISM_DEFAULT=2"}
}

// round lets the node run for a while, kills it, and starts it again. Every third time it is killed while it starts, too.
func (c *crash) round(n int) {
	c.t.Helper()
	time.Sleep(time.Duration(c.rng.IntN(900)) * time.Millisecond)
	c.node.Kill()
	c.node.Env = c.environment()
	if n%3 == 2 {
		c.node.Launch()
		time.Sleep(time.Duration(c.rng.IntN(250)) * time.Millisecond)
		c.node.Kill()
	}
	c.node.Start()
}

func (c *crash) killAndStart() {
	c.node.Kill()
	c.node.Start()
}

// awaitFinished waits until the end of the input has ended every query.
func (c *crash) awaitFinished(ctx context.Context) {
	c.t.Helper()
	for {
		left := map[string]string{}
		for line := range strings.Lines(c.node.SQL("SHOW QUERIES")) {
			var q struct{ Name, Status string }
			if err := json.Unmarshal([]byte(line), &q); err != nil {
				c.t.Fatalf("SHOW QUERIES printed %q: %v", line, err)
			}
			left[q.Name] = q.Status
			if q.Status == "failed" {
				c.t.Fatalf("query %s failed", q.Name)
			}
		}
		done := len(left) == len(crashQueries)
		for _, status := range left {
			done = done && status == "finished"
		}
		if done {
			return
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			c.t.Fatalf("the queries have not finished: %v", left)
		}
	}
}
