package quota

import (
	"cmp"
	"fmt"
	"strings"
)

// Kind is what is limited.
type Kind int8

const (
	Produce     Kind = iota // bytes a second
	Fetch                   // bytes a second
	Request                 // percent of one processor's time in handlers (KIP-124)
	Mutation                // partitions created or deleted a second (KIP-599)
	Connections             // connections a second from an address (KIP-612)
	kinds
)

// Keys are the names of the kinds, as Kafka's tools write them.
var Keys = [kinds]string{"producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate", "connection_creation_rate"}

func (k Kind) String() string { return Keys[k] }

// KindOf is the kind with a name.
func KindOf(key string) (Kind, bool) {
	for i, name := range Keys {
		if name == key {
			return Kind(i), true
		}
	}
	return 0, false
}

// Part is one component of an entity: absent, the default, or a name.
type Part struct {
	Match Match  `json:"match,omitempty"`
	Name  string `json:"name,omitempty"`
}

// Match says what a Part stands for.
type Match int8

const (
	Absent  Match = 0
	Default Match = 1
	Exact   Match = 2
)

// Named is the part of somebody in particular; Rest stands for all who have none.
func Named(name string) Part { return Part{Exact, name} }

var Rest = Part{Match: Default}

func (p Part) String() string {
	if p.Match == Default {
		return "<default>"
	}
	return p.Name
}

// Entity is whom a limit is for.
type Entity struct {
	User   Part `json:"user,omitzero"`
	Client Part `json:"client,omitzero"`
	IP     Part `json:"ip,omitzero"`
}

func (e Entity) String() string {
	var parts []string
	for _, p := range []struct {
		name string
		part Part
	}{{"user", e.User}, {"client-id", e.Client}, {"ip", e.IP}} {
		if p.part.Match != Absent {
			parts = append(parts, p.name+" "+p.part.String())
		}
	}
	return strings.Join(parts, ", ")
}

// Validate says what is wrong with an entity.
func (e Entity) Validate() error {
	if e == (Entity{}) {
		return fmt.Errorf("an entity has a user, a client-id or an ip")
	}
	if e.IP.Match != Absent && (e.User.Match != Absent || e.Client.Match != Absent) {
		return fmt.Errorf("an ip stands alone")
	}
	for _, p := range []Part{e.User, e.Client, e.IP} {
		if p.Match == Exact && p.Name == "" {
			return fmt.Errorf("an entity's name must not be empty")
		}
	}
	return nil
}

// takes says whether a kind can be limited for the entity.
func (e Entity) takes(k Kind) bool { return (k == Connections) == (e.IP.Match != Absent) }

// CheckLimit says what is wrong with a limit of a kind for an entity.
func (e Entity) CheckLimit(k Kind, value float64) error {
	if !e.takes(k) {
		return fmt.Errorf("%s cannot be set for %s", k, e)
	}
	if !(value > 0) || value > 1e15 {
		return fmt.Errorf("%s is %v, which is not a positive number", k, value)
	}
	if k != Request && k != Mutation && value != float64(int64(value)) {
		return fmt.Errorf("%s is %v, which is not a whole number", k, value)
	}
	return nil
}

// compare orders entities for listings and snapshots.
func compare(a, b Entity) int {
	return cmp.Or(a.User.compare(b.User), a.Client.compare(b.Client), a.IP.compare(b.IP))
}

func (p Part) compare(q Part) int {
	return cmp.Or(cmp.Compare(p.Match, q.Match), strings.Compare(p.Name, q.Name))
}
