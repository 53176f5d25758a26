package streamflow

import (
	"strings"
	"time"

	"github.com/streamflow/streamflow/executor/state"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector/streamlog"
)

// snapshot writes the committed state of a query to disk, keeps it, and lets go of what is not needed any more to read the
// versions of the last retain: older snapshots, and the changes before the oldest. The query's loop calls it between two
// batches. How far the changelog is covered is read once: the last stable offset also moves when a commit marker reaches the
// disk, and the changelog must not begin behind what a snapshot says it holds.
func (n *Node) snapshot(query string, retain time.Duration) error {
	st := n.executor.State()
	covered := map[int]int64{}
	for slot := range st.Slots(query) {
		if _, ok := covered[slot.Partition]; ok {
			continue
		}
		p, err := n.broker.Partition(streamlog.StateTopic(query), int32(slot.Partition))
		if err != nil {
			return nil // nothing has changed yet
		}
		covered[slot.Partition] = p.Offsets().LastStable - 1
	}
	if err := st.SnapshotQuery(query, covered); err != nil {
		return err
	}
	oldest, err := st.Keep(query, covered, time.Now(), retain)
	if err != nil {
		return err
	}
	for part, last := range oldest {
		p, err := n.broker.Partition(streamlog.StateTopic(query), int32(part))
		if err != nil {
			return err
		}
		if _, err := p.DeleteRecords(last + 1); err != nil {
			return err
		}
	}
	return nil
}

// stateShapes tells in how many partitions an operator has kept its state. The index of a TTL lies as its operator does.
func (n *Node) stateShapes(query, op string) []rdd.StateShape {
	r, ok := n.queries.Query(query)
	if !ok {
		return nil
	}
	return r.Shapes[strings.TrimSuffix(op, state.IndexOp(""))]
}
