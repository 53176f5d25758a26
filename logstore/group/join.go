package group

func (g *Group) join(e Join) {
	if code := g.acceptable(e); code != OK {
		g.replyJoinError(e.Req, e.MemberID, code)
		return
	}
	switch {
	case e.MemberID == "" && e.InstanceID != "":
		g.joinStatic(e)
	case e.MemberID == "":
		g.joinNew(e)
	default:
		g.rejoin(e)
	}
}

// acceptable checks what does not depend on who the member is.
func (g *Group) acceptable(e Join) Code {
	if e.SessionTimeout < g.cfg.MinSessionTimeout || e.SessionTimeout > g.cfg.MaxSessionTimeout {
		return InvalidSessionTimeout
	}
	if e.ProtocolType == "" || len(e.Protocols) == 0 {
		return InconsistentGroupProtocol
	}
	if len(g.members) > 0 && (e.ProtocolType != g.protocolType || !g.fits(e)) {
		return InconsistentGroupProtocol
	}
	return OK
}

// fits is whether the joining member has a protocol that all others have.
func (g *Group) fits(e Join) bool {
	for _, p := range e.Protocols {
		if g.allSupport(p.Name, e.MemberID) {
			return true
		}
	}
	return false
}

func (g *Group) allSupport(protocol, except string) bool {
	for id, m := range g.members {
		if id != except && !m.supports(protocol) {
			return false
		}
	}
	return true
}

func (g *Group) full() bool {
	return g.cfg.MaxSize > 0 && len(g.members)+len(g.pending) >= g.cfg.MaxSize
}

func (g *Group) joinNew(e Join) {
	if g.full() {
		g.replyJoinError(e.Req, "", GroupMaxSizeReached)
		return
	}
	if e.RequireKnownID {
		g.pending[e.NewMemberID] = g.now + e.SessionTimeout
		g.replyJoinError(e.Req, e.NewMemberID, MemberIDRequired)
		return
	}
	g.add(e.NewMemberID, e)
	g.rebalance()
}

// joinStatic is a static member that has (re)started. It takes the place of the member with its instance id, without a
// rebalance if the group is stable and would assign the same.
func (g *Group) joinStatic(e Join) {
	oldID, ok := g.statics[e.InstanceID]
	if !ok {
		if g.full() {
			g.replyJoinError(e.Req, "", GroupMaxSizeReached)
			return
		}
		g.add(e.NewMemberID, e)
		g.rebalance()
		return
	}
	m := g.members[oldID]
	same := g.state == Stable && string(m.metadata(g.protocol)) == string(metadataOf(e, g.protocol))
	g.rename(m, e.NewMemberID)
	g.update(m, e)
	if same {
		g.replyCurrent(m)
		return
	}
	g.rebalance()
}

func metadataOf(e Join, protocol string) []byte {
	m := member{protocols: e.Protocols}
	return m.metadata(protocol)
}

// rename gives a static member a new id; whoever used the old one is fenced.
func (g *Group) rename(m *member, id string) {
	g.answerWaiting(m, FencedInstanceID)
	delete(g.members, m.id)
	if g.leader == m.id {
		g.leader = id
	}
	m.id = id
	g.members[id] = m
	g.statics[m.instance] = id
}

// rejoin is a join with a member id.
func (g *Group) rejoin(e Join) {
	if _, expected := g.pending[e.MemberID]; expected && e.InstanceID == "" {
		g.add(e.MemberID, e)
		g.rebalance()
		return
	}
	m, code := g.find(Identity{e.MemberID, e.InstanceID})
	if code != OK {
		g.replyJoinError(e.Req, e.MemberID, code)
		return
	}
	same := m.sameProtocols(e.Protocols)
	g.update(m, e)
	switch {
	case g.state == Completing && same:
		g.replyCurrent(m) // its client lost the first reply
	case g.state == Stable && same && m.id != g.leader:
		g.replyCurrent(m)
	default: // a leader that joins again asks for a new assignment
		g.rebalance()
	}
}

// replyCurrent lets a member into the generation that there is.
func (g *Group) replyCurrent(m *member) {
	skip := g.state == Stable && m.id == g.leader
	g.replyJoin(m, skip && m.skipAssignment)
}

func (g *Group) replyJoin(m *member, skip bool) {
	r := JoinReply{
		Req: *m.joining, MemberID: m.id, Generation: g.generation, ProtocolType: g.protocolType, Protocol: g.protocol,
		Leader: g.leader, SkipAssignment: skip,
	}
	if g.state == Stable && m.id == g.leader && !skip {
		r.Leader = "" // a leader that came back to a stable group has nothing to assign
	}
	if m.id == g.leader && (g.state == Completing || skip) {
		for _, o := range g.ordered() {
			r.Members = append(r.Members, JoinedMember{o.id, o.instance, o.metadata(g.protocol)})
		}
	}
	m.joining = nil
	g.alive(m)
	g.do(r)
}
