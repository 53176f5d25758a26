package streamlog

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
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

// QueryLog stages a streaming query's side outputs and its state changelog in the query's transaction, and gathers what
// topic sinks of the same process stage, so that one Flush waits for all of it and one token names all of it. It is a
// connector.Sink without an operator: rows come to it from the driver.
type QueryLog struct {
	env        *Env
	query      string
	sides      string // whose topics the side outputs are
	stateParts int32

	mu       sync.Mutex
	stager   *stager
	tx       connector.Tx
	producer int64
	topics   map[string]bool // known to exist
}

// NewQueryLog returns the log of a query whose side outputs are the topics <sides>.late and <sides>.dead. stateParts is the
// number of its state partitions, 0 for none.
func NewQueryLog(env *Env, query, sides string, stateParts int) *QueryLog {
	q := &QueryLog{env: env, query: query, sides: sides, stateParts: int32(stateParts), stager: &stager{env: env}, topics: map[string]bool{}}
	env.stagers.Store(query, q.stager)
	return q
}

// Close ends the gathering.
func (q *QueryLog) Close() { q.env.stagers.CompareAndDelete(q.query, q.stager) }

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
	topic := SideTopic(q.sides, side)
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
	t, err := q.env.Broker.Topic(topic)
	switch {
	case err != nil:
		_, err = q.env.Broker.CreateTopic(context.Background(), topic, parts, configs)
	case t.Partitions < parts: // the query has more than it began with
		err = q.env.Broker.CreatePartitions(context.Background(), topic, parts)
	}
	if err != nil {
		return err
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
	for _, topic := range append(q.sideTopics(), StateTopic(q.query)) {
		if err := q.env.abort(topic, id, tx.Epoch); err != nil {
			return err
		}
	}
	return nil
}

// sideTopics are the topics of side outputs that there are. Functions name sides of their own, so they are found by name.
func (q *QueryLog) sideTopics() []string {
	var out []string
	for _, t := range q.env.Broker.Topics() {
		if strings.HasPrefix(t.Name, SideTopic(q.sides, "")) {
			out = append(out, t.Name)
		}
	}
	return out
}

// stateSegment is the size of a changelog's segment files: what snapshots have is deleted by whole files.
const stateSegment = "16777216"

// StageState stages a change that a batch made to one state partition of one operator.
func (q *QueryLog) StageState(_ connector.Tx, op string, partition int, delta []byte) error {
	topic := StateTopic(q.query)
	if err := q.ensure(topic, q.stateParts, map[string]string{ConfigFormat: Raw, "retention.ms": "-1", "max.message.bytes": "1073741824", "segment.bytes": stateSegment}); err != nil {
		return err
	}
	b := q.builder()
	b.Add(time.Now().UnixMilli(), []byte(op), delta)
	batch, err := b.AppendBatch(nil)
	if err != nil {
		return err
	}
	return q.stager.append(topic, int32(partition), batch)
}

// FromStart is the position of the first change that there still is: what was before it is not missed.
const FromStart = -2

// ReplayState visits the committed state changes of an operator's partition after a position, in order, each with its own
// position. Positions are offsets of the changelog; -1 is before the first, FromStart before the first that there still is.
func (e *Env) ReplayState(ctx context.Context, query, op string, partition int, after int64, apply func(delta []byte, position int64) error) error {
	if _, err := e.Broker.Topic(StateTopic(query)); err != nil {
		return nil // no change was ever logged
	}
	p, err := e.Broker.Partition(StateTopic(query), int32(partition))
	if err != nil {
		return err
	}
	o := p.Offsets()
	if after+1 < o.LogStart && !(after < 0 && broughtOver(op)) && after != FromStart {
		return fmt.Errorf("streamlog: state changes of %s-%d after %d were deleted; the log begins at %d", StateTopic(query), partition, after, o.LogStart)
	}
	r := newCommittedRecords(p, max(after+1, o.LogStart), o.LastStable)
	for ctx.Err() == nil && r.next() {
		rec := r.record()
		if string(rec.Key) != op || rec.Offset <= after {
			continue
		}
		if err := apply(rec.Value, rec.Offset); err != nil {
			return fmt.Errorf("streamlog: state change of %s at %s-%d@%d: %w", op, StateTopic(query), partition, rec.Offset, err)
		}
	}
	if r.err != nil {
		return r.err
	}
	return ctx.Err()
}

// WholeChangelog reports whether nothing was deleted yet from the log of a query's state changes.
func (e *Env) WholeChangelog(query string) bool {
	t, err := e.Broker.Topic(StateTopic(query))
	if err != nil {
		return true // no change was ever logged
	}
	for i := range t.Partitions {
		if p, err := e.Broker.Partition(t.Name, i); err != nil || p.Offsets().LogStart > 0 {
			return false
		}
	}
	return true
}

// broughtOver reports whether a name is of state that began in the midst of the query's life: it has the number of the batch
// that brought it over behind an @. Before that batch the changelog has nothing of it, and since then what was deleted was in
// a snapshot first; so without a snapshot everything of it is still there.
func broughtOver(op string) bool { return strings.Contains(op, "@") }

// Records visits the committed records of a partition from an offset on, up to the last stable one at the call, and returns
// where to go on. A record without a value is a tombstone: value is nil.
func (e *Env) Records(ctx context.Context, topic string, partition int32, from int64, visit func(key, value []byte, offset int64) error) (next int64, err error) {
	p, err := e.Broker.Partition(topic, partition)
	if err != nil {
		return from, err
	}
	o := p.Offsets()
	r := newCommittedRecords(p, max(from, o.LogStart), o.LastStable)
	for ctx.Err() == nil && r.next() {
		rec := r.record()
		if rec.Offset < from {
			continue // of a batch that begins before
		}
		if err := visit(rec.Key, rec.Value, rec.Offset); err != nil {
			return rec.Offset, err
		}
		from = rec.Offset + 1
	}
	if r.err != nil {
		return from, r.err
	}
	return max(from, o.LastStable), ctx.Err()
}

// Sides is the name whose topics take the side outputs.
func (q *QueryLog) Sides() string { return q.sides }
