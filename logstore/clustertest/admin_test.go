package clustertest

import (
	"slices"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestMetadataNamesEveryNode(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 3, 3)
	ctx := timeout(t, 20*time.Second)
	for _, id := range c.IDs() {
		adm := kadm.NewClient(c.Client(kgo.SeedBrokers(c.Node(id).kafka)))
		m, err := adm.Metadata(ctx, "orders")
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Brokers) != 3 || m.Controller < 1 {
			t.Errorf("node %d names %v, controller %d", id, m.Brokers, m.Controller)
		}
		for i, b := range m.Brokers {
			if b.Rack == nil || *b.Rack != c.nodes[b.NodeID].rack || c.nodes[b.NodeID].kafka != c.Addrs()[b.NodeID-1] {
				t.Errorf("broker %d: %+v", i, b)
			}
		}
		leaders := map[int32]bool{}
		for _, p := range m.Topics["orders"].Partitions {
			leaders[p.Leader] = true
			if len(p.Replicas) != 3 || len(p.ISR) != 3 || len(p.OfflineReplicas) != 0 {
				t.Errorf("%+v", p)
			}
		}
		if len(leaders) != 3 {
			t.Errorf("three partitions are led by %v", leaders)
		}
	}
	c.Kill(3)
	c.Eventually("the dead node is known to be offline", func() bool { return len(c.State("orders", 0).Offline) == 1 })
}

func TestReassignmentMovesAPartition(t *testing.T) {
	c := Start(t, 4)
	adm := c.Admin()
	ctx := timeout(t, 60*time.Second)
	create(t, c, "orders", 1, 2)
	cl := c.Client()
	produce(t, cl, "orders", 0, 300)
	from := c.State("orders", 0).Replicas
	var to []int32
	for _, id := range c.IDs() {
		if !slices.Contains(from, id) {
			to = append(to, id)
		}
	}
	var req kadm.AlterPartitionAssignmentsReq
	req.Assign("orders", 0, to)
	if r, err := adm.AlterPartitionAssignments(ctx, req); err != nil || r.Error() != nil {
		t.Fatal(err, r.Error())
	}
	c.Eventually("the partition has moved", func() bool {
		s := c.State("orders", 0)
		return !s.Reassigning() && slices.Equal(s.Replicas, to) && len(s.ISR) == 2
	})
	for _, id := range from {
		b := c.Node(id).Broker
		c.Eventually("the old replica is gone", func() bool {
			on, err := b.Log().Partitions()
			return err == nil && len(on) == 0
		})
	}
	produce(t, cl, "orders", 300, 400)
	consume(t, c, "orders", 400)
	if s := c.State("orders", 0); s.Leader != to[0] {
		t.Errorf("leader %d, preferred is %d", s.Leader, to[0])
	}
}

func TestDrainEmptiesANode(t *testing.T) {
	c := Start(t, 4)
	ctx := timeout(t, 60*time.Second)
	create(t, c, "orders", 6, 3)
	coordinator(t, c, broker.GroupCoordinator, "g") // the internal topic is there too
	cl := c.Client()
	produce(t, cl, "orders", 0, 300)
	if err := c.Any().Drain(ctx, 2, false); err != nil {
		t.Fatal(err)
	}
	c.Eventually("the node is empty", func() bool { return c.Any().Replicas(2) == 0 })
	c.InSync("orders", 3)
	c.Stop(2)
	c.Eventually("it can be forgotten", func() bool { return c.Any().Unregister(ctx, 2) == nil })
	produce(t, cl, "orders", 300, 400)
	consume(t, c, "orders", 400)
	for _, b := range c.Any().Brokers() {
		if b.ID == 2 {
			t.Error("the node is still known")
		}
	}
	c.Eventually("it has no vote any more", func() bool { return len(c.Any().Meta().Members()) == 3 })
}

// A node that was away while a topic was deleted and made again shows nothing of the first one.
func TestNodeSleepsThroughDeleteAndCreate(t *testing.T) {
	c := Start(t, 3)
	adm, cl := c.Admin(), c.Client()
	ctx := timeout(t, 60*time.Second)
	create(t, c, "orders", 1, 3)
	create(t, c, "gone", 1, 3)
	produce(t, cl, "orders", 1000, 1100)
	c.Kill(3)
	if _, err := adm.DeleteTopics(ctx, "orders", "gone"); err != nil {
		t.Fatal(err)
	}
	c.Eventually("the name is free", func() bool {
		_, err := adm.CreateTopic(ctx, 1, 3, nil, "orders")
		return err == nil
	})
	produce(t, c.Client(), "orders", 0, 20)
	c.StartNodes(3)
	c.InSync("orders", 3)
	c.Kill(1, 2)
	c.StartNodes(1, 2)
	c.InSync("orders", 3)
	consume(t, c, "orders", 20)
	c.Eventually("files of the other topic are gone", func() bool {
		on, err := c.Node(3).Broker.Log().Partitions()
		return err == nil && len(on) == 1
	})
}

// Leadership goes back to where it was placed when a node returns.
func TestPreferredLeadersLeadAgain(t *testing.T) {
	c := Start(t, 3)
	create(t, c, "orders", 3, 3)
	ctx := timeout(t, 30*time.Second)
	c.Stop(1)
	c.StartNodes(1)
	c.InSync("orders", 3)
	if r, err := c.Admin().ElectLeaders(ctx, kadm.ElectPreferredReplica, nil); err != nil {
		t.Fatal(err, r)
	}
	for p := range int32(3) {
		c.Eventually("the preferred leader leads", func() bool { s := c.State("orders", p); return s.Leader == s.Replicas[0] })
	}
}
