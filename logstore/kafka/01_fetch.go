package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"reflect"
	"time"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetchCall is one fetch request at work.
type fetchCall struct {
	c         *conn
	req       *kmsg.FetchRequest
	committed bool
	parts     []fetchPart // of all topics, in the order asked for
	bytes     int         // records read
}

// fetchPart is a partition of the request, and what was read of it.
type fetchPart struct {
	index    int32
	from     int64
	maxBytes int32
	topic    *broker.Topic
	part     *logstore.Partition
	err      error
	res      logstore.ReadResult
	data     []byte // res.Data, or what it was converted to
	changed  <-chan struct{}
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
	call := &fetchCall{c: c, req: req, committed: req.IsolationLevel == 1}
	call.resolve()
	defer call.release()
	if err := call.gather(); err != nil {
		return err
	}
	return call.write(f.corr)
}

// resolve finds the partitions.
func (f *fetchCall) resolve() {
	for i := range f.req.Topics {
		t := &f.req.Topics[i]
		topic, err := f.topic(t)
		for _, p := range t.Partitions {
			fp := fetchPart{index: p.Partition, from: p.FetchOffset, maxBytes: p.PartitionMaxBytes, topic: topic, err: err}
			if err == nil {
				fp.part, fp.err = f.c.s.broker.Partition(topic.Name, p.Partition)
			}
			if fp.err == nil {
				fp.err = checkEpoch(p.CurrentLeaderEpoch)
			}
			f.parts = append(f.parts, fp)
		}
	}
}

func (f *fetchCall) topic(t *kmsg.FetchRequestTopic) (*broker.Topic, error) {
	if f.req.Version < 13 {
		if !f.c.authorize(acl.Read, acl.Topic, t.Topic) {
			return nil, kerr.TopicAuthorizationFailed
		}
		return f.c.s.broker.Topic(t.Topic)
	}
	topic := f.c.s.broker.TopicByID(uuid.UUID(t.TopicID))
	if topic == nil {
		return nil, kerr.UnknownTopicID
	}
	if !f.c.authorize(acl.Read, acl.Topic, topic.Name) {
		return nil, kerr.TopicAuthorizationFailed
	}
	return topic, nil
}

// leaderEpoch is the epoch of every partition: there is one node, and it has always led.
const leaderEpoch = 0

func checkEpoch(client int32) error {
	if client > leaderEpoch {
		return kerr.UnknownLeaderEpoch
	}
	return nil
}

// gather reads until there is enough to answer.
func (f *fetchCall) gather() error {
	patience, cancel := context.WithTimeout(f.c.ctx, time.Duration(max(0, f.req.MaxWaitMillis))*time.Millisecond)
	defer cancel()
	for {
		wrong := f.read()
		if wrong || f.bytes >= int(f.req.MinBytes) || patience.Err() != nil {
			return f.c.ctx.Err()
		}
		f.wait(patience)
	}
}

// read reads all partitions anew, within the response's bounds; true when one of them has an error to report.
func (f *fetchCall) read() (wrong bool) {
	f.release()
	room := int(min(f.req.MaxBytes, f.c.s.opts.MaxFetchBytes))
	if f.req.MaxBytes <= 0 {
		room = int(f.c.s.opts.MaxFetchBytes)
	}
	for i := range f.parts {
		p := &f.parts[i]
		if p.part != nil && p.err == nil {
			p.changed = p.part.Changed() // taken before the read, so that nothing between them is missed
			f.readPart(p, room-f.bytes)
		}
		wrong = wrong || p.err != nil
		f.bytes += len(p.data)
	}
	return wrong
}

// readPart reads one partition. Only the first that has records may go beyond the bounds, by one batch.
func (f *fetchCall) readPart(p *fetchPart, room int) {
	first := f.bytes == 0
	o := p.part.Offsets()
	end := o.HighWatermark
	if f.committed {
		end = o.LastStable
	}
	p.res = logstore.ReadResult{HighWatermark: o.HighWatermark, LastStable: o.LastStable, LogStart: o.LogStart}
	if p.from == end || !first && room <= 0 {
		return
	}
	limit := min(room, int(p.maxBytes))
	if p.from < o.LogStart || p.from > o.End {
		p.err = kerr.OffsetOutOfRange
		return
	}
	if p.from > end {
		return
	}
	if p.res, p.err = p.part.Read(p.from, limit, f.committed); p.err != nil {
		f.c.s.tellDamage(p.part.ID(), p.err)
		return
	}
	if !first && len(p.res.Data) > room {
		p.res.Release()
		p.res.Data = nil
	}
	p.data = p.res.Data
	if p.topic.Format() == "arrow" {
		p.data, p.err = f.c.s.arrowToRows(p.topic, p.res.Data)
	}
}

