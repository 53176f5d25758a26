package meta

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/streamflow/streamflow/logstore/peer"
)

// streams carries raft's messages over peer connections. It implements raft.StreamLayer and keeps its connections, so that
// closing it ends what waits on them.
type streams struct {
	self   string // the address at which others reach this node
	l      net.Listener
	dialer *peer.Dialer

	mu     sync.Mutex
	open   map[*stream]struct{}
	closed bool
}

type stream struct {
	net.Conn
	of *streams
}

// Close implements net.Conn.
func (c *stream) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

func newStreams(self string, l net.Listener, d *peer.Dialer) *streams {
	return &streams{self: self, l: l, dialer: d, open: map[*stream]struct{}{}}
}

// Accept implements net.Listener.
func (s *streams) Accept() (net.Conn, error) {
	c, err := s.l.Accept()
	if err != nil {
		return nil, err
	}
	return s.keep(c)
}

// Dial implements raft.StreamLayer.
func (s *streams) Dial(addr raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	c, err := s.dialer.Dial(ctx, string(addr), peer.Raft)
	if err != nil {
		return nil, err
	}
	return s.keep(c)
}

func (s *streams) keep(c net.Conn) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	st := &stream{c, s}
	s.open[st] = struct{}{}
	return st, nil
}

// Close implements net.Listener.
func (s *streams) Close() error {
	s.mu.Lock()
	s.closed = true
	var open []*stream
	for c := range s.open {
		open = append(open, c)
	}
	s.mu.Unlock()
	err := s.l.Close()
	for _, c := range open {
		_ = c.Close()
	}
	return err
}

// Addr implements net.Listener: raft tells others that this is where it is.
func (s *streams) Addr() net.Addr { return peerAddr(s.self) }

type peerAddr string

func (a peerAddr) Network() string { return "tcp" }
func (a peerAddr) String() string  { return string(a) }

// book knows where nodes are: a voter where this node's options say it is, so that voters can move; others where the log says.
type book struct {
	voters map[int32]string
	raft   atomic.Pointer[raft.Raft]
}

func newBook(voters []Peer) *book {
	b := &book{voters: map[int32]string{}}
	for _, v := range voters {
		b.voters[v.ID] = v.Addr
	}
	return b
}

// members are those that the log names.
func (b *book) members() []raft.Server {
	if r := b.raft.Load(); r != nil {
		return r.GetConfiguration().Configuration().Servers
	}
	return nil
}

func (b *book) find(id int32) (addr string, ok bool) {
	if addr, ok := b.voters[id]; ok {
		return addr, true
	}
	for _, s := range b.members() {
		if s.ID == serverID(id) {
			return string(s.Address), true
		}
	}
	return "", false
}

// ServerAddr implements raft.ServerAddressProvider.
func (b *book) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	n, ok := nodeID(id)
	addr, found := b.find(n)
	if !ok || !found {
		return "", fmt.Errorf("node %s is not in the group", id)
	}
	return raft.ServerAddress(addr), nil
}

func serverID(id int32) raft.ServerID { return raft.ServerID(strconv.Itoa(int(id))) }

func nodeID(id raft.ServerID) (int32, bool) {
	n, err := strconv.ParseInt(string(id), 10, 32)
	return int32(n), err == nil
}

// newTransport makes raft's transport over peer connections.
func newTransport(o Options, b *book, log hclog.Logger) *raft.NetworkTransport {
	return raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream:                newStreams(o.Self.Addr, o.Mux.Raft(), o.Dialer),
		MaxPool:               4,
		Timeout:               5 * time.Second,
		Logger:                log,
		ServerAddressProvider: b,
	})
}
