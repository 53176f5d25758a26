package streamlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/structured/connector"
)

// Staged is where a batch's staged rows end in one partition: one past the last offset.
type Staged struct {
	Topic     string `json:"t"`
	Partition int32  `json:"p"`
	End       int64  `json:"e"`
}

// producer is the identity under which a batch is staged. Its epoch is the query's, folded into Kafka's 16 bits.
func producer(id, epoch int64) record.Producer {
	return record.Producer{ID: id, Epoch: int16(epoch % (1 << 15)), Sequence: -1}
}

// stager appends batches of one transaction and gathers what must become durable. It is safe for concurrent use.
type stager struct {
	env *Env

	mu      sync.Mutex
	pending []staging
}

type staging struct {
	topic     string
	partition int32
	append    *logstore.Pending
}

// append stages a record batch, already part of the transaction, in a partition.
func (s *stager) append(topic string, partition int32, batch []byte) error {
	p, err := s.env.Broker.LeaderPartition(topic, partition)
	if err != nil {
		return err
	}
	a := p.Append(logstore.AppendRequest{Data: batch, Internal: true})
	s.mu.Lock()
	s.pending = append(s.pending, staging{topic, partition, a})
	s.mu.Unlock()
	return nil
}

// wait returns when all that was staged is durable, and where it ends.
func (s *stager) wait(ctx context.Context) ([]Staged, error) {
	s.mu.Lock()
	pending := s.pending
	s.pending = nil
	s.mu.Unlock()
	ends := map[Staged]int64{}
	var order []Staged
	var errs []error
	for _, p := range pending {
		res, err := p.append.Wait(ctx)
		if err != nil {
			errs = append(errs, stagingError(p, err))
			continue
		}
		k := Staged{Topic: p.topic, Partition: p.partition}
		if _, ok := ends[k]; !ok {
			order = append(order, k)
		}
		ends[k] = max(ends[k], res.LastOffset+1)
	}
	for i, k := range order {
		order[i].End = ends[k]
	}
	return order, errors.Join(errs...)
}

func stagingError(p staging, err error) error {
	place := fmt.Sprintf("%s-%d", p.topic, p.partition)
	if errors.Is(err, logstore.ErrDiskFull) {
		return usererr.New(connector.DiskFull, "53100", "The node's disk is full: rows for topic %s could not be staged.", p.topic).In(place).
			WithFix("Free space or lower retention; the query waits, and goes on by itself.")
	}
	return fmt.Errorf("streamlog: stage into %s: %w", place, err)
}

// publish commits the transactions that a token names. A transaction that was begun after the token is left alone, so
// publishing twice does nothing.
func (e *Env) publish(producerID int64, epoch int64, tokens [][]byte) error {
	for _, t := range tokens {
		var staged []Staged
		if err := json.Unmarshal(t, &staged); err != nil {
			return fmt.Errorf("streamlog: token: %w", err)
		}
		for _, s := range staged {
			if err := e.endTxn(s.Topic, s.Partition, producerID, epoch, s.End, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// endTxn ends the producer's open transaction in a partition if it began below end.
func (e *Env) endTxn(topic string, partition int32, producerID, epoch, end int64, commit bool) error {
	p, err := e.Broker.Partition(topic, partition)
	if err != nil {
		// A topic that was deleted since has nothing to show.
		if u, ok := usererr.As(err); ok && u.Code == "UNKNOWN_TOPIC" {
			return nil
		}
		return err
	}
	for _, t := range p.OpenTxns() {
		if t.ProducerID == producerID && t.FirstOffset < end {
			return p.EndTxn(producerID, max(t.Epoch, producer(producerID, epoch).Epoch), commit)
		}
	}
	return nil
}

// abort ends whatever the producer has open in a topic.
func (e *Env) abort(topic string, producerID, epoch int64) error {
	t, err := e.Broker.Topic(topic)
	if err != nil {
		return nil // nothing was staged in a topic that does not exist
	}
	for i := int32(0); i < t.Partitions; i++ {
		if err := e.endTxn(topic, i, producerID, epoch, 1<<62, false); err != nil {
			return err
		}
	}
	return nil
}

// token encodes what was staged, nil for nothing.
func token(staged []Staged) ([]byte, error) {
	if len(staged) == 0 {
		return nil, nil
	}
	return json.Marshal(staged)
}

// producerOf is the producer id of a query's transactions; a batch write gets a fresh one.
func (e *Env) producerOf(ctx context.Context, tx connector.Tx) (int64, error) {
	if tx.Query == "" {
		return e.Broker.NextProducerID(ctx)
	}
	return e.Producer(ctx, tx.Query)
}
