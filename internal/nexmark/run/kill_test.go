package run

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/nexmark"
	"github.com/streamflow/streamflow/internal/nexmark/answer"
	"github.com/streamflow/streamflow/internal/proctest"
	"github.com/streamflow/streamflow/structured"
)

func TestMain(m *testing.M) { proctest.Main(m) }

// killRows is how many rows are sent to a partition before the other has its turn: less than the watermark's delay.
const killRows = 1000

// TestKilledNodeGivesTheAnswers kills a node under all queries, again and again, while events come over the Kafka protocol.
func TestKilledNodeGivesTheAnswers(t *testing.T) {
	kills := int64(2)
	if *long {
		kills = 12
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	k := &killed{Node: proctest.NewNode(t).Start(), t: t, ctx: ctx, gen: nexmark.NewGenerator(nexmark.Config{Seed: 1, TPS: goldenTPS}), sent: map[nexmark.Kind]int64{}}
	k.Env = []string{"STREAMFLOW_STORAGE_STATE_CHECKPOINT_INTERVAL=200ms"}
	k.declare()
	for i := range kills {
		k.send(goldenEvents * (i + 1) / (kills + 1))
		k.Kill()
		k.Start()
	}
	k.send(goldenEvents)
	for _, kind := range nexmark.Kinds {
		k.Command("streamflow", "topic", "seal", kind.String()).Must(t)
	}
	in := answer.Load(k.gen, goldenEvents)
	for _, q := range k.queries {
		want, err := in.Rows(q.Name)
		if err != nil {
			t.Fatal(err)
		}
		k.await(q.Name)
		t.Run(q.Name, func(t *testing.T) { same(t, k.result(t, q), want) })
	}
}

// killed is a node that is killed, and what runs on it.
type killed struct {
	*proctest.Node
	t       *testing.T
	ctx     context.Context
	gen     *nexmark.Generator
	client  *kgo.Client
	sent    map[nexmark.Kind]int64
	queries []nexmark.Query
	columns map[string]string
}

func (k *killed) session() *structured.Session {
	k.t.Helper()
	s, err := streamflow.Connect(k.ctx, "sc://"+k.Connect)
	if err != nil {
		k.t.Fatal(err)
	}
	return s
}

// declare makes the tables and starts the queries, each into a topic of its own.
func (k *killed) declare() {
	k.t.Helper()
	s := k.session()
	run := func(text string) error {
		df, err := s.SQL(k.ctx, text)
		if err == nil {
			_, err = df.Collect(k.ctx)
		}
		return err
	}
	for _, kind := range nexmark.Kinds {
		if err := run(kind.DDL("topic", "format 'json'", "partitions '2'")); err != nil {
			k.t.Fatal(err)
		}
	}
	for _, text := range []string{nexmark.SideInput, "SET streamflow.state.unbounded = allow"} {
		if err := run(text); err != nil {
			k.t.Fatal(err)
		}
	}
	k.columns = map[string]string{}
	for _, q := range append(nexmark.Queries(), nexmark.Patterns()...) {
		df, err := s.SQL(k.ctx, q.SQL)
		if err != nil {
			k.t.Fatal(err)
		}
		schema, err := df.Schema(k.ctx)
		if err != nil {
			k.t.Fatal(err)
		}
		var names, cols []string
		for _, f := range schema.Fields {
			names, cols = append(names, "`"+f.Name+"`"), append(cols, fmt.Sprintf("`%s` %s", f.Name, f.Type))
		}
		k.columns[q.Name] = strings.Join(names, ", ")
		if err := run(fmt.Sprintf("CREATE TABLE out_%s (%s) USING topic OPTIONS (format 'json', partitions '2')", q.Name, strings.Join(cols, ", "))); err != nil {
			k.t.Fatal(err)
		}
		err = run(fmt.Sprintf("CREATE STREAMING QUERY %s START FROM BEGINNING OUTPUT MODE %s AS INSERT INTO out_%s %s", q.Name, q.Mode, q.Name, q.SQL))
		if !pending(k.t, q.Name, err) {
			k.queries = append(k.queries, q)
		}
	}
	var err error
	if k.client, err = kgo.NewClient(kgo.SeedBrokers(k.Kafka), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0)); err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(k.client.Close)
}

// send sends the rows of all kinds up to an event, stamped with the time at which they happen.
func (k *killed) send(event int64) {
	k.t.Helper()
	var failed error
	for _, kind := range nexmark.Kinds {
		for ; k.sent[kind] < kind.Rows(event); k.sent[kind]++ {
			row := k.sent[kind]
			r := &kgo.Record{Topic: kind.String(), Partition: int32(row / killRows % 2), Value: k.gen.AppendJSON(nil, kind, row), Timestamp: time.UnixMicro(k.gen.Time(kind, row))}
			k.client.Produce(k.ctx, r, func(_ *kgo.Record, err error) {
				if err != nil {
					failed = err
				}
			})
		}
	}
	if err := k.client.Flush(k.ctx); err != nil {
		k.t.Fatal(err)
	}
	if failed != nil {
		k.t.Fatal(failed)
	}
}

func (k *killed) await(query string) {
	k.t.Helper()
	for {
		status := k.session()
		list, err := status.Streams(k.ctx)
		if err != nil {
			k.t.Fatal(err)
		}
		for _, q := range list {
			if q.Name() == query {
				if err := q.AwaitTermination(k.ctx); err != nil {
					k.t.Fatalf("%s: %v", query, err)
				}
				return
			}
		}
		k.t.Fatalf("the node does not know %s", query)
	}
}

// result is what a query's topic has come to: all rows, or the last of each key.
func (k *killed) result(t *testing.T, q nexmark.Query) []answer.Row {
	t.Helper()
	text := fmt.Sprintf("SELECT %s FROM out_%s", k.columns[q.Name], q.Name)
	if q.Mode == "update" {
		text = fmt.Sprintf("SELECT %s FROM (SELECT *, row_number() OVER (PARTITION BY _partition, _key ORDER BY _offset DESC) AS age FROM out_%s) WHERE age = 1", k.columns[q.Name], q.Name)
	}
	rows, err := k.session().Run(k.ctx, text, structured.RunOptions{}, structured.ExecOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return collect(t, rows)
}
