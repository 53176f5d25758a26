package consumer

// Description is a group at one moment.
type Description struct {
	State           string // Empty, Reconciling or Stable
	Epoch           int32
	AssignmentEpoch int32
	Assignor        string
	Members         []MemberDescription
}

// MemberDescription is a member at one moment.
type MemberDescription struct {
	MemberID, InstanceID, RackID string
	ClientID, ClientHost         string
	Epoch                        int32
	Names                        []string
	Pattern                      string
	Assigned, Target             Set
}

// Describe returns the group as it is.
func (g *Group) Describe() Description {
	d := Description{State: g.state(), Epoch: g.epoch, AssignmentEpoch: g.targetEpoch, Assignor: g.assignor}
	for _, m := range g.ordered() {
		d.Members = append(d.Members, MemberDescription{
			MemberID: m.id, InstanceID: m.instance, RackID: m.rack, ClientID: m.clientID, ClientHost: m.host, Epoch: m.epoch,
			Names: m.names, Pattern: m.pattern, Assigned: m.assigned, Target: g.target[m.id],
		})
	}
	return d
}

func (g *Group) state() string {
	if len(g.members) == 0 {
		return "Empty"
	}
	for _, m := range g.members {
		if m.state != Stable || m.epoch != g.targetEpoch {
			return "Reconciling"
		}
	}
	return "Stable"
}
