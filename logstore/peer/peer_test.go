package peer

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/streamflow/streamflow/internal/usererr"
)

// logText is what a Mux logs.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func listenMux(t testing.TB, o Options) (*Mux, *logText) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	text := &logText{}
	o.Logger = slog.New(slog.NewTextHandler(text, nil))
	m := Listen(l, o)
	t.Cleanup(func() { _ = m.Close() })
	return m, text
}

func dialCtx(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestEachProtocolHasItsListener(t *testing.T) {
	defer goleak.VerifyNone(t)
	m, _ := listenMux(t, Options{Self: 7, Secret: "s"})
	d := NewDialer(Options{Self: -3, Secret: "s"})
	for proto, l := range map[Protocol]net.Listener{Raft: m.Raft(), RPC: m.RPC(), Kafka: m.Kafka()} {
		out, err := d.Dial(dialCtx(t), m.Addr().String(), proto)
		if err != nil {
			t.Fatal(err)
		}
		in, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if in.(*Conn).From() != -3 || out.(*Conn).From() != 7 || in.(*Conn).Protocol() != proto {
			t.Errorf("%v: from %d to %d, %v", proto, in.(*Conn).From(), out.(*Conn).From(), in.(*Conn).Protocol())
		}
		go func() { _, _ = out.Write([]byte("hello")); _ = out.Close() }()
		if b, err := io.ReadAll(in); err != nil || string(b) != "hello" {
			t.Errorf("%v: read %q, %v", proto, b, err)
		}
		_ = in.Close()
	}
	_ = m.Close()
	if _, err := m.Raft().Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v, want net.ErrClosed", err)
	}
}

func TestWrongSecretIsRefused(t *testing.T) {
	m, text := listenMux(t, Options{Self: 1, Secret: "right"})
	for _, secret := range []string{"wrong", ""} {
		_, err := NewDialer(Options{Self: 2, Secret: secret}).Dial(dialCtx(t), m.Addr().String(), Raft)
		if u, ok := errors.AsType[*usererr.Error](err); !ok || u.Code != "CLUSTER_SECRET_MISMATCH" || u.Fix == "" {
			t.Errorf("secret %q: error %v", secret, err)
		}
	}
	for end := time.Now().Add(5 * time.Second); !strings.Contains(text.String(), "its cluster secret is not ours"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log does not say so: %s", text)
		}
	}
	if n := strings.Count(text.String(), "\n"); n != 1 {
		t.Errorf("%d lines for two refusals in a row:\n%s", n, text)
	}
}

// A listener that does not know the secret cannot pose as a node: it gives its verdict without the proof.
func TestListenerWithoutTheSecretIsRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.ReadFull(c, make([]byte, helloSize))
		_, _ = c.Write(greeting(0, 1))
		_, _ = io.ReadFull(c, make([]byte, answerSize))
		_, _ = c.Write(encodeVerdict(accepted, make([]byte, 32)))
		_, _ = io.ReadAll(c)
	}()
	_, err = NewDialer(Options{Self: 2, Secret: "right"}).Dial(dialCtx(t), l.Addr().String(), Raft)
	if err == nil || !strings.Contains(err.Error(), "CLUSTER_SECRET_MISMATCH") {
		t.Errorf("error %v", err)
	}
}

// What one side proved cannot be played back, neither to the same listener nor as the other side.
func TestProofsAreForOneExchange(t *testing.T) {
	h, c := greeting(Raft, 2), greeting(0, 1)
	base := proof([]byte("s"), "dialer", nil, h, c)
	for what, other := range map[string][]byte{
		"another secret":      proof([]byte("z"), "dialer", nil, h, c),
		"the other side":      proof([]byte("s"), "listener", nil, h, c),
		"another TLS session": proof([]byte("s"), "dialer", []byte("b"), h, c),
		"another hello":       proof([]byte("s"), "dialer", nil, greeting(Raft, 2), c),
		"another protocol":    proof([]byte("s"), "dialer", nil, append([]byte{h[0], h[1], h[2], h[3], h[4], byte(Kafka)}, h[6:]...), c),
		"another challenge":   proof([]byte("s"), "dialer", nil, h, greeting(0, 1)),
		"a moved boundary":    proof([]byte("s"), "dialer", h[:1], h[1:], c),
	} {
		if bytes.Equal(base, other) {
			t.Errorf("%s has the same proof", what)
		}
	}
}

func TestStrangersAreClosedUnheard(t *testing.T) {
	m, text := listenMux(t, Options{Self: 1, Secret: "s"})
	for _, first := range []string{"GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x10", "SFNP\x01\x09" + strings.Repeat("\x00", 50)} {
		c, err := net.Dial("tcp", m.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(first))
		_ = c.SetReadDeadline(time.Now().Add(3 * time.Second)) // sooner than the handshake's own end
		if b, err := io.ReadAll(c); len(b) > 0 || errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			t.Errorf("%q was answered %q, %v", first, b, err)
		}
		_ = c.Close()
	}
	for _, want := range []string{"not a StreamFlow node", "unknown protocol"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
}

