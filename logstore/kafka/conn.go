package kafka

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/quota"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxPipelined is how many requests of one connection may be in the server.
const maxPipelined = 64

// bodyTimeout is how long the rest of a frame may take after its head.
const bodyTimeout = 60 * time.Second

// conn is one client's connection: a reader and a writer, with the requests between them in order.
type conn struct {
	s      *Server
	nc     net.Conn
	ctx    context.Context
	cancel context.CancelFunc
	items  chan *item
	out    []byte // the writer's encode buffer
	once   sync.Once
	id     identity
	login  login

	metering metering
}

// item is a request on its way from the reader to the writer.
type item struct {
	frame    frame
	produce  *produceCall  // appended already
	token    []byte        // a SASL message without header
	answered chan struct{} // of others: closed when the response is written
}

func newConn(s *Server, nc net.Conn, internal bool) *conn {
	ctx, cancel := context.WithCancel(s.ctx)
	c := &conn{s: s, nc: nc, ctx: ctx, cancel: cancel, items: make(chan *item, maxPipelined),
		id: identity{who: acl.Anonymous, host: hostOf(nc.RemoteAddr().String()), internal: internal}}
	if !internal {
		c.login.needed = s.opts.Auth != nil
		if s.opts.TLS != nil {
			c.nc = tls.Server(nc, s.opts.TLS)
		}
	}
	return c
}

// close ends the connection; requests that wait are given up.
func (c *conn) close() {
	c.once.Do(func() {
		c.cancel()
		_ = c.nc.Close()
	})
}

func (c *conn) run() {
	defer c.close()
	if err := c.admitConnection(); err != nil {
		return
	}
	if err := c.encrypt(); err != nil {
		if c.ctx.Err() == nil {
			c.s.events.warn("connection refused", "host", c.id.host, "err", err)
		}
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { c.ended("write", c.writeLoop()) })
	c.ended("read", c.readLoop())
	close(c.items)
	wg.Wait()
	c.s.shares.gone(c)
}

// ended says why a loop ended, unless that is ordinary, and ends the other.
func (c *conn) ended(loop string, err error) {
	ordinary := err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || c.ctx.Err() != nil || errors.Is(err, errLoginFailed)
	c.close()
	switch {
	case ordinary:
	case c.login.needed:
		c.s.events.warn("connection closed", "principal", c.principal(), "host", c.id.host, "loop", loop, "err", err)
	default:
		c.s.log.Warn("kafka: connection closed", "client", c.nc.RemoteAddr(), "loop", loop, "err", err)
	}
}

// readLoop reads requests and hands them to the writer.
func (c *conn) readLoop() error {
	r := bufio.NewReaderSize(c.nc, 64<<10)
	if err := c.readLogin(r); err != nil {
		return err
	}
	var before chan struct{} // answered of the last request that was not a produce
	for {
		f, err := c.readFrame(r)
		if err != nil {
			return err
		}
		it := &item{frame: f}
		if f.key == int16(kmsg.Produce) {
			err = c.readProduce(it, before)
		} else {
			it.answered = make(chan struct{})
			before = it.answered
			err = c.enqueue(it)
		}
		if err != nil {
			c.release(&it.frame)
			return err
		}
	}
}

// readProduce appends a request's batches once everything before it that is not a produce has been answered.
func (c *conn) readProduce(it *item, before chan struct{}) (err error) {
	if err := c.await(before); err != nil {
		return err
	}
	if err := c.admit(it.frame.key); err != nil {
		return err
	}
	stop := c.working(it.frame.clientID)
	if it.produce, err = c.startProduce(&it.frame); err != nil {
		return err
	}
	it.produce.throttle = max(stop(), c.charge(quota.Produce, it.frame.clientID, float64(it.frame.size)))
	c.release(&it.frame) // the log has copied what it keeps
	if it.produce.acks != 0 {
		return c.enqueue(it)
	}
	if err := it.produce.firstError(); err != nil { // without a response this is the only way to tell
		return fmt.Errorf("produce with acks=0: %w", err)
	}
	return nil
}

