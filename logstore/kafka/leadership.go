package kafka

import (
	"net"
	"strconv"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
)

// currentEpoch is the leader epoch that clients are told of a partition; one that nobody told who leads is in its first.
func currentEpoch(r logstore.Role) int32 { return max(r.Epoch, 0) }

// checkLeader is whether this node may answer a client for a partition: it leads, and under the epoch that the client knows
// (KIP-320). A client that knows none (-1) is not checked.
func checkLeader(r logstore.Role, client int32) error {
	switch now := currentEpoch(r); {
	case client >= 0 && client < now:
		return kerr.FencedLeaderEpoch
	case client > now:
		return kerr.UnknownLeaderEpoch
	case !r.Leader:
		return kerr.NotLeaderForPartition
	}
	return nil
}

// leader is who leads a partition, for a client that asked the wrong node (KIP-951).
type leader struct{ id, epoch int32 }

// leaderIfWrong is the leader to tell a client along with an error code; ok is false for codes that say nothing of leaders.
func (c *conn) leaderIfWrong(code int16, topic string, partition int32) (l leader, ok bool) {
	if code != kerr.NotLeaderForPartition.Code && code != kerr.FencedLeaderEpoch.Code {
		return leader{}, false
	}
	s, err := c.s.broker.PartitionState(topic, partition)
	if err != nil {
		return leader{}, false
	}
	return leader{s.Leader, s.LeaderEpoch}, true
}

// endpoint is a node's address for clients.
type endpoint struct {
	node int32
	host string
	port int32
	rack string
}

// endpointsOf are the addresses of the brokers that leaders names. It is called when a client asked the wrong node only.
func (c *conn) endpointsOf(leaders []leader) []endpoint {
	if len(leaders) == 0 {
		return nil
	}
	var out []endpoint
	for _, b := range c.s.broker.Brokers() {
		if names(leaders, b.ID) {
			out = append(out, c.endpointOf(b))
		}
	}
	return out
}

// endpointOf is where clients find a broker: this node, if it was told no address, where they have found it already.
func (c *conn) endpointOf(b broker.BrokerInfo) endpoint {
	e := endpoint{node: b.ID, rack: b.Rack}
	if b.ClientAddr == "" {
		e.host, e.port = c.s.address(c)
	} else if host, port, err := net.SplitHostPort(b.ClientAddr); err == nil {
		n, _ := strconv.ParseInt(port, 10, 32)
		e.host, e.port = host, int32(n)
	}
	return e
}

func names(leaders []leader, node int32) bool {
	for _, l := range leaders {
		if l.id == node {
			return true
		}
	}
	return false
}

// leaderTag writes a current leader as the tagged field tag. It is 8 bytes and an empty tag section.
func (e *encoder) leaderTag(tag byte, l leader) {
	e.buf = append(e.buf, tag, 9)
	e.int32(l.id)
	e.int32(l.epoch)
	e.tags()
}

// endpointsTag writes a tag section that holds node endpoints as tag 0; an empty one when there are none.
func (e *encoder) endpointsTag(all []endpoint) {
	if len(all) == 0 {
		e.tags()
		return
	}
	body := encoder{flexible: true}
	body.count(len(all))
	for _, n := range all {
		body.int32(n.node)
		body.string(n.host)
		body.int32(n.port)
		body.nullableString(nullable(n.rack))
		body.tags()
	}
	e.buf = append(e.buf, 1, 0)
	e.uvarint(uint64(len(body.buf)))
	e.buf = append(e.buf, body.buf...)
}
