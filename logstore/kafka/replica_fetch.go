package kafka

import (
	"errors"

	"github.com/streamflow/streamflow/logstore"
	"github.com/twmb/franz-go/pkg/kerr"
)

// A follower's fetch is a consumer's but for these: it is allowed on connections between nodes only; what it asks from tells
// the leader what it has on disk; it gets records that are not committed yet; and a response that says nothing but that the
// high watermark has moved is sent at once.

// follower is the node that a fetch comes from.
type follower struct {
	node        int32
	brokerEpoch int64
}

// sweepMs is how often the leader is told of a session's partitions that have not moved: that their follower is alive.
const sweepMs = 1000

// asFollower notes whether the fetch is a follower's (ReplicaState from version 15 on, KIP-903).
func (f *fetchCall) asFollower() error {
	node, epoch := f.req.ReplicaID, int64(-1)
	if f.req.Version >= 15 {
		node, epoch = f.req.ReplicaState.ID, f.req.ReplicaState.Epoch
	}
	if node < 0 {
		return nil
	}
	if !f.c.id.internal {
		return kerr.ClusterAuthorizationFailed
	}
	f.follower = &follower{node: node, brokerEpoch: epoch}
	return nil
}

// sweep makes all partitions of a follower's session hot, once in a while.
func (f *fetchCall) sweep() {
	if f.follower == nil {
		return
	}
	if now := f.c.s.nowMs(); now-f.set.sweptMs >= sweepMs {
		f.set.sweptMs = now
		f.set.warmAll()
	}
}

// readForFollower reads one partition for a follower.
func (f *fetchCall) readForFollower(p *fetchPart, room int) {
	first := f.bytes == 0
	limit := min(room, int(p.maxBytes))
	if room <= 0 && !first {
		limit = 0
	}
	res, err := p.part.ReplicaRead(logstore.ReplicaFetch{
		Node: f.follower.node, BrokerEpoch: f.follower.brokerEpoch,
		From: p.from, Epoch: p.epoch, LastFetchedEpoch: p.lastEpoch, MaxBytes: limit,
	})
	p.res = logstore.ReadResult{HighWatermark: res.HighWatermark, LastStable: res.HighWatermark, LogStart: res.LogStart}
	if err != nil {
		p.err = err
		if damaged(err) {
			p.err = f.c.s.readError(p.part.ID(), p.part.Role(), err)
			p.part.MarkDamaged(err)
		}
		return
	}
	if res.Diverging != nil {
		p.diverging = res.Diverging
		return
	}
	if !first && len(res.Data) > room {
		res.Release()
		return
	}
	p.replica, p.data = &res, res.Data
}

// newsForFollower is whether a response is due because the follower does not know the borders. A follower without a session
// is told them with each response, and is not answered at once.
func (f *fetchCall) newsForFollower() bool {
	if f.follower == nil || f.mode != fetchGoesOn {
		return false
	}
	for _, p := range f.set.hot {
		if p.err == nil && p.untold() {
			return true
		}
	}
	return false
}

// followerPartition finds a partition for a follower; whether this node leads it is checked with the epoch.
func (f *fetchCall) followerPartition(topic string, partition int32) (*logstore.Partition, error) {
	part, err := f.c.s.broker.Partition(topic, partition)
	if err != nil && errors.Is(err, logstore.ErrUnknownPartition) {
		err = errors.Join(kerr.NotLeaderForPartition, err)
	}
	return part, err
}
