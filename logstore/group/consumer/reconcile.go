package consumer

// reconcile takes a member one step from what it has to what it should have: it lets go first, then takes what is free.
func (g *Group) reconcile(m *member) {
	switch m.state {
	case Stable:
		if m.epoch != g.targetEpoch {
			g.advance(m, m.epoch)
		}
	case Unrevoked:
		if m.owned == nil || m.owned.meets(m.revoking) {
			return // it has not let go yet
		}
		g.release(m.revoking)
		m.revoking = nil
		g.advance(m, m.epoch+1)
	case Unreleased:
		g.advance(m, m.epoch)
	}
}

// advance computes a member's next assignment. epoch is the one that it stays in if there is something to let go.
func (g *Group) advance(m *member, epoch int32) {
	target := g.target[m.id]
	keep := m.assigned.and(target)
	revoke := m.assigned.minus(keep)
	free, taken := g.split(target.minus(keep))
	if len(revoke) > 0 && (m.owned == nil || m.owned.meets(revoke)) {
		m.moveTo(Unrevoked, epoch, keep)
		m.revoking = revoke
		m.deadline = g.now + m.rebalanceTimeout
		return
	}
	g.release(revoke) // the client does not have them
	for _, p := range free {
		g.owner[p] = m.id
	}
	state := Stable
	if len(taken) > 0 {
		state = Unreleased
	}
	m.moveTo(state, g.targetEpoch, keep.or(free))
	m.deadline = never
}

// moveTo changes a member's assignment.
func (m *member) moveTo(s State, epoch int32, assigned Set) {
	if epoch != m.epoch {
		m.previous, m.epoch = m.epoch, epoch
	}
	m.state, m.assigned = s, assigned
}

// split parts partitions into those that nobody has and those that somebody has yet to let go of.
func (g *Group) split(ps Set) (free, taken Set) {
	for _, p := range ps {
		if _, has := g.owner[p]; has {
			taken = append(taken, p)
		} else {
			free = append(free, p)
		}
	}
	return free, taken
}

func (g *Group) release(ps Set) {
	for _, p := range ps {
		delete(g.owner, p)
	}
}

// free makes all that a member has, or was to let go, nobody's.
func (g *Group) free(m *member) {
	g.release(m.assigned)
	g.release(m.revoking)
}

// retarget computes the target assignment of a new epoch.
func (g *Group) retarget() {
	if g.targetEpoch == g.epoch {
		return
	}
	g.assignor = g.chooseAssignor()
	members := make([]subscriber, 0, len(g.members))
	for _, m := range g.ordered() {
		members = append(members, subscriber{key: m.key(), partitions: NewSet(g.partitionsOf(m)), before: g.target[m.id]})
	}
	for i, s := range assignors[g.assignor](members) {
		g.target[g.idOf(members[i].key)] = s
	}
	g.targetEpoch = g.epoch
}

// key orders members for assignors: a static member keeps its place when it comes back under another id.
func (m *member) key() string {
	if m.instance != "" {
		return "i" + m.instance
	}
	return "m" + m.id
}

func (g *Group) idOf(key string) string {
	if key[0] == 'i' {
		return g.statics[key[1:]]
	}
	return key[1:]
}

// chooseAssignor is the one that most members ask for; uniform where nobody does.
func (g *Group) chooseAssignor() string {
	votes := map[string]int{}
	best := Uniform
	for _, m := range g.ordered() {
		if m.assignor == "" {
			continue
		}
		votes[m.assignor]++
		if votes[m.assignor] > votes[best] || votes[m.assignor] == votes[best] && m.assignor < best && votes[best] > 0 {
			best = m.assignor
		}
	}
	return best
}
