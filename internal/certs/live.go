package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Files are where a node's certificates lie, in PEM.
type Files struct {
	Cert     string // the node's certificate, with those between it and its authority
	Key      string
	ClientCA string // authorities of clients' certificates; empty: clients have none
	// Clients says what is asked of clients: tls.NoClientCert, tls.VerifyClientCertIfGiven, tls.RequireAndVerifyClientCert.
	Clients tls.ClientAuthType
}

// Live is a TLS configuration that follows its files.
type Live struct {
	files Files
	now   atomic.Pointer[state]
	tried atomic.Pointer[[3]stamp]
}

// state is what the files held at one time.
type state struct {
	cert tls.Certificate
	pool *x509.CertPool
}

// stamp tells whether a file has changed.
type stamp struct {
	at   time.Time
	size int64
}

// Open reads the files. Errors are the user's: INVALID_CERTIFICATE.
func Open(f Files) (*Live, error) {
	l := &Live{files: f}
	return l, l.Reload()
}

// Reload reads the files again. When they do not hold together, what was read before stays.
func (l *Live) Reload() error {
	stamps := l.stamps()
	l.tried.Store(&stamps)
	s := &state{}
	var err error
	if s.cert, err = tls.LoadX509KeyPair(l.files.Cert, l.files.Key); err != nil {
		return invalid(l.files.Cert, err)
	}
	if l.files.ClientCA != "" {
		if s.pool, err = LoadPool(l.files.ClientCA); err != nil {
			return err
		}
	}
	l.now.Store(s)
	return nil
}

// LoadPool reads a file of authorities.
func LoadPool(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, invalid(path, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, invalid(path, fmt.Errorf("no certificate in it"))
	}
	return pool, nil
}

func invalid(path string, err error) error {
	return usererr.New("INVALID_CERTIFICATE", "22023", "The certificate or its key cannot be used: %v.", err).In(path).
		WithFix("Both are PEM files, and belong together. For development: streamflow cert.")
}

func (l *Live) stamps() (s [3]stamp) {
	for i, path := range []string{l.files.Cert, l.files.Key, l.files.ClientCA} {
		if info, err := os.Stat(path); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// Config is the configuration of a listener that speaks one of the protocols (ALPN); each connection begins with what the
// files hold by then.
func (l *Live) Config(protocols ...string) *tls.Config {
	base := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols}
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		s := l.now.Load()
		return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols, Certificates: []tls.Certificate{s.cert}, ClientCAs: s.pool, ClientAuth: l.files.Clients}, nil
	}
	return base
}

// Changed says whether the files are others than those that were last read, or tried.
func (l *Live) Changed() bool {
	seen := l.tried.Load()
	return seen == nil || *seen != l.stamps()
}
