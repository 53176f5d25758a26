package clustertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/broker"
)

// Decisions of clients that have gone, or whose connection broke, take effect after nobody waits for them any more. The
// coordinator ends such transactions all the same.
func TestDecisionsOfClientsThatAreGone(t *testing.T) {
	c := Start(t, 3)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := c.Any().CreateTopic(ctx, "t", 1, nil); err != nil {
		t.Fatal(err)
	}
	c.InSync("t", 3)
	c.Eventually("coordinators", func() bool {
		node, err := c.Any().CoordinatorOf(broker.TxnCoordinator, "x-0")
		return err == nil && node > 0
	})
	for i := range 20 {
		id := fmt.Sprintf("x-%d", i)
		var b *broker.Broker
		c.Eventually("coordinator of "+id, func() bool {
			node, err := c.Any().CoordinatorOf(broker.TxnCoordinator, id)
			if err != nil || node < 1 {
				return false
			}
			b = c.Node(node).Broker
			_, err = b.Coordinates(broker.TxnCoordinator, id)
			return err == nil
		})
		txn, err := b.InitTxn(ctx, id, 60_000, -1, -1)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.AddToTxn(ctx, id, txn.ProducerID, txn.Epoch, []broker.TxnPlace{{Topic: "t", Partition: 0}}); err != nil {
			t.Fatal(err)
		}
		gone, leave := context.WithTimeout(ctx, time.Duration(i)*100*time.Microsecond)
		_ = b.EndTxn(gone, id, txn.ProducerID, txn.Epoch, i%2 == 0) // nobody hears the answer
		leave()
	}
	c.Eventually("transactions ended that were decided", func() bool {
		for _, x := range c.Any().Txns() {
			if x.State != broker.TxnEmpty && x.State != broker.TxnOngoing {
				return false
			}
		}
		return true
	})
}
