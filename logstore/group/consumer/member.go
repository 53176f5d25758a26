package consumer

import "slices"

// State is where a member stands between its assignment and its target.
type State int8

const (
	Stable State = iota
	Unrevoked
	Unreleased
)

func (s State) String() string { return [...]string{"Stable", "Unrevoked", "Unreleased"}[s] }

// member is one consumer.
//
//	assigned and revoking are disjoint, and owner has the member for every partition in them
//	revoking is empty unless state is Unrevoked
type member struct {
	id, instance     string
	rack             string
	clientID, host   string
	rebalanceTimeout int64
	assignor         string
	names            []string // subscribed to, in order
	pattern          string
	matched          []string

	state     State
	epoch     int32
	previous  int32 // the epoch before, with which a heartbeat whose answer was lost comes again
	toldEpoch int32
	assigned  Set
	revoking  Set  // to be let go
	owned     *Set // what the client says it has, in this heartbeat; nil: as it was, so it may have everything

	session  int64 // when it is given up
	deadline int64 // Unrevoked: when it is given up for not letting go
}

func sortedNames(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}

// sameNames is whether names, in any order, are those that are held in order.
func sameNames(held, names []string) bool { return slices.Equal(held, sortedNames(names)) }
