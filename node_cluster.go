package streamflow

import (
	"crypto/tls"
	"net"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/peer"
)

// Cluster makes a node one of several. Its partitions are replicated, and any node may fail; streaming queries run on the node
// that started them.
type Cluster struct {
	// NodeID is another for each node.
	NodeID int32
	// Listener is the peer port. The node closes it.
	Listener net.Listener
	// Secret is what the nodes share. TLS, when set, is used on both sides of every connection between nodes.
	Secret string
	TLS    *tls.Config
	// Membership names the other nodes. Mux in it is set by the node, and so is Peer if it is empty.
	broker.Membership
}

// openPeers begins to listen for other nodes.
func (n *Node) openPeers(o *broker.Options) {
	c := n.conf.Cluster
	if c == nil {
		return
	}
	n.peers = peer.Listen(c.Listener, peer.Options{Self: c.NodeID, Secret: c.Secret, TLS: c.TLS})
	m := c.Membership
	m.Mux = n.peers
	if m.Peer == "" {
		m.Peer = c.Listener.Addr().String()
	}
	o.NodeID, o.Membership = c.NodeID, &m
}

// PeerKafka is where other nodes speak the Kafka protocol: for kafka.Server.ServePeers. It is nil on a node that is alone.
func (n *Node) PeerKafka() net.Listener {
	if n.peers == nil {
		return nil
	}
	return n.peers.Kafka()
}
