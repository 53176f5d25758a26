package kafka

import (
	"bytes"
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/group/share"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// shareFetchCall is one ShareFetch at work.
type shareFetchCall struct {
	*call
	req   *kmsg.ShareFetchRequest
	who   shareMember
	parts map[shareKey]*kmsg.ShareFetchResponseTopicPartition // what the answer says
	order []shareKey
}

// shareFetch takes what a member says of records that it was given, and gives it more (KIP-932).
func (c *call) shareFetch(req *kmsg.ShareFetchRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ShareFetchResponse)
	f := &shareFetchCall{call: c, req: req, parts: map[shareKey]*kmsg.ShareFetchResponseTopicPartition{}}
	parts, err := f.open()
	if err != nil {
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		return resp, nil
	}
	resp.AcquisitionLockTimeoutMillis = c.shares.lockMs(f.who.group)
	f.acknowledge()
	if req.ShareSessionEpoch != epochFinal && !req.IsRenewAck {
		if err := f.gather(parts); err != nil {
			return nil, err
		}
	}
	f.encode(resp)
	return resp, nil
}

// open finds the session, and the partitions to fetch from.
func (f *shareFetchCall) open() ([]shareKey, error) {
	who, err := f.shareMember(f.req.GroupID, f.req.MemberID)
	if err != nil {
		return nil, err
	}
	f.who = who
	add, acks := f.named()
	if f.req.ShareSessionEpoch == epochInitial {
		if acks {
			return nil, withMessage(kerr.InvalidRequest, "a new share session has nothing to acknowledge")
		}
		s, before, err := f.shares.sessions.begin(who, f.conn)
		if err != nil {
			return nil, err
		}
		if before != nil {
			f.shares.end(before)
		}
		return f.shares.sessions.change(s, add, nil), nil
	}
	s, err := f.shares.sessions.take(who, f.req.ShareSessionEpoch)
	if err != nil {
		return nil, err
	}
	if f.req.ShareSessionEpoch == epochFinal {
		f.acknowledge() // before the rest of what it has goes back
		f.req.Topics = nil
		f.shares.end(s)
		return nil, nil
	}
	var remove []shareKey
	for _, t := range f.req.ForgottenTopicsData {
		for _, p := range t.Partitions {
			remove = append(remove, shareKey{who.group, uuid.UUID(t.TopicID), p})
		}
	}
	return f.shares.sessions.change(s, add, remove), nil
}

// named are the partitions that the request names, and whether it acknowledges something.
func (f *shareFetchCall) named() (keys []shareKey, acks bool) {
	for _, t := range f.req.Topics {
		for _, p := range t.Partitions {
			keys = append(keys, shareKey{f.who.group, uuid.UUID(t.TopicID), p.Partition})
			acks = acks || len(p.AcknowledgementBatches) > 0
		}
	}
	return keys, acks
}

// answer is what is said of a partition.
func (f *shareFetchCall) answer(k shareKey) *kmsg.ShareFetchResponseTopicPartition {
	r := f.parts[k]
	if r == nil {
		p := kmsg.NewShareFetchResponseTopicPartition()
		p.Partition = k.partition
		r = &p
		f.parts[k], f.order = r, append(f.order, k)
	}
	return r
}

func (f *shareFetchCall) acknowledge() {
	for _, t := range f.req.Topics {
		for _, p := range t.Partitions {
			if len(p.AcknowledgementBatches) == 0 {
				continue
			}
			var acks []share.Ack
			for _, b := range p.AcknowledgementBatches {
				acks = append(acks, share.Ack{First: b.FirstOffset, Last: b.LastOffset, Types: b.AcknowledgeTypes})
			}
			k := shareKey{f.who.group, uuid.UUID(t.TopicID), p.Partition}
			r := f.answer(k)
			err := f.acknowledgeAt(k, f.who.id, acks, f.req.IsRenewAck)
			r.AcknowledgeErrorCode, r.AcknowledgeErrorMessage = code(err), message(err)
		}
	}
}

// gather acquires until there is something to answer.
func (f *shareFetchCall) gather(parts []shareKey) error {
	patience, cancel := context.WithTimeout(f.ctx, time.Duration(max(0, f.req.MaxWaitMillis))*time.Millisecond)
	defer cancel()
	var watcher *logstore.Watcher
	for {
		if f.acquire(parts) || patience.Err() != nil || len(parts) == 0 && f.req.MaxWaitMillis <= 0 {
			return f.ctx.Err()
		}
		if watcher == nil { // and once more, for what came before they were watched
			watcher = logstore.NewWatcher()
			defer f.watch(parts, watcher)()
			continue
		}
		f.waitFor(patience, parts, watcher)
	}
}

// acquire fetches from the partitions in turn; true when there is something to answer.
func (f *shareFetchCall) acquire(parts []shareKey) (any bool) {
	room, records := int(min(max(f.req.MaxBytes, 1), f.opts.MaxFetchBytes)), int64(f.req.MaxRecords)
	if records <= 0 {
		records = 500
	}
	for _, k := range parts {
		if room <= 0 || records <= 0 {
			break
		}
		got, err := f.acquireAt(k, shareWant{member: f.who.id, maxBytes: room, records: records, strict: f.req.ShareAcquireMode == 1})
		if err != nil {
			r := f.answer(k)
			r.ErrorCode, r.ErrorMessage = code(err), message(err)
			any = true
			continue
		}
		if len(got.ranges) == 0 {
			continue
		}
		any = true
		r := f.answer(k)
		r.Records = got.data
		for _, x := range got.ranges {
			a := kmsg.NewShareFetchResponseTopicPartitionAcquiredRecord()
			a.FirstOffset, a.LastOffset, a.DeliveryCount = x.First, x.Last, x.Count
			r.AcquiredRecords = append(r.AcquiredRecords, a)
		}
		room, records = room-len(got.data), records-got.count
	}
	return any
}

