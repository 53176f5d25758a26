package group

import "fmt"

// Code is an outcome; the numbers are Kafka's error codes.
type Code int16

const (
	OK                        Code = 0
	IllegalGeneration         Code = 22
	InconsistentGroupProtocol Code = 23
	UnknownMemberID           Code = 25
	InvalidSessionTimeout     Code = 26
	RebalanceInProgress       Code = 27
	InvalidRequest            Code = 42
	NonEmptyGroup             Code = 68
	MemberIDRequired          Code = 79
	GroupMaxSizeReached       Code = 81
	FencedInstanceID          Code = 82
	FencedMemberEpoch         Code = 110
	UnreleasedInstanceID      Code = 111
	UnsupportedAssignor       Code = 112
	StaleMemberEpoch          Code = 113
	InvalidRecordState        Code = 121
)

var codeNames = map[Code]string{
	OK: "OK", IllegalGeneration: "ILLEGAL_GENERATION", InconsistentGroupProtocol: "INCONSISTENT_GROUP_PROTOCOL",
	UnknownMemberID: "UNKNOWN_MEMBER_ID", InvalidSessionTimeout: "INVALID_SESSION_TIMEOUT",
	RebalanceInProgress: "REBALANCE_IN_PROGRESS", NonEmptyGroup: "NON_EMPTY_GROUP", MemberIDRequired: "MEMBER_ID_REQUIRED",
	GroupMaxSizeReached: "GROUP_MAX_SIZE_REACHED", FencedInstanceID: "FENCED_INSTANCE_ID",
	FencedMemberEpoch: "FENCED_MEMBER_EPOCH", UnreleasedInstanceID: "UNRELEASED_INSTANCE_ID",
	UnsupportedAssignor: "UNSUPPORTED_ASSIGNOR", StaleMemberEpoch: "STALE_MEMBER_EPOCH",
	InvalidRequest: "INVALID_REQUEST", InvalidRecordState: "INVALID_RECORD_STATE",
}

func (c Code) String() string {
	if s, ok := codeNames[c]; ok {
		return s
	}
	return fmt.Sprintf("CODE(%d)", int16(c))
}
