package logstore

import (
	"fmt"

	"github.com/streamflow/streamflow/logstore/segment"
)

// ReplicaReadResult is the leader's answer to a follower. Data is whole batches; it is valid until Release.
type ReplicaReadResult struct {
	Data          []byte
	HighWatermark int64
	LogStart      int64
	Diverging     *DivergingEpoch // set: there is no data, the follower truncates and fetches again

	buf *segment.Buffer
}

// Release gives Data's buffer back to be used again. Calling it is optional.
func (r *ReplicaReadResult) Release() {
	r.buf.Release()
	r.buf, r.Data = nil, nil
}

// ReplicaRead answers a follower, and takes what the fetch tells about it: everything below f.From is durable there. The
// errors are ErrNotLeader, ErrFencedLeaderEpoch, ErrUnknownLeaderEpoch and ErrOffsetOutOfRange: the follower's log is not
// between the leader's log start and its end.
func (p *Partition) ReplicaRead(f ReplicaFetch) (ReplicaReadResult, error) {
	role := p.Role()
	return ReplicaReadResult{}, fmt.Errorf("logstore: replica read of %s: %w: node %d is no replica of epoch %d", p.tp, ErrNotLeader, f.Node, role.Epoch)
}

// ReplicaChanged is closed when there is something new for followers: batches, or a higher high watermark. Take it, look,
// then wait.
func (p *Partition) ReplicaChanged() <-chan struct{} { return p.Changed() }

// RefuseISR says that the controller refused the proposal that was made under that partition epoch for good. When it is
// not known whether it did, the proposal stays: the leader counts both sets until Lead says which one it is.
func (p *Partition) RefuseISR(partitionEpoch int32) {}

// AppendReplicated appends batches that the leader stamped: their offsets must continue this log, and their CRCs must hold.
// The Pending is durable when they are on this node's disk.
func (p *Partition) AppendReplicated(data []byte, leader LeaderView) (*Pending, error) {
	return nil, fmt.Errorf("logstore: append to %s: %w", p.tp, ErrFencedLeaderEpoch)
}

// TruncateToEpoch cuts a follower's log where it left the leader's: at the end of that epoch here, or at end if that is
// smaller. It returns when the cut is durable.
func (p *Partition) TruncateToEpoch(epoch int32, end int64) error {
	return fmt.Errorf("logstore: truncate %s: %w", p.tp, ErrFencedLeaderEpoch)
}

// Reset drops the replica's records and lets it begin anew at the offset start, to be fetched from its leader: a replica
// that is damaged, or whose log ends before the leader's begins. Damaged is nil afterwards.
func (p *Partition) Reset(start int64) error {
	return fmt.Errorf("logstore: reset %s: %w", p.tp, ErrNotLeader)
}

// Damaged says why the replica must not lead and must not be trusted; nil if nothing is known against it.
func (p *Partition) Damaged() error { return nil }

// WriteMarker is EndTxn that tells when the marker is committed.
func (p *Partition) WriteMarker(producerID int64, epoch int16, commit bool) *Pending {
	return refused(p.EndTxn(producerID, epoch, commit))
}

// FetchState is what a follower's next fetch says, and where its log stands.
type FetchState struct {
	From             int64 // end of what is on this node's disk
	End              int64
	Epoch            int32
	LastFetchedEpoch int32
	HighWatermark    int64
	LogStart         int64
}

// FetchState is where a follower stands.
func (p *Partition) FetchState() FetchState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return FetchState{From: p.high, End: p.end, Epoch: p.role.Epoch, LastFetchedEpoch: -1, HighWatermark: p.high, LogStart: p.logStart}
}

// LatestOffsets is Offsets for answers to clients about the end of the log: ErrNotLeader on a follower, and
// ErrOffsetNotAvailable on a new leader that does not know the high watermark yet (KIP-207).
func (p *Partition) LatestOffsets() (Offsets, error) { return p.Offsets(), nil }
