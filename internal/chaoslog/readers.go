package chaoslog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func isolation(committed bool) kgo.IsolationLevel {
	if committed {
		return kgo.ReadCommitted()
	}
	return kgo.ReadUncommitted()
}

func isolationWord(committed bool) string {
	if committed {
		return "committed"
	}
	return "uncommitted"
}

// read reads a topic from the start, over and over: each life of a reader is a new client that begins at 0.
func (w *workload) read(ctx context.Context, topic string, committed bool, rng *rand.Rand) error {
	for life := 0; ctx.Err() == nil; life++ {
		if err := w.readLife(ctx, topic, committed, life, time.Duration(2+rng.IntN(6))*time.Second); err != nil {
			return err
		}
	}
	return nil
}

func (w *workload) readLife(ctx context.Context, topic string, committed bool, life int, lasts time.Duration) error {
	from := map[int32]kgo.Offset{}
	for p := range w.partitions {
		from[p] = kgo.NewOffset().At(0)
	}
	cl, err := w.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}), kgo.FetchIsolationLevel(isolation(committed)),
		kgo.FetchMaxWait(200*time.Millisecond), kgo.DisableFetchCRCValidation())
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	name := fmt.Sprintf("%s reader %s/%d", isolationWord(committed), topic, life)
	for ctx.Err() == nil {
		cl.PollFetches(ctx).EachPartition(func(p kgo.FetchTopicPartition) {
			if len(p.Records) == 0 {
				return
			}
			poll := Poll{Reader: name, Committed: committed, Place: Place{p.Topic, p.Partition}}
			for _, r := range p.Records {
				poll.Records = append(poll.Records, seenOf(r))
			}
			w.h.AddPoll(poll)
		})
	}
	return nil
}

// watch asks for the ends of partitions and for the movers' committed offsets, one question after another. What it is told must
// never go back.
func (w *workload) watch(ctx context.Context) error {
	cl, err := w.client(kgo.RequestRetries(1))
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	for sleep(ctx, 50*time.Millisecond) {
		w.watchOnce(ctx, adm)
	}
	return nil
}

func (w *workload) watchOnce(ctx context.Context, adm *kadm.Client) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	topics := []string{topicInput, topicOutput, topicLedger}
	note := func(watch string, list kadm.ListedOffsets) {
		list.Each(func(o kadm.ListedOffset) {
			if o.Err == nil {
				w.h.AddMark(Mark{Watch: watch, Place: Place{o.Topic, o.Partition}, Value: o.Offset})
			}
		})
	}
	if list, err := adm.ListEndOffsets(ctx, topics...); err == nil {
		note("the end", list)
	}
	if list, err := adm.ListCommittedOffsets(ctx, topics...); err == nil {
		note("the last stable offset", list)
	}
	if list, err := adm.FetchOffsets(ctx, groupMovers); err == nil {
		list.Each(func(o kadm.OffsetResponse) {
			if o.Err == nil && o.At >= 0 {
				w.h.AddMark(Mark{Watch: "the movers' committed offset", Place: Place{o.Topic, o.Partition}, Value: o.At})
			}
		})
	}
}
