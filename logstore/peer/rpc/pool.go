package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/streamflow/streamflow/logstore/peer"
)

// dialTimeout bounds how long a connection is waited for; a caller with less patience leaves earlier.
const dialTimeout = 5 * time.Second

// defaultPatience bounds a call whose context has no deadline.
const defaultPatience = 10 * time.Minute

var errPoolClosed = errors.New("this node is closing")

// Pool holds one connection to each node that is asked.
type Pool struct {
	dial  func(ctx context.Context, addr string) (net.Conn, error)
	pings time.Duration
	ctx   context.Context
	stop  context.CancelFunc

	mu      sync.Mutex
	links   map[string]*link
	closed  bool
	running sync.WaitGroup
}

// link is the way to one address: a connection, or an attempt to make one.
type link struct {
	made chan struct{} // closed when conn or err is there
	conn *clientConn
	err  error
}

// NewPool returns a pool that dials with d.
func NewPool(d *peer.Dialer) *Pool {
	p := &Pool{pings: 2 * time.Second, links: map[string]*link{}}
	p.dial = func(ctx context.Context, addr string) (net.Conn, error) { return d.Dial(ctx, addr, peer.RPC) }
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// Call asks the node at addr.
func (p *Pool) Call(ctx context.Context, addr, kind string, body []byte) ([]byte, error) {
	if len(kind) > 255 || len(body) > maxFrame-1024 {
		return nil, fmt.Errorf("%w: question %.40q has %d bytes", errFrameSize, kind, len(body))
	}
	c, err := p.conn(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("rpc: %s: %w: %w", addr, ErrUnreachable, err)
	}
	return c.call(ctx, kind, body)
}

func (p *Pool) conn(ctx context.Context, addr string) (*clientConn, error) {
	l, err := p.link(addr)
	if err != nil {
		return nil, err
	}
	select {
	case <-l.made:
		return l.conn, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// link finds the live connection to addr, or begins to make one.
func (p *Pool) link(addr string) (*link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errPoolClosed
	}
	if l := p.links[addr]; l != nil {
		return l, nil
	}
	l := &link{made: make(chan struct{})}
	p.links[addr] = l
	p.running.Go(func() { p.run(addr, l) })
	return l, nil
}

// run makes a connection and serves it until it breaks; then the next call makes another.
func (p *Pool) run(addr string, l *link) {
	ctx, stop := context.WithTimeout(p.ctx, dialTimeout)
	c, err := p.dial(ctx, addr)
	stop()
	if err == nil {
		l.conn = newClientConn(c, addr)
	}
	if l.err = err; err != nil {
		p.forget(addr, l)
		close(l.made)
		return
	}
	close(l.made)
	end := context.AfterFunc(p.ctx, func() { _ = c.Close() })
	defer end()
	l.conn.serve(p.pings, func() { p.forget(addr, l) })
}

func (p *Pool) forget(addr string, l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.links[addr] == l {
		delete(p.links, addr)
	}
}

// Close breaks every connection; calls under way fail.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.stop()
	p.running.Wait()
}
