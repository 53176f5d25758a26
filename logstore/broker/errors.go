package broker

import (
	"github.com/streamflow/streamflow/internal/usererr"
)

// Codes of the user errors of this package.
const (
	CodeUnknownTopic   = "UNKNOWN_TOPIC"
	CodeTopicExists    = "TOPIC_ALREADY_EXISTS"
	CodeInvalidTopic   = "INVALID_TOPIC"
	CodeInvalidConfig  = "INVALID_TOPIC_CONFIG"
	CodeInvalidCount   = "INVALID_PARTITION_COUNT"
	CodeUnknownPart    = "UNKNOWN_PARTITION"
	CodeSealed         = "TOPIC_SEALED"
	CodeTopicBeingGone = "TOPIC_BEING_DELETED"
	CodeNotLeader      = "NOT_LEADER"

	CodeInvalidReplication = "INVALID_REPLICATION_FACTOR"
	CodeInvalidAssignment  = "INVALID_REPLICA_ASSIGNMENT"
	CodeUnknownBroker      = "UNKNOWN_BROKER"
	CodeBrokerInUse        = "BROKER_IN_USE"
	CodeStaleBroker        = "STALE_BROKER_EPOCH"
	CodeFencedLeader       = "FENCED_LEADER_EPOCH"
	CodeStalePartition     = "INVALID_UPDATE_VERSION"
	CodeIneligible         = "INELIGIBLE_REPLICA"
	CodeNoElection         = "ELECTION_NOT_NEEDED"
	CodePreferredAway      = "PREFERRED_LEADER_NOT_AVAILABLE"
	CodeNoCandidate        = "ELIGIBLE_LEADERS_NOT_AVAILABLE"
	CodeNoReassignment     = "NO_REASSIGNMENT_IN_PROGRESS"
)

func errUnknownTopic(name string, known []string) error {
	e := usererr.New(CodeUnknownTopic, "42P01", "topic %q does not exist", name).With("topic", name)
	if near := nearest(name, known); near != "" {
		return e.WithFix("Did you mean %q?", near)
	}
	return e.WithFix("Create it first, or list the topics there are.")
}

func errTopicExists(name string) error {
	return usererr.New(CodeTopicExists, "42P07", "topic %q exists", name).With("topic", name)
}
