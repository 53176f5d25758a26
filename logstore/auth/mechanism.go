package auth

import (
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"strings"
)

// Mechanism is a way of proving who one is.
type Mechanism string

const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
	OAuthBearer Mechanism = "OAUTHBEARER"
)

// Mechanisms are all there are.
var Mechanisms = []Mechanism{Plain, ScramSHA256, ScramSHA512, OAuthBearer}

// ParseMechanism reads a name, without regard to case.
func ParseMechanism(s string) (Mechanism, error) {
	for _, m := range Mechanisms {
		if strings.EqualFold(s, string(m)) {
			return m, nil
		}
	}
	return "", fmt.Errorf("there is no mechanism %q: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER", s)
}

// IsScram says whether users have a credential of their own for the mechanism.
func (m Mechanism) IsScram() bool { return m == ScramSHA256 || m == ScramSHA512 }

// ScramNumber is the protocol's number of a SCRAM mechanism (KIP-554); 0 of others.
func (m Mechanism) ScramNumber() int8 {
	switch m {
	case ScramSHA256:
		return 1
	case ScramSHA512:
		return 2
	}
	return 0
}

// ScramByNumber is the mechanism with a number.
func ScramByNumber(n int8) (Mechanism, bool) {
	switch n {
	case 1:
		return ScramSHA256, true
	case 2:
		return ScramSHA512, true
	}
	return "", false
}

func (m Mechanism) hash() func() hash.Hash {
	if m == ScramSHA512 {
		return sha512.New
	}
	return sha256.New
}

func (m Mechanism) size() int { return m.hash()().Size() }
