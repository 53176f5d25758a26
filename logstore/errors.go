package logstore

import (
	"errors"
	"fmt"
)

// Sentinels for what an append, a read or an open can refuse. Errors returned by this package wrap one of them, with
// the place; a protocol server maps them to its own codes in one table.
var (
	ErrClosed               = errors.New("log is closed")
	ErrUnknownPartition     = errors.New("unknown topic or partition")
	ErrInvalidTopic         = errors.New("invalid topic name")
	ErrSealed               = errors.New("topic is sealed")
	ErrCorruptMessage       = errors.New("corrupt record batch")
	ErrInvalidRecord        = errors.New("invalid record")
	ErrMessageTooLarge      = errors.New("record batch too large")
	ErrUnsupportedCodec     = errors.New("unsupported compression codec")
	ErrOffsetOutOfRange     = errors.New("offset out of range")
	ErrOutOfOrderSequence   = errors.New("out of order sequence number")
	ErrDuplicateSequence    = errors.New("duplicate sequence number, too old to answer")
	ErrInvalidProducerEpoch = errors.New("invalid producer epoch")
	ErrInvalidTxnState      = errors.New("invalid transaction state")
	ErrDiskFull             = errors.New("disk is full")

	// What a replicated partition refuses. After ErrNotLeader and ErrNotEnoughReplicasAfterAppend from Pending.Wait the
	// outcome is unknown: the batch is in the log and may still be committed.
	ErrNotLeader                    = errors.New("not the partition's leader")
	ErrNotEnoughReplicas            = errors.New("not enough in-sync replicas")
	ErrNotEnoughReplicasAfterAppend = errors.New("not enough in-sync replicas any more; the batch is in the log and may still be committed")
	ErrFencedLeaderEpoch            = errors.New("leader epoch is older than the current one")
	ErrUnknownLeaderEpoch           = errors.New("leader epoch is newer than the current one")
	ErrOffsetNotAvailable           = errors.New("offset is not available: the new leader does not know the high watermark yet")
	ErrDamaged                      = errors.New("replica is damaged")
)

// InvalidRecordError is ErrInvalidRecord with the record's place in its batch.
type InvalidRecordError struct {
	Index  int
	Reason string
}

func (e *InvalidRecordError) Error() string {
	return fmt.Sprintf("%v: record %d of the batch: %s", ErrInvalidRecord, e.Index, e.Reason)
}

func (e *InvalidRecordError) Unwrap() error { return ErrInvalidRecord }
