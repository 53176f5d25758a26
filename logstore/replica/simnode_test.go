package replica

import "slices"

// simLag is replica.lag.time.max.ms of the simulation.
const simLag = 200

// act does what the newest record that the node knows says of it.
func (n *simNode) act() {
	if n.session == 0 && n.s.fault != actStale {
		return // metadata from before this session is of no use
	}
	m := n.s.history[n.applied]
	if m.epoch < n.epoch {
		return
	}
	if !slices.Contains(m.replicas, n.id) { // its files are removed
		n.log, n.durable, n.high, n.leaderHigh, n.epochs = nil, 0, 0, 0, nil
		n.epoch, n.leaderID, n.leader, n.waiting, n.nonce = m.epoch, -1, nil, nil, 0
		return
	}
	if m.leader != n.id {
		if m.epoch == n.epoch && n.leader == nil && n.leaderID == m.leader {
			return
		}
		n.epoch, n.leaderID, n.leader, n.waiting, n.nonce = m.epoch, m.leader, nil, nil, 0
		n.leaderHigh = n.high
		if n.s.fault == cutAtHW {
			n.cut(n.high)
		}
		return
	}
	l := Leadership{Epoch: m.epoch, PartitionEpoch: m.version, Self: n.id, Replicas: m.replicas, ISR: m.isr, MinISR: n.s.minISR}
	if n.s.fault == hwBelowMin {
		l.MinISR = 1
	}
	switch {
	case n.leader != nil && n.epoch == m.epoch:
		n.actions(n.leader.Update(l, n.s.nowMs))
	case m.epoch <= n.epochs.Last() && n.s.fault != actStale:
		// led before a restart: the controller gives a new epoch
	default:
		n.epoch, n.leaderID, n.nonce, n.noteSynced = m.epoch, n.id, 0, false
		n.epochs.Note(m.epoch, int64(len(n.log)))
		n.leader = NewLeader(l, n.durable, int64(len(n.log)), n.high, simLag, n.s.nowMs)
		if n.s.fault == commitUnknown {
			for i := range n.leader.followers {
				n.leader.followers[i].durable = n.durable
			}
		}
		n.actions(Actions{Moved: true})
	}
	if n.leader != nil && !n.leader.record.Enough() {
		n.waiting = nil
	}
}

// apply takes the next record of the metadata log, or all.
func (n *simNode) apply() {
	if !n.up || n.still || n.applied+1 >= len(n.s.history) {
		return
	}
	n.applied++
	if n.s.r.IntN(2) == 0 {
		n.applied = len(n.s.history) - 1
	}
	n.act()
}

func (n *simNode) state() Log {
	return Log{Durable: n.durable, End: int64(len(n.log)), Epochs: n.epochs}
}

func (n *simNode) sendFetch() {
	if !n.up || n.still || n.leader != nil || n.leaderID < 0 || n.session == 0 {
		return
	}
	if n.durable < int64(len(n.log)) && n.s.fault != countUnsynced {
		return // the next fetch waits for the fsync
	}
	l := n.state()
	if n.s.fault == countUnsynced {
		l.Durable = l.End
	}
	f := l.Fetch(n.id, n.session, n.epoch)
	n.s.nextID++
	n.nonce = n.s.nextID
	n.s.send(message{to: n.leaderID, from: n.id, nonce: n.nonce, fetch: &f})
}

// answer is the leader's side of a fetch.
func (n *simNode) answer(m message) {
	f := m.fetch
	if n.leader == nil || f.Epoch != n.epoch && n.s.fault != noEpochCheck {
		return
	}
	end := int64(len(n.log))
	resp := &simResponse{epoch: n.epoch, r: Response{Base: -1}}
	if n.s.fault == noEpochCheck {
		resp.epoch = f.Epoch
	}
	d := n.epochs.Diverging(f.LastFetchedEpoch, f.From, end)
	switch {
	case d != nil && n.s.fault != cutAtHW:
		resp.r.Diverging = d
	case f.From > end:
		resp.r.OutOfRange = true
	default:
		a := n.leader.Fetched(f.Node, f.BrokerEpoch, f.From, n.s.nowMs)
		if n.s.fault == joinBehind && a.Propose == nil && !slices.Contains(n.leader.record.ISR, f.Node) && !n.leader.asked {
			p := n.leader.progressOf(f.Node)
			was := p.durable
			p.durable = 1 << 40
			a.Propose = n.leader.propose(n.s.nowMs)
			p.durable = was
		}
		n.actions(a)
		limit := n.durable
		if n.noteSynced {
			limit = end
		}
		if f.From < limit {
			to := min(limit, f.From+1+int64(n.s.r.IntN(3)))
			resp.r.Base, resp.batch = f.From, slices.Clone(n.log[f.From:to])
		}
	}
	resp.high = n.high
	n.s.send(message{to: f.Node, from: n.id, nonce: m.nonce, resp: resp})
}

