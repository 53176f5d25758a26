package pattern

import (
	"errors"
	"math"
)

// SkipMode says where the search goes on after a match.
type SkipMode uint8

const (
	PastLastRow SkipMode = iota // AFTER MATCH SKIP PAST LAST ROW
	ToNextRow                   // AFTER MATCH SKIP TO NEXT ROW
	ToFirst                     // AFTER MATCH SKIP TO FIRST v
	ToLast                      // AFTER MATCH SKIP TO LAST v
	NoSkip                      // every way to match counts, overlapping ones too; only with Config.All
)

// Config is what a search looks for.
type Config struct {
	Prog *Program
	Skip SkipMode
	To   []bool // ToFirst and ToLast: the variables, by index
	// Within bounds a match: its last row's time is less than its first row's plus Within. 0 is no bound.
	Within int64
	// All finds every way to match, each as soon as it is complete, instead of the preferred one for each first row.
	All bool
	// RowOnly says that whether a row can be a variable depends on nothing but the row. Threads at one position are then the
	// same.
	RowOnly bool
}

// Request asks whether a row can be a variable after what Path has matched.
type Request struct {
	Machine *Machine
	Path    int32
	Row     int32
	Var     int32
}

// Found is a match, or an attempt at one that WITHIN has ended.
type Found struct {
	Machine  *Machine
	Path     int32 // of its last row
	Start    int32 // its first row
	Number   int64 // of the match in its partition, from 1; 0 for a timeout
	TimedOut bool
}

// Machine searches one partition. Its rows in the block are [From, End); those before Next have been looked at.
type Machine struct {
	From, Next, End int32
	Begun           bool  // the partition's first row has been looked at
	Matches         int64 // found so far
	attempts        []attempt
}

// attempt is what may become a match that begins at a row.
type attempt struct {
	start   int32
	best    int32 // the preferred complete path so far, None
	expired int32 // what had been matched when WITHIN ended it, None
	threads []thread
}

// thread is one way that an attempt may go on: by what follows the position of its path's last row.
type thread struct{ path int32 }

// Search runs machines over a block of rows. Test answers requests, all of a round at once: ok[i] for reqs[i].
type Search struct {
	Config
	Paths Paths
	Times []int64 // event time of each row of the block; nil without WITHIN
	Test  func(reqs []Request, ok []bool) error
	Found []Found // what was found, in order for each machine

	reqs  []Request
	ok    []bool
	stamp []int // by position, the round in which a thread last came there; each attempt's step is a round of its own
	round int
	head  int // the round of the machine's first attempt in this step, 0 when others may not be merged into it
	spare []thread
}

// MaxThreads bounds the ways that are open in one partition at one time.
const MaxThreads = 100_000

// ErrTooMany is returned when a partition has more than MaxThreads ways open.
var ErrTooMany = errors.New("pattern: too many ways to match are open at one time")

// Run looks at the rows of all machines, in rounds of one row of each.
func (s *Search) Run(machines []*Machine) error {
	if len(s.stamp) != len(s.Prog.Positions) {
		s.stamp, s.round = make([]int, len(s.Prog.Positions)), 0
	}
	live := append([]*Machine{}, machines...)
	for {
		s.reqs = s.reqs[:0]
		n := 0
		for _, m := range live {
			if m.Next < m.End {
				s.ask(m)
				live[n] = m
				n++
			}
		}
		if live = live[:n]; n == 0 {
			return nil
		}
		if cap(s.ok) < len(s.reqs) {
			s.ok = make([]bool, len(s.reqs)+len(s.reqs)/2)
		}
		s.ok = s.ok[:len(s.reqs)]
		if len(s.reqs) > 0 {
			if err := s.Test(s.reqs, s.ok); err != nil {
				return err
			}
		}
		at := 0
		for _, m := range live {
			at = s.answer(m, at)
			if m.open() > MaxThreads {
				return ErrTooMany
			}
		}
	}
}

func (m *Machine) open() int {
	n := 0
	for i := range m.attempts {
		n += len(m.attempts[i].threads)
	}
	return n
}

// ask ends what WITHIN ends before the machine's next row and asks all that the row could be.
func (s *Search) ask(m *Machine) {
	if s.Within > 0 {
		s.expire(m, s.Times[m.Next])
	}
	for i := range m.attempts {
		for _, t := range m.attempts[i].threads {
			s.askAll(m, t.path, s.Prog.Follow[s.Paths.Position(t.path)])
		}
	}
	s.askAll(m, None, s.Prog.Follow[s.Prog.Begin()])
}

func (s *Search) askAll(m *Machine, path int32, next []Target) {
	for _, t := range next {
		switch {
		case t.Pos == Accept:
			if s.completes(m, path, t) {
				return // what follows is less preferred than the match that there is
			}
		case !t.AtStart || path == None && !m.Begun:
			s.reqs = append(s.reqs, Request{Machine: m, Path: path, Row: m.Next, Var: int32(s.Prog.Positions[t.Pos].Var)})
		}
	}
}

