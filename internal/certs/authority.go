package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority issues certificates for development and tests: whoever has its key can be anybody.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Names of an authority's files.
const (
	authorityCert = "ca.pem"
	authorityKey  = "ca-key.pem"
)

// OpenAuthority reads the authority of a directory, or makes one that holds for so long.
func OpenAuthority(dir string, life time.Duration) (*Authority, error) {
	cert, key := filepath.Join(dir, authorityCert), filepath.Join(dir, authorityKey)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err == nil {
		k, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
		if !ok || !pair.Leaf.IsCA {
			return nil, invalid(cert, errors.New("it is not an authority that streamflow cert has made"))
		}
		return &Authority{pair.Leaf, k}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, invalid(cert, err)
	}
	a := &Authority{}
	der, k, err := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "StreamFlow development authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}, life)
	if err != nil {
		return nil, err
	}
	a.key = k
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("certs: %w", err)
	}
	return a, write(cert, key, der, k)
}

// Issue writes NAME.pem and NAME-key.pem: a certificate of somebody called name, who is reached at hosts (names or addresses).
// It serves a node and a client alike.
func (a *Authority) Issue(dir, name string, hosts []string, life time.Duration) error {
	c := &x509.Certificate{Subject: pkix.Name{CommonName: name, Organization: []string{"StreamFlow development"}},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, h)
		}
	}
	der, key, err := a.sign(c, life)
	if err != nil {
		return err
	}
	return write(filepath.Join(dir, name+".pem"), filepath.Join(dir, name+"-key.pem"), der, key)
}

// sign makes a key and its certificate; the authority's own when it has none yet.
func (a *Authority) sign(c *x509.Certificate, life time.Duration) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("certs: key: %w", err)
	}
	if c.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, fmt.Errorf("certs: serial number: %w", err)
	}
	c.NotBefore = time.Now().Add(-time.Minute)
	c.NotAfter = c.NotBefore.Add(life)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, nil, fmt.Errorf("certs: sign: %w", err)
	}
	return der, key, nil
}

// write writes a certificate and its key, which only its owner may read.
func write(certPath, keyPath string, der []byte, key *ecdsa.PrivateKey) error {
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("certs: key: %w", err)
	}
	for _, f := range []struct {
		path, kind string
		data       []byte
		mode       os.FileMode
	}{{keyPath, "PRIVATE KEY", k, 0o600}, {certPath, "CERTIFICATE", der, 0o644}} {
		if err := os.WriteFile(f.path, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.data}), f.mode); err != nil {
			return fmt.Errorf("certs: %w", err)
		}
	}
	return nil
}
