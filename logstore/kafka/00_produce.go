package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// produceRequest is a decoded produce request. Its records alias the frame.
type produceRequest struct {
	txnID   *string
	acks    int16
	timeout time.Duration
	topics  []produceTopic
	records []partitionRecords // of all topics, in order
}

type produceTopic struct {
	name  string
	id    uuid.UUID // names the topic from version 13 on
	parts int       // how many of the request's partitions are its
}

type partitionRecords struct {
	index   int32
	records []byte
}

// parseProduce decodes a request's body, whose header tags are gone.
func parseProduce(body []byte, version int16) (*produceRequest, error) {
	d := produceDecoder{Reader: kbin.Reader{Src: body}, flexible: version >= 9}
	p := &produceRequest{txnID: d.nullableString(), acks: d.Int16(), timeout: time.Duration(d.Int32()) * time.Millisecond}
	for range d.count() {
		t := produceTopic{}
		if version >= 13 {
			t.id = d.Uuid()
		} else {
			t.name = d.string()
		}
		for range d.count() {
			p.records = append(p.records, partitionRecords{d.Int32(), d.bytes()})
			t.parts++
			if d.tags(); !d.Ok() {
				return nil, fmt.Errorf("%w: produce", errFrame)
			}
		}
		p.topics = append(p.topics, t)
		if d.tags(); !d.Ok() {
			return nil, fmt.Errorf("%w: produce", errFrame)
		}
	}
	if d.tags(); !d.Ok() {
		return nil, fmt.Errorf("%w: produce", errFrame)
	}
	return p, nil
}

// produceCall is a produce request after its batches have been handed to the log.
type produceCall struct {
	*produceRequest
	version  int16
	corr     int32
	appends  []partitionAppend // one for each of the request's partitions
	throttle int32             // milliseconds that the client is to wait
}

type partitionAppend struct {
	pending *logstore.Pending
	err     error
	keyless []int32 // the records that a compacted topic refuses, by their place in the batch
}

// startProduce decodes a request and appends its batches in order. The error is of the request as a whole and closes the
// connection.
func (c *conn) startProduce(f *frame) (*produceCall, error) {
	if _, err := lookup(f); err != nil {
		return nil, err
	}
	if err := f.skipHeaderTags(f.version >= 9); err != nil {
		return nil, err
	}
	req, err := parseProduce(f.body, f.version)
	if err != nil {
		return nil, err
	}
	p := &produceCall{produceRequest: req, version: f.version, corr: f.corr, appends: make([]partitionAppend, len(req.records))}
	at := 0
	for i := range req.topics {
		t := &req.topics[i]
		to := c.topicAppender(t, req, f.version)
		if to.implicit && to.err == nil {
			to.err = to.join(req.records[at : at+t.parts])
		}
		for range t.parts {
			p.appends[at] = to.append(req.records[at])
			at++
		}
	}
	for i := range req.records {
		req.records[i].records = nil // the frame goes back to the pool
	}
	return p, nil
}

// produceDecoder reads both forms of the request. Counts are believed only as far as the bytes last: every element takes at
// least one, and loops end at the first that is missing.
type produceDecoder struct {
	kbin.Reader
	flexible bool
}

func (d *produceDecoder) count() int32 {
	if !d.Ok() {
		return 0
	}
	if d.flexible {
		return d.CompactArrayLen()
	}
	return d.ArrayLen()
}

func (d *produceDecoder) string() string {
	if d.flexible {
		return d.CompactString()
	}
	return d.String()
}

func (d *produceDecoder) nullableString() *string {
	if d.flexible {
		return d.CompactNullableString()
	}
	return d.NullableString()
}

func (d *produceDecoder) bytes() []byte {
	if d.flexible {
		return d.CompactNullableBytes()
	}
	return d.NullableBytes()
}

func (d *produceDecoder) tags() {
	if d.flexible {
		kmsg.SkipTags(&d.Reader)
	}
}

