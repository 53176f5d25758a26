package replicator

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/replica"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// following is a partition that a fetcher follows. The fetcher's mu guards what Lags reads.
type following struct {
	Followed                    // as it was told first; only Throttled may become another
	throttled atomic.Bool       // Followed.Throttled now
	pending   *logstore.Pending // of the response at hand; the goroutine's own
	failed    int               // attempts in a row

	err         error // why it is left out
	retryAt     time.Time
	lag         int64
	behindSince time.Time
}

func (p *following) key() key { return key{p.TopicID, p.Partition.ID().Partition} }

// take carries out what a response says of one partition.
func (f *fetcher) take(p *following, r *kmsg.FetchResponseTopicPartition, now time.Time) {
	state := p.Partition.FetchState()
	view := logstore.LeaderView{Epoch: p.Epoch, HighWatermark: r.HighWatermark, LogStart: r.LogStartOffset}
	if state.Epoch != p.Epoch {
		return // told another role since; set comes
	}
	err := kerr.ErrorForCode(r.ErrorCode)
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange):
		err = outOfRange(p, state, r.LogStartOffset)
	case err == nil && diverges(r):
		err = p.Partition.TruncateToEpoch(p.Epoch, r.DivergingEpoch.Epoch, r.DivergingEpoch.EndOffset)
	case err == nil:
		p.pending, err = p.Partition.AppendReplicated(r.RecordBatches, view)
		if err == nil && r.LogStartOffset > state.LogStart {
			err = p.Partition.FollowLogStart(view)
		}
	}
	if err == nil {
		f.progress(p, r, now)
		if len(r.RecordBatches) > 0 {
			return // the outcome comes with the fsync
		}
	}
	p.pending = nil
	f.outcome(p, err)
}

func diverges(r *kmsg.FetchResponseTopicPartition) bool {
	return r.DivergingEpoch.EndOffset >= 0 && r.DivergingEpoch.Epoch >= 0
}

// outOfRange is for a log that ends where the leader's does not reach.
func outOfRange(p *following, state logstore.FetchState, start int64) error {
	log := replica.Log{Start: state.LogStart, Durable: state.From, End: state.End}
	step := log.Step(replica.Response{OutOfRange: true, LogStart: start, Base: -1})
	if step.Kind != replica.Restart {
		return fmt.Errorf("%w: from %d, the leader's log begins at %d", kerr.OffsetOutOfRange, state.From, start)
	}
	return p.Partition.Reset(step.At)
}

// progress notes how far the leader is ahead.
func (f *fetcher) progress(p *following, r *kmsg.FetchResponseTopicPartition, now time.Time) {
	if p.throttled.Load() {
		f.r.throttle.spend(now, int64(len(r.RecordBatches)))
	}
	end := lastOffset(r.RecordBatches)
	f.mu.Lock()
	defer f.mu.Unlock()
	p.lag = max(0, r.HighWatermark-max(end, p.Partition.FetchState().From))
	if p.lag == 0 {
		p.behindSince = now
	}
}

// lastOffset is where batches end; -1 if there are none.
func lastOffset(data []byte) int64 {
	end := int64(-1)
	for len(data) > 0 {
		b, rest, err := record.Next(data)
		if err != nil {
			break
		}
		end, data = b.LastOffset()+1, rest
	}
	return end
}

// outcome leaves a partition out for a while after an error.
func (f *fetcher) outcome(p *following, err error) {
	f.mu.Lock()
	p.err = err
	if err == nil {
		p.failed, p.retryAt = 0, time.Time{}
		f.mu.Unlock()
		return
	}
	p.failed++
	f.out = true
	p.retryAt = time.Now().Add(f.backoff(p.failed))
	f.mu.Unlock()
	if level := f.o.Logger.Info; p.failed == 5 {
		level("replicator: partition left behind", "partition", p.Partition.ID(), "leader", f.from.node, "epoch", p.Epoch, "err", err)
	}
}

func (f *fetcher) lags(out []Lag) []Lag {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for _, p := range f.parts {
		l := Lag{Partition: p.Partition.ID(), Leader: f.from.node, Offsets: p.lag, Err: p.err}
		if p.lag > 0 || p.err != nil {
			l.Behind = now.Sub(p.behindSince)
		}
		out = append(out, l)
	}
	return out
}
