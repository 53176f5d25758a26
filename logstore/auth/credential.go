package auth

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// Bounds of a credential's iterations, as Kafka has them: below, a stolen credential is too easily searched; above, a client
// is made to work too long.
const (
	MinIterations     = 4096
	MaxIterations     = 16384
	DefaultIterations = 8192
)

const saltBytes = 24

// Credential is what a server keeps of a password under a SCRAM mechanism (RFC 5802, section 3).
type Credential struct {
	Iterations int    `json:"i"`
	Salt       []byte `json:"salt"`
	StoredKey  []byte `json:"stored"` // H(ClientKey)
	ServerKey  []byte `json:"server"`
}

// NewCredential makes a credential with a fresh salt.
func NewCredential(m Mechanism, password string, iterations int) (Credential, error) {
	if err := CheckIterations(iterations); err != nil {
		return Credential{}, err
	}
	if password == "" {
		return Credential{}, fmt.Errorf("a password must not be empty")
	}
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return Credential{}, fmt.Errorf("auth: salt: %w", err)
	}
	return FromSaltedPassword(m, SaltPassword(m, password, salt, iterations), salt, iterations), nil
}

// CheckIterations says whether a count of iterations is within the bounds.
func CheckIterations(n int) error {
	if n < MinIterations || n > MaxIterations {
		return fmt.Errorf("%d iterations: at least %d and at most %d", n, MinIterations, MaxIterations)
	}
	return nil
}

// SaltPassword is RFC 5802's SaltedPassword: Hi(password, salt, i). The password's bytes are taken as they are, as Kafka does.
func SaltPassword(m Mechanism, password string, salt []byte, iterations int) []byte {
	key, err := pbkdf2.Key(m.hash(), password, salt, iterations, m.size())
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return key
}

// FromSaltedPassword makes a credential of what a client has salted itself.
func FromSaltedPassword(m Mechanism, salted, salt []byte, iterations int) Credential {
	return Credential{Iterations: iterations, Salt: salt, StoredKey: m.digest(m.mac(salted, "Client Key")), ServerKey: m.mac(salted, "Server Key")}
}

// Verify says, in a time that does not depend on the answer, whether the credential is of the password.
func (c Credential) Verify(m Mechanism, password string) bool {
	got := FromSaltedPassword(m, SaltPassword(m, password, c.Salt, c.Iterations), c.Salt, c.Iterations)
	return subtle.ConstantTimeCompare(got.StoredKey, c.StoredKey) == 1
}

func (m Mechanism) mac(key []byte, text string) []byte {
	h := hmac.New(m.hash(), key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (m Mechanism) digest(b []byte) []byte {
	h := m.hash()()
	h.Write(b)
	return h.Sum(nil)
}

// Format writes a credential as MECHANISM$iterations:salt$StoredKey:ServerKey (RFC 5803), for files.
func (c Credential) Format(m Mechanism) string {
	b := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s$%d:%s$%s:%s", m, c.Iterations, b(c.Salt), b(c.StoredKey), b(c.ServerKey))
}

// ParseCredential reads what Format wrote.
func ParseCredential(s string) (Mechanism, Credential, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 3 {
		return "", Credential{}, fmt.Errorf("a credential has three parts between $, not %d", len(parts))
	}
	m, err := ParseMechanism(parts[0])
	if err != nil || !m.IsScram() {
		return "", Credential{}, fmt.Errorf("%q is no SCRAM mechanism", parts[0])
	}
	iter, salt, ok1 := strings.Cut(parts[1], ":")
	stored, server, ok2 := strings.Cut(parts[2], ":")
	if !ok1 || !ok2 {
		return "", Credential{}, fmt.Errorf("a credential is MECHANISM$iterations:salt$StoredKey:ServerKey")
	}
	var c Credential
	if c.Iterations, err = strconv.Atoi(iter); err != nil {
		return "", Credential{}, fmt.Errorf("%q iterations", iter)
	}
	for _, f := range []struct {
		to   *[]byte
		text string
	}{{&c.Salt, salt}, {&c.StoredKey, stored}, {&c.ServerKey, server}} {
		if *f.to, err = base64.StdEncoding.DecodeString(f.text); err != nil {
			return "", Credential{}, fmt.Errorf("base64 %q: %w", f.text, err)
		}
	}
	return m, c, c.validate(m)
}

// validate says what is wrong with a credential that is to be kept.
func (c Credential) validate(m Mechanism) error {
	if err := CheckIterations(c.Iterations); err != nil {
		return err
	}
	if len(c.Salt) == 0 || len(c.StoredKey) != m.size() || len(c.ServerKey) != m.size() {
		return fmt.Errorf("the keys of a %s credential are %d bytes long, and its salt is not empty", m, m.size())
	}
	return nil
}