// enqueue gives a request to the writer.
func (c *conn) enqueue(it *item) error {
	select {
	case c.items <- it:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

func (c *conn) await(done chan struct{}) error {
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// readFrame reads one request into a pooled buffer.
func (c *conn) readFrame(r *bufio.Reader) (frame, error) {
	var head [4 + frameHeaderBytes]byte
	maxProduce, maxControl := c.limits()
	size, err := readSize(r, head[:], maxProduce, maxControl)
	if err != nil {
		return frame{}, err
	}
	if err := c.obeyMute(); err != nil {
		return frame{}, err
	}
	if err := c.s.inflight.Acquire(c.ctx, int64(size)); err != nil {
		return frame{}, err
	}
	buf := getBuf(int(size))
	copy(*buf, head[4:])
	f, err := c.readBody(r, *buf)
	f.buf, f.size = buf, int64(size)
	if err != nil {
		c.release(&f)
		return frame{}, err
	}
	return f, nil
}

func (c *conn) readBody(r *bufio.Reader, buf []byte) (frame, error) {
	rest := buf[frameHeaderBytes:]
	if r.Buffered() < len(rest) {
		if err := c.nc.SetReadDeadline(time.Now().Add(bodyTimeout)); err != nil {
			return frame{}, err
		}
		defer c.nc.SetReadDeadline(time.Time{})
	}
	if _, err := io.ReadFull(r, rest); err != nil {
		return frame{}, fmt.Errorf("read request: %w", err)
	}
	return parseFrame(buf)
}

// release gives a frame's buffer and its share of the memory budget back.
func (c *conn) release(f *frame) {
	if f.buf == nil {
		return
	}
	putBuf(f.buf)
	c.s.inflight.Release(f.size)
	f.buf, f.body = nil, nil
}

// writeLoop answers requests in order.
func (c *conn) writeLoop() error {
	for it := range c.items {
		err := c.answer(it)
		c.release(&it.frame)
		if it.answered != nil {
			close(it.answered)
		}
		if err != nil {
			c.close()
			c.drain()
			return err
		}
	}
	return nil
}

// drain lets go of requests that will not be answered; the reader ends because the connection is closed.
func (c *conn) drain() {
	for it := range c.items {
		c.release(&it.frame)
		if it.answered != nil {
			close(it.answered)
		}
	}
}

func (c *conn) answer(it *item) error {
	if it.token != nil {
		return c.answerToken(it.token)
	}
	if it.produce != nil {
		return c.writeProduce(it.produce)
	}
	if err := c.admit(it.frame.key); err != nil {
		return fmt.Errorf("%s: %w", kmsg.NameForKey(it.frame.key), err)
	}
	switch {
	case it.frame.key == int16(kmsg.Fetch):
		return c.fetch(&it.frame)
	}
	stop := c.working(it.frame.clientID)
	resp, err := c.handle(&it.frame)
	if err == nil && !waits(it.frame.key) {
		throttled(resp, stop())
	}
	if err != nil {
		return fmt.Errorf("request key %d version %d: %w", it.frame.key, it.frame.version, err)
	}
	if err := c.writeResponse(it.frame.key, it.frame.corr, resp); err != nil {
		return err
	}
	if c.login.failed {
		return errLoginFailed
	}
	return nil
}

// handle decodes a request and calls its handler. An error closes the connection.
func (c *conn) handle(f *frame) (kmsg.Response, error) {
	a, err := lookup(f)
	if err != nil {
		if f.key == int16(kmsg.ApiVersions) {
			return unsupportedApiVersions(), nil
		}
		return nil, err
	}
	req := kmsg.RequestForKey(f.key)
	req.SetVersion(f.version)
	if err := f.skipHeaderTags(req.IsFlexible()); err != nil {
		return nil, err
	}
	if err := req.ReadFrom(f.body); err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	return a.handle(&call{Server: c.s, conn: c, ctx: c.ctx, clientID: f.clientID, key: f.key}, req)
}

// writeResponse frames and writes a response. The header of ApiVersions never has a tag section.
func (c *conn) writeResponse(key int16, corr int32, resp kmsg.Response) error {
	buf := startResponse(c.out[:0], corr, resp.IsFlexible() && key != int16(kmsg.ApiVersions))
	buf = resp.AppendTo(buf)
	return c.writeBuf(buf)
}

// startResponse begins a response; finishResponse fills its length in.
func startResponse(buf []byte, corr int32, flexible bool) []byte {
	buf = append(buf, 0, 0, 0, 0)
	buf = binary.BigEndian.AppendUint32(buf, uint32(corr))
	if flexible {
		buf = append(buf, 0)
	}
	return buf
}

// maxKeptOut is the largest encode buffer that a connection keeps.
const maxKeptOut = 1 << 20

func (c *conn) writeBuf(buf []byte) error {
	binary.BigEndian.PutUint32(buf, uint32(len(buf)-4))
	_, err := c.nc.Write(buf)
	if cap(buf) <= maxKeptOut {
		c.out = buf[:0]
	}
	return err
}

// call is what a handler is given beside its request.
type call struct {
	*Server
	conn     *conn
	ctx      context.Context
	clientID string
	key      int16
}