// completes reports whether the path is a match as it is, so that less preferred ways do not count.
func (s *Search) completes(m *Machine, path int32, t Target) bool {
	return !s.All && !t.AtEnd && (!t.AtStart || path == None && !m.Begun)
}

// answer moves the machine over its next row by the answers from at on, and returns where the next machine's begin.
func (s *Search) answer(m *Machine, at int) int {
	s.head = 0
	for i := range m.attempts {
		s.round++
		at = s.advance(m, &m.attempts[i], at)
		if i == 0 && s.Skip == PastLastRow && s.Within == 0 {
			s.head = s.round
		}
	}
	s.round++
	fresh := attempt{start: m.Next, best: None, expired: None}
	s.spare = s.spare[:0]
	at, _ = s.follow(m, &fresh, None, s.Prog.Follow[s.Prog.Begin()], at, false)
	fresh.threads = append(fresh.threads, s.spare...)
	if len(fresh.threads) > 0 || fresh.best != None {
		m.attempts = append(m.attempts, fresh)
	}
	m.Next++
	m.Begun = true
	s.settle(m)
	return at
}

// advance moves an attempt's threads over the row.
func (s *Search) advance(m *Machine, a *attempt, at int) int {
	s.spare = s.spare[:0]
	done := false
	for _, t := range a.threads {
		at, done = s.follow(m, a, t.path, s.Prog.Follow[s.Paths.Position(t.path)], at, done)
	}
	a.threads = append(a.threads[:0], s.spare...)
	return at
}

// follow extends a path by the row in each way that was answered with yes. done says that a preferred thread has completed
// a match: the others are given up, and only their answers are passed over.
func (s *Search) follow(m *Machine, a *attempt, path int32, next []Target, at int, done bool) (int, bool) {
	for _, t := range next {
		if t.Pos == Accept {
			if s.completes(m, path, t) {
				return at, done
			}
			continue
		}
		if t.AtStart && (path != None || m.Begun) {
			continue
		}
		ask := at
		at++
		if !s.ok[ask] || done || s.same(t.Pos) {
			continue
		}
		done = s.reached(m, a, s.Paths.add(s.Prog, path, m.Next, int32(t.Pos), int32(ask)))
	}
	return at, done
}

// same reports whether a thread that makes another one at the position needless has come there: one of the same attempt;
// or one of the first attempt, which no other match can skip. What becomes of that thread becomes of the other, and a match
// of it skips the other's first row.
func (s *Search) same(pos int) bool {
	if !s.RowOnly || s.All {
		return false
	}
	if last := s.stamp[pos]; last == s.round || last == s.head && s.head > 0 {
		return true
	}
	s.stamp[pos] = s.round
	return false
}

// reached keeps a path that has got a row: as a thread if it can go on, as a match if it is one. It reports whether what is
// less preferred is to be given up.
func (s *Search) reached(m *Machine, a *attempt, path int32) (done bool) {
	goesOn := false
	for _, t := range s.Prog.Follow[s.Paths.Position(path)] {
		if t.Pos != Accept || t.AtEnd {
			goesOn = goesOn || !t.AtStart
			continue
		}
		if t.AtStart {
			continue
		}
		if s.All {
			a.best = path // it has not come to nothing
			s.found(m, a.start, path)
			continue
		}
		a.best, done = path, true
		break
	}
	if goesOn {
		s.spare = append(s.spare, thread{path})
	}
	return done
}

// found reports a match in All mode, unless a match before it has skipped it.
func (s *Search) found(m *Machine, start, path int32) {
	if s.skipped(m, start) {
		return
	}
	m.Matches++
	s.Found = append(s.Found, Found{Machine: m, Path: path, Start: start, Number: m.Matches})
}

// skipped reports whether a match found in this very row, by an attempt before, has skipped the start row.
func (s *Search) skipped(m *Machine, start int32) bool {
	if s.Skip == NoSkip {
		return false
	}
	for i := len(s.Found) - 1; i >= 0 && s.Found[i].Machine == m; i-- {
		f := s.Found[i]
		if f.TimedOut || s.Paths.Row(f.Path) != m.Next {
			break
		}
		if f.Start <= start && start < s.resume(f) {
			return true
		}
	}
	return false
}

// resume is the row at which the search goes on after a match.
func (s *Search) resume(f Found) int32 {
	to := s.Paths.Row(f.Path) + 1
	switch s.Skip {
	case ToNextRow, NoSkip:
		to = f.Start + 1
	case ToFirst, ToLast:
		if at := s.Paths.Nth(s.Prog, f.Path, s.To, s.Skip == ToFirst, 0, -1, 0); at >= 0 {
			to = at
		}
	}
	return max(to, f.Start+1)
}

