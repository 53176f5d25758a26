package kafka

// fetchMode is what a request wants of a session.
type fetchMode int8

const (
	fetchAlone  fetchMode = iota // none
	fetchBegins                  // to begin one
	fetchGoesOn                  // what has changed in one
)

// Session epochs that a request names, beside those that a session counts.
const (
	epochFinal   = -1 // no session, or the end of one
	epochInitial = 0  // a new one
)

// open finds the partitions of the request: those it names, or those of its session.
func (f *fetchCall) open() error {
	r, sessions := f.req, f.c.s.sessions
	if r.SessionEpoch != epochFinal && r.SessionEpoch != epochInitial {
		return f.openSession()
	}
	if r.SessionID != 0 {
		sessions.drop(r.SessionID)
	}
	if r.SessionEpoch == epochInitial {
		f.mode = fetchBegins
	}
	f.set = f.asked()
	return nil
}

func (f *fetchCall) openSession() error {
	s, err := f.c.s.sessions.take(f.req.SessionID, f.req.SessionEpoch, f.req.Version >= 13, f.c.s.nowMs())
	if err != nil {
		return err
	}
	f.session, f.set, f.mode = s, s.set, fetchGoesOn
	f.update()
	if s.committed != f.committed {
		s.committed = f.committed
		s.set.warmAll()
	}
	if s.set.size() == 0 {
		f.c.s.sessions.drop(s.id)
		f.mode = fetchAlone
	}
	return nil
}

// update takes what the request changes of its session.
func (f *fetchCall) update() {
	for i := range f.req.Topics {
		t := &f.req.Topics[i]
		key := f.key(t.Topic, t.TopicID)
		for j := range t.Partitions {
			key.partition = t.Partitions[j].Partition
			p := f.set.index[key]
			if p == nil {
				p = &fetchPart{fetchKey: key}
				f.set.add(p)
			}
			p.ask(&t.Partitions[j])
			f.set.warm(p)
		}
	}
	for i := range f.req.ForgottenTopics {
		t := &f.req.ForgottenTopics[i]
		key := f.key(t.Topic, t.TopicID)
		for _, key.partition = range t.Partitions {
			if p := f.set.index[key]; p != nil {
				f.set.forget(p)
			}
		}
	}
}

// begin makes a session of a request that wants one. Without room, or when the request names a partition twice, the client
// gets none, and sends full requests.
func (f *fetchCall) begin() {
	index := make(map[fetchKey]*fetchPart, len(f.set.all))
	for _, p := range f.set.all {
		index[p.fetchKey] = p
	}
	if len(index) == 0 || len(index) != len(f.set.all) {
		return
	}
	s := &fetchSession{byID: f.req.Version >= 13, follower: f.follower != nil, committed: f.committed, set: f.set}
	if !f.c.s.sessions.add(s, f.c.s.nowMs()) {
		return
	}
	f.set.index, f.session = index, s
	f.set.watchAll()
}

// done ends the request's use of its partitions.
func (f *fetchCall) done() {
	f.release()
	if f.session != nil {
		f.c.s.sessions.put(f.session)
		return
	}
	f.set.unwatchAll()
}
