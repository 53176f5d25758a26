package streamlog

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore/columnar"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// flushBytes is the size at which a record batch is closed; a topic's max.message.bytes is at least this.
const flushBytes = 512 << 10

// TopicSink stages its input in a topic. Rows with a key go to the partition that Kafka's default partitioner chooses for
// it; others to one partition for each task.
type TopicSink struct {
	Topic      string
	Format     string
	Schema     *column.Schema
	Partitions int
	Key, Value int   // columns of a raw topic, Key also of a JSON topic; -1 for none
	Keys       []int // upsert key columns, when Key is -1
	Change     bool  // one more column: -1 for a row that is gone, for which a tombstone is written
}

// Once: what is staged stays in the transaction, also when the task fails.
func (s *TopicSink) Once() bool { return true }

// Open starts staging under the producer that the batch's Begin chose.
func (s *TopicSink) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	env, ok := tc.Services[ServiceName].(*Env)
	if !ok {
		return nil, fmt.Errorf("streamlog: this executor has no log")
	}
	id, err1 := strconv.ParseInt(tc.Binding.Params[paramProducer], 10, 64)
	epoch, err2 := strconv.ParseInt(tc.Binding.Params[paramEpoch], 10, 64)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("streamlog: the batch has no transaction to stage in")
	}
	w := &sinkWriter{sink: s, tc: tc, op: tc.Op, in: in[0], producer: producer(id, epoch), now: time.Now().UnixMilli(),
		builders: make([]*record.Builder, s.Partitions)}
	if shared, ok := env.stagers.Load(tc.Binding.Query); ok {
		w.stager, w.shared = shared.(*stager), true
	} else {
		w.stager = &stager{env: env}
	}
	return w, nil
}

// sinkWriter stages everything in its first Next.
type sinkWriter struct {
	sink     *TopicSink
	tc       *rdd.TaskContext
	op       string
	in       rdd.Reader
	stager   *stager
	shared   bool // the query's driver waits for the disk, once for all that the batch stages
	producer record.Producer
	now      int64 // milliseconds, the timestamp of the batch's records
	builders []*record.Builder
	rows     column.Batch // the batch in hand without its last column
	keys     column.Batch // the upsert key columns of the batch in hand
	key      []byte
	value    []byte
	encoded  []byte
}

func (w *sinkWriter) Next() (*column.Batch, error) {
	var rows int64
	for {
		b, err := w.in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		rows += int64(b.N)
		if err := w.stage(b); err != nil {
			return nil, err
		}
	}
	if err := w.flushAll(); err != nil {
		return nil, err
	}
	if rows > 0 {
		w.tc.Count(w.op, "rows.out", rows)
	}
	if !w.shared {
		if err := w.durable(); err != nil {
			return nil, err
		}
	}
	return nil, io.EOF
}

// durable waits for the staged rows and reports where they end.
func (w *sinkWriter) durable() error {
	staged, err := w.stager.wait(w.tc.Context)
	if err != nil {
		return err
	}
	t, err := token(staged)
	if err == nil && t != nil {
		w.tc.Report(w.op, connector.TokenKey, t)
	}
	return err
}

func (w *sinkWriter) stage(b *column.Batch) error {
	if w.sink.Format == Arrow {
		return w.stageArrow(b)
	}
	gone := []int64(nil)
	if w.sink.Change {
		last := len(b.Cols) - 1
		gone, w.rows = b.Cols[last].I64, column.Batch{Schema: w.sink.Schema, N: b.N, Cols: b.Cols[:last]}
		b = &w.rows
	}
	w.selectKeys(b)
	for i := range b.N {
		if err := w.stageRow(b, i, gone != nil && gone[i] < 0); err != nil {
			return err
		}
	}
	return nil
}

func (w *sinkWriter) stageArrow(b *column.Batch) error {
	for from := 0; from < b.N; from += column.ExchangeRows {
		part := b.Slice(from, min(from+column.ExchangeRows, b.N))
		batch, err := columnar.Encode(nil, part, columnar.Header{Producer: w.producer, Transactional: true, Timestamp: w.now})
		if err != nil {
			return err
		}
		if err := w.stager.append(w.sink.Topic, w.taskPartition(), batch); err != nil {
			return err
		}
	}
	return nil
}

func (w *sinkWriter) taskPartition() int32 { return int32(w.tc.Partition % w.sink.Partitions) }

// stageRow adds a row to the record batch of its partition.
func (w *sinkWriter) stageRow(b *column.Batch, i int, tombstone bool) error {
	key := w.rowKey(b, i)
	p := w.taskPartition()
	if key != nil {
		p = partitionFor(key, w.sink.Partitions)
	}
	bld := w.builders[p]
	if bld == nil {
		bld = record.NewBuilder(record.None)
		bld.SetProducer(w.producer)
		bld.SetTransactional(true)
		w.builders[p] = bld
	}
	var value []byte
	if !tombstone {
		value = w.rowValue(b, i)
	}
	bld.Add(w.now, key, value)
	if bld.Size() >= flushBytes {
		return w.flush(p)
	}
	return nil
}

func (w *sinkWriter) rowKey(b *column.Batch, i int) []byte {
	if k := w.sink.Key; k >= 0 {
		if !b.Cols[k].IsValid(i) {
			return nil
		}
		if v := b.Cols[k]; v.Type.Kind == column.String || v.Type.Kind == column.Binary {
			return v.Bytes(i)
		}
		return fmt.Append(w.key[:0], column.Value(b.Cols[k], i))
	}
	if len(w.sink.Keys) == 0 {
		return nil
	}
	w.key = column.AppendJSONRow(w.key[:0], &w.keys, i, len(w.keys.Cols), time.UTC)
	return w.key
}

// selectKeys takes the upsert key columns of a batch, once for all its rows.
func (w *sinkWriter) selectKeys(b *column.Batch) {
	if len(w.sink.Keys) > 0 && w.keys.Schema == nil {
		w.keys.Schema = &column.Schema{}
		for _, k := range w.sink.Keys {
			w.keys.Schema.Fields = append(w.keys.Schema.Fields, w.sink.Schema.Fields[k])
		}
	}
	w.keys.N, w.keys.Cols = b.N, w.keys.Cols[:0]
	for _, k := range w.sink.Keys {
		w.keys.Cols = append(w.keys.Cols, b.Cols[k])
	}
}

func (w *sinkWriter) rowValue(b *column.Batch, i int) []byte {
	if w.sink.Format == Raw {
		v := b.Cols[w.sink.Value]
		if !v.IsValid(i) {
			return nil
		}
		return v.Bytes(i)
	}
	w.value = column.AppendJSONRow(w.value[:0], b, i, len(b.Cols), time.UTC)
	return w.value
}

func (w *sinkWriter) flushAll() error {
	for p := range w.builders {
		if err := w.flush(int32(p)); err != nil {
			return err
		}
	}
	return nil
}

func (w *sinkWriter) flush(p int32) error {
	b := w.builders[p]
	if b == nil || b.Count() == 0 {
		return nil
	}
	var err error
	if w.encoded, err = b.AppendBatch(w.encoded[:0]); err != nil {
		return err
	}
	b.SetProducer(w.producer)
	return w.stager.append(w.sink.Topic, p, w.encoded)
}

func (w *sinkWriter) Close() error { return w.in.Close() }