func (f *fetchCall) release() {
	for i := range f.parts {
		if p := &f.parts[i]; p.res.Data != nil {
			p.res.Release()
			p.res.Data, p.data = nil, nil
		}
	}
	f.bytes = 0
}

// wait returns when one of the partitions has changed, or ctx is done.
func (f *fetchCall) wait(ctx context.Context) {
	if len(f.parts) == 1 {
		select {
		case <-f.parts[0].changed:
		case <-ctx.Done():
		}
		return
	}
	cases := make([]reflect.SelectCase, 0, len(f.parts)+1)
	cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())})
	for i := range f.parts {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(f.parts[i].changed)})
	}
	reflect.Select(cases)
}

// write sends the response as header segments with the records between them, uncopied.
func (f *fetchCall) write(corr int32) error {
	v := f.req.Version
	e := encoder{buf: startResponse(f.c.out[:0], corr, v >= 12), flexible: v >= 12}
	cuts := make([]int, 0, len(f.parts)) // where in e.buf each partition's records go
	e.int32(0)                           // throttle
	if v >= 7 {
		e.int16(0)
		e.int32(0) // no session: clients name all partitions each time
	}
	e.count(len(f.req.Topics))
	parts := f.parts
	for i := range f.req.Topics {
		t := &f.req.Topics[i]
		if v >= 13 {
			e.buf = append(e.buf, t.TopicID[:]...)
		} else {
			e.string(t.Topic)
		}
		e.count(len(t.Partitions))
		for j := range t.Partitions {
			f.encodePart(&e, &parts[j])
			cuts = append(cuts, len(e.buf))
			e.tags()
		}
		parts = parts[len(t.Partitions):]
		e.tags()
	}
	e.tags()
	return f.send(e.buf, cuts)
}

func (f *fetchCall) encodePart(e *encoder, p *fetchPart) {
	v := f.req.Version
	res := p.res
	if p.err != nil {
		res = logstore.ReadResult{HighWatermark: -1, LastStable: -1, LogStart: -1}
	}
	e.int32(p.index)
	e.int16(code(p.err))
	e.int64(res.HighWatermark)
	e.int64(res.LastStable)
	if v >= 5 {
		e.int64(res.LogStart)
	}
	if f.committed && p.err == nil {
		e.count(len(res.Aborted))
		for _, a := range res.Aborted {
			e.int64(a.ProducerID)
			e.int64(a.FirstOffset)
			e.tags()
		}
	} else {
		e.nullCount()
	}
	if v >= 11 {
		e.int32(-1) // preferred read replica
	}
	if p.err != nil {
		p.data = nil
	}
	e.bytesLen(len(p.data))
}

// send writes header segments and records alternately with one system call.
func (f *fetchCall) send(head []byte, cuts []int) error {
	size := len(head) - 4
	vec := make(net.Buffers, 0, 2*len(cuts)+1)
	at := 0
	for i := range f.parts {
		if len(f.parts[i].data) == 0 {
			continue
		}
		size += len(f.parts[i].data)
		vec = append(vec, head[at:cuts[i]], f.parts[i].data)
		at = cuts[i]
	}
	vec = append(vec, head[at:])
	binary.BigEndian.PutUint32(head, uint32(size))
	_, err := vec.WriteTo(f.c.nc)
	if cap(head) <= maxKeptOut {
		f.c.out = head[:0]
	}
	return err
}

// arrowToRows converts the Arrow batches among batches to JSON records; others are kept as they are.
func (s *Server) arrowToRows(topic *broker.Topic, batches []byte) ([]byte, error) {
	var out []byte
	for len(batches) > 0 {
		if len(batches) < batchHeaderBytes {
			return nil, fmt.Errorf("%w: %d bytes after the last batch", logstore.ErrCorruptMessage, len(batches))
		}
		n := 12 + int(binary.BigEndian.Uint32(batches[8:]))
		if n < batchHeaderBytes || n > len(batches) {
			return nil, fmt.Errorf("%w: length %d", logstore.ErrCorruptMessage, n)
		}
		batch := batches[:n]
		batches = batches[n:]
		if binary.BigEndian.Uint16(batch[attrOffset:])&attrArrow == 0 {
			out = append(out, batch...)
			continue
		}
		if s.opts.Rows == nil {
			return nil, fmt.Errorf("kafka: topic %s holds Arrow batches, and this server has no converter", topic.Name)
		}
		var err error
		if out, err = s.opts.Rows.ConvertArrow(out, topic, batch); err != nil {
			return nil, fmt.Errorf("kafka: convert %s@%d: %w", topic.Name, int64(binary.BigEndian.Uint64(batch)), err)
		}
	}
	return out, nil
}
