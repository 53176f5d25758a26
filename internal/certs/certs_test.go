package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
)

const hour = time.Hour

// issue makes an authority with certificates of some names in a directory.
func issue(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	a, err := OpenAuthority(dir, hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if err := a.Issue(dir, n, []string{"localhost", "127.0.0.1"}, hour); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func files(dir, name string, clients tls.ClientAuthType) Files {
	return Files{filepath.Join(dir, name+".pem"), filepath.Join(dir, name+"-key.pem"), filepath.Join(dir, "ca.pem"), clients}
}

// serial connects and returns which certificate the server showed.
func serial(t *testing.T, addr, dir string, certs ...tls.Certificate) (string, error) {
	t.Helper()
	pool, err := LoadPool(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: pool, Certificates: certs, NextProtos: []string{"h2"}})
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
		return "", err
	}
	if p := c.ConnectionState().NegotiatedProtocol; p != "h2" {
		t.Errorf("protocol %q", p)
	}
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
}

// serve greets whoever has done its handshake.
func serve(t *testing.T, conf *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = tls.Server(c, conf).Write([]byte("hi")) }()
		}
	}()
	return l.Addr().String()
}

// TestLiveFollowsItsFiles exchanges a certificate under a listener that goes on.
func TestLiveFollowsItsFiles(t *testing.T) {
	dir := issue(t, "node")
	l, err := Open(files(dir, "node", tls.NoClientCert))
	if err != nil {
		t.Fatal(err)
	}
	addr := serve(t, l.Config("h2"))
	first, err := serial(t, addr, dir)
	if err != nil {
		t.Fatal(err)
	}
	if l.Changed() {
		t.Error("changed, though nothing has")
	}
	if err := os.WriteFile(filepath.Join(dir, "node.pem"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	var ue *usererr.Error
	if err := l.Reload(); !errors.As(err, &ue) || ue.Code != "INVALID_CERTIFICATE" {
		t.Errorf("told %v", err)
	}
	if now, err := serial(t, addr, dir); now != first || err != nil || l.Changed() {
		t.Errorf("a broken file has changed something: %s %v", now, err)
	}
	a, err := OpenAuthority(dir, hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Issue(dir, "node", []string{"localhost", "127.0.0.1"}, hour); err != nil {
		t.Fatal(err)
	}
	if !l.Changed() {
		t.Error("a new certificate is not noticed")
	}
	if err := l.Reload(); err != nil {
		t.Fatal(err)
	}
	if now, err := serial(t, addr, dir); err != nil || now == first {
		t.Errorf("the new certificate is not shown: %v", err)
	}
}

// TestClientCertificates asks for them, and takes only those of its authority.
func TestClientCertificates(t *testing.T) {
	dir, other := issue(t, "node", "alice"), issue(t, "mallory")
	pair := func(dir, name string) tls.Certificate {
		c, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".pem"), filepath.Join(dir, name+"-key.pem"))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, c := range []struct {
		ask                     tls.ClientAuthType
		without, with, stranger bool
	}{{tls.NoClientCert, true, true, true}, {tls.VerifyClientCertIfGiven, true, true, false}, {tls.RequireAndVerifyClientCert, false, true, false}} {
		l, err := Open(files(dir, "node", c.ask))
		if err != nil {
			t.Fatal(err)
		}
		addr := serve(t, l.Config("h2"))
		force := pair(other, "mallory")
		for name, try := range map[string]struct {
			certs []tls.Certificate
			want  bool
		}{"nobody": {nil, c.without}, "alice": {[]tls.Certificate{pair(dir, "alice")}, c.with}} {
			if _, err := serial(t, addr, dir, try.certs...); (err == nil) != try.want {
				t.Errorf("%v %s: %v", c.ask, name, err)
			}
		}
		pool, _ := LoadPool(filepath.Join(dir, "ca.pem"))
		conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: pool, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &force, nil }})
		if err == nil {
			_, err = io.ReadFull(conn, make([]byte, 2))
		}
		if (err == nil) != c.stranger {
			t.Errorf("%v stranger: %v", c.ask, err)
		}
	}
}

func TestAuthority(t *testing.T) {
	dir := issue(t, "node")
	before, _ := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if _, err := OpenAuthority(dir, hour); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "ca.pem")); string(after) != string(before) {
		t.Error("the authority was made anew")
	}
	if info, err := os.Stat(filepath.Join(dir, "node-key.pem")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key %v %v", info.Mode(), err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "node.pem"), filepath.Join(dir, "node-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool, _ := LoadPool(filepath.Join(dir, "ca.pem"))
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: "localhost"}); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAuthority(dir, hour); err == nil {
		t.Error("a damaged authority is replaced")
	}
	if _, err := Open(Files{Cert: "no.pem", Key: "no.pem"}); err == nil {
		t.Error("files that are not there are taken")
	}
}
