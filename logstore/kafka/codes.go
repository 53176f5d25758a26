package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/twmb/franz-go/pkg/kerr"
)

// storeCodes maps what the storage engine refuses to protocol errors. The first match counts.
var storeCodes = []struct {
	is   error
	code *kerr.Error
}{
	{logstore.ErrUnknownPartition, kerr.UnknownTopicOrPartition},
	{logstore.ErrInvalidTopic, kerr.InvalidTopicException},
	{logstore.ErrSealed, kerr.PolicyViolation},
	{logstore.ErrCorruptMessage, kerr.CorruptMessage},
	{logstore.ErrInvalidRecord, kerr.InvalidRecord},
	{logstore.ErrMessageTooLarge, kerr.MessageTooLarge},
	{logstore.ErrUnsupportedCodec, kerr.UnsupportedCompressionType},
	{logstore.ErrOffsetOutOfRange, kerr.OffsetOutOfRange},
	{logstore.ErrOutOfOrderSequence, kerr.OutOfOrderSequenceNumber},
	{logstore.ErrDuplicateSequence, kerr.DuplicateSequenceNumber},
	{logstore.ErrInvalidProducerEpoch, kerr.InvalidProducerEpoch},
	{logstore.ErrInvalidTxnState, kerr.InvalidTxnState},
	{logstore.ErrDiskFull, kerr.KafkaStorageError},
	{logstore.ErrClosed, kerr.NotLeaderForPartition},
	{logstore.ErrNotLeader, kerr.NotLeaderForPartition},
	{logstore.ErrNotEnoughReplicas, kerr.NotEnoughReplicas},
	{logstore.ErrNotEnoughReplicasAfterAppend, kerr.NotEnoughReplicasAfterAppend},
	{logstore.ErrFencedLeaderEpoch, kerr.FencedLeaderEpoch},
	{logstore.ErrUnknownLeaderEpoch, kerr.UnknownLeaderEpoch},
	{logstore.ErrOffsetNotAvailable, kerr.OffsetNotAvailable},
	{logstore.ErrDamaged, kerr.KafkaStorageError},
	{logstore.ErrTierUnavailable, kerr.KafkaStorageError},
	{broker.ErrProducerFenced, kerr.ProducerFenced},
	{broker.ErrTxnState, kerr.InvalidTxnState},
	{broker.ErrTxnConcurrent, kerr.ConcurrentTransactions},
	{broker.ErrTxnMapping, kerr.InvalidProducerIDMapping},
	{broker.ErrNotCoordinator, kerr.NotCoordinator},
	{broker.ErrCoordinatorLoading, kerr.CoordinatorLoadInProgress},
	{broker.ErrNoCoordinator, kerr.CoordinatorNotAvailable},
	{meta.ErrNoLeader, kerr.RequestTimedOut}, // clients try again, and ask another broker
	{meta.ErrUnknownOutcome, kerr.RequestTimedOut},
	{meta.ErrUnreachable, kerr.RequestTimedOut},
	{meta.ErrClosed, kerr.RequestTimedOut},
	{context.Canceled, kerr.RequestTimedOut},
	{context.DeadlineExceeded, kerr.RequestTimedOut},
}

// userCodes maps user errors, by their code.
var userCodes = map[string]*kerr.Error{
	broker.CodeUnknownTopic:   kerr.UnknownTopicOrPartition,
	broker.CodeUnknownPart:    kerr.UnknownTopicOrPartition,
	broker.CodeTopicExists:    kerr.TopicAlreadyExists,
	broker.CodeTopicBeingGone: kerr.TopicAlreadyExists,
	broker.CodeInvalidTopic:   kerr.InvalidTopicException,
	broker.CodeInvalidConfig:  kerr.InvalidConfig,
	broker.CodeInvalidCount:   kerr.InvalidPartitions,
	broker.CodeSealed:         kerr.PolicyViolation,
	broker.CodeNotLeader:      kerr.NotLeaderForPartition,

	broker.CodeInvalidReplication: kerr.InvalidReplicationFactor,
	broker.CodeInvalidAssignment:  kerr.InvalidReplicaAssignment,
	broker.CodeUnknownBroker:      kerr.BrokerIDNotRegistered,
	broker.CodeBrokerInUse:        kerr.InvalidRequest,
	broker.CodeNoElection:         kerr.ElectionNotNeeded,
	broker.CodePreferredAway:      kerr.PreferredLeaderNotAvailable,
	broker.CodeNoCandidate:        kerr.EligibleLeadersNotAvailable,
	broker.CodeNoReassignment:     kerr.NoReassignmentInProgress,

	broker.CodeInvalidGroupConfig: kerr.InvalidConfig,

	broker.CodeUnknownFeature: kerr.InvalidUpdateVersion,
	broker.CodeFeatureLevel:   kerr.InvalidUpdateVersion,
	codeDamaged:               kerr.CorruptMessage,
}

// codeDamaged is the storage engine's word for records that the disk has not kept.
const codeDamaged = "CORRUPT_SEGMENT"

// damaged is whether err says that records cannot be read because the disk has not kept them.
func damaged(err error) bool {
	ue, ok := usererr.As(err)
	return errors.Is(err, logstore.ErrDamaged) || ok && ue.Code == codeDamaged
}

// code is the protocol error of err; 0 for nil.
func code(err error) int16 {
	if err == nil {
		return 0
	}
	var ke *kerr.Error
	if errors.As(err, &ke) {
		return ke.Code
	}
	if ue, ok := usererr.As(err); ok {
		if ke, ok := userCodes[ue.Code]; ok {
			return ke.Code
		}
	}
	for _, c := range storeCodes {
		if errors.Is(err, c.is) {
			return c.code.Code
		}
	}
	return kerr.UnknownServerError.Code
}

// message is err's text for clients that show one.
func message(err error) *string {
	if err == nil {
		return nil
	}
	text := err.Error()
	if ue, ok := usererr.As(err); ok {
		text = ue.Message
		if ue.Fix != "" {
			text += ". " + ue.Fix
		}
	}
	return &text
}

// detailed is a protocol error with a text of its own.
type detailed struct {
	code *kerr.Error
	text string
}

func (d *detailed) Error() string { return d.text }
func (d *detailed) Unwrap() error { return d.code }

func withMessage(code *kerr.Error, format string, args ...any) error {
	return &detailed{code, fmt.Sprintf(format, args...)}
}
