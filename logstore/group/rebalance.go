package group

import "sort"

// rebalance begins a new generation, or goes on with the one that is being prepared.
func (g *Group) rebalance() {
	if g.state != Preparing {
		g.prepare()
	}
	g.maybeComplete()
}

func (g *Group) prepare() {
	if g.state == Completing {
		g.dropAssignments()
	}
	first := g.state == Empty
	g.state, g.syncDeadline = Preparing, never
	timeout := g.rebalanceTimeout()
	g.joinDeadline, g.joinLimit = g.now+timeout, never
	if first && g.cfg.InitialDelay > 0 {
		g.joinLimit = g.now + timeout
		g.joinDeadline, g.joinGrew = min(g.now+g.cfg.InitialDelay, g.joinLimit), false
	}
}

// dropAssignments tells those who wait for an assignment that there will be none in this generation.
func (g *Group) dropAssignments() {
	for _, m := range g.ordered() {
		m.assignment = nil
		if m.syncing != nil {
			g.do(SyncReply{Req: *m.syncing, Code: RebalanceInProgress})
			m.syncing = nil
			g.alive(m)
		}
	}
}

func (g *Group) rebalanceTimeout() int64 {
	var t int64
	for _, m := range g.members {
		t = max(t, m.rebalanceTimeout)
	}
	return t
}

// maybeComplete completes the join when nobody is missing. The first rebalance waits for its delay to end.
func (g *Group) maybeComplete() {
	if g.state != Preparing || g.joinLimit != never && len(g.members) > 0 {
		return
	}
	if len(g.pending) > 0 && len(g.members) > 0 {
		return
	}
	for _, m := range g.members {
		if m.joining == nil {
			return
		}
	}
	g.complete()
}

// joinDue is the end of the first rebalance's delay, or of the wait for those who have not joined again.
func (g *Group) joinDue() {
	if g.joinLimit != never && g.joinGrew && g.joinDeadline < g.joinLimit {
		g.joinGrew = false
		g.joinDeadline = min(g.now+g.cfg.InitialDelay, g.joinLimit)
		return
	}
	for _, m := range g.ordered() {
		if m.joining == nil && m.instance == "" { // static members stay until their session ends
			g.remove(m, UnknownMemberID)
		}
	}
	if !g.anyJoined() && len(g.members) > 0 { // only static members that are away: wait on
		g.joinLimit, g.joinDeadline = never, g.now+g.rebalanceTimeout()
		return
	}
	g.complete()
}

func (g *Group) anyJoined() bool {
	for _, m := range g.members {
		if m.joining != nil {
			return true
		}
	}
	return false
}

// complete forms the generation of all that are members now.
func (g *Group) complete() {
	g.generation++
	g.joinDeadline, g.joinLimit = never, never
	if len(g.members) == 0 {
		g.state, g.protocol, g.protocolType, g.leader = Empty, "", "", ""
		return
	}
	g.state, g.protocol = Completing, g.selectProtocol()
	g.chooseLeader()
	g.syncDeadline = g.now + g.rebalanceTimeout()
	for _, m := range g.ordered() {
		if m.joining != nil {
			g.replyJoin(m, false)
		}
	}
}

// chooseLeader keeps the leader if it has joined, else takes the first that has.
func (g *Group) chooseLeader() {
	if m := g.members[g.leader]; m != nil && m.joining != nil {
		return
	}
	for _, m := range g.ordered() {
		if m.joining != nil {
			g.leader = m.id
			return
		}
	}
}

// selectProtocol is the vote: each member votes for the first of its protocols that all have.
func (g *Group) selectProtocol() string {
	votes := map[string]int{}
	for _, m := range g.members {
		for _, p := range m.protocols {
			if g.allSupport(p.Name, "") {
				votes[p.Name]++
				break
			}
		}
	}
	names := make([]string, 0, len(votes))
	for n := range votes {
		names = append(names, n)
	}
	sort.Slice(names, func(i, j int) bool {
		if votes[names[i]] != votes[names[j]] {
			return votes[names[i]] > votes[names[j]]
		}
		return names[i] < names[j]
	})
	if len(names) == 0 {
		panic("BUG: members without a common protocol were let in")
	}
	return names[0]
}
