package kafka

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/auth"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// login is how far a connection has come in saying who it is. The writer changes it; the reader looks at done, and at raw when
// what it read last has been answered.
type login struct {
	needed bool
	done   atomic.Bool // set before the response that tells it

	mechanism auth.Mechanism
	exchange  auth.Exchange // under way
	raw       bool          // messages come without headers (SaslHandshake 0)
	failed    bool          // close the connection when the response is written
	expires   atomic.Int64  // Unix milliseconds when the session ends; 0: never
}

const (
	maxLoginBytes = 64 << 10         // largest request before the login
	maxLogins     = 2048             // connections that have not logged in yet
	loginTimeout  = 15 * time.Second // from the connection to the login
	failedDelay   = 100 * time.Millisecond
)

var (
	errLoginFailed    = errors.New("login failed") // told already
	errNotLoggedIn    = errors.New("request before the login")
	errSessionExpired = errors.New("the session has expired, and the client did not log in again")
)

// securityProtocol is what Kafka calls the way in which clients connect.
func (s *Server) securityProtocol() string {
	switch {
	case s.opts.Auth != nil && s.opts.TLS != nil:
		return "SASL_SSL"
	case s.opts.Auth != nil:
		return "SASL_PLAINTEXT"
	case s.opts.TLS != nil:
		return "SSL"
	}
	return "PLAINTEXT"
}

// admit says whether a request may be served as far as the login has come (KIP-43, KIP-368).
func (c *conn) admit(key int16) error {
	l := &c.login
	switch kmsg.Key(key) {
	case kmsg.ApiVersions, kmsg.SASLHandshake, kmsg.SASLAuthenticate:
		return nil
	}
	if !l.needed {
		return nil
	}
	if !l.done.Load() {
		return errNotLoggedIn
	}
	if at := l.expires.Load(); at != 0 && c.s.opts.Now().UnixMilli() > at {
		return errSessionExpired
	}
	return nil
}

// limits are the largest requests that are read: few bytes from who has not logged in.
func (c *conn) limits() (produce, control int32) {
	if c.login.needed && !c.login.done.Load() {
		return maxLoginBytes, maxLoginBytes
	}
	return c.s.opts.MaxRequestBytes, c.s.opts.MaxControlBytes
}

// readLogin reads requests, each when the one before has been answered, until the login is done.
func (c *conn) readLogin(r *bufio.Reader) error {
	if !c.login.needed {
		return nil
	}
	defer c.s.logins.Add(-1)
	if n := c.s.logins.Add(1); n > maxLogins {
		return fmt.Errorf("%d connections have not logged in yet", n)
	}
	overdue := time.AfterFunc(loginTimeout, func() {
		if !c.login.done.Load() {
			c.s.events.warn("no login in time", "host", c.id.host)
			c.close()
		}
	})
	defer overdue.Stop()
	for !c.login.done.Load() {
		it, err := c.readLoginItem(r)
		if err != nil {
			return err
		}
		it.answered = make(chan struct{})
		if err := c.enqueue(it); err != nil {
			c.release(&it.frame)
			return err
		}
		if err := c.await(it.answered); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) readLoginItem(r *bufio.Reader) (*item, error) {
	if !c.login.raw {
		f, err := c.readFrame(r)
		return &item{frame: f}, err
	}
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := int32(binary.BigEndian.Uint32(head[:]))
	if size < 0 || size > maxLoginBytes {
		return nil, fmt.Errorf("%w: SASL message of %d bytes", errFrame, size)
	}
	it := &item{token: make([]byte, size)}
	_, err := io.ReadFull(r, it.token)
	return it, err
}

// answerToken answers a SASL message that came without header, in the same form. A failure closes the connection.
func (c *conn) answerToken(msg []byte) error {
	reply, err := c.logIn(msg)
	if err != nil {
		return errLoginFailed
	}
	return c.writeBuf(append(append(c.out[:0], 0, 0, 0, 0), reply...))
}

// logIn gives a message to the exchange under way, and takes its outcome.
func (c *conn) logIn(msg []byte) ([]byte, error) {
	l := &c.login
	reply, done, err := l.exchange.Next(c.s.opts.Now(), msg)
	if err == nil && done {
		err = c.loggedIn(l.exchange.Identity())
	}
	if err != nil {
		c.s.events.warn("authentication failed", "host", c.id.host, "mechanism", l.mechanism, "reason", err)
		c.pause(failedDelay)
		l.exchange, l.failed = nil, true
		return nil, err
	}
	return reply, nil
}

// loggedIn makes the connection that of who has proved to be it. Later logins must be of the same.
func (c *conn) loggedIn(who auth.Identity) error {
	l := &c.login
	user := acl.NewUser(who.User)
	if l.done.Load() && user != c.principal() {
		return fmt.Errorf("%w: a session of %s cannot become one of %s", auth.ErrFailed, c.principal(), user)
	}
	c.become(user)
	l.expires.Store(c.s.sessionEnd(who.Expires))
	l.exchange, l.raw = nil, false
	l.done.Store(true)
	c.s.log.Debug("client authenticated", "principal", user, "host", c.id.host, "mechanism", l.mechanism)
	return nil
}

// sessionEnd is when a session that begins now ends, in Unix milliseconds: with its token, or after the configured lifetime;
// 0 when never.
func (s *Server) sessionEnd(token time.Time) int64 {
	end := int64(0)
	if s.opts.SessionLifetime > 0 {
		end = s.opts.Now().Add(s.opts.SessionLifetime).UnixMilli()
	}
	if at := token.UnixMilli(); !token.IsZero() && (end == 0 || at < end) {
		end = at
	}
	return end
}

// pause waits, unless the connection ends.
func (c *conn) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
}

// encrypt does the TLS handshake, and takes the client's name from its certificate if that is all it will show.
func (c *conn) encrypt() error {
	t, ok := c.nc.(*tls.Conn)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, loginTimeout)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	certs := t.ConnectionState().PeerCertificates
	if len(certs) == 0 || c.login.needed || c.id.internal {
		return nil
	}
	subject, err := subjectOf(certs[0])
	if err != nil {
		return err
	}
	name, err := c.s.opts.NameRules.Name(subject)
	if err != nil || name == "" {
		return fmt.Errorf("TLS: certificate of %q has no name here: %w", subject, errors.Join(err, auth.ErrFailed))
	}
	c.become(acl.NewUser(name))
	return nil
}

// subjectOf is a certificate's subject as RFC 2253 writes it, in the certificate's own order.
func subjectOf(cert *x509.Certificate) (string, error) {
	var rdn pkix.RDNSequence
	if _, err := asn1.Unmarshal(cert.RawSubject, &rdn); err != nil {
		return "", fmt.Errorf("TLS: subject: %w", err)
	}
	return rdn.String(), nil
}
