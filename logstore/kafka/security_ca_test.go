package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/certs"
)

// testCA issues certificates.
type testCA struct {
	t    testing.TB
	dir  string
	file string // the authority's certificate
	pool *x509.CertPool
	a    *certs.Authority
}

func newTestCA(t testing.TB) *testCA {
	t.Helper()
	ca := &testCA{t: t, dir: t.TempDir()}
	ca.file = filepath.Join(ca.dir, "ca.pem")
	var err error
	if ca.a, err = certs.OpenAuthority(ca.dir, time.Hour); err == nil {
		ca.pool, err = certs.LoadPool(ca.file)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// issue makes a certificate that names a client, or a node on this machine.
func (ca *testCA) issue(name string) tls.Certificate {
	ca.t.Helper()
	err := ca.a.Issue(ca.dir, name, []string{"localhost", "127.0.0.1"}, time.Hour)
	if err != nil {
		ca.t.Fatal(err)
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(ca.dir, name+".pem"), filepath.Join(ca.dir, name+"-key.pem"))
	if err != nil {
		ca.t.Fatal(err)
	}
	return cert
}
