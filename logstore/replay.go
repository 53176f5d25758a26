package logstore

import (
	"fmt"

	"github.com/streamflow/streamflow/logstore/record"
)

// Replay makes the snapshot that a partition would have taken at an earlier offset, from one before it and the batches
// between: what a replica needs that begins there.
type Replay struct{ s snapshot }

// NewReplay begins with an encoded snapshot, or with nothing.
func NewReplay(prev []byte) (*Replay, error) {
	if len(prev) == 0 {
		return &Replay{}, nil
	}
	s, err := decodeSnapshot(prev)
	if err != nil {
		return nil, fmt.Errorf("logstore: %w", err)
	}
	return &Replay{s: *s}, nil
}

// Add takes the next batch; nowMs is about when it was appended.
func (r *Replay) Add(b record.Batch, nowMs int64) error {
	if b.BaseOffset() < r.s.at {
		return nil
	}
	appendMs := int64(-1)
	if b.Attributes().IsLogAppendTime() {
		appendMs = b.MaxTimestamp()
	}
	r.s.at = b.LastOffset() + 1
	r.s.epochs.Note(b.LeaderEpoch(), b.BaseOffset())
	return r.s.state.apply(b, b.BaseOffset(), appendMs, nowMs)
}

// Snapshot is the state as of the offset at, without producers that were silent since before expireMs and without aborted
// transactions that ended before.
func (r *Replay) Snapshot(at, logStart, expireMs int64) []byte {
	r.s.at, r.s.logStart = at, logStart
	r.s.state.expire(expireMs)
	r.s.state.forgetBefore(at)
	return r.s.encode()
}
