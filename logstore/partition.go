package logstore

import "context"

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// AppendRequest is one append. Data is one batch (a client's) or several (Internal); it is copied before Append returns,
// and is not changed.
type AppendRequest struct {
	Data        []byte
	LeaderEpoch int32
	Internal    bool // by the node itself: control batches, several batches, and sealed topics are allowed
}

// AppendResult says where a batch went.
type AppendResult struct {
	BaseOffset int64
	LastOffset int64
	AppendTime int64 // milliseconds if the topic stamps log-append time, else -1
	LogStart   int64
	Duplicate  bool // an idempotent producer's repeat: the offsets are those of the first time
}

// Pending is an append on its way to disk.
type Pending struct{}

// Wait returns when the append is durable (see SyncPolicy), has failed, or ctx is done. An append whose ctx is done may
// still succeed.
func (p *Pending) Wait(ctx context.Context) (AppendResult, error) { panic("BUG: unbuilt") }

// Done is closed when Wait would not block.
func (p *Pending) Done() <-chan struct{} { panic("BUG: unbuilt") }

// Offsets are the borders of a partition: LogStart <= LastStable <= HighWatermark <= End.
type Offsets struct {
	LogStart      int64
	LastStable    int64 // nothing below it belongs to an open transaction
	HighWatermark int64 // what is below it is durable
	End           int64 // the next offset to be given
}

// AbortedTxn tells a read-committed reader to drop a producer's transactional records from FirstOffset to its next abort marker.
type AbortedTxn struct {
	ProducerID  int64
	FirstOffset int64
}

// ReadResult is a read's answer. Data is whole batches, the first of which holds the asked offset (and may begin before
// it); it is valid until Release, or for ever if Release is never called.
type ReadResult struct {
	Data          []byte
	HighWatermark int64
	LastStable    int64
	LogStart      int64
	Aborted       []AbortedTxn // of a committed read
}

// Release gives Data's buffer back to be used again. Calling it is optional.
func (r *ReadResult) Release() { panic("BUG: unbuilt") }

// OpenTxn is a transaction without a marker yet.
type OpenTxn struct {
	ProducerID  int64
	Epoch       int16
	FirstOffset int64
	LastAppend  int64 // milliseconds
}

// ProducerState is what a partition knows of a producer.
type ProducerState struct {
	ProducerID   int64
	Epoch        int16
	LastSequence int32
	LastAppend   int64 // milliseconds
	TxnFirst     int64 // first offset of its open transaction, or -1
}

// TimestampOffset is a record's place and time; Offset is -1 where there is none.
type TimestampOffset struct {
	Offset      int64
	Timestamp   int64
	LeaderEpoch int32
}

// Partition is one ordered log.
type Partition struct{}

func (p *Partition) ID() TopicPartition                { panic("BUG: unbuilt") }
func (p *Partition) Config() PartitionConfig           { panic("BUG: unbuilt") }
func (p *Partition) SetConfig(cfg PartitionConfig)     { panic("BUG: unbuilt") }
func (p *Partition) Append(req AppendRequest) *Pending { panic("BUG: unbuilt") }
func (p *Partition) Offsets() Offsets                  { panic("BUG: unbuilt") }
func (p *Partition) Read(from int64, maxBytes int, committed bool) (ReadResult, error) {
	panic("BUG: unbuilt")
}

// Changed is closed when the high watermark, the last stable offset or the log start next moves. Take it, look, then wait.
func (p *Partition) Changed() <-chan struct{} { panic("BUG: unbuilt") }

// OffsetForTime finds the first record whose timestamp is at least ms; Offset is -1 when there is none.
func (p *Partition) OffsetForTime(ms int64) (TimestampOffset, error) { panic("BUG: unbuilt") }

// MaxTimestamp finds the record with the greatest timestamp.
func (p *Partition) MaxTimestamp() (TimestampOffset, error) { panic("BUG: unbuilt") }

// EndTxn appends the producer's commit or abort marker and ends its transaction here. It does not wait for the disk: the
// decision is elsewhere, and is told again after a crash. Ending a transaction that is not open does nothing.
func (p *Partition) EndTxn(producerID int64, epoch int16, commit bool) error { panic("BUG: unbuilt") }

func (p *Partition) OpenTxns() []OpenTxn        { panic("BUG: unbuilt") }
func (p *Partition) Producers() []ProducerState { panic("BUG: unbuilt") }

// AppendControl appends a control record of our own: typ is at least 100, and Kafka clients skip it.
func (p *Partition) AppendControl(typ int16, value []byte) *Pending { panic("BUG: unbuilt") }

// DeleteRecords moves the log start to before (or to the high watermark for -1), and returns the new log start.
func (p *Partition) DeleteRecords(before int64) (int64, error) { panic("BUG: unbuilt") }

// EpochEnd answers OffsetForLeaderEpoch: the largest known epoch that is at most epoch, and where it ends.
func (p *Partition) EpochEnd(epoch int32) (int32, int64) { panic("BUG: unbuilt") }

// Size is the partition's bytes.
func (p *Partition) Size() int64 { panic("BUG: unbuilt") }