// settle reports what the first attempts have come to, as long as they have come to an end, and drops what their matches
// skip.
func (s *Search) settle(m *Machine) {
	if s.All {
		s.settleAll(m)
		return
	}
	n := 0
	for _, a := range m.attempts { // nothing will come of these
		if len(a.threads) > 0 || a.best != None || a.expired != None {
			m.attempts[n] = a
			n++
		}
	}
	m.attempts = m.attempts[:n]
	for len(m.attempts) > 0 && len(m.attempts[0].threads) == 0 {
		a := m.attempts[0]
		m.attempts = m.attempts[1:]
		switch {
		case a.best != None:
			m.Matches++
			f := Found{Machine: m, Path: a.best, Start: a.start, Number: m.Matches}
			s.Found = append(s.Found, f)
			to := s.resume(f)
			for len(m.attempts) > 0 && m.attempts[0].start < to {
				m.attempts = m.attempts[1:]
			}
		case a.expired != None:
			s.Found = append(s.Found, Found{Machine: m, Path: a.expired, Start: a.start, TimedOut: true})
		}
	}
}

// settleAll drops attempts that are over, and those that the matches found in this row skip.
func (s *Search) settleAll(m *Machine) {
	n := 0
	for _, a := range m.attempts {
		if len(a.threads) == 0 {
			if a.expired != None {
				s.Found = append(s.Found, Found{Machine: m, Path: a.expired, Start: a.start, TimedOut: true})
			}
			continue
		}
		m.attempts[n] = a
		n++
	}
	m.attempts = m.attempts[:n]
	if s.Skip == NoSkip {
		return
	}
	for i := len(s.Found) - 1; i >= 0 && s.Found[i].Machine == m && !s.Found[i].TimedOut && s.Paths.Row(s.Found[i].Path) == m.Next-1; i-- {
		f := s.Found[i]
		to, n := s.resume(f), 0
		for _, a := range m.attempts {
			if a.start < f.Start || a.start >= to {
				m.attempts[n] = a
				n++
			}
		}
		m.attempts = m.attempts[:n]
	}
}

// expire ends the attempts that a row at the time, or none before it, can no longer complete.
func (s *Search) expire(m *Machine, now int64) {
	changed := false
	for i := range m.attempts {
		a := &m.attempts[i]
		if len(a.threads) == 0 || now < s.due(a.start) {
			continue
		}
		changed = true
		s.end(m, a, true)
	}
	if changed {
		s.settle(m)
	}
}

// due is the time at which an attempt that began at a row is over.
func (s *Search) due(start int32) int64 {
	t := s.Times[start]
	if t > math.MaxInt64-s.Within {
		return math.MaxInt64
	}
	return t + s.Within
}

// end ends an attempt: a thread that only waited for the end has matched.
func (s *Search) end(m *Machine, a *attempt, expired bool) {
	threads := a.threads
	a.threads = a.threads[:0]
	matched := false
	for _, t := range threads {
		if !s.atEnd(t.path) {
			continue
		}
		matched = true
		if !s.All {
			a.best = t.path
			break
		}
		m.Matches++
		s.Found = append(s.Found, Found{Machine: m, Path: t.path, Start: a.start, Number: m.Matches})
	}
	if expired && !matched && a.best == None {
		a.expired = threads[0].path
	}
}

// atEnd reports whether a path is a match when nothing follows.
func (s *Search) atEnd(path int32) bool {
	for _, t := range s.Prog.Follow[s.Paths.Position(path)] {
		if t.Pos == Accept && t.AtEnd && !t.AtStart {
			return true
		}
	}
	return false
}

// Flush ends what no row after the watermark can complete: all rows at or before it have been looked at.
func (s *Search) Flush(m *Machine, watermark int64) {
	if s.Within == 0 || watermark == math.MinInt64 {
		return
	}
	next := watermark
	if next < math.MaxInt64 {
		next++ // rows that come are later than the watermark
	}
	s.expire(m, next)
}

// Finish ends the search: the partition has no more rows.
func (s *Search) Finish(m *Machine) {
	for i := range m.attempts {
		if a := &m.attempts[i]; len(a.threads) > 0 {
			s.end(m, a, s.Within > 0)
		}
	}
	s.settle(m)
}

// Oldest is the first row that an attempt still needs; Next when none does.
func (m *Machine) Oldest() int32 {
	if len(m.attempts) == 0 {
		return m.Next
	}
	return m.attempts[0].start
}

// Due is the earliest time at which WITHIN ends an attempt; ok is false when there is none.
func (s *Search) Due(m *Machine) (at int64, ok bool) {
	if s.Within == 0 {
		return 0, false
	}
	for i := range m.attempts {
		if len(m.attempts[i].threads) == 0 {
			continue
		}
		if d := s.due(m.attempts[i].start); !ok || d < at {
			at, ok = d, true
		}
	}
	return at, ok
}

// Open reports whether anything may still become of what the machine has seen.
func (m *Machine) Open() bool { return len(m.attempts) > 0 }

// Threads appends the paths of all threads.
func (m *Machine) Threads(dst []int32) []int32 {
	for i := range m.attempts {
		for _, t := range m.attempts[i].threads {
			dst = append(dst, t.path)
		}
	}
	return dst
}