func (f *shareFetchCall) acquireAt(k shareKey, w shareWant) (shareGot, error) {
	topic, part, err := f.sharedPartition(k)
	if err != nil {
		return shareGot{}, err
	}
	return f.shares.part(k).acquire(f.ctx, f.shares, topic, part, w)
}

// watch lets a watcher be told of new records and of those that come back.
func (f *shareFetchCall) watch(parts []shareKey, w *logstore.Watcher) (stop func()) {
	logs := make([]*logstore.Partition, len(parts))
	for i, k := range parts {
		if _, part, err := f.sharedPartition(k); err == nil {
			part.Watch(w, i)
			logs[i] = part
		}
		f.shares.part(k).watch(w, i)
	}
	return func() {
		for i, k := range parts {
			if logs[i] != nil {
				logs[i].Unwatch(w, i)
			}
			f.shares.part(k).unwatch(w)
		}
	}
}

// waitFor returns when something may have changed: new records, records that came back, a lock that is over, or the client's
// patience.
func (f *shareFetchCall) waitFor(ctx context.Context, parts []shareKey, w *logstore.Watcher) {
	due := int64(1<<62 - 1)
	for _, k := range parts {
		due = min(due, f.shares.part(k).deadline())
	}
	lock := time.NewTimer(min(time.Hour, time.Duration(max(0, due-f.nowMs()))*time.Millisecond))
	defer lock.Stop()
	select {
	case <-w.Wake():
		w.Take(nil)
	case <-lock.C:
	case <-ctx.Done():
	}
}

func (f *shareFetchCall) encode(resp *kmsg.ShareFetchResponse) {
	var leaders []leader
	for _, k := range f.order {
		r := f.parts[k]
		if l, wrong := f.leaderOfShare(k, r.ErrorCode, r.AcknowledgeErrorCode); wrong {
			r.CurrentLeader.LeaderID, r.CurrentLeader.LeaderEpoch = l.id, l.epoch
			leaders = append(leaders, l)
		}
		i := 0
		for i < len(resp.Topics) && !bytes.Equal(resp.Topics[i].TopicID[:], k.topic[:]) {
			i++
		}
		if i == len(resp.Topics) {
			t := kmsg.NewShareFetchResponseTopic()
			t.TopicID = k.topic
			resp.Topics = append(resp.Topics, t)
		}
		resp.Topics[i].Partitions = append(resp.Topics[i].Partitions, *r)
	}
	for _, e := range f.conn.endpointsOf(leaders) {
		n := kmsg.NewShareFetchResponseNodeEndpoint()
		n.NodeID, n.Host, n.Port, n.Rack = e.node, e.host, e.port, nullable(e.rack)
		resp.NodeEndpoints = append(resp.NodeEndpoints, n)
	}
}

// leaderOfShare is the leader to tell along with one of two error codes.
func (c *call) leaderOfShare(k shareKey, codes ...int16) (leader, bool) {
	t := c.broker.TopicByID(k.topic)
	if t == nil {
		return leader{}, false
	}
	for _, ec := range codes {
		if l, wrong := c.conn.leaderIfWrong(ec, t.Name, k.partition); wrong {
			return l, true
		}
	}
	return leader{}, false
}

// shareMember is who asks, if it may.
func (c *call) shareMember(groupID, memberID *string) (shareMember, error) {
	m := shareMember{deref(groupID), deref(memberID)}
	switch {
	case c.broker.FeatureLevel(broker.FeatureShares) < 1:
		return m, kerr.UnsupportedVersion
	case !c.authorize(acl.Read, acl.Group, m.group):
		return m, kerr.GroupAuthorizationFailed
	case m.group == "" || m.id == "":
		return m, withMessage(kerr.InvalidRequest, "a share session wants a group and a member")
	}
	return m, nil
}

// sharedPartition is a partition that the client may read and that this node leads.
func (c *call) sharedPartition(k shareKey) (*broker.Topic, *logstore.Partition, error) {
	t := c.broker.TopicByID(k.topic)
	if t == nil {
		return nil, nil, kerr.UnknownTopicID
	}
	if !c.authorize(acl.Read, acl.Topic, t.Name) {
		return nil, nil, kerr.TopicAuthorizationFailed
	}
	part, err := c.broker.LeaderPartition(t.Name, k.partition)
	return t, part, err
}

// acknowledgeAt takes what a member says of records in one partition.
func (c *call) acknowledgeAt(k shareKey, member string, acks []share.Ack, renew bool) error {
	for _, a := range acks {
		for _, t := range a.Types {
			if t == share.Renew && !renew {
				return withMessage(kerr.InvalidRequest, "a request that renews must say so")
			}
		}
	}
	_, part, err := c.sharedPartition(k)
	if err != nil {
		return err
	}
	return c.shares.part(k).acknowledge(c.ctx, c.shares, part, member, acks)
}
