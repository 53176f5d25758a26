package chaoslog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// until asks again until ok, or until ctx ends.
func until(ctx context.Context, what string, ok func() (bool, error)) error {
	var last error
	for {
		good, err := ok()
		if good && err == nil {
			return nil
		}
		if err != nil {
			last = err
		}
		if !sleep(ctx, 200*time.Millisecond) {
			return fmt.Errorf("%s: not in time (last error: %v)", what, last)
		}
	}
}

// settled waits until each partition has a leader and all its replicas are in sync.
func (w *workload) settled(ctx context.Context, adm *kadm.Client, replicas int) error {
	return until(ctx, "all replicas in sync", func() (bool, error) {
		topics, err := adm.ListTopics(ctx, topicInput, topicOutput, topicLedger)
		if err != nil {
			return false, err
		}
		for _, t := range topics {
			for _, p := range t.Partitions {
				if p.Err != nil || p.Leader < 0 || len(p.ISR) < replicas {
					return false, fmt.Errorf("%s-%d: leader %d, in sync %v, %v", t.Topic, p.Partition, p.Leader, p.ISR, p.Err)
				}
			}
		}
		return len(topics) == 3, nil
	})
}

// drained waits until the movers have committed all of the input, and no transaction is open.
func (w *workload) drained(ctx context.Context, adm *kadm.Client) error {
	return until(ctx, "movers at the end, no transaction open", func() (bool, error) {
		ends, err := adm.ListEndOffsets(ctx, topicInput, topicOutput, topicLedger)
		if err != nil {
			return false, err
		}
		stable, err := adm.ListCommittedOffsets(ctx, topicInput, topicOutput, topicLedger)
		if err != nil {
			return false, err
		}
		at, err := adm.FetchOffsets(ctx, groupMovers)
		if err != nil {
			return false, err
		}
		var behind error
		ends.Each(func(e kadm.ListedOffset) {
			if s, _ := stable.Lookup(e.Topic, e.Partition); s.Offset != e.Offset {
				behind = fmt.Errorf("%s-%d: a transaction is open at %d, the end is %d", e.Topic, e.Partition, s.Offset, e.Offset)
			}
			if o, ok := at.Lookup(e.Topic, e.Partition); e.Topic == topicInput && e.Offset > 0 && (!ok || o.At < e.Offset) {
				behind = fmt.Errorf("%s-%d: movers are at %d, the end is %d", e.Topic, e.Partition, o.At, e.Offset)
			}
		})
		return behind == nil, behind
	})
}

// readAll reads every partition to its end from its leader, with both isolation levels.
func (w *workload) readAll(ctx context.Context, adm *kadm.Client) error {
	meta, err := adm.ListTopics(ctx, topicInput, topicOutput, topicLedger)
	if err != nil {
		return err
	}
	for _, committed := range []bool{true, false} {
		ends, err := adm.ListEndOffsets(ctx, topicInput, topicOutput, topicLedger)
		if err != nil {
			return err
		}
		for _, t := range meta {
			for _, p := range t.Partitions {
				end, _ := ends.Lookup(t.Topic, p.Partition)
				f := FinalRead{Place: Place{t.Topic, p.Partition}, Leader: p.Leader, Committed: committed}
				if f.Records, err = w.readTo(ctx, f.Place, committed, end.Offset); err != nil {
					return fmt.Errorf("final read of %s from node %d: %w", f.Place, p.Leader, err)
				}
				w.h.AddFinal(f)
			}
		}
	}
	return nil
}

// readTo reads a partition from its start to end. A reader of committed records, or one of a log that ends in a marker, never gets
// the last offset as a record: the client's position tells.
func (w *workload) readTo(ctx context.Context, p Place, committed bool, end int64) (list []Seen, err error) {
	if end == 0 {
		return nil, nil
	}
	cl, err := w.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.Topic: {p.Partition: kgo.NewOffset().At(0)}}),
		kgo.FetchIsolationLevel(isolation(committed)), kgo.FetchMaxWait(100*time.Millisecond), kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for next, quiet := int64(0), 0; next < end && quiet < 20; {
		polling, stop := context.WithTimeout(ctx, 500*time.Millisecond)
		fetches := cl.PollFetches(polling)
		stop()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("at offset %d of %d: %w", next, end, errors.Join(ctx.Err(), fetches.Err()))
		}
		quiet++
		fetches.EachRecord(func(r *kgo.Record) {
			quiet, next = 0, r.Offset+1
			if !r.Attrs.IsControl() {
				list = append(list, seenOf(r))
			}
		})
	}
	return list, nil
}

// rotate makes the next replica of each partition its leader; false when there is only one.
func (w *workload) rotate(ctx context.Context, adm *kadm.Client) (bool, error) {
	meta, err := adm.ListTopics(ctx, topicInput, topicOutput, topicLedger)
	if err != nil {
		return false, err
	}
	var req kadm.AlterPartitionAssignmentsReq
	want := map[Place]int32{}
	for _, t := range meta {
		for _, p := range t.Partitions {
			if len(p.Replicas) < 2 {
				return false, nil
			}
			next := append(append([]int32{}, p.Replicas[1:]...), p.Replicas[0])
			req.Assign(t.Topic, p.Partition, next)
			want[Place{t.Topic, p.Partition}] = next[0]
		}
	}
	if _, err := adm.AlterPartitionAssignments(ctx, req); err != nil {
		return false, err
	}
	return true, until(ctx, "leaders moved", func() (bool, error) {
		if _, err := adm.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil); err != nil {
			return false, err
		}
		meta, err := adm.ListTopics(ctx, topicInput, topicOutput, topicLedger)
		if err != nil {
			return false, err
		}
		for _, t := range meta {
			for _, p := range t.Partitions {
				if at := want[Place{t.Topic, p.Partition}]; p.Leader != at {
					return false, fmt.Errorf("%s-%d is led by %d, not yet by %d", t.Topic, p.Partition, p.Leader, at)
				}
			}
		}
		return true, nil
	})
}
