package share

import (
	"math"
	"slices"

	"github.com/streamflow/streamflow/logstore/group"
)

// State is where a record stands.
type State uint8

const (
	Available State = iota
	Acquired
	Done // accepted, rejected, or given up after its last delivery
)

// span is records in a row that stand alike.
type span struct {
	first, last int64
	state       State
	count       int16  // how often they were delivered
	member      string // Acquired: by whom
	deadline    int64  // Acquired: until when
}

// Limits bound a share partition. The zero value of a field is its default.
type Limits struct {
	Deliveries int   // of one record; 5
	Records    int64 // between start and end; 2,000
	LockMs     int64 // how long a record is a member's; 30,000
}

func (l Limits) withDefaults() Limits {
	if l.Deliveries == 0 {
		l.Deliveries = 5
	}
	if l.Records == 0 {
		l.Records = 2_000
	}
	if l.LockMs == 0 {
		l.LockMs = 30_000
	}
	return l
}

// never is a deadline that does not come.
const never = math.MaxInt64

// Partition is what a share group has of a partition.
//
//	spans are in order, without gaps, from start to end; the first is not Done
//	neighbours differ, so that there are no more spans than need be
type Partition struct {
	limits Limits
	start  int64
	spans  []span
	dirty  bool // what is kept has changed since Encode
}

// NewPartition is a partition of which nothing was delivered, from an offset on.
func NewPartition(start int64, l Limits) *Partition {
	return &Partition{limits: l.withDefaults(), start: start, dirty: true}
}

// SetLimits changes the limits; locks that are held stay as they are.
func (p *Partition) SetLimits(l Limits) { p.limits = l.withDefaults() }

// Start is the first offset that is not done.
func (p *Partition) Start() int64 { return p.start }

// end is the first offset that nobody was given.
func (p *Partition) end() int64 {
	if n := len(p.spans); n > 0 {
		return p.spans[n-1].last + 1
	}
	return p.start
}

// Next is the first offset that can be acquired: of records that came back, or of new ones.
func (p *Partition) Next() int64 {
	for _, s := range p.spans {
		if s.state == Available {
			return s.first
		}
	}
	return p.end()
}

// Full is whether only records that came back can be acquired.
func (p *Partition) Full() bool { return p.end()-p.start >= p.limits.Records }

// Range is offsets that a member was given, with how often they were delivered by now.
type Range struct {
	First, Last int64
	Count       int16
}

// Acquire gives a member what is available of the offsets from first to last, which the log has: most records
// at most.
func (p *Partition) Acquire(now int64, member string, first, last, most int64) []Range {
	var out []Range
	lock := now + p.limits.LockMs
	for i := 0; i < len(p.spans) && most > 0; i++ {
		s := p.spans[i]
		if s.state != Available || s.last < first || s.first > last {
			continue
		}
		from := max(s.first, first)
		to := minOf(s.last, last, from+most-1)
		i = p.change(i, from, to, span{state: Acquired, count: s.count + 1, member: member, deadline: lock})
		out, most = append(out, Range{from, to, s.count + 1}), most-(to-from+1)
	}
	if from := max(p.end(), first); most > 0 && from <= last && !p.Full() {
		p.skipTo(from)
		to := minOf(last, from+most-1, p.start+p.limits.Records-1)
		p.spans = append(p.spans, span{from, to, Acquired, 1, member, lock})
		out = append(out, Range{from, to, 1})
	}
	p.tidy()
	return out
}

// skipTo makes what lies between end and an offset done: the log has nothing there.
func (p *Partition) skipTo(offset int64) {
	if end := p.end(); offset > end {
		p.spans = append(p.spans, span{first: end, last: offset - 1, state: Done})
		p.dirty = true
	}
}

// change makes part of a span stand differently, and returns where that part is.
func (p *Partition) change(i int, from, to int64, as span) int {
	s := p.spans[i]
	var parts []span
	if s.first < from {
		before := s
		before.last = from - 1
		parts = append(parts, before)
	}
	as.first, as.last = from, to
	at := i + len(parts)
	parts = append(parts, as)
	if to < s.last {
		after := s
		after.first = to + 1
		parts = append(parts, after)
	}
	p.spans = slices.Replace(p.spans, i, i+1, parts...)
	return at
}

// tidy joins spans that stand alike and moves start over what is done.
func (p *Partition) tidy() {
	out := p.spans[:0]
	for _, s := range p.spans {
		if n := len(out); n > 0 && alike(out[n-1], s) {
			out[n-1].last = s.last
			continue
		}
		out = append(out, s)
	}
	for len(out) > 0 && out[0].state == Done {
		p.start, p.dirty = out[0].last+1, true
		out = out[1:]
	}
	p.spans = slices.Clone(out)
}

