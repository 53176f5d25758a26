package main

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/logstore/kafka"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/stream"
)

// benchNode is a node in this process that speaks the Kafka protocol on loopback.
type benchNode struct {
	*streamflow.LocalSession
	kafka *kafka.Server
	addr  string

	mu      sync.Mutex
	batches []*stream.Progress // since the last takeBatches
}

// node starts one in a directory of its own.
func (b *bench) node(name string) (*benchNode, error) {
	n := &benchNode{}
	s, err := streamflow.Local(streamflow.Config{Dir: filepath.Join(b.dir, name), OnBatch: n.onBatch})
	if err != nil {
		return nil, err
	}
	n.LocalSession = s
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	n.addr = l.Addr().String()
	n.kafka = kafka.New(kafka.Options{Broker: s.Node().Broker(), Rows: &streamflow.ArrowRows{}})
	go n.kafka.Serve(l) // ends with Close, which tells what went wrong
	return n, nil
}

func (n *benchNode) onBatch(_ string, p *stream.Progress) {
	n.mu.Lock()
	n.batches = append(n.batches, p)
	n.mu.Unlock()
}

func (n *benchNode) takeBatches() []*stream.Progress {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := n.batches
	n.batches = nil
	return list
}

func (n *benchNode) Close() error { return errors.Join(n.kafka.Close(), n.LocalSession.Close()) }

func (n *benchNode) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(n.addr)}, opts...)...)
}

// sql runs a statement or query to its end.
func (n *benchNode) sql(ctx context.Context, text string) ([]structured.Row, error) {
	df, err := n.SQL(ctx, text)
	if err != nil {
		return nil, err
	}
	return df.Collect(ctx)
}

// start starts a query into a topic, from the beginning of its input.
func (n *benchNode) start(ctx context.Context, name, query, mode, into string) (*structured.StreamingQuery, error) {
	df, err := n.SQL(ctx, query)
	if err != nil {
		return nil, err
	}
	return df.WriteStream().QueryName(name).OutputMode(mode).From("beginning").ToTable(ctx, into)
}
