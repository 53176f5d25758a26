package replica

import "slices"

// passed takes a leader's high watermark that has moved: what it passed is committed, for good.
func (s *sim) passed(n *simNode) {
	for i := int64(0); i < n.high; i++ {
		switch {
		case i >= int64(len(n.log)):
			s.violated("I1 log matching", "node %d has a high watermark of %d and %d records", n.id, n.high, len(n.log))
			return
		case i < int64(len(s.committed)):
			if s.committed[i] != n.log[i] {
				s.violated("I12 one leader commits", "node %d of epoch %d commits %v at %d, committed is %v", n.id, n.epoch, n.log[i], i, s.committed[i])
				return
			}
		default:
			s.committed = append(s.committed, n.log[i])
			s.once(n.log[i].value)
		}
	}
}

// once checks I10: a value is committed once, however often it was sent.
func (s *sim) once(value int) {
	seen := 0
	for _, e := range s.committed {
		if e.value == value {
			seen++
		}
	}
	if seen > 1 {
		s.violated("I10 idempotence", "value %d is committed %d times", value, seen)
	}
}

// check looks at everything after a step.
func (s *sim) check() {
	m := s.now()
	s.checkRecord(m)
	for _, n := range s.nodes {
		s.checkHigh(n)
	}
	for _, id := range append(slices.Clone(m.isr), m.elr...) {
		s.checkCandidate(id)
	}
	if m.leader >= 0 {
		s.checkQuorum(m, s.nodes[m.leader])
	}
	s.checkSurvives()
}

// checkRecord is I5 and I6.
func (s *sim) checkRecord(m state) {
	if len(m.isr) >= s.minISR && len(m.elr) > 0 {
		s.violated("I5 record", "eligible replicas %v though %v are in sync", m.elr, m.isr)
	}
	for _, n := range m.isr {
		if s.fenced[n] || slices.Contains(m.elr, n) || !slices.Contains(m.replicas, n) {
			s.violated("I5 record", "%+v, fenced %v", m, s.fenced)
		}
		if s.damaged[n] {
			s.violated("I6 damaged exclusion", "%+v, damaged %v", m, s.damaged)
		}
	}
}

// checkHigh is I1: below any high watermark is what is committed.
func (s *sim) checkHigh(n *simNode) {
	if n.high > int64(len(s.committed)) || n.high > n.durable || n.durable > int64(len(n.log)) {
		s.violated("I1 log matching", "node %d: high watermark %d, durable %d, %d records, committed %d", n.id, n.high, n.durable, len(n.log), len(s.committed))
		return
	}
	for i := range n.high {
		if n.log[i] != s.committed[i] {
			s.violated("I1 log matching", "node %d has %v at %d, committed is %v", n.id, n.log[i], i, s.committed[i])
			return
		}
	}
}

// checkCandidate is I3: whoever may be elected has everything, on disk.
func (s *sim) checkCandidate(id int32) {
	n := s.nodes[id]
	if n.durable < int64(len(s.committed)) {
		s.violated("I3 candidate completeness", "node %d has %d records on disk, %d are committed; %+v", id, n.durable, len(s.committed), s.now())
		return
	}
	for i, e := range s.committed {
		if n.log[i] != e {
			s.violated("I3 candidate completeness", "node %d has %v at %d, committed is %v", id, n.log[i], i, e)
			return
		}
	}
}

// checkQuorum is I4: the leader counts everybody whom the controller may elect.
func (s *sim) checkQuorum(m state, n *simNode) {
	if n.leader == nil || n.epoch != m.epoch || len(m.isr) < s.minISR || !n.leader.record.Enough() {
		return
	}
	maximal := n.leader.MaximalISR()
	for _, x := range m.isr {
		if !slices.Contains(maximal, x) {
			s.violated("I4 quorum superset", "the leader counts %v, in sync are %v", maximal, m.isr)
		}
	}
}

// checkSurvives is I7 and I13: what is committed is on some disk, all of it.
func (s *sim) checkSurvives() {
	for _, n := range s.nodes {
		if n.durable >= int64(len(s.committed)) && slices.Equal(n.log[:len(s.committed)], s.committed) {
			return
		}
	}
	s.violated("I13 durable", "no disk has all %d committed records", len(s.committed))
}
