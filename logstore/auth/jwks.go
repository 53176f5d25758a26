package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// KeyList are an issuer's public keys (RFC 7517).
type KeyList []webKey

type webKey struct {
	id, alg string
	public  any
}

// ErrUnknownKey says that no key of a set has signed the token.
var ErrUnknownKey = errors.New("no key of the issuer's set fits")

// ParseKeyList reads a JWK set. Keys that are not for signatures, or of kinds that are not taken, are left out.
func ParseKeyList(data []byte) (KeyList, error) {
	var set struct {
		Keys []jsonKey `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("JWK set: %w", err)
	}
	var out KeyList
	for i, k := range set.Keys {
		public, err := k.public()
		if err != nil {
			return nil, fmt.Errorf("JWK set: key %d (%s): %w", i, k.ID, err)
		}
		if public != nil && (k.Use == "" || k.Use == "sig") {
			out = append(out, webKey{k.ID, k.Alg, public})
		}
	}
	if len(out) == 0 {
		return nil, errors.New("JWK set: no public key for signatures in it")
	}
	return out, nil
}

// Key implements Keys. A token without a key id fits a set of one key.
func (l KeyList) Key(id, alg string) (any, error) {
	for _, k := range l {
		if (k.id == id || id == "" && len(l) == 1) && (k.alg == "" || k.alg == alg) && fits(k.public, alg) {
			return k.public, nil
		}
	}
	return nil, ErrUnknownKey
}

// fits says whether a key is of the kind that an algorithm uses.
func fits(key any, alg string) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS")
	case *ecdsa.PublicKey:
		return alg == map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[k.Curve.Params().BitSize]
	case ed25519.PublicKey:
		return alg == "EdDSA"
	}
	return false
}

type jsonKey struct {
	Kind  string `json:"kty"`
	ID    string `json:"kid"`
	Alg   string `json:"alg"`
	Use   string `json:"use"`
	Curve string `json:"crv"`
	N     string `json:"n"`
	E     string `json:"e"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

// public is the key; nil for a kind that is not taken.
func (k *jsonKey) public() (any, error) {
	switch k.Kind {
	case "RSA":
		return k.rsa()
	case "EC":
		return k.ec()
	case "OKP":
		x, err := bytesOf(k.X)
		if k.Curve != "Ed25519" {
			return nil, nil
		}
		if err != nil || len(x) != ed25519.PublicKeySize {
			return nil, errors.New("x is no Ed25519 key")
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, nil
}

// minRSABits bounds RSA keys from below (RFC 7518, section 3.3).
const minRSABits = 2048

func (k *jsonKey) rsa() (any, error) {
	n, err1 := bytesOf(k.N)
	e, err2 := bytesOf(k.E)
	if err1 != nil || err2 != nil || len(e) == 0 || len(e) > 4 {
		return nil, errors.New("n or e is malformed")
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if key.N.BitLen() < minRSABits || key.E < 3 || key.E%2 == 0 || key.N.BitLen() > 8*minRSABits {
		return nil, fmt.Errorf("an RSA key of %d bits is not taken", key.N.BitLen())
	}
	return key, nil
}

func (k *jsonKey) ec() (any, error) {
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[k.Curve]
	if curve == nil {
		return nil, nil
	}
	x, err1 := bytesOf(k.X)
	y, err2 := bytesOf(k.Y)
	size := (curve.Params().BitSize + 7) / 8
	if err1 != nil || err2 != nil || len(x) != size || len(y) != size {
		return nil, errors.New("x or y is malformed")
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{4}, x...), y...))
	if err != nil {
		return nil, err
	}
	return key, nil
}

func bytesOf(s string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
}
