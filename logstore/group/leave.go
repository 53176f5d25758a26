package group

func (g *Group) heartbeat(e Heartbeat) {
	g.do(HeartbeatReply{Req: e.Req, Code: g.checkHeartbeat(e)})
}

func (g *Group) checkHeartbeat(e Heartbeat) Code {
	m, code := g.find(Identity{e.MemberID, e.InstanceID})
	switch {
	case code != OK:
		return code
	case e.Generation != g.generation:
		return IllegalGeneration
	}
	g.alive(m)
	if g.state == Preparing {
		return RebalanceInProgress
	}
	return OK
}

func (g *Group) leave(e Leave) {
	codes := make([]Code, len(e.Members))
	gone := false
	for i, id := range e.Members {
		codes[i] = g.leaveOne(id)
		gone = gone || codes[i] == OK
	}
	g.do(LeaveReply{Req: e.Req, Codes: codes})
	if gone && (g.state != Empty || len(g.members) > 0) {
		g.rebalance()
	}
}

// leaveOne removes one member. An operator names a static member by its instance id alone.
func (g *Group) leaveOne(id Identity) Code {
	if _, expected := g.pending[id.MemberID]; expected {
		delete(g.pending, id.MemberID)
		return OK
	}
	if id.InstanceID != "" && id.MemberID == "" {
		id.MemberID = g.statics[id.InstanceID]
	}
	m, code := g.find(id)
	if code != OK {
		return code
	}
	g.remove(m, UnknownMemberID)
	return OK
}

// tick does what is due.
func (g *Group) tick() {
	for id, at := range g.pending {
		if at <= g.now {
			delete(g.pending, id)
		}
	}
	lost := false
	for _, m := range g.ordered() {
		if m.deadline() <= g.now {
			g.remove(m, UnknownMemberID)
			lost = true
		}
	}
	switch {
	case g.syncDeadline <= g.now:
		g.syncDue()
	case g.joinDeadline <= g.now:
		g.joinDue()
	case lost:
		g.rebalance()
	default:
		g.maybeComplete() // an expected member that never came may have been the last to wait for
	}
}