// take is the follower's side of a response.
func (n *simNode) take(m message) {
	if n.leader != nil || m.nonce != n.nonce || m.resp.epoch != n.epoch {
		return
	}
	n.nonce = 0
	switch st := n.state().Step(m.resp.r); st.Kind {
	case Cut:
		n.s.note("node %d cuts at %d of %d, high %d; its epochs %v, the leader says %+v", n.id, st.At, len(n.log), n.high, n.epochs, *m.resp.r.Diverging)
		n.s.stats["cuts"]++
		if st.At < n.high {
			n.s.violated("I1 committed records stay", "node %d cuts at %d, its high watermark is %d", n.id, st.At, n.high)
		}
		n.cut(st.At)
	case Restart:
		n.cut(0)
	case Append:
		for i, e := range m.resp.batch {
			n.epochs.Note(e.epoch, m.resp.r.Base+int64(i))
		}
		n.log = append(n.log, m.resp.batch...)
	}
	n.leaderHigh = max(n.leaderHigh, m.resp.high)
	n.high = max(n.high, min(n.leaderHigh, n.durable))
}

func (n *simNode) cut(at int64) {
	if at >= int64(len(n.log)) {
		return
	}
	n.log = slices.Clone(n.log[:at])
	n.durable = min(n.durable, at)
	n.high, n.leaderHigh = min(n.high, at), min(n.leaderHigh, at)
	n.epochs = slices.Clone(n.epochs)
	n.epochs.Cut(at)
}

// append is a client's produce to a node that believes to lead.
func (n *simNode) append(p *simProducer) {
	at := slices.IndexFunc(n.log, func(e entry) bool { return e.value == p.value })
	if at < 0 { // else a repeat, to be answered when the first one is committed
		at = len(n.log)
		n.log = append(n.log, entry{n.epoch, p.value})
		n.epochs.Note(n.epoch, int64(at))
		n.leader.Appended(int64(len(n.log)))
	}
	n.waiting = append(n.waiting, simWaiter{int64(at), p, p.value})
	n.release()
}

func (n *simNode) release() {
	n.waiting = slices.DeleteFunc(n.waiting, func(w simWaiter) bool {
		if w.offset >= n.high {
			return false
		}
		n.s.ack(w)
		return true
	})
}

// sync is an fsync that ends now.
func (n *simNode) sync() {
	if !n.up || n.still {
		return
	}
	n.durable, n.noteSynced = int64(len(n.log)), true
	if n.leader != nil {
		n.actions(n.leader.Durable(n.durable))
	} else {
		n.high = max(n.high, min(n.leaderHigh, n.durable))
	}
}

func (n *simNode) tick() {
	if n.up && !n.still && n.leader != nil {
		n.actions(n.leader.Tick(n.s.nowMs))
	}
}

func (n *simNode) actions(a Actions) {
	if a.Propose != nil {
		n.s.send(message{to: -1, from: n.id, session: n.session, alter: a.Propose})
		if n.s.fault == hwByProposed {
			n.leader.record.ISR, n.leader.possible = a.Propose.Nodes(), nil
			a.Moved = n.leader.advance() || a.Moved
		}
	}
	if n.leader.High() > n.high {
		n.high = n.leader.High()
		n.s.passed(n)
		n.release()
	}
}

// crash loses what is not on disk, or not all of it.
func (n *simNode) crash() {
	if !n.up {
		return
	}
	n.s.note("crash %d", n.id)
	n.s.stats["crashes"]++
	keep := n.durable + int64(n.s.r.IntN(len(n.log)-int(n.durable)+1))
	lost := n.leader != nil && !n.noteSynced && n.epochs.Last() == n.epoch
	n.log, n.durable = slices.Clone(n.log[:keep]), keep
	epochs := slices.Clone(n.epochs)
	n.epochs = nil
	for _, e := range epochs { // notes of epochs without a record stay if they were synced
		if e.Start < keep || e.Start == keep && !(lost && e.Epoch == n.epoch) {
			n.epochs = append(n.epochs, e)
		}
	}
	n.high = int64(n.s.r.IntN(int(min(n.high, keep)) + 1))
	n.up, n.leader, n.waiting, n.nonce, n.session = false, nil, nil, 0, 0
	n.epoch, n.leaderID, n.leaderHigh = -1, -1, n.high
}

// restart comes back with metadata that may be old.
func (n *simNode) restart() {
	if n.up {
		return
	}
	n.s.note("restart %d", n.id)
	n.up, n.still = true, false
	n.applied -= n.s.r.IntN(n.applied+1) / 2
	n.act()
}
