package streamflow

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/streamflow/streamflow/driver/connect"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured"
)

// Connect opens a session on a server that speaks Spark Connect: sc://host:port, with Spark's parameters. The same programs
// run on StreamFlow and, as far as they use nothing but Spark's relations, on Apache Spark.
func Connect(ctx context.Context, target string) (*structured.Session, error) {
	if err := reachable(ctx, target); err != nil {
		return nil, err
	}
	c, err := connect.Dial(ctx, target)
	if err != nil {
		return nil, err
	}
	return structured.NewSession(c), nil
}

// reachable makes sure that somebody answers: a client would go on trying for minutes.
func reachable(ctx context.Context, target string) error {
	host, _, _ := strings.Cut(strings.TrimPrefix(target, "sc://"), "/")
	d := net.Dialer{Timeout: 5 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return usererr.New("NODE_UNREACHABLE", "08001", "No node answers at %s.", host).WithFix("Start one with streamflow serve, or name another.")
	}
	return conn.Close()
}

// LocalSession is a session on a node of its own inside the process.
type LocalSession struct {
	*structured.Session
	node *Node
}

// Local starts a node inside the process and opens a session on it.
func Local(conf Config) (*LocalSession, error) {
	n, err := Start(conf)
	if err != nil {
		return nil, err
	}
	s, err := n.Session()
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return &LocalSession{s, n}, nil
}

// Node is the session's node.
func (l *LocalSession) Node() *Node { return l.node }

// RDDs is a context for typed datasets (package rdd), which run on the node's executor. Close it when it is done with.
func (n *Node) RDDs() *rdd.Context { return rdd.NewContext(n.cluster, n.conf.Slots) }

// Close ends the session and its node.
func (l *LocalSession) Close() error { return errors.Join(l.Session.Close(), l.node.Close()) }
