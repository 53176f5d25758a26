package group

func (g *Group) sync(e Sync) {
	m, code := g.checkSync(e)
	if code != OK {
		g.do(SyncReply{Req: e.Req, Code: code})
		return
	}
	if m.syncing != nil { // its client gave the first one up
		g.do(SyncReply{Req: *m.syncing, Code: RebalanceInProgress})
	}
	req := e.Req
	m.syncing = &req
	if g.state == Completing && m.id == g.leader {
		g.assign(e.Assignments)
	}
	if g.state == Stable {
		g.replySync()
	}
}

func (g *Group) checkSync(e Sync) (*member, Code) {
	m, code := g.find(Identity{e.MemberID, e.InstanceID})
	switch {
	case code != OK:
		return nil, code
	case e.Generation != g.generation:
		return nil, IllegalGeneration
	case e.ProtocolType != "" && e.ProtocolType != g.protocolType || e.ProtocolName != "" && e.ProtocolName != g.protocol:
		return nil, InconsistentGroupProtocol
	case g.state == Preparing:
		return nil, RebalanceInProgress
	}
	return m, OK
}

// assign takes the leader's decision. A member it does not name gets nothing.
func (g *Group) assign(as []Assignment) {
	for _, m := range g.members {
		m.assignment = []byte{}
	}
	for _, a := range as {
		if m := g.members[a.MemberID]; m != nil {
			m.assignment = append([]byte{}, a.Data...)
		}
	}
	g.state = Stable
}

// replySync answers all that wait. Members that have not synced yet get their assignment when they do.
func (g *Group) replySync() {
	for _, m := range g.ordered() {
		if m.syncing == nil {
			continue
		}
		g.do(SyncReply{Req: *m.syncing, ProtocolType: g.protocolType, Protocol: g.protocol, Assignment: m.assignment})
		m.syncing, m.synced = nil, g.generation
		g.alive(m)
	}
	if !g.awaitsSync() {
		g.syncDeadline = never
	}
}

// awaitsSync is whether a member has not asked for its assignment in this generation.
func (g *Group) awaitsSync() bool {
	for _, m := range g.members {
		if m.synced != g.generation {
			return true
		}
	}
	return false
}

// syncDue removes those who did not sync in time. Static members that are away stay until their session ends; they hold
// nobody up once the leader has assigned.
func (g *Group) syncDue() {
	g.syncDeadline = never
	removed := false
	for _, m := range g.ordered() {
		if m.syncing == nil && m.synced != g.generation && m.instance == "" {
			g.remove(m, UnknownMemberID)
			removed = true
		}
	}
	if removed || g.state != Stable {
		g.rebalance()
	}
}
