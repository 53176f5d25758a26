package group

import "bytes"

// member is one consumer.
type member struct {
	id, instance     string
	clientID, host   string
	sessionTimeout   int64
	rebalanceTimeout int64
	protocols        []Protocol
	assignment       []byte
	session          int64 // when it is given up, unless a request of its waits here
	joining, syncing *Req  // the request that waits
	synced           int32 // the last generation that it got its assignment in
	skipAssignment   bool
}

// deadline is when the member's session ends; a member whose request waits here is alive.
func (m *member) deadline() int64 {
	if m.joining != nil || m.syncing != nil {
		return never
	}
	return m.session
}

func (m *member) supports(protocol string) bool { return m.metadata(protocol) != nil }

// metadata is the subscription for a protocol; nil when the member does not have it.
func (m *member) metadata(protocol string) []byte {
	for _, p := range m.protocols {
		if p.Name == protocol {
			return append([]byte{}, p.Metadata...)
		}
	}
	return nil
}

func (m *member) sameProtocols(ps []Protocol) bool {
	if len(ps) != len(m.protocols) {
		return false
	}
	for i, p := range ps {
		if p.Name != m.protocols[i].Name || !bytes.Equal(p.Metadata, m.protocols[i].Metadata) {
			return false
		}
	}
	return true
}

// alive puts the end of a member's session off.
func (g *Group) alive(m *member) { m.session = g.now + m.sessionTimeout }

// add makes a member out of a join, which waits.
func (g *Group) add(id string, e Join) *member {
	m := &member{id: id, instance: e.InstanceID}
	g.members[id] = m
	if e.InstanceID != "" {
		g.statics[e.InstanceID] = id
	}
	if g.protocolType == "" {
		g.protocolType = e.ProtocolType
	}
	if g.leader == "" {
		g.leader = id
	}
	delete(g.pending, id)
	g.joinGrew = true
	g.update(m, e)
	return m
}

// update takes over what a member says of itself, and lets its join wait. A join that waited already is answered as lost:
// its client has given it up.
func (g *Group) update(m *member, e Join) {
	m.clientID, m.host = e.ClientID, e.ClientHost
	m.sessionTimeout, m.rebalanceTimeout = e.SessionTimeout, e.RebalanceTimeout
	m.protocols, m.skipAssignment = e.Protocols, e.SkipAssignment
	if m.joining != nil {
		g.replyJoinError(*m.joining, m.id, RebalanceInProgress)
	}
	req := e.Req
	m.joining = &req
}

// remove forgets a member, and answers what of it waits.
func (g *Group) remove(m *member, code Code) {
	g.answerWaiting(m, code)
	delete(g.members, m.id)
	if m.instance != "" && g.statics[m.instance] == m.id {
		delete(g.statics, m.instance)
	}
	if g.leader == m.id {
		g.leader = ""
	}
}

func (g *Group) answerWaiting(m *member, code Code) {
	if m.joining != nil {
		g.replyJoinError(*m.joining, m.id, code)
		m.joining = nil
	}
	if m.syncing != nil {
		g.do(SyncReply{Req: *m.syncing, Code: code})
		m.syncing = nil
	}
}

func (g *Group) replyJoinError(req Req, memberID string, code Code) {
	g.do(JoinReply{Req: req, Code: code, MemberID: memberID, Generation: -1})
}
