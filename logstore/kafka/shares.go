package kafka

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"sync"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/group"
	"github.com/streamflow/streamflow/logstore/group/share"
	"github.com/twmb/franz-go/pkg/kerr"
)

// shares is the shell around share partitions (KIP-932), which the leader of a partition holds for each share group.
type shares struct {
	s        *Server
	sessions shareSessions

	mu    sync.Mutex
	parts map[shareKey]*sharePart
}

type shareKey struct {
	group     string
	topic     uuid.UUID
	partition int32
}

func (k shareKey) place() broker.SharePlace {
	return broker.SharePlace{TopicID: k.topic, Partition: k.partition}
}

// sharePart is one share partition. Locks: writing before mu. What is kept is written one after another; a step never blocks.
type sharePart struct {
	shareKey
	writing sync.Mutex

	mu         sync.Mutex
	state      *share.Partition // nil: to be read
	epoch      int32            // the leader epoch and the state epoch under which it was read
	stateEpoch int32
	keptStart  int64 // as it was written last
	waiting    []shareWait
}

// shareWait is a fetch that is told when records come back.
type shareWait struct {
	watcher *logstore.Watcher
	tag     int
}

func newShares(s *Server) *shares {
	return &shares{s: s, parts: map[shareKey]*sharePart{}, sessions: shareSessions{all: map[shareMember]*shareSession{}}}
}

func (sh *shares) part(k shareKey) *sharePart {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	p := sh.parts[k]
	if p == nil {
		p = &sharePart{shareKey: k}
		sh.parts[k] = p
	}
	return p
}

// forget drops a group's partitions.
func (sh *shares) forget(group string) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for k := range sh.parts {
		if k.group == group {
			delete(sh.parts, k)
		}
	}
}

// limits are the group's.
func (sh *shares) limits(group string) share.Limits {
	l := share.Limits{}
	if ms, ok := sh.s.broker.GroupConfigInt(group, "share.record.lock.duration.ms"); ok {
		l.LockMs = ms
	}
	return l
}

// lockMs is how long a record is a member's.
func (sh *shares) lockMs(group string) int32 {
	return int32(or(sh.limits(group).LockMs, 30_000))
}

// open reads what is kept, unless it is what is held already. The caller has p.mu. fresh is whether it is to be written now: so
// that a leader of before can write no more, and the start stands.
func (p *sharePart) open(sh *shares, part *logstore.Partition) (fresh bool, err error) {
	role := part.Role()
	if !role.Leader {
		p.state = nil
		return false, kerr.NotLeaderForPartition
	}
	kept, ok := sh.s.broker.ShareState(p.group, p.place())
	if p.state == nil || p.epoch != currentEpoch(role) || p.stateEpoch != kept.Epoch {
		if p.state, err = p.read(sh, part, kept, ok); err != nil {
			return false, err
		}
		p.epoch, p.stateEpoch, p.keptStart = currentEpoch(role), kept.Epoch, kept.Start
		fresh = !ok || kept.LeaderEpoch != p.epoch
	}
	p.state.SetLimits(sh.limits(p.group))
	p.state.Expire(sh.s.nowMs())
	p.state.Forget(part.Offsets().LogStart)
	return fresh, nil
}

func (p *sharePart) read(sh *shares, part *logstore.Partition, kept broker.ShareState, ok bool) (*share.Partition, error) {
	l := sh.limits(p.group)
	switch {
	case ok && len(kept.Kept) > 0:
		return share.Decode(kept.Kept, l)
	case ok:
		return share.NewPartition(kept.Start, l), nil
	}
	o, err := part.LatestOffsets()
	if err != nil {
		return nil, err
	}
	if sh.s.broker.GroupConfig(p.group, "share.auto.offset.reset") == "earliest" {
		return share.NewPartition(o.LogStart, l), nil
	}
	return share.NewPartition(o.HighWatermark, l), nil
}

// keep writes what is to be kept. When it cannot, what is held is void: it is read again.
func (p *sharePart) keep(ctx context.Context, sh *shares) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.mu.Lock()
	if p.state == nil || !p.state.Dirty() { // somebody else has written it
		p.mu.Unlock()
		return nil
	}
	s := broker.ShareState{Epoch: p.stateEpoch, LeaderEpoch: p.epoch, Start: p.state.Start(), Kept: p.state.Encode()}
	p.keptStart = s.Start
	p.mu.Unlock()
	err := sh.s.broker.WriteShareState(ctx, p.group, p.place(), s)
	if err == nil {
		return nil
	}
	p.mu.Lock()
	p.state = nil
	p.mu.Unlock()
	if errors.Is(err, broker.ErrShareFenced) {
		return kerr.NotLeaderForPartition
	}
	return err
}

// acknowledge takes what a member says of records, and returns when that is kept.
func (p *sharePart) acknowledge(ctx context.Context, sh *shares, part *logstore.Partition, member string, acks []share.Ack) error {
	p.mu.Lock()
	_, err := p.open(sh, part)
	if err == nil {
		if ec := p.state.Acknowledge(sh.s.nowMs(), member, acks); ec != group.OK {
			err = kerr.ErrorForCode(int16(ec))
		}
		p.tell()
	}
	p.mu.Unlock()
	if err != nil {
		return err
	}
	return p.keep(ctx, sh)
}

