package streamflow

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/kafka"
)

// TestQueryBetweenKafkaClusters reads a topic and writes another over the Kafka protocol, and goes on after the node was away.
func TestQueryBetweenKafkaClusters(t *testing.T) {
	elsewhere := local(t)
	l := listening(t, elsewhere)
	for _, topic := range []string{"orders", "totals"} {
		if _, err := elsewhere.Node().Broker().CreateTopic(t.Context(), topic, 2, nil); err != nil {
			t.Fatal(err)
		}
	}
	conf, read := Config{Dir: t.TempDir()}, 0
	for round := range 3 {
		for i := range 5 {
			produce(t, elsewhere, "orders", int32(i%2), order(round*10, i, "a", 1), order(round*10, i, "b", 2))
		}
		read += 10
		s, err := Local(conf)
		if err != nil {
			t.Fatal(err)
		}
		options := fmt.Sprintf("USING kafka OPTIONS ('kafka.bootstrap.servers' = '%s', 'subscribe' = ", l.Addr())
		if round == 0 {
			query(t, s.Session, "CREATE TABLE orders_in (ts TIMESTAMP, item STRING, n INT) "+options+"'orders')")
			query(t, s.Session, "CREATE TABLE totals_out (item STRING, n INT) "+options+"'totals')")
			query(t, s.Session, "CREATE STREAMING QUERY mirror AS INSERT INTO totals_out SELECT item, n FROM orders_in")
		}
		want := fmt.Sprintf("Row(rows=%d, n=%d)\n", read, read/2*3)
		deadline := time.Now().Add(20 * time.Second)
		for got := ""; got != want; time.Sleep(20 * time.Millisecond) {
			if got = query(t, s.Session, "SELECT count(*) AS rows, sum(n) AS n FROM totals_out"); time.Now().After(deadline) {
				t.Fatalf("round %d: %s, want %s", round, got, want)
			}
			if got > want && len(got) >= len(want) {
				t.Fatalf("round %d: %s is more than %s", round, got, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// listening serves a node's log over the Kafka protocol until the test ends.
func listening(t *testing.T, s *LocalSession) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := kafka.New(kafka.Options{Broker: s.Node().Broker(), Rows: &ArrowRows{}})
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}
