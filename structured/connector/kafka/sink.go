package kafka

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// PlanWrite plans transactions on the cluster. A raw topic takes a column value, and key and topic if they are there, as
// Spark's Kafka sink does; a json topic takes rows, whose key is the upsert key in update mode.
func (t *Table) PlanWrite(_ context.Context, req connector.WriteRequest) (connector.Sink, error) {
	if req.Overwrite {
		return nil, usererr.New("UNSUPPORTED_OVERWRITE.TOPIC", "0A000", "Topic %s cannot be overwritten: a log only grows.", t.topic).WithFix("Use INSERT INTO.")
	}
	if req.Mode == connector.Complete {
		return nil, usererr.New("UNSUPPORTED_OUTPUT_MODE.TOPIC", "0A000", "Topic %s cannot take complete mode: each batch would append the whole result again.", t.topic).
			WithFix("Use append or update mode.")
	}
	op := &Sink{Cluster: t.cluster, Topic: t.topic, Schema: req.Schema, Key: -1, Value: -1, Into: -1, Keys: req.Keys, Timeout: t.timeout}
	if t.format == rawFormat {
		op.Key, op.Value, op.Into, op.Keys = req.Schema.Index("key"), req.Schema.Index("value"), req.Schema.Index("topic"), nil
		if op.Value < 0 {
			return nil, usererr.New("TOPIC_WRITE.NO_VALUE_COLUMN", "42703", "Rows for topic %s need a column named value; these have %s.", t.topic, req.Schema).
				WithFix("Select to_json(struct(*)) AS value, or declare the table's columns.")
		}
		for _, i := range []int{op.Key, op.Value, op.Into} {
			if i >= 0 && req.Schema.Fields[i].Type.Kind != column.String && req.Schema.Fields[i].Type.Kind != column.Binary {
				return nil, usererr.New("TOPIC_WRITE.COLUMN_TYPE", "42804", "Column %s for topic %s must be string or binary, not %s.", req.Schema.Fields[i].Name, t.topic, req.Schema.Fields[i].Type)
			}
		}
	} else if got, want := names(req.Schema), names(t.fields); got != want {
		return nil, usererr.New("TOPIC_WRITE.COLUMNS", "42802", "Rows for topic %s must have the columns %s; these have %s.", t.topic, want, got)
	}
	return &sink{table: t, op: op}, nil
}

func names(s *column.Schema) string {
	var list []string
	for _, f := range s.Fields {
		list = append(list, strings.ToLower(f.Name))
	}
	return strings.Join(list, ", ")
}

// sink is one write.
type sink struct {
	table *Table
	op    *Sink
}

func (s *sink) Op() rdd.Operator { return s.op }

func (s *sink) Guarantee() string {
	return fmt.Sprintf("exactly-once: a transaction for each task, ended when the batch has committed; read it with isolation.level=read_committed. The query fails if it is away for longer than %s in between", s.table.timeout)
}

// paramPrefix is the parameter with what the ids of a batch's transactions begin with.
const paramPrefix = "kafka.transaction"

// prefix begins the ids of a batch's transactions. Batches take turns with two of them: beginning a transaction aborts an older
// one of its id, and must not abort one that is committed but not ended.
func (s *sink) prefix(tx connector.Tx) string {
	return fmt.Sprintf("streamflow-%s-%s-%d-", tx.Life(), s.table.topic, tx.Batch&1)
}

func (s *sink) Begin(_ context.Context, tx connector.Tx) (map[string]string, error) {
	return map[string]string{paramPrefix: s.prefix(tx)}, nil
}

// Publish ends the transactions that the tokens name.
func (s *sink) Publish(ctx context.Context, tx connector.Tx, tokens [][]byte) error {
	if tx.Query == "" { // a batch write: nothing follows
		defer s.Close()
	}
	adm, err := s.table.admin()
	if err != nil {
		return err
	}
	for _, b := range tokens {
		var t transaction
		if err := json.Unmarshal(b, &t); err != nil {
			return fmt.Errorf("kafka: token: %w", err)
		}
		if err := t.commit(ctx, adm); err != nil {
			return err
		}
	}
	return nil
}

// Close lets go of the connection by which transactions are ended.
func (s *sink) Close() error { return s.table.Close() }

// Abort ends what the batch has begun, in this process or in one that is gone.
func (s *sink) Abort(ctx context.Context, tx connector.Tx) error {
	adm, err := s.table.admin()
	if err != nil {
		return err
	}
	return abortAll(ctx, adm, s.prefix(tx))
}

// Sink is the terminal operator: it writes its input in a transaction, which it leaves open.
type Sink struct {
	Cluster          Cluster
	Topic            string
	Schema           *column.Schema
	Key, Value, Into int   // columns of a raw topic; -1 for none, as Value is where rows go as JSON
	Keys             []int // upsert key columns of rows
	Timeout          time.Duration
}

func init() { rdd.Register("kafka.Sink", (*Sink)(nil)) }

func (s *Sink) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	prefix := tc.Binding.Params[paramPrefix]
	if prefix == "" {
		return nil, fmt.Errorf("kafka: the batch has no transaction to write in")
	}
	return &writer{sink: s, tc: tc, op: tc.Op, in: in[0], id: fmt.Sprintf("%s%d", prefix, tc.Partition)}, nil
}