// topicAppender appends to the partitions of one topic in one request.
type topicAppender struct {
	c        *conn
	topic    *broker.Topic
	txnID    *string
	acks     logstore.Acks
	implicit bool  // a partition becomes part of the transaction by being written to
	stale    error // what a batch of another transaction is refused with
	err      error // why nothing can be appended
}

func (c *conn) topicAppender(asked *produceTopic, req *produceRequest, version int16) topicAppender {
	t := topicAppender{c: c, txnID: req.txnID, implicit: req.txnID != nil && version >= implicitAdd, stale: kerr.InvalidTxnState}
	if version >= abortable {
		t.stale = kerr.TransactionAbortable
	}
	t.topic, t.err = c.writableTopic(asked, req.txnID, version)
	if t.topic != nil {
		asked.name = t.topic.Name
	}
	switch req.acks {
	case -1:
		t.acks = logstore.AcksAll
	case 0:
		t.acks = logstore.AcksNone
	case 1:
		t.acks = logstore.AcksLeader
	default:
		t.err = kerr.InvalidRequiredAcks
	}
	return t
}

// writableTopic is a topic that the client may write to, in its transaction if it names one.
func (c *conn) writableTopic(asked *produceTopic, txnID *string, version int16) (*broker.Topic, error) {
	if txnID != nil && !c.authorize(acl.Write, acl.TransactionalID, *txnID) {
		return nil, kerr.TransactionalIDAuthorizationFailed
	}
	name := asked.name
	if version >= 13 {
		t := c.s.broker.TopicByID(asked.id)
		if t == nil {
			return nil, kerr.UnknownTopicID
		}
		name = t.Name
	}
	if !c.authorize(acl.Write, acl.Topic, name) {
		return nil, kerr.TopicAuthorizationFailed
	}
	return c.s.broker.Topic(name)
}

func (t *topicAppender) append(r partitionRecords) partitionAppend {
	if t.err != nil {
		return partitionAppend{err: t.err}
	}
	part, err := t.c.s.broker.LeaderPartition(t.topic.Name, r.index)
	if err == nil {
		err = t.admit(r)
	}
	if err != nil {
		return partitionAppend{err: err}
	}
	if binary.BigEndian.Uint16(r.records[attrOffset:])&attrTxn != 0 {
		return t.appendInTxn(r)
	}
	a := partitionAppend{pending: part.Append(logstore.AppendRequest{Data: r.records, Acks: t.acks})}
	if t.topic.Compacted() {
		if _, err := a.pending.Result(); errors.Is(err, logstore.ErrInvalidRecord) {
			a.keyless = keyless(r.records)
		}
	}
	return a
}

// keyless finds the records without a key in a batch that was refused, for clients that want to know which they were.
func keyless(records []byte) []int32 {
	batch, _, err := record.Next(records)
	if err != nil {
		return nil
	}
	var out []int32
	it := batch.Records()
	for i := int32(0); it.Next(); i++ {
		if it.Key == nil {
			out = append(out, i)
		}
	}
	return out
}

func (t *topicAppender) appendInTxn(r partitionRecords) partitionAppend {
	if t.txnID == nil {
		return partitionAppend{err: kerr.InvalidTxnState}
	}
	pid, epoch := producerOf(r.records)
	pending, err := t.c.s.broker.AppendInTxn(*t.txnID, pid, epoch, t.topic.Name, r.index, r.records)
	switch {
	case errors.Is(err, broker.ErrProducerFenced):
		err = kerr.InvalidProducerEpoch // what a partition's leader calls it
	case errors.Is(err, broker.ErrTxnState):
		err = t.stale
	}
	return partitionAppend{pending: pending, err: err}
}

// join makes the partitions that transactional batches are for part of the transaction, all in one command.
func (t *topicAppender) join(all []partitionRecords) error {
	var places []broker.TxnPlace
	pid, epoch := int64(-1), int16(-1)
	for _, r := range all {
		if t.admit(r) != nil || binary.BigEndian.Uint16(r.records[attrOffset:])&attrTxn == 0 {
			continue
		}
		if _, err := t.c.s.broker.LeaderPartition(t.topic.Name, r.index); err != nil {
			continue
		}
		pid, epoch = producerOf(r.records)
		places = append(places, broker.TxnPlace{Topic: t.topic.Name, Partition: r.index})
	}
	if len(places) == 0 {
		return nil
	}
	err := t.c.s.broker.JoinTxn(t.c.ctx, *t.txnID, pid, epoch, places)
	if errors.Is(err, broker.ErrProducerFenced) {
		return kerr.InvalidProducerEpoch
	}
	return err
}

