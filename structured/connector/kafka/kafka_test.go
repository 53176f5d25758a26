package kafka

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/broker"
	server "github.com/streamflow/streamflow/logstore/kafka"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/connectortest"
)

// cluster is a cluster elsewhere: a node's broker behind its Kafka port.
type cluster struct {
	t      *testing.T
	broker *broker.Broker
	addr   string
}

func start(t *testing.T) *cluster {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	b, err := broker.Open(broker.Options{Dir: t.TempDir(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := server.New(server.Options{Broker: b, Logger: quiet})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return &cluster{t, b, l.Addr().String()}
}

var made atomic.Int64

// topic makes a topic of its own.
func (c *cluster) topic(partitions int32) string {
	c.t.Helper()
	name := fmt.Sprintf("t%d", made.Add(1))
	if _, err := c.broker.CreateTopic(c.t.Context(), name, partitions, nil); err != nil {
		c.t.Fatal(err)
	}
	return name
}

func (c *cluster) open(topic string, schema *column.Schema, options ...string) *Table {
	c.t.Helper()
	def := catalog.TableDef{Name: topic, Schema: schema, Provider: "kafka", Options: map[string]string{"kafka.bootstrap.servers": c.addr, "subscribe": topic}}
	for _, o := range options {
		k, v, _ := strings.Cut(o, "=")
		def.Options[k] = v
	}
	t, err := Provider{}.Open(context.Background(), def)
	if err != nil {
		c.t.Fatal(err)
	}
	return t.(*Table)
}

// append produces rows as JSON, in turn to the partitions.
func (c *cluster) append(topic string, b *column.Batch) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.addr), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		return err
	}
	defer cl.Close()
	for i := range b.N {
		cl.Produce(context.Background(), &kgo.Record{Value: column.AppendJSONRow(nil, b, i, len(b.Cols), time.UTC)}, nil)
	}
	return cl.Flush(context.Background())
}

// all reads what is committed.
func (c *cluster) all(topic string, schema *column.Schema) ([]*column.Batch, error) {
	t := c.open(topic, schema)
	var cols []int
	for i := range t.fields.Fields {
		cols = append(cols, i)
	}
	scan, err := t.PlanScan(context.Background(), connector.ScanRequest{Columns: cols})
	if err != nil {
		return nil, err
	}
	var out []*column.Batch
	for p := range scan.Splits {
		tc, _ := connectortest.Task(c.t, p, &rdd.Binding{Splits: map[string][][]rdd.Split{"op": scan.Splits}}, nil)
		r, err := scan.Op.Open(tc, nil)
		if err != nil {
			return nil, err
		}
		for b, err := r.Next(); err == nil; b, err = r.Next() {
			out = append(out, b.Clone())
		}
		if err := r.Close(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func TestSource(t *testing.T) {
	c := start(t)
	topic := c.topic(2)
	if err := c.append(topic, connectortest.Rows(0, 60)); err != nil {
		t.Fatal(err)
	}
	connectortest.Source(t, c.open(topic, connectortest.Schema), 60, nil)
}

func TestStream(t *testing.T) {
	c := start(t)
	connectortest.Stream(t, func(*testing.T) connectortest.Growing {
		topic := c.topic(2)
		return connectortest.Growing{Table: c.open(topic, connectortest.Schema), Append: func(b *column.Batch) error { return c.append(topic, b) }}
	}, nil)
}

func TestSink(t *testing.T) {
	c := start(t)
	connectortest.Sink(t, func(t *testing.T) connectortest.Target {
		topic := c.topic(2)
		table := c.open(topic, connectortest.Schema)
		return connectortest.Target{Table: table, Read: func() ([]*column.Batch, error) { return c.all(topic, connectortest.Schema) },
			Reopen: func() connector.Writer { return c.open(topic, connectortest.Schema) }}
	}, nil)
}

// TestLostTransaction: the cluster has aborted what belongs to a committed batch. The query must not go on as if nothing
// were missing.
func TestLostTransaction(t *testing.T) {
	c := start(t)
	topic := c.topic(1)
	s, err := c.open(topic, connectortest.Schema).PlanWrite(t.Context(), connector.WriteRequest{Schema: connectortest.Schema, Query: "q"})
	if err != nil {
		t.Fatal(err)
	}
	tx := connector.Tx{Query: "q", Epoch: 1, Batch: 4}
	params, err := s.Begin(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	tc, reports := connectortest.Task(t, 0, &rdd.Binding{Params: params}, nil)
	w, err := s.Op().Open(tc, []rdd.Reader{&once{b: connectortest.Rows(0, 5)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Next(); err == nil {
		t.Fatal("a sink yields rows")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Abort(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	err = s.Publish(t.Context(), tx, [][]byte{(*reports)[0].Value})
	if u, ok := usererr.As(err); !ok || u.Code != "KAFKA_TRANSACTION_LOST" {
		t.Errorf("publishing what was aborted: %v", err)
	}
}

type once struct{ b *column.Batch }

func (o *once) Next() (b *column.Batch, err error) {
	if b, o.b = o.b, nil; b == nil {
		err = io.EOF
	}
	return b, err
}

func (o *once) Close() error { return nil }

// TestRaw writes and reads Spark's columns.
func TestRaw(t *testing.T) {
	c := start(t)
	topic := c.topic(1)
	if err := c.append(topic, connectortest.Rows(0, 1)); err != nil {
		t.Fatal(err)
	}
	got, err := c.all(topic, nil)
	if err != nil || len(got) != 1 || got[0].N != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if row := fmt.Sprint(got[0].Row(0)...); !strings.Contains(row, topic) {
		t.Errorf("row %s", row)
	}
	if _, err := c.open(topic, nil).PlanWrite(t.Context(), connector.WriteRequest{Schema: connectortest.Schema}); err == nil {
		t.Error("rows without a value are taken")
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for _, o := range []string{"kafka.security.protocol=PLAIN", "kafka.security.protocol=SASL_SSL", "format=avro", "kafka.transaction.timeout.ms=soon", "subscribe="} {
		k, v, _ := strings.Cut(o, "=")
		options := map[string]string{"kafka.bootstrap.servers": "localhost:1", "subscribe": "t"}
		options[k] = v
		_, err := Provider{}.Open(t.Context(), catalog.TableDef{Name: "t", Options: options})
		if u, ok := usererr.As(err); !ok || u.Code != "INVALID_SOURCE_OPTION" {
			t.Errorf("%s: %v", o, err)
		}
	}
	c, err := clusterOf(map[string]string{Servers: "a:1, b:2", "kafka.security.protocol": "sasl_ssl", "kafka.sasl.mechanism": "SCRAM-SHA-512",
		"kafka.sasl.jaas.config": `org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="x y";`})
	if err != nil || !c.TLS || c.User != "ann" || c.Password != "x y" || len(c.Servers) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzSpan(f *testing.F) {
	f.Add(span{1, 2, 3}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeSpan(b)
		if err == nil && string(s.encode()) != string(b) {
			t.Errorf("%x decodes to %+v", b, s)
		}
	})
}
