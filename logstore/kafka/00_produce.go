package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// produceCall is a produce request after its batches have been handed to the log.
type produceCall struct {
	version int16
	corr    int32
	acks    int16
	timeout time.Duration
	topics  []produceTopic
	parts   []producePart // of all topics, in order
}

type produceTopic struct {
	name  string
	parts int // how many of produceCall.parts are its
}

type producePart struct {
	index   int32
	pending *logstore.Pending
	err     error
}

// startProduce decodes a request and appends its batches in order. The error is of the request as a whole and closes the
// connection.
func (c *conn) startProduce(f *frame) (*produceCall, error) {
	if _, err := lookup(f); err != nil {
		return nil, err
	}
	flexible := f.version >= 9
	if err := f.skipHeaderTags(flexible); err != nil {
		return nil, err
	}
	p := &produceCall{version: f.version, corr: f.corr}
	d := produceDecoder{Reader: kbin.Reader{Src: f.body}, flexible: flexible}
	txnID := d.nullableString()
	p.acks = d.Int16()
	p.timeout = time.Duration(d.Int32()) * time.Millisecond
	for range d.count() {
		p.topics = append(p.topics, produceTopic{name: d.string()})
		if !d.Ok() {
			break
		}
		t := c.topicAppender(p.topics[len(p.topics)-1].name, txnID, p.acks)
		for range d.count() {
			index, records := d.Int32(), d.bytes()
			d.tags()
			if !d.Ok() {
				return nil, fmt.Errorf("%w: produce", errFrame)
			}
			p.parts = append(p.parts, t.append(index, records))
			p.topics[len(p.topics)-1].parts++
		}
		d.tags()
	}
	d.tags()
	if !d.Ok() {
		return nil, fmt.Errorf("%w: produce", errFrame)
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
	c     *conn
	name  string
	topic *broker.Topic
	txnID *string
	err   error // why nothing can be appended
}

func (c *conn) topicAppender(name string, txnID *string, acks int16) topicAppender {
	t := topicAppender{c: c, name: name, txnID: txnID}
	t.topic, t.err = c.s.broker.Topic(name)
	if acks < -1 || acks > 1 {
		t.err = kerr.InvalidRequiredAcks
	}
	return t
}

func (t *topicAppender) append(index int32, records []byte) producePart {
	p := producePart{index: index, err: t.err}
	if p.err != nil {
		return p
	}
	part, err := t.c.s.broker.Partition(t.name, index)
	if err != nil {
		p.err = err
		return p
	}
	if p.err = t.admit(index, records); p.err != nil {
		return p
	}
	p.pending = part.Append(logstore.AppendRequest{Data: records})
	return p
}

const (
	attrOffset       = 21
	batchHeaderBytes = 61
	attrTxn          = 0x10
	attrArrow        = 0x100
)

// admit checks what the log cannot know: which batches this topic takes from clients.
func (t *topicAppender) admit(index int32, records []byte) error {
	if len(records) < batchHeaderBytes {
		return kerr.CorruptMessage
	}
	attrs := binary.BigEndian.Uint16(records[attrOffset:])
	if attrs&attrArrow != 0 && t.topic.Format() != "arrow" {
		return kerr.InvalidRecord
	}
	return nil
}

// firstError waits for nothing: it is for acks=0, where only what is known at once can be told.
func (p *produceCall) firstError() error {
	for i := range p.parts {
		if p.parts[i].err != nil {
			return p.parts[i].err
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
	parts := p.parts
	for _, t := range p.topics {
		e.string(t.name)
		e.count(t.parts)
		for i := range parts[:t.parts] {
			p.encodePart(&e, &parts[i], ctx)
		}
		parts = parts[t.parts:]
		e.tags()
	}
	e.int32(0) // throttle
	e.tags()
	return c.writeBuf(e.buf)
}

func (p *produceCall) encodePart(e *encoder, part *producePart, ctx context.Context) {
	res := logstore.AppendResult{BaseOffset: -1, AppendTime: -1, LogStart: -1}
	err := part.err
	if err == nil {
		if res, err = part.pending.Wait(ctx); err != nil {
			res = logstore.AppendResult{BaseOffset: -1, AppendTime: -1, LogStart: -1}
		}
	}
	e.int32(part.index)
	e.int16(code(err))
	e.int64(res.BaseOffset)
	e.int64(res.AppendTime)
	if p.version >= 5 {
		e.int64(res.LogStart)
	}
	if p.version >= 8 {
		e.count(0) // errors of single records
		e.nullableString(message(err))
	}
	e.tags()
}
