package rpc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// clientConn is a connection on which this node asks.
type clientConn struct {
	c       net.Conn
	addr    string
	heard   atomic.Bool // something came since the last look
	writing sync.Mutex

	mu     sync.Mutex
	lastID uint64
	wait   map[uint64]chan result
	broken error
}

type result struct {
	body []byte
	err  error
}

func newClientConn(c net.Conn, addr string) *clientConn {
	return &clientConn{c: c, addr: addr, wait: map[uint64]chan result{}}
}

func (c *clientConn) call(ctx context.Context, kind string, body []byte) ([]byte, error) {
	patience := defaultPatience
	if d, ok := ctx.Deadline(); ok {
		patience = time.Until(d)
	}
	id, done, err := c.expect()
	if err != nil {
		return nil, err
	}
	if err := c.write(appendFrame(nil, question, id, questionHead(patience, kind), body)); err != nil {
		_ = c.c.Close() // serve ends, and with it every call that waits
	}
	select {
	case r := <-done:
		return r.body, r.err
	case <-ctx.Done():
		if c.leave(id) {
			_ = c.write(appendFrame(nil, cancel, id))
		}
		return nil, ctx.Err()
	}
}

// expect opens a place for an answer.
func (c *clientConn) expect() (uint64, chan result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return 0, nil, fmt.Errorf("rpc: %s: %w: %w", c.addr, ErrUnreachable, c.broken)
	}
	c.lastID++
	done := make(chan result, 1)
	c.wait[c.lastID] = done
	return c.lastID, done, nil
}

func (c *clientConn) leave(id uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.wait[id]
	delete(c.wait, id)
	return ok && c.broken == nil
}

// serve reads answers until the connection breaks. gone is called before the calls that wait are told, so that whoever calls
// again gets another connection.
func (c *clientConn) serve(pings time.Duration, gone func()) {
	quiet := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { c.watch(pings, quiet) })
	err := c.readLoop()
	_ = c.c.Close()
	close(quiet)
	gone()
	c.fail(err)
	watch.Wait()
}

func (c *clientConn) readLoop() error {
	r := bufio.NewReaderSize(c.c, 64<<10)
	for {
		f, err := readFrame(r)
		if err != nil {
			return err
		}
		c.heard.Store(true)
		switch f.typ {
		case answer:
			c.deliver(f.id, result{body: f.payload})
		case failure:
			c.deliver(f.id, result{err: DecodeError(f.payload)})
		case pong:
		default:
			return errFrameType
		}
	}
}

func (c *clientConn) deliver(id uint64, r result) {
	c.mu.Lock()
	done := c.wait[id]
	delete(c.wait, id)
	c.mu.Unlock()
	if done != nil {
		done <- r
	}
}

func (c *clientConn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = err
	for id, done := range c.wait {
		done <- result{err: fmt.Errorf("rpc: %s: %w: %w", c.addr, ErrConnectionLost, err)}
		delete(c.wait, id)
	}
}

// silences is how many pings in a row may stay without any answer.
const silences = 3

// watch breaks the connection when calls wait and nothing is heard.
func (c *clientConn) watch(every time.Duration, end chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	silent := 0
	for {
		select {
		case <-end:
			return
		case <-tick.C:
		}
		if c.heard.Swap(false) || !c.waiting() {
			silent = 0
		} else if silent++; silent > silences {
			_ = c.c.Close()
			return
		}
		if c.waiting() {
			if err := c.write(appendFrame(nil, ping, 0)); err != nil {
				_ = c.c.Close()
				return
			}
		}
	}
}

func (c *clientConn) waiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.wait) > 0
}

func (c *clientConn) write(b []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.c.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := c.c.Write(b)
	if errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("rpc: %s: %w", c.addr, err)
	}
	return err
}
