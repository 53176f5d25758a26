package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/meta"
)

// clusterFlags are the flags of a node that is one of several.
var clusterFlags = []cli.Flag{
	&cli.IntFlag{Name: "node-id", Usage: "number of the node in its cluster"},
	&cli.StringFlag{Name: "peer", Usage: "`HOST:PORT` where other nodes reach this one; makes it one of several"},
	&cli.StringFlag{Name: "voters", Usage: "`ID@HOST:PORT,...` of the one, three or five nodes that keep the metadata; the same on each"},
	&cli.StringFlag{Name: "join", Usage: "`HOST:PORT,...` of nodes to be let in by, for a node that is no voter"},
	&cli.StringFlag{Name: "rack", Usage: "rack or zone of the node"},
}

// clusterConfig puts the flags before file and environment, and refuses what does not fit together.
func clusterConfig(c *cli.Context, conf *config.Config) error {
	if c.IsSet("node-id") {
		conf.NodeID = int64(c.Int("node-id"))
	}
	for flag, field := range map[string]*string{"peer": &conf.Peer, "rack": &conf.Rack} {
		if v := c.String(flag); v != "" {
			*field = v
		}
	}
	if v := c.String("voters"); v != "" {
		var err error
		if conf.Voters, err = config.ParseVoters(v); err != nil {
			return usage("--voters %s %v", v, err)
		}
	}
	if v := c.String("join"); v != "" {
		conf.Join = strings.Split(v, ",")
	}
	return checkCluster(conf)
}

func checkCluster(conf *config.Config) error {
	several := len(conf.Voters) > 0 || len(conf.Join) > 0
	switch {
	case conf.Peer == "" && several:
		return usererr.New("INVALID_CLUSTER", "22023", "Other nodes are named, but this one has no address for them.").In("cluster.peer").
			WithFix("Give it one with --peer HOST:PORT.")
	case conf.Peer != "" && !several:
		return usererr.New("INVALID_CLUSTER", "22023", "The node has a peer address, but no other node is named.").In("cluster.voters").
			WithFix("Name the nodes that keep the metadata with --voters, or nodes to join with --join.")
	case conf.Peer == "":
		return nil
	}
	for _, v := range conf.Voters {
		if int64(v.ID) == conf.NodeID && v.Addr != conf.Peer && !isWildcard(conf.Peer) {
			return usererr.New("INVALID_CLUSTER", "22023", "Node %d listens for other nodes on %s, but the voters say %s.", v.ID, conf.Peer, v.Addr).In("cluster.voters").
				WithFix("Give the same address to both, or another --node-id.")
		}
	}
	if !voter(conf) && len(conf.Join) == 0 {
		return usererr.New("INVALID_CLUSTER", "22023", "Node %d is not among the voters.", conf.NodeID).In("cluster.voters").
			WithFix("Give it the --node-id of one, or let it --join the others.")
	}
	return nil
}

func voter(conf *config.Config) bool {
	for _, v := range conf.Voters {
		if int64(v.ID) == conf.NodeID {
			return true
		}
	}
	return false
}

func isWildcard(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// checkPeer refuses a peer port that is reachable from elsewhere unless nodes prove who they are over TLS, or that is waived.
func checkPeer(conf *config.Config) error {
	if conf.Secret != "" && conf.PeerCert != "" {
		return nil
	}
	err := checkLoopback("cluster.peer", conf.Peer, conf.Insecure)
	if ue, ok := usererr.As(err); ok && ue.Code == "INSECURE_ADDRESS" {
		ue.Message = "cluster.peer " + conf.Peer + " is reachable from elsewhere, and nodes neither encrypt nor prove who they are."
		return ue.WithFix("Set cluster.secret, cluster.tls_cert and cluster.tls_key, or spell out --insecure.")
	}
	return err
}

// clusterOf is the node's cluster; nil on a node that is alone. ls.peer goes to it.
func clusterOf(conf *config.Config, ls *listeners) (*streamflow.Cluster, error) {
	if conf.Peer == "" {
		return nil, nil
	}
	secure, err := peerTLS(conf)
	if err != nil {
		return nil, err
	}
	c := &streamflow.Cluster{NodeID: int32(conf.NodeID), Listener: ls.peer, Secret: peerSecret(conf), TLS: secure, Membership: broker.Membership{
		Join: conf.Join, Client: conf.AdvertisedKafka, Rack: conf.Rack, ReplicationFactor: int(conf.ReplicationFactor), MinISR: int(conf.MinISR),
		Session: conf.SessionTimeout, Rebalance: conf.RebalanceInterval, ReassignRate: conf.ReassignRate,
	}}
	for _, v := range conf.Voters {
		c.Voters = append(c.Voters, meta.Peer{ID: v.ID, Addr: v.Addr})
		if v.ID == c.NodeID {
			c.Peer = v.Addr
		}
	}
	if c.Client == "" {
		c.Client = ls.kafka.Addr().String()
	}
	if isWildcard(c.Client) {
		return nil, usererr.New("INVALID_CLUSTER", "22023", "Clients of a cluster are told an address of each node, and %s is none.", c.Client).In("network.advertised_kafka").
			WithFix("Set network.advertised_kafka to HOST:PORT as clients reach this node.")
	}
	return c, nil
}

// peerTLS is the TLS of the peer port, for both sides of a connection; nil without a certificate.
func peerTLS(conf *config.Config) (*tls.Config, error) {
	if conf.PeerCert == "" {
		return nil, nil
	}
	bad := func(key string, err error) error {
		return usererr.New("INVALID_CONFIG_VALUE", "22023", "The peer port's TLS cannot be set up: %v.", err).In(key)
	}
	cert, err := tls.LoadX509KeyPair(conf.PeerCert, conf.PeerKey)
	if err != nil {
		return nil, bad("cluster.tls_cert", err)
	}
	t := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}
	if conf.PeerCA == "" {
		return t, nil
	}
	pem, err := os.ReadFile(conf.PeerCA)
	if err != nil {
		return nil, bad("cluster.tls_ca", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, usererr.New("INVALID_CONFIG_VALUE", "22023", "%s holds no certificate.", conf.PeerCA).In("cluster.tls_ca")
	}
	t.RootCAs, t.ClientCAs, t.ClientAuth = pool, pool, tls.RequireAndVerifyClientCert
	return t, nil
}

// peerSecret is what nodes of one cluster know: its name, and the secret if there is one. A node of another cluster that comes upon
// an address which was once its own peer's is refused.
func peerSecret(conf *config.Config) string { return conf.ClusterName + "\x00" + conf.Secret }
