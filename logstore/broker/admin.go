package broker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Reassignment asks that a partition's replicas be others. Without replicas it takes a reassignment under way back.
type Reassignment struct {
	Topic     string
	Partition int32
	Replicas  []int32
}

// Reassign begins reassignments, or takes them back. The errors are one for each, in order: INVALID_REPLICA_ASSIGNMENT,
// UNKNOWN_PARTITION, NO_REASSIGNMENT_IN_PROGRESS. Replicas that come copy the records first; PartitionState shows how far it is.
func (b *Broker) Reassign(ctx context.Context, list []Reassignment) ([]error, error) {
	moves := make([]reassignPlace, len(list))
	for i, x := range list {
		moves[i] = reassignPlace{TxnPlace{x.Topic, x.Partition}, x.Replicas}
	}
	return b.reassign(ctx, moves)
}

func (b *Broker) reassign(ctx context.Context, moves []reassignPlace) ([]error, error) {
	var results []placeResult
	if err := b.ask(ctx, topicCommand{Reassign: moves}, &results); err != nil {
		return nil, err
	}
	return errorsOf(results), nil
}

// ElectLeaders elects the preferred leaders of partitions, or, unclean, any leader for those that have none: what only other
// replicas have is then lost. The errors are one for each, in order: ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE,
// ELIGIBLE_LEADERS_NOT_AVAILABLE, UNKNOWN_PARTITION.
func (b *Broker) ElectLeaders(ctx context.Context, places []TxnPlace, unclean bool) ([]error, error) {
	if places == nil {
		places = []TxnPlace{}
	}
	var results []placeResult
	if err := b.ask(ctx, topicCommand{Elect: &electLeaders{Unclean: unclean, Places: places}}, &results); err != nil {
		return nil, err
	}
	for i, r := range results {
		if unclean && r.Code == "" {
			b.opts.Logger.Warn("broker: unclean election by an operator", "topic", places[i].Topic, "partition", places[i].Partition)
		}
	}
	return errorsOf(results), nil
}

// PreferLeaders gives leadership back to preferred leaders wherever they are in sync.
func (b *Broker) PreferLeaders(ctx context.Context) error {
	return b.ask(ctx, topicCommand{Elect: &electLeaders{}}, nil)
}

// UncleanElections counts the leaders that were elected without being known to have every committed record.
func (b *Broker) UncleanElections() int64 { return b.topics.uncleanElections() }

// Drain begins to empty a broker: it is given no new replicas or leaderships, and those that it has move to others. Drained
// says when that is over. With off, the broker is taken back into use.
func (b *Broker) Drain(ctx context.Context, id int32, off bool) error {
	if !b.clustered() {
		return usererr.New(CodeInvalidReplication, "55000", "there is no other broker that the partitions could move to")
	}
	return b.ask(ctx, topicCommand{Drain: &drainBroker{ID: id, Off: off}}, nil)
}

// Replicas counts the partitions that a broker has a replica of, internal topics too.
func (b *Broker) Replicas(id int32) (n int) {
	b.topics.eachRecord(func(_ *Topic, _ int32, r PartitionRecord) {
		for _, x := range r.Replicas {
			if x == id {
				n++
			}
		}
	})
	return n
}

// Unregister forgets a broker that is gone for good, also as a member of the metadata group: a node that joins in its place may
// then have its vote. BROKER_IN_USE when it runs, or still has replicas.
func (b *Broker) Unregister(ctx context.Context, id int32) error {
	if err := b.ask(ctx, topicCommand{Unregister: &id}, nil); err != nil {
		return err
	}
	for _, m := range b.node.Members() {
		if m.ID == id && b.clustered() {
			return b.node.Remove(ctx, id)
		}
	}
	return nil
}

func errorsOf(results []placeResult) []error {
	out := make([]error, len(results))
	for i, r := range results {
		out[i] = r.err()
	}
	return out
}

// ask applies a command to the topics machine and decodes its answer into out, if that is not nil.
func (b *Broker) ask(ctx context.Context, c topicCommand, out any) error {
	data, err := b.apply(ctx, b.topics, c)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("broker: answer of the topics machine: %w", err)
	}
	return nil
}

func userCodeOf(err error) string {
	if ue, ok := usererr.As(err); ok {
		return ue.Code
	}
	return ""
}
