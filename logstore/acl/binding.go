package acl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Binding is one access control entry with the resources it is for.
type Binding struct {
	Type       ResourceType `json:"type"`
	Name       string       `json:"name"`
	Pattern    Pattern      `json:"pattern"` // Literal or Prefixed
	Principal  Principal    `json:"principal"`
	Host       string       `json:"host"` // "*" is every host
	Operation  Operation    `json:"op"`
	Permission Permission   `json:"permission"`
}

// AnyName as a literal binding's name stands for every name; AnyHost for every host.
const AnyName, AnyHost = "*", "*"

func (b Binding) String() string {
	return fmt.Sprintf("%s %s %s on %s:%s:%s from %s", b.Permission, b.Principal, b.Operation, b.Type, b.Pattern, b.Name, b.Host)
}

// Validate says what a binding that is to be kept lacks.
func (b Binding) Validate() error {
	switch {
	case b.Type < Topic || b.Type > User:
		return fmt.Errorf("resource type %s cannot have a binding", b.Type)
	case b.Pattern != Literal && b.Pattern != Prefixed:
		return fmt.Errorf("pattern %s cannot have a binding: literal or prefixed", b.Pattern)
	case b.Name == "":
		return fmt.Errorf("a binding wants a resource name")
	case b.Type == Cluster && (b.Name != ClusterName || b.Pattern != Literal):
		return fmt.Errorf("the only cluster resource is %s", ClusterName)
	case b.Principal.Type == "" || b.Principal.Name == "":
		return fmt.Errorf("a binding wants a principal such as User:name")
	case b.Host == "":
		return fmt.Errorf("a binding wants a host, or *")
	case b.Permission != Allow && b.Permission != Deny:
		return fmt.Errorf("permission %s cannot have a binding: allow or deny", b.Permission)
	case b.Operation < All || b.Operation > TwoPhaseCommit:
		return fmt.Errorf("operation %s cannot have a binding", b.Operation)
	}
	return nil
}

// CheckOperation says that nobody does the operation with such a resource. Kafka keeps bindings of that kind, which tools make
// when they combine operations with resources; a person who writes one has made a mistake.
func (b Binding) CheckOperation() error {
	if b.Operation == All || slices.Contains(operations[b.Type], b.Operation) {
		return nil
	}
	return fmt.Errorf("operation %s is not of resource type %s", b.Operation, b.Type)
}

// operations are what can be done with each type of resource, in addition to All.
var operations = map[ResourceType][]Operation{
	Topic:           {Read, Write, Create, Delete, Alter, Describe, DescribeConfigs, AlterConfigs},
	Group:           {Read, Delete, Describe, DescribeConfigs, AlterConfigs},
	Cluster:         {Create, Alter, Describe, ClusterAction, DescribeConfigs, AlterConfigs, IdempotentWrite},
	TransactionalID: {Write, Describe, TwoPhaseCommit},
	DelegationToken: {Describe},
	User:            {CreateTokens, DescribeTokens},
}

// Operations are what can be done with a resource of type t.
func (t ResourceType) Operations() []Operation { return operations[t] }

// compare orders bindings for listings and snapshots.
func compare(a, b Binding) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name), cmp.Compare(a.Pattern, b.Pattern),
		strings.Compare(a.Principal.Type, b.Principal.Type), strings.Compare(a.Principal.Name, b.Principal.Name),
		strings.Compare(a.Host, b.Host), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Permission, b.Permission))
}

func errUnknown(what string, n int8) error { return fmt.Errorf("%s %d is unknown", what, n) }
