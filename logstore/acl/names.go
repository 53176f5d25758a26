package acl

import (
	"fmt"
	"strings"
)

// ResourceType is what a binding is about. The numbers are the protocol's.
type ResourceType int8

const (
	UnknownType     ResourceType = 0
	AnyType         ResourceType = 1 // of filters
	Topic           ResourceType = 2
	Group           ResourceType = 3
	Cluster         ResourceType = 4 // its only name is ClusterName
	TransactionalID ResourceType = 5
	DelegationToken ResourceType = 6
	User            ResourceType = 7
)

// ClusterName is the name of the only resource of type Cluster.
const ClusterName = "kafka-cluster"

// Pattern says which names a binding's name stands for. The numbers are the protocol's.
type Pattern int8

const (
	UnknownPattern Pattern = 0
	AnyPattern     Pattern = 1 // of filters: bindings of any pattern with that name
	Match          Pattern = 2 // of filters: bindings that apply to a resource of that name
	Literal        Pattern = 3 // that name only; "*" is every name
	Prefixed       Pattern = 4 // names that begin with it
)

// Operation is what somebody wants to do. The numbers are the protocol's.
type Operation int8

const (
	UnknownOp       Operation = 0
	AnyOp           Operation = 1 // of filters
	All             Operation = 2
	Read            Operation = 3
	Write           Operation = 4
	Create          Operation = 5
	Delete          Operation = 6
	Alter           Operation = 7
	Describe        Operation = 8
	ClusterAction   Operation = 9
	DescribeConfigs Operation = 10
	AlterConfigs    Operation = 11
	IdempotentWrite Operation = 12
	CreateTokens    Operation = 13
	DescribeTokens  Operation = 14
	TwoPhaseCommit  Operation = 15
)

// Permission says whether a binding allows or denies. The numbers are the protocol's.
type Permission int8

const (
	UnknownPermission Permission = 0
	AnyPermission     Permission = 1 // of filters
	Deny              Permission = 2
	Allow             Permission = 3
)

var typeNames = []string{"UNKNOWN", "ANY", "TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "DELEGATION_TOKEN", "USER"}
var patternNames = []string{"UNKNOWN", "ANY", "MATCH", "LITERAL", "PREFIXED"}
var opNames = []string{"UNKNOWN", "ANY", "ALL", "READ", "WRITE", "CREATE", "DELETE", "ALTER", "DESCRIBE", "CLUSTER_ACTION",
	"DESCRIBE_CONFIGS", "ALTER_CONFIGS", "IDEMPOTENT_WRITE", "CREATE_TOKENS", "DESCRIBE_TOKENS", "TWO_PHASE_COMMIT"}
var permissionNames = []string{"UNKNOWN", "ANY", "DENY", "ALLOW"}

func (t ResourceType) String() string { return nameOf(typeNames, int8(t)) }
func (p Pattern) String() string      { return nameOf(patternNames, int8(p)) }
func (o Operation) String() string    { return nameOf(opNames, int8(o)) }
func (p Permission) String() string   { return nameOf(permissionNames, int8(p)) }

func nameOf(names []string, n int8) string {
	if n < 0 || int(n) >= len(names) {
		return fmt.Sprintf("UNKNOWN(%d)", n)
	}
	return names[n]
}

// ParseOperation reads a name such as READ or describe-configs.
func ParseOperation(s string) (Operation, error) {
	n, err := parseName(opNames, "operation", s)
	return Operation(n), err
}

// ParseResourceType reads a name such as TOPIC or transactional-id.
func ParseResourceType(s string) (ResourceType, error) {
	n, err := parseName(typeNames, "resource type", s)
	return ResourceType(n), err
}

// ParsePattern reads LITERAL, PREFIXED, ANY or MATCH.
func ParsePattern(s string) (Pattern, error) {
	n, err := parseName(patternNames, "pattern", s)
	return Pattern(n), err
}

// parseName finds s, without regard to case and with - for _, among names; the first, UNKNOWN, is no answer.
func parseName(names []string, what, s string) (int8, error) {
	norm := strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(s), "-", "_"))
	for i, n := range names {
		if i > 0 && n == norm {
			return int8(i), nil
		}
	}
	return 0, fmt.Errorf("%q is no %s; there are %s", s, what, strings.ToLower(strings.Join(names[1:], ", ")))
}
