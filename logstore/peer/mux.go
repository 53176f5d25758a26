package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Options says who this node is and how it proves it.
type Options struct {
	Self   int32
	Secret string       // the cluster's; the same on every node
	TLS    *tls.Config  // nil: no TLS. Used on both sides: Certificates and ClientCAs to listen, RootCAs to dial
	Logger *slog.Logger // default slog.Default()

	// DialContext opens connections, for tests; default net.Dialer's.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// maxShaking is how many connections may be in their handshake at a time; more are closed unheard.
const maxShaking = 256

// Mux hands the connections of one listener out by protocol.
type Mux struct {
	opts    Options
	l       net.Listener
	ports   map[Protocol]*port
	shaking chan struct{}
	refused refusals

	mu      sync.Mutex
	conns   map[net.Conn]struct{} // in their handshake
	closed  bool
	running sync.WaitGroup
}

// Listen takes connections from l until Close.
func Listen(l net.Listener, opts Options) *Mux {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	m := &Mux{opts: opts, l: l, ports: map[Protocol]*port{}, shaking: make(chan struct{}, maxShaking), conns: map[net.Conn]struct{}{}}
	m.refused.log = opts.Logger
	for _, p := range []Protocol{Raft, RPC, Kafka} {
		m.ports[p] = &port{addr: l.Addr(), conns: make(chan net.Conn, 16), done: make(chan struct{})}
	}
	m.running.Go(m.acceptLoop)
	return m
}

// Raft yields the metadata group's connections.
func (m *Mux) Raft() net.Listener { return m.ports[Raft] }

// RPC yields connections for questions from node to node.
func (m *Mux) RPC() net.Listener { return m.ports[RPC] }

// Kafka yields connections that speak the Kafka protocol with internal privilege.
func (m *Mux) Kafka() net.Listener { return m.ports[Kafka] }

// Addr is where the listener stands.
func (m *Mux) Addr() net.Addr { return m.l.Addr() }

// Dialer opens connections in the name of this node.
func (m *Mux) Dialer() *Dialer { return NewDialer(m.opts) }

// Close ends the listener, the ports, and handshakes under way. Connections that were handed out belong to who took them.
func (m *Mux) Close() error {
	m.mu.Lock()
	m.closed = true
	for c := range m.conns {
		_ = c.Close()
	}
	m.mu.Unlock()
	err := m.l.Close()
	for _, p := range m.ports {
		_ = p.Close()
	}
	m.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return err
}

func (m *Mux) acceptLoop() {
	for {
		c, err := m.l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			m.opts.Logger.Warn("peer: connection not accepted", "error", err)
			time.Sleep(50 * time.Millisecond) // out of files, say
			continue
		}
		select {
		case m.shaking <- struct{}{}:
			m.running.Go(func() { m.shake(c); <-m.shaking })
		default:
			_ = c.Close()
			m.refused.note(c.RemoteAddr(), fmt.Errorf("%d connections are in their handshake already", maxShaking))
		}
	}
}

// shake authenticates a connection and hands it out.
func (m *Mux) shake(raw net.Conn) {
	if !m.track(raw) {
		_ = raw.Close()
		return
	}
	c, err := accept(raw, m.opts)
	m.untrack(raw)
	if err != nil {
		_ = raw.Close()
		if !errors.Is(err, io.EOF) { // a port scan, or a dialer that changed its mind
			m.refused.note(raw.RemoteAddr(), err)
		}
		return
	}
	m.ports[c.protocol].give(c)
}

func (m *Mux) track(c net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.conns[c] = struct{}{}
	}
	return !m.closed
}

func (m *Mux) untrack(c net.Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.conns, c)
}

// port is one protocol's listener.
type port struct {
	addr  net.Addr
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

// give hands a connection to the next Accept; it is closed where nobody accepts.
func (p *port) give(c net.Conn) {
	select {
	case <-p.done:
		_ = c.Close()
		return
	default:
	}
	select {
	case p.conns <- c:
		select {
		case <-p.done: // closed meanwhile: nobody may come to take it
			p.drain()
		default:
		}
	case <-p.done:
		_ = c.Close()
	case <-time.After(handshakeTimeout):
		_ = c.Close()
	}
}

// Accept implements net.Listener; it returns *Conn.
func (p *port) Accept() (net.Conn, error) {
	select {
	case <-p.done:
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. The other protocols go on.
func (p *port) Close() error {
	p.once.Do(func() { close(p.done) })
	p.drain()
	return nil
}

func (p *port) drain() {
	for {
		select {
		case c := <-p.conns:
			_ = c.Close()
		default:
			return
		}
	}
}

// Addr implements net.Listener.
func (p *port) Addr() net.Addr { return p.addr }
