package kafka

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// writer writes everything in its first Next.
type writer struct {
	sink   *Sink
	tc     *rdd.TaskContext
	op     string
	in     rdd.Reader
	id     string      // of the transaction
	client *kgo.Client // nil before the first row
	done   bool
	keys   column.Batch // the upsert key columns of the batch in hand

	mu     sync.Mutex
	failed error // the first record that was refused
}

func (w *writer) Next() (*column.Batch, error) {
	if w.done {
		return nil, io.EOF
	}
	w.done = true
	for {
		b, err := w.in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := w.write(b); err != nil {
			return nil, w.place(err)
		}
	}
	if w.client == nil {
		return nil, io.EOF
	}
	if err := w.finish(); err != nil {
		return nil, w.place(err)
	}
	return nil, io.EOF
}

func (w *writer) place(err error) error {
	return fmt.Errorf("kafka: transaction %s into topic %s: %w", w.id, w.sink.Topic, err)
}

// begin begins the transaction with the first row.
func (w *writer) begin() error {
	cl, err := w.sink.Cluster.client(kgo.TransactionalID(w.id), kgo.TransactionTimeout(w.sink.Timeout), kgo.DefaultProduceTopic(w.sink.Topic),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordDeliveryTimeout(2*time.Minute))
	if err != nil {
		return err
	}
	w.client = cl
	return cl.BeginTransaction()
}

func (w *writer) write(b *column.Batch) error {
	if b.N == 0 {
		return nil
	}
	if w.client == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	w.selectKeys(b)
	for i := range b.N {
		w.client.Produce(w.tc.Context, w.record(b, i), w.delivered)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

func (w *writer) delivered(_ *kgo.Record, err error) {
	if err != nil {
		w.mu.Lock()
		if w.failed == nil {
			w.failed = err
		}
		w.mu.Unlock()
	}
}

// record is a row as the topic has it. Its memory is its own: it is sent later.
func (w *writer) record(b *column.Batch, i int) *kgo.Record {
	s := w.sink
	if s.Value < 0 {
		r := &kgo.Record{Value: column.AppendJSONRow(nil, b, i, len(b.Cols), time.UTC)}
		if len(s.Keys) > 0 {
			r.Key = column.AppendJSONRow(nil, &w.keys, i, len(w.keys.Cols), time.UTC)
		}
		return r
	}
	bytesOf := func(col int) []byte {
		if col < 0 || !b.Cols[col].IsValid(i) {
			return nil
		}
		return append([]byte{}, b.Cols[col].Bytes(i)...)
	}
	return &kgo.Record{Key: bytesOf(s.Key), Value: bytesOf(s.Value), Topic: string(bytesOf(s.Into))}
}

// selectKeys takes the upsert key columns of a batch, once for all its rows.
func (w *writer) selectKeys(b *column.Batch) {
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

// finish waits until the cluster has all records, and reports the transaction, which stays open.
func (w *writer) finish() error {
	if err := w.client.Flush(w.tc.Context); err != nil {
		return err
	}
	if w.failed != nil {
		return w.failed
	}
	id, epoch, err := w.client.ProducerID(w.tc.Context)
	if err != nil {
		return err
	}
	token, err := json.Marshal(transaction{ID: w.id, Producer: id, Epoch: epoch})
	if err == nil {
		w.tc.Report(w.op, connector.TokenKey, token)
	}
	return err
}

// Close lets go of the connection; what was not reported is aborted by the next transaction of the id.
func (w *writer) Close() error {
	if w.client != nil {
		w.client.Close()
	}
	return w.in.Close()
}
