package clustertest

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A node that is no voter is let in, and holds partitions like the others.
func TestNonvoterHoldsPartitions(t *testing.T) {
	c := New(t, 4)
	for _, id := range c.IDs() {
		c.Node(id).voters = []int32{1, 2, 3}
	}
	c.Node(4).join = []int32{1, 2, 3}
	c.StartNodes(1, 2, 3)
	c.StartNodes(4)
	create(t, c, "orders", 8, 3)
	if c.Any().Replicas(4) == 0 {
		t.Error("node 4 was given nothing")
	}
	cl := c.Client()
	produce(t, cl, "orders", 0, 300)
	c.Kill(4)
	produce(t, cl, "orders", 300, 500)
	c.StartNodes(4)
	c.InSync("orders", 3)
	consume(t, c, "orders", 500)
}

// A node that was alone becomes one of three with all that it has.
func TestLoneNodeBecomesACluster(t *testing.T) {
	c := New(t, 3)
	first := c.Node(1)
	fillAlone(t, first)

	first.voters = []int32{1}
	c.Node(2).join, c.Node(3).join = []int32{1}, []int32{1}
	c.StartNodes(1)
	c.StartNodes(2, 3)
	consume(t, c, "orders", 100)
	ctx := timeout(t, 40*time.Second)
	var moves []broker.Reassignment
	for p := range int32(3) {
		moves = append(moves, broker.Reassignment{Topic: "orders", Partition: p, Replicas: []int32{2, 3}})
	}
	errs, err := c.Any().Reassign(ctx, moves)
	if err != nil || slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
		t.Fatal(err, errs)
	}
	for p := range int32(3) {
		c.Eventually("it has moved", func() bool {
			s := c.State("orders", p)
			return !s.Reassigning() && slices.Equal(s.Replicas, []int32{2, 3})
		})
	}
	cl := c.Client()
	produce(t, cl, "orders", 100, 150)
	consume(t, c, "orders", 150)

	// The others have a vote by now: the first node may fail.
	c.Eventually("all three vote", func() bool {
		n := 0
		for _, m := range c.Node(1).Broker.Meta().Members() {
			if m.Voter {
				n++
			}
		}
		return n == 3
	})
	c.Kill(1)
	create(t, c, "after", 1, 2)
	produce(t, cl, "orders", 150, 200)
	consume(t, c, "orders", 200)
	c.StartNodes(1)
}

// fillAlone produces the values 0 to 99 into a topic of a node that is alone, in n's directory.
func fillAlone(t *testing.T, n *Node) {
	t.Helper()
	b, err := broker.Open(broker.Options{Dir: n.dir(), Logger: n.c.log})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := kafka.New(kafka.Options{Broker: b, Logger: n.c.log})
	defer s.Close()
	go func() { _ = s.Serve(l) }()
	if _, err := b.CreateTopic(timeout(t, 10*time.Second), "orders", 3, nil); err != nil {
		t.Fatal(err)
	}
	cl := n.c.Client(kgo.SeedBrokers(l.Addr().String()))
	defer cl.Close()
	produce(t, cl, "orders", 0, 100)
}
