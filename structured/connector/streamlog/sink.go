package streamlog

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Parameters of a batch's staging, in Binding.Params.
const (
	paramProducer = "streamlog.producer"
	paramEpoch    = "streamlog.epoch"
)

// PlanWrite plans staging into the topic. The topic's format decides the encoding: json takes any columns, arrow the
// declared ones in order, raw Spark's Kafka sink columns (value, and optionally key).
func (t *Table) PlanWrite(ctx context.Context, req connector.WriteRequest) (connector.Sink, error) {
	if req.Overwrite {
		return nil, usererr.New("UNSUPPORTED_OVERWRITE.TOPIC", "0A000", "Topic %s cannot be overwritten: a log only grows.", t.name).
			WithFix("Use INSERT INTO, or drop and create the topic.")
	}
	if req.Mode == connector.Complete {
		return nil, usererr.New("UNSUPPORTED_OUTPUT_MODE.TOPIC", "0A000", "Topic %s cannot take complete mode: each batch would append the whole result again.", t.name).
			WithFix("Use append or update mode.")
	}
	op := &TopicSink{Topic: t.name, Format: t.format, Schema: req.Schema, Partitions: t.parts, Key: -1, Value: -1}
	if req.Deletes {
		op.Change = true
		req.Schema = &column.Schema{Fields: req.Schema.Fields[:len(req.Schema.Fields)-1]}
		op.Schema = req.Schema
	}
	if err := t.checkColumns(op, req); err != nil {
		return nil, err
	}
	if err := t.checkDeletes(op, req); err != nil {
		return nil, err
	}
	return &sink{table: t, op: op}, nil
}

// checkColumns verifies that the rows fit the topic and finds the key columns.
func (t *Table) checkColumns(op *TopicSink, req connector.WriteRequest) error {
	switch t.format {
	case Raw:
		op.Key, op.Value = req.Schema.Index("key"), req.Schema.Index("value")
		for _, i := range []int{op.Key, op.Value} {
			if i < 0 && i == op.Value {
				return usererr.New("TOPIC_WRITE.NO_VALUE_COLUMN", "42703", "Rows for topic %s need a column named value; these have %s.", t.name, req.Schema).
					WithFix("Select to_json(struct(*)) AS value, or give the topic a schema.")
			}
			if i >= 0 {
				if k := req.Schema.Fields[i].Type.Kind; k != column.String && k != column.Binary {
					return usererr.New("TOPIC_WRITE.COLUMN_TYPE", "42804", "Column %s for topic %s must be string or binary, not %s.", req.Schema.Fields[i].Name, t.name, req.Schema.Fields[i].Type)
				}
			}
		}
	case Arrow, JSON:
		if err := t.matchFields(req.Schema); err != nil {
			return err
		}
		op.Schema = t.fields
		if k := t.opts[ConfigKey]; k != "" && t.format == JSON {
			op.Key = t.fields.Index(k)
		}
		op.Keys = req.Keys
	}
	return nil
}

// checkDeletes refuses rows that may go where no tombstone could say so: a record's key must be all that identifies a row.
func (t *Table) checkDeletes(op *TopicSink, req connector.WriteRequest) error {
	refuse := func(why, fix string) error {
		return usererr.New("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "42KDE", "Rows of this query may go again, which topic %s cannot show: %s.", t.name, why).
			WithFix("%s, or give the topic the option changelog = 'true' and a last column _op STRING.", fix)
	}
	switch {
	case !req.Deletes:
		return nil
	case len(req.Keys) == 0:
		return refuse("they have no key", "Keep the columns that identify a row in the result")
	case t.format == Arrow:
		return refuse("columnar records have no keys", "Use a topic of format json")
	case op.Key < 0 && t.format == Raw:
		return refuse("there is no column named key", "Select the row's key as key")
	case op.Key >= 0 && (len(req.Keys) != 1 || req.Keys[0] != op.Key):
		return refuse(fmt.Sprintf("its records are keyed by %s, which does not identify a row", req.Schema.Fields[op.Key].Name), "Leave out the option key")
	}
	return nil
}

// matchFields requires the declared columns, by position and type.
func (t *Table) matchFields(got *column.Schema) error {
	if got.Len() != t.fields.Len() {
		return usererr.New("INSERT_COLUMN_ARITY_MISMATCH", "21S01", "Topic %s has %d columns (%s), the rows have %d (%s).", t.name, t.fields.Len(), t.fields, got.Len(), got).
			WithFix("Select exactly the topic's columns.")
	}
	for i, f := range t.fields.Fields {
		if !f.Type.Equal(got.Fields[i].Type) {
			return usererr.New("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000", "Column %s of topic %s is %s, the rows have %s.", f.Name, t.name, f.Type, got.Fields[i].Type).
				WithFix("Cast it: CAST(%s AS %s).", got.Fields[i].Name, strings.ToUpper(f.Type.String()))
		}
	}
	return nil
}

// sink is one write into a topic.
type sink struct {
	table    *Table
	op       *TopicSink
	producer int64 // of the batch that Begin prepared
	begun    bool
}

func (s *sink) Op() rdd.Operator { return s.op }

func (s *sink) Guarantee() string {
	return "exactly-once: rows are staged in a transaction that commits with the batch; read it with isolation read_committed"
}

// Begin refuses a sealed topic. It is asked before each batch, not when the write is planned: a query that resumes must be
// able to publish what it committed before its topic was sealed.
func (s *sink) Begin(ctx context.Context, tx connector.Tx) (map[string]string, error) {
	topic, err := s.table.env.Broker.Topic(s.table.name)
	if err != nil {
		return nil, err
	}
	if topic.Sealed() {
		return nil, usererr.New("TOPIC_SEALED", "25006", "Topic %s is sealed: it takes no more records.", s.table.name).
			WithFix("Write to another topic, or open it again: streamflow topic alter %s --config %s=false.", s.table.name, ConfigSealed)
	}
	id, err := s.id(ctx, tx)
	if err != nil {
		return nil, err
	}
	return map[string]string{paramProducer: strconv.FormatInt(id, 10), paramEpoch: strconv.FormatInt(tx.Epoch, 10)}, nil
}

func (s *sink) id(ctx context.Context, tx connector.Tx) (int64, error) {
	if s.begun {
		return s.producer, nil
	}
	id, err := s.table.env.producerOf(ctx, tx)
	if err == nil {
		s.producer, s.begun = id, true
	}
	return id, err
}

func (s *sink) Publish(ctx context.Context, tx connector.Tx, tokens [][]byte) error {
	id, err := s.id(ctx, tx)
	if err != nil {
		return err
	}
	return s.table.env.publish(id, tx.Epoch, tokens)
}

func (s *sink) Abort(ctx context.Context, tx connector.Tx) error {
	id, err := s.id(ctx, tx)
	if err != nil {
		return err
	}
	return s.table.env.abort(s.table.name, id, tx.Epoch)
}