func TestAnotherVersionLearnsOurs(t *testing.T) {
	m, _ := listenMux(t, Options{Self: 1, Secret: "s"})
	c, err := net.Dial("tcp", m.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	h := greeting(Raft, 2)
	h[4] = version + 1
	_, _ = c.Write(h)
	_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
	b, err := io.ReadAll(c)
	if err != nil || len(b) != challengeSize || b[4] != version {
		t.Errorf("% x %v", b, err)
	}
	b[4]++
	if _, err := decodeChallenge(b); !errors.Is(err, errVersion) {
		t.Errorf("error %v", err)
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func TestCloseEndsHandshakesUnderWay(t *testing.T) {
	defer goleak.VerifyNone(t)
	m, _ := listenMux(t, Options{Self: 1, Secret: "s"})
	c, err := net.Dial("tcp", m.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	began := time.Now()
	time.Sleep(20 * time.Millisecond)
	_ = m.Close()
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("Close waited %v for a caller that says nothing", d)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts by backlog and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := NewDialer(Options{}).Dial(ctx, l.Addr().String(), RPC); err == nil || time.Since(began) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

// selfSigned is a certificate for 127.0.0.1 that is its own authority.
func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, RootCAs: pool, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert}
}

func TestTLS(t *testing.T) {
	conf := selfSigned(t)
	m, _ := listenMux(t, Options{Self: 1, Secret: "s", TLS: conf})
	out, err := NewDialer(Options{Self: 2, Secret: "s", TLS: conf}).Dial(dialCtx(t), m.Addr().String(), Kafka)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	in, err := m.Kafka().Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, ok := in.(*Conn).NetConn().(*tls.Conn); !ok {
		t.Error("the connection is not encrypted")
	}
	for what, o := range map[string]Options{
		"without TLS":         {Self: 2, Secret: "s"},
		"another authority":   {Self: 2, Secret: "s", TLS: selfSigned(t)},
		"TLS, another secret": {Self: 2, Secret: "z", TLS: conf},
		"TLS, no certificate": {Self: 2, Secret: "s", TLS: &tls.Config{RootCAs: conf.RootCAs}},
	} {
		if c, err := NewDialer(o).Dial(dialCtx(t), m.Addr().String(), Kafka); err == nil {
			t.Errorf("%s: let in", what)
			_ = c.Close()
		}
	}
}

// A man in the middle who ends TLS on both sides and passes the handshake on is found out by the channel binding.
func TestRelayBetweenTwoTLSSessions(t *testing.T) {
	conf := selfSigned(t)
	conf.ClientAuth = tls.NoClientCert
	m, _ := listenMux(t, Options{Self: 1, Secret: "s", TLS: conf})
	middle, err := tls.Listen("tcp", "127.0.0.1:0", selfSigned(t))
	if err != nil {
		t.Fatal(err)
	}
	defer middle.Close()
	go func() {
		in, err := middle.Accept()
		if err != nil {
			return
		}
		defer in.Close()
		out, err := tls.Dial("tcp", m.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer out.Close()
		go func() { _, _ = io.Copy(out, in) }()
		_, _ = io.Copy(in, out)
	}()
	trusting := &tls.Config{InsecureSkipVerify: true, Certificates: conf.Certificates}
	if c, err := NewDialer(Options{Self: 2, Secret: "s", TLS: trusting}).Dial(dialCtx(t), middle.Addr().String(), Raft); err == nil {
		_ = c.Close()
		t.Error("a relay between two TLS sessions was not noticed")
	}
}

func FuzzHello(f *testing.F) {
	f.Add(greeting(Raft, 1))
	f.Add(greeting(0, -1))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, decode := range []func([]byte) (hello, error){decodeHello, decodeChallenge} {
			if h, err := decode(b); err == nil && !bytes.Equal(h.encode(), b) {
				t.Errorf("% x decodes to %+v", b, h)
			}
		}
	})
}

// FuzzAccept gives a listener anything at all: it never lets in who does not know the secret.
func FuzzAccept(f *testing.F) {
	f.Add(append(greeting(Raft, 1), make([]byte, answerSize)...))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		here, there := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, there) }()
		go func() { _, _ = there.Write(b); _ = there.Close() }()
		if _, err := accept(here, Options{Secret: "s"}); err == nil {
			t.Errorf("% x was let in", b)
		}
		_ = here.Close()
	})
}

func BenchmarkHandshake(b *testing.B) {
	m, _ := listenMux(b, Options{Self: 1, Secret: "s"})
	d := NewDialer(Options{Self: 2, Secret: "s"})
	for b.Loop() {
		out, err := d.Dial(context.Background(), m.Addr().String(), RPC)
		if err != nil {
			b.Fatal(err)
		}
		in, err := m.RPC().Accept()
		if err != nil {
			b.Fatal(err)
		}
		_, _ = in.Close(), out.Close()
	}
}
