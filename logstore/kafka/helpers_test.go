package kafka

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// node is a broker and a server on loopback.
type node struct {
	t      testing.TB
	dir    string
	opts   Options
	broker *broker.Broker
	server *Server
	addr   string

	machines []meta.Machine // further ones of the broker
	tls      *tls.Config    // by which root connects
}

var quiet = slog.New(slog.DiscardHandler)

func startNode(t testing.TB, change ...func(*Options)) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir()}
	n.opts.Logger = quiet
	for _, c := range change {
		c(&n.opts)
	}
	n.start("127.0.0.1:0")
	t.Cleanup(n.stop)
	return n
}

func (n *node) start(addr string) {
	n.t.Helper()
	b, err := broker.Open(broker.Options{Dir: n.dir, Logger: quiet, Machines: n.machines})
	if err != nil {
		n.t.Fatal(err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		n.t.Fatal(err)
	}
	opts := n.opts
	opts.Broker = b
	n.broker, n.server, n.addr = b, New(opts), l.Addr().String()
	go func() { _ = n.server.Serve(l) }()
}

func (n *node) stop() {
	if n.server == nil {
		return
	}
	if err := n.server.Close(); err != nil {
		n.t.Error(err)
	}
	if err := n.broker.Close(); err != nil {
		n.t.Error(err)
	}
	n.server = nil
}

// restart stops the node and starts it again on the same address.
func (n *node) restart() {
	n.t.Helper()
	n.stop()
	n.start(n.addr)
}

func (n *node) client(opts ...kgo.Opt) *kgo.Client {
	n.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(n.addr), kgo.RetryTimeout(15 * time.Second)}, opts...)...)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(cl.Close)
	return cl
}

func (n *node) admin() *kadm.Client { return kadm.NewClient(n.client()) }

func (n *node) create(topic string, partitions int32, configs map[string]string) {
	n.t.Helper()
	if _, err := n.broker.CreateTopic(context.Background(), topic, partitions, configs); err != nil {
		n.t.Fatal(err)
	}
}

func timeout(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// poll returns n records, or fails after 15 seconds.
func poll(t testing.TB, cl *kgo.Client, n int) []*kgo.Record {
	t.Helper()
	ctx := timeout(t, 15*time.Second)
	var out []*kgo.Record
	for len(out) < n {
		fs := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d of %d records came", len(out), n)
		}
		fs.EachError(func(topic string, p int32, err error) { t.Errorf("%s-%d: %v", topic, p, err) })
		out = append(out, fs.Records()...)
	}
	return out
}
