package broker

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/streamflow/streamflow/logstore/placement"
)

// controlLoop runs on every node and acts on the one that leads the metadata group: it fences brokers that are silent, empties
// those that drain, and gives leadership back to preferred leaders. Each act is a command, so that a controller that was
// deposed without noticing can do no harm.
func (b *Broker) controlLoop(ctx context.Context) {
	m := b.opts.Membership
	tick := time.NewTicker(max(m.Session/12, 10*time.Millisecond))
	defer tick.Stop()
	rebalanced := time.Now()
	for {
		changed := b.node.LeaderChanged()
		select {
		case <-ctx.Done():
			return
		case <-changed:
			b.seen.reset()
			continue
		case <-tick.C:
		}
		if !b.node.IsLeader() {
			rebalanced = time.Now()
			continue
		}
		b.fenceSilent(ctx)
		b.stepDrains(ctx)
		b.widenInternal(ctx)
		b.widenVoters(ctx)
		if m.Rebalance > 0 && time.Since(rebalanced) >= m.Rebalance {
			rebalanced = time.Now()
			b.preferAll(ctx)
		}
	}
}

func (b *Broker) fenceSilent(ctx context.Context) {
	alive := b.AliveBrokers()
	ids := make([]int32, len(alive))
	for i, x := range alive {
		ids[i] = x.ID
	}
	for _, id := range b.seen.silent(ids, time.Now(), b.opts.Membership.Session) {
		r := b.topics.broker(id)
		if r == nil || id == b.opts.NodeID {
			continue
		}
		err := b.ask(ctx, topicCommand{Fence: &brokerEpoch{id, r.Epoch}}, nil)
		b.opts.Logger.Warn("broker: node is silent; others lead its partitions", "node", id, "epoch", r.Epoch, "err", err)
	}
}

// preferAll elects preferred leaders wherever they are in sync and do not lead.
func (b *Broker) preferAll(ctx context.Context) {
	if b.topics.unpreferred() == 0 {
		return
	}
	if err := b.ask(ctx, topicCommand{Elect: &electLeaders{}}, nil); err != nil {
		b.opts.Logger.Warn("broker: leaders not rebalanced", slog.Any("err", err))
	}
}

// stepDrains gives the replicas of brokers that drain to others. A partition that is being reassigned is left to that.
func (b *Broker) stepDrains(ctx context.Context) {
	var moves []reassignPlace
	for _, x := range b.topics.brokerInfos() {
		if x.Draining {
			moves = append(moves, b.drainMoves(x.ID)...)
		}
	}
	if len(moves) == 0 {
		return
	}
	if _, err := b.reassign(ctx, moves); err != nil {
		b.opts.Logger.Warn("broker: replicas not moved off a draining node", slog.Any("err", err))
	}
}

// drainMoves are the reassignments that take a broker out of every partition. Those of a partition begin when the last is over.
func (b *Broker) drainMoves(id int32) []reassignPlace {
	ring := ringOf(b.placeable())
	var moves []reassignPlace
	b.topics.eachRecord(func(t *Topic, p int32, r PartitionRecord) {
		if !slices.Contains(r.Replicas, id) || r.Reassigning() {
			return
		}
		to := ring.Replace(placement.Key(t.ID.String(), p), r.Replicas, id)
		if len(to) == len(r.Replicas) || len(to) > 0 && IsInternal(t.Name) {
			moves = append(moves, reassignPlace{TxnPlace{t.Name, p}, to})
		}
	})
	return moves
}

// widenInternal places the internal topics anew when they were created before the cluster had its brokers: with too few replicas, or
// while a broker was fenced, which then coordinates nothing. Their partitions hold nothing, so that this copies nothing, and
// coordinators are spread over all brokers.
func (b *Broker) widenInternal(ctx context.Context) {
	rf := b.replicationFactor()
	ring := ringOf(b.placeable())
	for _, name := range []string{OffsetsTopic, TxnTopic} {
		t, err := b.topics.get(name)
		if err != nil {
			continue
		}
		placed := ring.Assign(t.ID.String(), 0, t.Partitions, rf)
		if !placedBefore(b.topics.recordsOf(t), placed, rf) {
			continue
		}
		var moves []reassignPlace
		var places []TxnPlace
		for p, to := range placed {
			places = append(places, TxnPlace{name, int32(p)})
			moves = append(moves, reassignPlace{places[p], to})
		}
		if _, err := b.reassign(ctx, moves); err != nil {
			b.opts.Logger.Warn("broker: internal topic not widened", "topic", name, slog.Any("err", err))
			continue
		}
		_ = b.ask(ctx, topicCommand{Elect: &electLeaders{Places: places}}, nil)
	}
}

// placedBefore tells that a topic's records are from a time with fewer brokers than its placement is for.
func placedBefore(records []PartitionRecord, placed [][]int32, rf int) bool {
	first := map[int32]bool{}
	for _, r := range records {
		if r.Reassigning() {
			return false
		}
		if len(r.Replicas) > 0 {
			first[r.Replicas[0]] = true
		}
	}
	short := slices.ContainsFunc(records, func(r PartitionRecord) bool { return len(r.Replicas) < rf })
	return short || slices.ContainsFunc(placed, func(to []int32) bool { return len(to) > 0 && !first[to[0]] })
}

// votersWanted is how many voters a cluster has that grew from one node.
const votersWanted = 3

// widenVoters gives nodes that have joined a vote, when there are enough of them that any one may then fail.
func (b *Broker) widenVoters(ctx context.Context) {
	var voters int
	var more []meta.Member
	for _, m := range b.node.Members() {
		r := b.topics.broker(m.ID)
		switch {
		case m.Voter:
			voters++
		case r != nil && !r.Fenced && !r.Draining:
			more = append(more, m)
		}
	}
	if voters >= votersWanted || voters+len(more) < votersWanted {
		return
	}
	for _, m := range more[:votersWanted-voters] {
		ctx, cancel := context.WithTimeout(ctx, b.opts.Membership.Session)
		err := b.node.AddVoter(ctx, m.Peer)
		cancel()
		if err != nil {
			b.opts.Logger.Warn("broker: node was not made a voter", "node", m.ID, slog.Any("err", err))
			return
		}
		b.opts.Logger.Info("broker: node is a voter now", "node", m.ID)
	}
}

func ringOf(list []BrokerInfo) *placement.Ring {
	var on []placement.Broker
	for _, x := range list {
		on = append(on, placement.Broker{ID: x.ID, Rack: x.Rack})
	}
	return placement.NewRing(on)
}