// producerOf is the producer id and epoch of a batch.
func producerOf(batch []byte) (id int64, epoch int16) {
	return int64(binary.BigEndian.Uint64(batch[producerIDOffset:])), int16(binary.BigEndian.Uint16(batch[producerIDOffset+8:]))
}

const (
	attrOffset       = 21
	producerIDOffset = 43
	batchHeaderBytes = 61
	attrTxn          = 0x10
	attrArrow        = 0x100
)

// admit checks what the log cannot know: which batches this topic takes from clients.
func (t *topicAppender) admit(r partitionRecords) error {
	if len(r.records) < batchHeaderBytes {
		return kerr.CorruptMessage
	}
	attrs := binary.BigEndian.Uint16(r.records[attrOffset:])
	if attrs&attrArrow != 0 && t.topic.Format() != "arrow" {
		return kerr.InvalidRecord
	}
	return nil
}

// firstError waits for nothing: it is for acks=0, where only what is known at once can be told.
func (p *produceCall) firstError() error {
	for i := range p.appends {
		if p.appends[i].err != nil {
			return p.appends[i].err
		}
	}
	return nil
}

// writeProduce waits until all batches are durable, or the request's time is over, and writes the response.
func (c *conn) writeProduce(p *produceCall) error {
	ctx := c.ctx
	if p.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.timeout)
		defer cancel()
	}
	flexible := p.version >= 9
	e := encoder{buf: startResponse(c.out[:0], p.corr, flexible), flexible: flexible}
	e.count(len(p.topics))
	at := 0
	var leaders []leader
	for i := range p.topics {
		t := &p.topics[i]
		if p.version >= 13 {
			e.buf = append(e.buf, t.id[:]...)
		} else {
			e.string(t.name)
		}
		e.count(t.parts)
		for range t.parts {
			leaders = p.encodePart(c, ctx, &e, t.name, at, leaders)
			at++
		}
		e.tags()
	}
	e.int32(p.throttle)
	e.endpointsTag(c.endpointsOf(leaders))
	return c.writeBuf(e.buf)
}

var noKey = "a compacted topic wants a key"

// encodePart writes the answer for one partition, and adds to leaders the one that the client should have asked.
func (p *produceCall) encodePart(c *conn, ctx context.Context, e *encoder, topic string, at int, leaders []leader) []leader {
	res := logstore.AppendResult{BaseOffset: -1, AppendTime: -1, LogStart: -1}
	err := p.appends[at].err
	if err == nil {
		var done logstore.AppendResult
		if done, err = p.appends[at].pending.Wait(ctx); err == nil {
			res = done
		}
	}
	ec := code(err)
	e.int32(p.records[at].index)
	e.int16(ec)
	e.int64(res.BaseOffset)
	e.int64(res.AppendTime)
	if p.version >= 5 {
		e.int64(res.LogStart)
	}
	if p.version >= 8 {
		e.count(len(p.appends[at].keyless))
		for _, i := range p.appends[at].keyless {
			e.int32(i)
			e.nullableString(&noKey)
			e.tags()
		}
		e.nullableString(message(err))
	}
	if p.version >= 10 && ec != 0 {
		if l, wrong := c.leaderIfWrong(ec, topic, p.records[at].index); wrong {
			e.buf = append(e.buf, 1)
			e.leaderTag(0, l)
			return append(leaders, l)
		}
	}
	e.tags()
	return leaders
}

// Versions of Produce with a meaning of their own (KIP-890): a client understands TRANSACTION_ABORTABLE; a transaction takes
// in a partition that is written to.
const (
	abortable   = 11
	implicitAdd = 12
)
