package streamlog

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// StateTopic is the topic of a query's state changelog.
func StateTopic(query string) string { return "__state." + query }

// SideTopic is the topic of a query's side output.
func SideTopic(query, side string) string { return query + "." + side }

// QueryLog stages a streaming query's side outputs and its state changelog in the query's transaction. It is a
// connector.Sink without an operator: rows come to it from the driver and the executors directly.
type QueryLog struct {
	env        *Env
	query      string
	stateParts int32

	mu       sync.Mutex
	stager   *stager
	tx       connector.Tx
	producer int64
	topics   map[string]bool // known to exist
}

// NewQueryLog returns the log of a query. stateParts is the number of its state partitions, 0 for none.
func NewQueryLog(env *Env, query string, stateParts int) *QueryLog {
	return &QueryLog{env: env, query: query, stateParts: int32(stateParts), stager: &stager{env: env}, topics: map[string]bool{}}
}

// Op is nil: no operator writes here.
func (q *QueryLog) Op() rdd.Operator { return nil }

func (q *QueryLog) Guarantee() string { return "exactly-once: part of the query's transaction" }

// Begin starts a batch.
func (q *QueryLog) Begin(ctx context.Context, tx connector.Tx) (map[string]string, error) {
	id, err := q.env.producerOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tx, q.producer = tx, id
	return nil, nil
}

// sideFields are the columns of a side topic; values are text so that people can read them.
var sideFields = func() *column.Schema {
	s := &column.Schema{Fields: append([]column.Field{}, connector.SideSchema.Fields...)}
	s.Fields[s.Index("value")].Type = column.Of(column.String)
	return s
}()

// Stage takes rows that were set aside.
func (q *QueryLog) Stage(tx connector.Tx, side string, b *column.Batch) error {
	topic := SideTopic(q.query, side)
	if err := q.ensure(topic, 1, map[string]string{ConfigFormat: JSON, ConfigSchema: sideFields.String()}); err != nil {
		return err
	}
	bld := q.builder()
	now := time.Now().UnixMilli()
	rows := textValues(b)
	var row []byte
	for i := range rows.N {
		row = column.AppendJSONRow(row[:0], rows, i, len(rows.Cols), time.UTC)
		bld.Add(now, nil, row)
		if bld.Size() >= flushBytes || i == rows.N-1 {
			batch, err := bld.AppendBatch(nil)
			if err != nil {
				return err
			}
			if err := q.stager.append(topic, 0, batch); err != nil {
				return err
			}
			bld = q.builder()
		}
	}
	return nil
}

// textValues is a side batch with its value column as text; bytes that are no UTF-8 are shown as "base64:…".
func textValues(b *column.Batch) *column.Batch {
	last := len(b.Cols) - 1
	text := column.NewBuilder(column.Of(column.String))
	for i := range b.N {
		switch v := b.Cols[last]; {
		case !v.IsValid(i):
			text.AppendNull()
		case utf8.Valid(v.Bytes(i)):
			text.AppendBytes(v.Bytes(i))
		default:
			text.AppendString("base64:" + base64.StdEncoding.EncodeToString(v.Bytes(i)))
		}
	}
	cols := append(append([]*column.Vector{}, b.Cols[:last]...), text.Finish())
	return column.NewBatch(sideFields, b.N, cols...)
}

func (q *QueryLog) builder() *record.Builder {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := record.NewBuilder(record.None)
	b.SetProducer(producer(q.producer, q.tx.Epoch))
	b.SetTransactional(true)
	return b
}

// ensure creates a topic that is not there yet.
func (q *QueryLog) ensure(topic string, parts int32, configs map[string]string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.topics[topic] {
		return nil
	}
	if _, err := q.env.Broker.Topic(topic); err != nil {
		if _, err := q.env.Broker.CreateTopic(context.Background(), topic, parts, configs); err != nil {
			return err
		}
	}
	q.topics[topic] = true
	return nil
}

// Flush waits until all that the batch staged here is durable and returns its token.
func (q *QueryLog) Flush(ctx context.Context, _ connector.Tx) ([]byte, error) {
	staged, err := q.stager.wait(ctx)
	if err != nil {
		return nil, err
	}
	return token(staged)
}

func (q *QueryLog) Publish(ctx context.Context, tx connector.Tx, tokens [][]byte) error {
	id, err := q.env.producerOf(ctx, tx)
	if err != nil {
		return err
	}
	return q.env.publish(id, tx.Epoch, tokens)
}

func (q *QueryLog) Abort(ctx context.Context, tx connector.Tx) error {
	id, err := q.env.producerOf(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := q.stager.wait(ctx); err != nil && ctx.Err() != nil {
		return err
	}
	for _, topic := range []string{SideTopic(q.query, connector.Late), SideTopic(q.query, connector.Dead), StateTopic(q.query)} {
		if err := q.env.abort(topic, id, tx.Epoch); err != nil {
			return err
		}
	}
	return nil
}

// Append stages the change that a batch made to one state partition of one operator.
func (q *QueryLog) Append(op string, partition int, version int64, delta []byte) error {
	topic := StateTopic(q.query)
	if err := q.ensure(topic, q.stateParts, map[string]string{ConfigFormat: Raw}); err != nil {
		return err
	}
	b := q.builder()
	b.Add(time.Now().UnixMilli(), stateKey(op, version), delta)
	batch, err := b.AppendBatch(nil)
	if err != nil {
		return err
	}
	return q.stager.append(topic, int32(partition), batch)
}

// A changelog record's key is the state version, int64 big endian, and the operator's id.
func stateKey(op string, version int64) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(version)), op...)
}

// Replay calls apply for the committed changes of an operator's partition with from < version <= to, in order.
func (q *QueryLog) Replay(op string, partition int, from, to int64, apply func(version int64, delta []byte) error) error {
	if _, err := q.env.Broker.Topic(StateTopic(q.query)); err != nil {
		return nil // no change was ever logged
	}
	p, err := q.env.Broker.Partition(StateTopic(q.query), int32(partition))
	if err != nil {
		return err
	}
	o := p.Offsets()
	r := newCommittedRecords(p, o.LogStart, o.LastStable)
	for r.next() {
		k := r.record().Key
		if len(k) < 8 || string(k[8:]) != op {
			continue
		}
		v := int64(binary.BigEndian.Uint64(k))
		if v > from && v <= to {
			if err := apply(v, r.record().Value); err != nil {
				return fmt.Errorf("streamlog: state change %d of %s at %s-%d: %w", v, op, StateTopic(q.query), partition, err)
			}
		}
	}
	return r.err
}