func alike(a, b span) bool {
	if a.state == Done && b.state == Done {
		return true
	}
	return a.state == b.state && a.count == b.count && a.member == b.member && a.deadline == b.deadline
}

// What a member says of records that it was given.
const (
	Gap     int8 = 0 // the log has no record there
	Accept  int8 = 1
	Release int8 = 2 // somebody may try again
	Reject  int8 = 3 // nobody may
	Renew   int8 = 4 // it needs longer (KIP-1222)
)

// Ack is what a member says of offsets from First to Last: one word for all, or one for each.
type Ack struct {
	First, Last int64
	Types       []int8
}

// Acknowledge takes what a member says, all or nothing: INVALID_RECORD_STATE when some of it is not with that member.
func (p *Partition) Acknowledge(now int64, member string, acks []Ack) group.Code {
	next := int64(math.MinInt64)
	for _, a := range acks {
		if !a.sound() || a.First < next {
			return group.InvalidRequest
		}
		next = a.Last + 1
		if !p.with(member, a.First, a.Last) {
			return group.InvalidRecordState
		}
	}
	for _, a := range acks {
		if len(a.Types) == 1 {
			p.settle(now, a.First, a.Last, a.Types[0])
			continue
		}
		for i, t := range a.Types {
			p.settle(now, a.First+int64(i), a.First+int64(i), t)
		}
	}
	p.tidy()
	return group.OK
}

func (a Ack) sound() bool {
	n := a.Last - a.First + 1
	if n < 1 || len(a.Types) != 1 && int64(len(a.Types)) != n {
		return false
	}
	for _, t := range a.Types {
		if t < Gap || t > Renew {
			return false
		}
	}
	return true
}

// with is whether all of the offsets are with a member.
func (p *Partition) with(member string, first, last int64) bool {
	for _, s := range p.spans {
		if s.last < first || s.first > last {
			continue
		}
		if s.state != Acquired || s.member != member || s.first > first {
			return false
		}
		first = s.last + 1
	}
	return first > last
}

// settle does what a member said of offsets that are with it.
func (p *Partition) settle(now int64, first, last int64, what int8) {
	for i := 0; i < len(p.spans); i++ {
		s := p.spans[i]
		if s.last < first || s.first > last {
			continue
		}
		to := s
		switch what {
		case Renew:
			to.deadline = now + p.limits.LockMs
		case Release:
			to = p.back(s)
		default:
			to = span{state: Done}
		}
		p.dirty = p.dirty || what != Renew
		i = p.change(i, max(s.first, first), minOf(s.last, last), to)
	}
}

// back is how records stand that a member has no more: available, unless they were delivered as often as they may be.
func (p *Partition) back(s span) span {
	if int(s.count) >= p.limits.Deliveries {
		return span{state: Done}
	}
	return span{state: Available, count: s.count}
}

// Expire takes back what members have had for too long; true when there was any.
func (p *Partition) Expire(now int64) bool {
	return p.takeBack(func(s span) bool { return s.deadline <= now })
}

// Leave takes back what a member has; true when there was any.
func (p *Partition) Leave(member string) bool {
	return p.takeBack(func(s span) bool { return s.member == member })
}

func (p *Partition) takeBack(which func(span) bool) (any bool) {
	for i, s := range p.spans {
		if s.state == Acquired && which(s) {
			p.change(i, s.first, s.last, p.back(s))
			any, p.dirty = true, true
		}
	}
	p.tidy()
	return any
}

// Forget makes everything below the log's start done.
func (p *Partition) Forget(logStart int64) {
	if logStart <= p.start {
		return
	}
	if logStart >= p.end() {
		p.start, p.spans, p.dirty = logStart, nil, true
		return
	}
	for i := 0; i < len(p.spans); i++ {
		if s := p.spans[i]; s.first < logStart {
			i = p.change(i, s.first, minOf(s.last, logStart-1), span{state: Done})
		}
	}
	p.tidy()
}

// Skip makes available offsets done that the log has nothing to read at.
func (p *Partition) Skip(first, last int64) {
	if first <= p.end() && last >= p.end() {
		p.skipTo(last + 1)
	}
	for i := 0; i < len(p.spans); i++ {
		if s := p.spans[i]; s.state == Available && s.last >= first && s.first <= last {
			i = p.change(i, max(s.first, first), minOf(s.last, last), span{state: Done})
			p.dirty = true
		}
	}
	p.tidy()
}

// Deadline is when the next lock is over; math.MaxInt64 when none is held.
func (p *Partition) Deadline() int64 {
	d := int64(never)
	for _, s := range p.spans {
		if s.state == Acquired {
			d = minOf(d, s.deadline)
		}
	}
	return d
}

func minOf(a int64, more ...int64) int64 {
	for _, b := range more {
		a = min(a, b)
	}
	return a
}
