package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ending tells when a consumer with --end is done: at the offsets that were the ends of its partitions when it began.
type ending struct {
	adm       *kadm.Client
	topic     string
	committed bool
	left      map[int32]int64 // partition -> offset that is still to be reached
	quiet     time.Time       // when the last record came
}

const (
	endPatience = time.Minute     // for a partition without a leader
	endQuiet    = 8 * time.Second // without a record, before the ends are asked for again
)

// newEnding asks for the ends, and waits for partitions whose leaders are being elected.
func newEnding(ctx context.Context, cl *kgo.Client, topic string, committed bool) (*ending, error) {
	e := &ending{adm: kadm.NewClient(cl), topic: topic, committed: committed, quiet: time.Now()}
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	for {
		starts, ends, err := e.ask(ctx)
		if err == nil {
			e.left = map[int32]int64{}
			ends.Each(func(o kadm.ListedOffset) {
				if s, _ := starts.Lookup(topic, o.Partition); o.Offset > s.Offset {
					e.left[o.Partition] = o.Offset
				}
			})
			return e, nil
		}
		select {
		case <-ctx.Done():
			return nil, topicError(topic, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// ask is an error unless every partition answers.
func (e *ending) ask(ctx context.Context) (starts, ends kadm.ListedOffsets, err error) {
	if starts, err = e.adm.ListStartOffsets(ctx, e.topic); err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, nil, err
	}
	if e.committed {
		ends, err = e.adm.ListCommittedOffsets(ctx, e.topic)
	} else {
		ends, err = e.adm.ListEndOffsets(ctx, e.topic)
	}
	if err == nil {
		err = ends.Error()
	}
	return starts, ends, err
}

// note takes what a poll brought.
func (e *ending) note(fetches kgo.Fetches) {
	fetches.EachRecord(func(r *kgo.Record) {
		e.quiet = time.Now()
		if end, ok := e.left[r.Partition]; ok && r.Offset+1 >= end {
			delete(e.left, r.Partition)
		}
	})
}

// done: all ends are reached; or nothing comes although every leader answers: what is left before the ends are no records (a log
// may end in batches that a compaction has emptied), or they are another consumer's of the group.
func (e *ending) done(ctx context.Context) bool {
	if len(e.left) == 0 {
		return true
	}
	if time.Since(e.quiet) < endQuiet {
		return false
	}
	_, _, err := e.ask(ctx)
	return err == nil
}
