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
