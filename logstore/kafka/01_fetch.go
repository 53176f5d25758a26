package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/quota"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetchCall is one fetch request at work.
type fetchCall struct {
	c         *conn
	req       *kmsg.FetchRequest
	committed bool
	mode      fetchMode
	session   *fetchSession // of a request that continues one
	set       *fetchSet     // the partitions
	bytes     int           // records read
	follower  *follower     // nil for a client's

	client   string
	throttle int32 // milliseconds that the client is to wait
}

// fetchPart is a partition that a client fetches, and what was read of it.
type fetchPart struct {
	fetchKey
	tag int  // its place in the set
	hot bool // it is in the set's hot list

	from      int64 // what is asked for
	maxBytes  int32
	epoch     int32 // the leader epoch that the client knows
	lastEpoch int32 // the epoch of the record before from, if the client tells

	topic   *broker.Topic // resolved
	part    *logstore.Partition
	fixed   error // why it could not be resolved
	watched *logstore.Partition

	err       error // read
	res       logstore.ReadResult
	data      []byte                      // res.Data, or what it was converted to
	replica   *logstore.ReplicaReadResult // a follower's: what data is of
	diverging *logstore.DivergingEpoch
	cold      coldFetch

	toldHigh, toldStart int64 // what the session's client knows
}

// fetch answers a fetch request: at once if there is enough or something is wrong, else when enough has come or the
// client's patience ends.
func (c *conn) fetch(f *frame) error {
	if _, err := lookup(f); err != nil {
		return err
	}
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(f.version)
	if err := f.skipHeaderTags(req.IsFlexible()); err != nil {
		return err
	}
	if err := req.UnsafeReadFrom(f.body); err != nil {
		return fmt.Errorf("%w: fetch: %w", errFrame, err)
	}
	call := &fetchCall{c: c, req: req, committed: req.IsolationLevel == 1, client: f.clientID}
	err := call.asFollower()
	if err == nil {
		err = call.open()
	}
	if err != nil {
		return call.writeError(f.corr, err)
	}
	defer call.done()
	if err := call.gather(); err != nil {
		return err
	}
	call.throttle = c.charge(quota.Fetch, f.clientID, float64(call.bytes))
	return call.write(f.corr)
}

// gather reads until there is enough to answer.
func (f *fetchCall) gather() error {
	patience, cancel := context.WithTimeout(f.c.ctx, time.Duration(max(0, f.req.MaxWaitMillis))*time.Millisecond)
	defer cancel()
	for {
		f.set.heat()
		f.sweep()
		f.resolve()
		wrong := f.read()
		if wrong || f.newsForFollower() || f.bytes >= int(f.req.MinBytes) || patience.Err() != nil {
			return f.c.ctx.Err()
		}
		if !f.set.watchAll() { // what came before they were watched is seen by one more read
			f.set.wait(patience)
		}
	}
}

// read reads the partitions that may have something anew, within the response's bounds; true when one of them has an error
// to report.
func (f *fetchCall) read() (wrong bool) {
	f.release()
	room := int(min(f.req.MaxBytes, f.c.s.opts.MaxFetchBytes))
	if f.req.MaxBytes <= 0 {
		room = int(f.c.s.opts.MaxFetchBytes)
	}
	room = f.c.fetchRoom(f.client, room)
	for _, p := range f.set.hot {
		switch p.err = p.fixed; {
		case p.err != nil:
		case f.follower != nil:
			f.readForFollower(p, room-f.bytes)
		default:
			f.readPart(p, room-f.bytes)
		}
		wrong = wrong || p.err != nil || p.diverging != nil
		f.bytes += p.size()
	}
	return wrong
}

// readPart reads one partition. Only the first that has records may go beyond the bounds, by one batch.
func (f *fetchCall) readPart(p *fetchPart, room int) {
	role := p.part.Role()
	if p.err = checkLeader(role, p.epoch); p.err != nil {
		return
	}
	o := p.part.Offsets()
	end := o.HighWatermark
	if f.committed {
		end = o.LastStable
	}
	p.res = logstore.ReadResult{HighWatermark: o.HighWatermark, LastStable: o.LastStable, LogStart: o.LogStart}
	if p.from < o.LogStart || p.from > o.End {
		p.err = kerr.OffsetOutOfRange
		return
	}
	if p.lastEpoch >= 0 && p.diverges() {
		return
	}
	first := f.bytes == 0
	if p.from >= end || !first && room <= 0 {
		return
	}
	if p.res, p.err = f.readLog(p, min(room, int(p.maxBytes))); p.err != nil {
		p.err = f.c.s.readError(p.part.ID(), role, p.err)
		return
	}
	if !first && p.res.Size() > room {
		p.res.Release()
	}
	p.data = p.res.Data
	if p.topic.Format() == "arrow" {
		p.data, p.err = f.c.s.arrowToRows(p.topic, p.res.Data)
	}
}

// diverges is whether the client's records are not this log's: its last one is of an epoch that ended before it here. It is
// then told where, and truncates (KIP-595).
func (p *fetchPart) diverges() bool {
	epoch, end := p.part.EpochEnd(p.lastEpoch)
	switch {
	case epoch < 0 || end < 0:
		p.err = kerr.OffsetOutOfRange
	case epoch < p.lastEpoch || end < p.from:
		p.diverging = &logstore.DivergingEpoch{Epoch: epoch, End: end}
	default:
		return false
	}
	return true
}

// size is the bytes of records for the client.
func (p *fetchPart) size() int {
	if p.res.Range != nil {
		return p.res.Size()
	}
	return len(p.data)
}

// release gives back what was read.
func (f *fetchCall) release() {
	for _, p := range f.set.hot {
		if p.res.Size() > 0 {
			p.res.Release()
		}
		if p.replica != nil {
			p.replica.Release()
		}
		p.res.Data, p.data, p.diverging, p.replica = nil, nil, nil, nil
	}
	f.bytes = 0
}
