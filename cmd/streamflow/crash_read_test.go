package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// place is where a record lies.
type place struct {
	topic     string
	partition int32
	offset    int64
}

func placeOf(r *kgo.Record) place { return place{r.Topic, r.Partition, r.Offset} }

// outputs watches the output topics with a read-committed client while the node dies and comes back. What such a client
// has been shown must stay true.
type outputs struct {
	cl   *kgo.Client
	mu   sync.Mutex
	seen map[place]string
	errs []string
	done chan struct{}
}

func watchOutputs(t *testing.T, addr string) *outputs {
	var topics []string
	for _, q := range crashQueries {
		topics = append(topics, q.name+".out")
	}
	o := &outputs{seen: map[place]string{}, done: make(chan struct{}),
		cl: kafkaClient(t, addr, kgo.ConsumeTopics(topics...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
			kgo.FetchMaxWait(200*time.Millisecond))}
	t.Cleanup(o.close)
	go o.run()
	return o
}

func (o *outputs) run() {
	defer close(o.done)
	for {
		fetches := o.cl.PollFetches(context.Background())
		if fetches.IsClientClosed() {
			return
		}
		o.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) {
			p := placeOf(r)
			if old, ok := o.seen[p]; ok {
				o.errs = append(o.errs, fmt.Sprintf("%v was shown twice: %s, then %s", p, old, r.Value))
			}
			o.seen[p] = string(r.Value)
		})
		o.mu.Unlock()
	}
}

func (o *outputs) close() {
	o.cl.Close()
	<-o.done
}

// readTopic reads a topic whole, by a client of its own.
func readTopic(ctx context.Context, t *testing.T, addr, topic string, level kgo.IsolationLevel) []*kgo.Record {
	t.Helper()
	cl := kafkaClient(t, addr, kgo.FetchIsolationLevel(level), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.KeepControlRecords())
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Err != nil {
			if strings.HasPrefix(o.Err.Error(), "UNKNOWN_TOPIC") {
				return // nothing was ever written
			}
			t.Fatal(o.Err)
		}
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var out []*kgo.Record
	for len(left) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("read %s: %v; not reached: %v", topic, err, left)
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, r := range p.Records {
				if !r.Attrs.IsControl() {
					out = append(out, r)
				}
			}
			// Aborted records are not shown: only the last stable offset says how far the client has come.
			if n := len(p.Records); n > 0 && p.Records[n-1].Offset+1 >= left[p.Partition] {
				delete(left, p.Partition)
			}
		})
	}
	return out
}
