package peer

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
)

// handshakeTimeout bounds a whole handshake, TLS included.
const handshakeTimeout = 5 * time.Second

// Conn is an authenticated connection between two nodes.
type Conn struct {
	net.Conn
	from     int32
	protocol Protocol
}

// From is the id of the node at the other end, as it says itself; that it is a node of this cluster is proven.
func (c *Conn) From() int32 { return c.from }

// Protocol is what the connection carries.
func (c *Conn) Protocol() Protocol { return c.protocol }

// NetConn is the connection below, a *net.TCPConn or a *tls.Conn.
func (c *Conn) NetConn() net.Conn { return c.Conn }

var errSecret = errors.New("the other side does not know the cluster's secret")

// accept is the listener's side of the handshake.
func accept(c net.Conn, o Options) (*Conn, error) {
	_ = c.SetDeadline(time.Now().Add(handshakeTimeout))
	if o.TLS != nil {
		c = tls.Server(c, o.TLS)
	}
	binding, err := bind(context.Background(), c)
	if err != nil {
		return nil, err
	}
	first := make([]byte, helloSize)
	if err := readGreeting(c, first); err != nil {
		return nil, err
	}
	h, err := decodeHello(first)
	challenge := greeting(0, o.Self)
	if errors.Is(err, errVersion) {
		_, _ = c.Write(challenge) // it has our version, so the other side can say what is wrong
	}
	if err != nil {
		return nil, err
	}
	if _, err := c.Write(challenge); err != nil {
		return nil, err
	}
	answer := make([]byte, answerSize)
	if _, err := io.ReadFull(c, answer); err != nil {
		return nil, fmt.Errorf("node %d: its proof: %w", h.node, err)
	}
	if !hmac.Equal(answer, proof([]byte(o.Secret), "dialer", binding, first, challenge)) {
		_, _ = c.Write(encodeVerdict(refusedSecret, nil))
		return nil, fmt.Errorf("node %d: %w", h.node, errSecret)
	}
	if _, err := c.Write(encodeVerdict(accepted, proof([]byte(o.Secret), "listener", binding, first, challenge))); err != nil {
		return nil, err
	}
	return &Conn{c, h.node, h.protocol}, c.SetDeadline(time.Time{})
}

// readGreeting reads a hello. It looks at the magic first: a stranger that sends less than a hello and waits for an answer
// need not be waited for.
func readGreeting(c net.Conn, b []byte) error {
	if _, err := io.ReadFull(c, b[:len(magic)]); err != nil {
		return err
	}
	if [4]byte(b) != magic {
		return errNotPeer
	}
	_, err := io.ReadFull(c, b[len(magic):])
	return err
}

// offer is the dialer's side of the handshake.
func offer(ctx context.Context, c net.Conn, o Options, addr string, p Protocol) (*Conn, error) {
	deadline := time.Now().Add(handshakeTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	_ = c.SetDeadline(deadline)
	if o.TLS != nil {
		c = tls.Client(c, clientTLS(o.TLS, addr))
	}
	binding, err := bind(ctx, c)
	if err != nil {
		return nil, err
	}
	first := greeting(p, o.Self)
	if _, err := c.Write(first); err != nil {
		return nil, err
	}
	challenge := make([]byte, challengeSize)
	if err := readGreeting(c, challenge); err != nil {
		return nil, err
	}
	h, err := decodeChallenge(challenge)
	if err != nil {
		return nil, err
	}
	if _, err := c.Write(proof([]byte(o.Secret), "dialer", binding, first, challenge)); err != nil {
		return nil, err
	}
	last := make([]byte, verdictSize)
	if _, err := io.ReadFull(c, last); err != nil {
		return nil, err
	}
	if err := checkVerdict(last, proof([]byte(o.Secret), "listener", binding, first, challenge), addr); err != nil {
		return nil, err
	}
	return &Conn{c, h.node, p}, c.SetDeadline(time.Time{})
}

func checkVerdict(b, want []byte, addr string) error {
	switch {
	case b[0] == accepted && hmac.Equal(b[4:], want):
		return nil
	case b[0] == refusedSecret, b[0] == accepted:
		return usererr.New("CLUSTER_SECRET_MISMATCH", "28000", "This node's cluster name or cluster secret is not that of the node it calls.").
			In(addr).WithFix("Set the same cluster.name and cluster.secret on every node of the cluster.")
	}
	return fmt.Errorf("refused with code %d", b[0])
}

// bind ends the TLS handshake, if there is one, and returns what names the TLS session (RFC 9266).
func bind(ctx context.Context, c net.Conn) ([]byte, error) {
	t, ok := c.(*tls.Conn)
	if !ok {
		return nil, nil
	}
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	state := t.ConnectionState()
	binding, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return binding, nil
}

// clientTLS names the host that is called, which the other side's certificate must be for, unless the configuration does.
func clientTLS(conf *tls.Config, addr string) *tls.Config {
	if conf.ServerName != "" {
		return conf
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	conf = conf.Clone()
	conf.ServerName = host
	return conf
}

func greeting(p Protocol, self int32) []byte {
	h := hello{protocol: p, node: self}
	_, _ = rand.Read(h.nonce[:]) // never fails
	return h.encode()
}
