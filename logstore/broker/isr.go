package broker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
)

// proposals are the in-sync sets that partitions led here ask for. All that gather while a command is under way are the next
// command: when a node dies, thousands of partitions shrink at once.
type proposals struct {
	mu   sync.Mutex
	list map[*logstore.Partition]logstore.ISRProposal
	kick chan struct{} // capacity 1
}

func newProposals() *proposals {
	return &proposals{list: map[*logstore.Partition]logstore.ISRProposal{}, kick: make(chan struct{}, 1)}
}

// add takes a proposal; a later one of the same partition replaces it.
func (q *proposals) add(p *logstore.Partition, x logstore.ISRProposal) {
	q.mu.Lock()
	q.list[p] = x
	q.mu.Unlock()
	select {
	case q.kick <- struct{}{}:
	default:
	}
}

func (q *proposals) take() map[*logstore.Partition]logstore.ISRProposal {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = map[*logstore.Partition]logstore.ISRProposal{}
	return list
}

// putBack keeps proposals whose outcome is not known, except where there is a newer one.
func (q *proposals) putBack(list map[*logstore.Partition]logstore.ISRProposal) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for p, x := range list {
		if _, newer := q.list[p]; !newer {
			q.list[p] = x
		}
	}
}

func (b *Broker) isrLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.proposals.kick:
		}
		for {
			list := b.proposals.take()
			if len(list) == 0 {
				break
			}
			if err := b.proposeISR(ctx, list); err != nil {
				b.opts.Logger.Warn("broker: in-sync replicas not changed yet", "partitions", len(list), slog.Any("err", err))
				b.proposals.putBack(list)
				if !sleep(ctx, b.opts.Membership.Heartbeat/5) {
					return
				}
			}
		}
	}
}

// proposeISR sends proposals in one command. Accepted ones come back as records; a refusal is told to the partition. An error
// says that the outcome is not known.
func (b *Broker) proposeISR(ctx context.Context, list map[*logstore.Partition]logstore.ISRProposal) error {
	c := alterPartitions{Leader: b.self()}
	var parts []*logstore.Partition
	for p, x := range list {
		id := p.ID()
		change := isrChange{TopicID: b.topicID(id.Topic), Partition: id.Partition, LeaderEpoch: x.LeaderEpoch, PartitionEpoch: x.PartitionEpoch}
		for _, m := range x.ISR {
			change.ISR = append(change.ISR, brokerEpoch{m.Node, m.BrokerEpoch})
		}
		parts, c.Changes = append(parts, p), append(c.Changes, change)
	}
	ctx, cancel := context.WithTimeout(ctx, b.opts.Membership.Session)
	defer cancel()
	var results []placeResult
	err := b.ask(ctx, topicCommand{AlterISR: &c}, &results)
	if userCodeOf(err) == CodeStaleBroker {
		results = make([]placeResult, len(parts))
		for i := range results {
			results[i] = resultOf(err)
		}
	} else if err != nil {
		return err
	}
	for i, p := range parts {
		if results[i].Code == "" {
			continue
		}
		b.opts.Logger.Debug("broker: in-sync replicas refused", "partition", p.ID(), "code", results[i].Code, "why", results[i].Message)
		if b.stillRecord(c.Changes[i]) {
			p.RefuseISR(c.Changes[i].PartitionEpoch)
		}
	}
	return nil
}

// stillRecord is whether the record that a change was made from is the partition's. A change that was sent twice, because its
// first answer got lost, is refused the second time although it is true: the leader must then hear the new record, and not
// that nothing changed.
func (b *Broker) stillRecord(c isrChange) bool {
	t := b.topics.getByID(c.TopicID)
	if t == nil || c.Partition >= t.Partitions {
		return false
	}
	r := b.topics.recordOf(t, c.Partition)
	return r.PartitionEpoch == c.PartitionEpoch && r.LeaderEpoch == c.LeaderEpoch
}

// topicID is the id of the topic whose partitions are open under a name.
func (b *Broker) topicID(name string) uuid.UUID {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.topicIDs[name]
}

// sleep waits; false when ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