// leave takes back what a member has. When that cannot be kept, the records are delivered once more than they may be.
func (p *sharePart) leave(sh *shares, member string) {
	p.mu.Lock()
	any := p.state != nil && p.state.Leave(member)
	if any {
		p.tell()
	}
	p.mu.Unlock()
	if !any {
		return
	}
	if err := p.keep(sh.s.ctx, sh); err != nil && sh.s.ctx.Err() == nil {
		sh.s.log.Warn("kafka: state of a share partition not kept", "group", p.group, "topic", p.topic, "partition", p.partition, "err", err)
	}
}

// tell wakes the fetches that wait for records to come back. It wants p.mu.
func (p *sharePart) tell() {
	for _, w := range p.waiting {
		w.watcher.Mark(w.tag)
	}
}

func (p *sharePart) watch(w *logstore.Watcher, tag int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(p.waiting, shareWait{w, tag})
}

func (p *sharePart) unwatch(w *logstore.Watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	keep := p.waiting[:0]
	for _, x := range p.waiting {
		if x.watcher != w {
			keep = append(keep, x)
		}
	}
	clear(p.waiting[len(keep):])
	p.waiting = keep
}

// deadline is when the next record comes back because a lock is over.
func (p *sharePart) deadline() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == nil {
		return math.MaxInt64
	}
	return p.state.Deadline()
}

// shareWant is what a fetch wants of a partition.
type shareWant struct {
	member   string
	maxBytes int
	records  int64 // as many, or a few more
	strict   bool  // not one more (KIP-1206)
}

// shareGot is what it gets: records, and which of them are the member's.
type shareGot struct {
	data   []byte
	ranges []share.Range
	count  int64
}

// acquire gives a member what is available. Records are read without a lock: whoever comes first to lock them has them.
func (p *sharePart) acquire(ctx context.Context, sh *shares, topic *broker.Topic, part *logstore.Partition, w shareWant) (shareGot, error) {
	p.mu.Lock()
	fresh, err := p.open(sh, part)
	from := int64(-1)
	if err == nil {
		from = p.state.Next()
	}
	p.mu.Unlock()
	if fresh && err == nil {
		err = p.keep(ctx, sh)
	}
	if err != nil {
		return shareGot{}, err
	}
	committed := sh.s.broker.GroupConfig(p.group, "share.isolation.level") == "read_committed"
	o := part.Offsets()
	if end := o.HighWatermark; from >= end || committed && from >= o.LastStable {
		return shareGot{}, nil
	}
	res, err := part.Read(from, w.maxBytes, committed)
	if err != nil {
		return shareGot{}, sh.s.readError(part.ID(), part.Role(), err)
	}
	got, moved := p.take(sh.s.nowMs(), from, res, w)
	if moved {
		if err := p.keep(ctx, sh); err != nil {
			return shareGot{}, err
		}
	}
	if topic.Format() == "arrow" && len(got.data) > 0 {
		got.data, err = sh.s.arrowToRows(topic, got.data)
	}
	return got, err
}

// take locks what of the batches that were read is still available, and skips what is no record: control batches, aborted
// transactions and gaps. moved is whether the start is another than the one that is kept.
func (p *sharePart) take(now, from int64, res logstore.ReadResult, w shareWant) (got shareGot, moved bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == nil {
		return got, false
	}
	aborted := abortedOf(res.Aborted)
	next, begin, end := from, -1, 0
	for at := 0; at+batchHeaderBytes <= len(res.Data) && got.count < w.records; {
		b := res.Data[at:]
		n := 12 + int(binary.BigEndian.Uint32(b[8:]))
		base := int64(binary.BigEndian.Uint64(b))
		last := base + int64(int32(binary.BigEndian.Uint32(b[lastDeltaOffset:])))
		if base > next {
			p.state.Skip(next, base-1)
		}
		if aborted.skips(b, base) {
			p.state.Skip(max(base, next), last)
		} else {
			most := int64(math.MaxInt32)
			if w.strict {
				most = w.records - got.count
			}
			for _, r := range p.state.Acquire(now, w.member, max(base, next), last, most) {
				got.add(r)
				if end = at + n; begin < 0 {
					begin = at
				}
			}
		}
		next, at = max(next, last+1), at+n
	}
	if begin >= 0 {
		got.data = res.Data[begin:min(end, len(res.Data))]
	}
	return got, p.state.Start() != p.keptStart
}

// add adds offsets that are the member's now.
func (g *shareGot) add(r share.Range) {
	g.count += r.Last - r.First + 1
	if n := len(g.ranges); n > 0 && g.ranges[n-1].Last+1 == r.First && g.ranges[n-1].Count == r.Count {
		g.ranges[n-1].Last = r.Last
		return
	}
	g.ranges = append(g.ranges, r)
}

const (
	lastDeltaOffset = 23
	attrControl     = 0x20
)

// abortedSet follows transactions through a log, as a reader of committed records does.
type abortedSet struct {
	next []logstore.AbortedTxn // not begun yet
	open map[int64]bool        // producers whose records are of an aborted transaction
}

// abortedOf follows transactions that are listed in whatever order.
func abortedOf(all []logstore.AbortedTxn) *abortedSet {
	slices.SortFunc(all, func(a, b logstore.AbortedTxn) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	return &abortedSet{next: all, open: map[int64]bool{}}
}

// skips is whether a batch has no records for readers.
func (a *abortedSet) skips(b []byte, base int64) bool {
	for len(a.next) > 0 && a.next[0].FirstOffset <= base {
		a.open[a.next[0].ProducerID] = true
		a.next = a.next[1:]
	}
	attrs := binary.BigEndian.Uint16(b[attrOffset:])
	pid, _ := producerOf(b)
	if attrs&attrControl != 0 {
		delete(a.open, pid)
		return true
	}
	return attrs&attrTxn != 0 && a.open[pid]
}
