package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/proctest"
)

// TestClusterCommands moves partitions of a cluster of three from the command line: lists, moves, elects, empties a broker and
// takes it back.
func TestClusterCommands(t *testing.T) {
	nodes := startCluster(t)
	run := func(args ...string) string {
		t.Helper()
		return nodes[0].Command("streamflow", args...).Must(t).Stdout
	}
	run("topic", "create", "t", "--partitions", "3", "--replication-factor", "2")
	run("bench", "produce", "t", "--records", "300", "--size", "100")
	if out := run("broker", "list", "--output", "json"); strings.Count(out, `"state":"running"`) != 3 || strings.Count(out, `"controller":true`) != 1 {
		t.Errorf("broker list shows\n%s", out)
	}

	run("partition", "reassign", "t:0", "--replicas", "1,2", "--execute", "--wait")
	if out := run("partition", "list", "--topic", "t:0", "--output", "json"); !strings.Contains(out, `"replicas":[1,2]`) {
		t.Errorf("t:0 is on %s", out)
	}
	run("partition", "elect-leader", "--topic", "t:0")
	await(t, "the preferred leader leads", func() bool {
		return strings.Contains(run("partition", "list", "--topic", "t:0", "--output", "json"), `"leader":1,`)
	})

	if out := run("broker", "drain", "2", "--output", "json"); !strings.Contains(out, `"from":[1,2],"to":[1,3]`) {
		t.Errorf("drain would do %s", out)
	}
	run("broker", "drain", "2", "--execute", "--wait")
	if out := run("partition", "list", "--topic", "t", "--output", "json"); strings.Contains(out, "2,") && strings.Contains(out, `"replicas":[2`) || strings.Contains(out, ",2]") {
		t.Errorf("broker 2 is drained, and has\n%s", out)
	}
	if out := run("bench", "consume", "t", "--output", "json"); !strings.Contains(out, `"records":300,`) {
		t.Errorf("after the moves a reader finds %s", out)
	}
	if r := nodes[0].Command("streamflow", "broker", "remove", "2").Run(t); r.Code != 1 || !strings.Contains(r.Stderr, "broker 2 is running") {
		t.Errorf("remove of a running broker: code %d, %s", r.Code, r.Stderr)
	}
	run("broker", "drain", "2", "--undo")
	run("partition", "balance", "--execute", "--wait")
	if out := run("partition", "balance", "--output", "json"); strings.Contains(out, `"broker":2,"replicas":0`) {
		t.Errorf("after balancing, broker 2 has nothing:\n%s", out)
	}
	if r := nodes[0].Command("streamflow", "broker", "drain", "9", "--execute").Run(t); r.Code != 1 || !strings.Contains(r.Stderr, "UNKNOWN_BROKER") {
		t.Errorf("drain of no broker: code %d, %s", r.Code, r.Stderr)
	}
}

// startCluster starts three nodes that are voters.
func startCluster(t *testing.T) []*proctest.Node {
	t.Helper()
	var nodes []*proctest.Node
	var voters []string
	for i := range 3 {
		nodes = append(nodes, proctest.NewNode(t))
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, proctest.FreePort(t)))
	}
	for i, n := range nodes {
		_, peer, _ := strings.Cut(voters[i], "@")
		n.Args = []string{"--node-id", fmt.Sprint(i + 1), "--peer", peer, "--voters", strings.Join(voters, ",")}
		n.Launch()
	}
	for _, n := range nodes {
		if err := n.AwaitReady(30 * time.Second); err != nil {
			t.Fatal(err)
		}
	}
	return nodes
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}
