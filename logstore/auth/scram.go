package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// scramExchange is the server's side of SCRAM (RFC 5802, section 5):
//
//	client-first   n,,n=user,r=cnonce
//	server-first   r=cnonce snonce,s=salt,i=iterations
//	client-final   c=biws,r=cnonce snonce,p=proof
//	server-final   v=signature
type scramExchange struct {
	mech   Mechanism
	users  Users
	snonce string
	who    Identity

	first       clientFirst
	serverFirst string
	credential  Credential
	known       bool
	step        int
}

func newScram(m Mechanism, users Users) *scramExchange {
	return &scramExchange{mech: m, users: users, snonce: rand.Text()}
}

func (s *scramExchange) Identity() Identity { return s.who }

func (s *scramExchange) Next(_ time.Time, msg []byte) ([]byte, bool, error) {
	s.step++
	switch s.step {
	case 1:
		reply, err := s.challenge(msg)
		return reply, false, err
	case 2:
		reply, err := s.verify(msg)
		return reply, err == nil, err
	}
	return nil, false, failed("SCRAM message after the last")
}

func (s *scramExchange) challenge(msg []byte) ([]byte, error) {
	var err error
	if s.first, err = parseClientFirst(string(msg)); err != nil {
		return nil, err
	}
	s.credential, s.known = s.users.Credential(s.first.user, s.mech)
	s.serverFirst = fmt.Sprintf("r=%s%s,s=%s,i=%d", s.first.nonce, s.snonce, base64.StdEncoding.EncodeToString(s.credential.Salt), s.credential.Iterations)
	return []byte(s.serverFirst), nil
}

func (s *scramExchange) verify(msg []byte) ([]byte, error) {
	final, err := parseClientFinal(string(msg))
	if err != nil {
		return nil, err
	}
	if final.binding != base64.StdEncoding.EncodeToString([]byte(s.first.gs2)) {
		return nil, failed("user %q: channel binding differs", s.first.user)
	}
	if !s.isNonce(final.nonce) {
		return nil, failed("user %q: nonce differs", s.first.user)
	}
	message := s.first.bare + "," + s.serverFirst + "," + final.withoutProof
	if fits := s.proves(final.proof, message); !fits || !s.known {
		return nil, failed("user %q", s.first.user)
	}
	s.who.User = s.first.user
	return []byte("v=" + base64.StdEncoding.EncodeToString(s.mech.mac(s.credential.ServerKey, message))), nil
}

// isNonce says whether the client repeats the nonce that both have made. librdkafka before 2.6.1 puts its own part before it once
// more. That is let through: the server's part makes each exchange another, and the proof covers it twice, in the server's
// message and in the client's.
func (s *scramExchange) isNonce(said string) bool {
	nonce := s.first.nonce + s.snonce
	return hmac.Equal([]byte(said), []byte(nonce)) || hmac.Equal([]byte(said), []byte(s.first.nonce+nonce))
}

// proves recovers the client's key from its proof and compares its hash with the stored one.
func (s *scramExchange) proves(proof []byte, message string) bool {
	signature := s.mech.mac(s.credential.StoredKey, message)
	if len(proof) != len(signature) {
		return false
	}
	key := make([]byte, len(proof))
	subtle.XORBytes(key, proof, signature)
	return hmac.Equal(s.mech.digest(key), s.credential.StoredKey)
}

// clientFirst is the client's first message.
type clientFirst struct{ gs2, bare, user, nonce string }

func parseClientFirst(msg string) (clientFirst, error) {
	var f clientFirst
	flag, rest, ok := strings.Cut(msg, ",")
	authzid, bare, ok2 := strings.Cut(rest, ",")
	if !ok || !ok2 || flag != "n" && flag != "y" {
		return f, failed("SCRAM header %.20q", msg)
	}
	f.gs2, f.bare = msg[:len(msg)-len(bare)], bare
	attrs := strings.Split(bare, ",")
	if len(attrs) < 2 {
		return f, failed("SCRAM message without name and nonce")
	}
	user, ok := strings.CutPrefix(attrs[0], "n=")
	nonce, ok2 := strings.CutPrefix(attrs[1], "r=")
	if !ok || !ok2 || !printable(nonce) {
		return f, failed("SCRAM message without name and nonce")
	}
	if f.user, ok = unescape(user); !ok || f.user == "" {
		return f, failed("SCRAM name %q", user)
	}
	f.nonce = nonce
	if authzid != "" {
		if as, ok := unescape(strings.TrimPrefix(authzid, "a=")); !ok || as != f.user {
			return f, failed("user %q asks to be %q", f.user, authzid)
		}
	}
	for _, ext := range attrs[2:] {
		if strings.EqualFold(ext, "tokenauth=true") {
			return f, failed("delegation tokens are not served")
		}
	}
	return f, nil
}

// clientFinal is the client's second message.
type clientFinal struct {
	binding, nonce, withoutProof string
	proof                        []byte
}

func parseClientFinal(msg string) (clientFinal, error) {
	var f clientFinal
	at := strings.LastIndex(msg, ",p=")
	if at < 0 {
		return f, failed("SCRAM message without proof")
	}
	f.withoutProof = msg[:at]
	attrs := strings.Split(f.withoutProof, ",")
	var ok, ok2 bool
	if len(attrs) >= 2 {
		f.binding, ok = strings.CutPrefix(attrs[0], "c=")
		f.nonce, ok2 = strings.CutPrefix(attrs[1], "r=")
	}
	var err error
	if f.proof, err = base64.StdEncoding.DecodeString(msg[at+3:]); err != nil || !ok || !ok2 {
		return f, failed("SCRAM message is malformed")
	}
	return f, nil
}

// printable says whether a nonce has the characters it may have.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e || s[i] == ',' {
			return false
		}
	}
	return s != ""
}

// unescape reads a name, in which =2C is a comma and =3D an equals sign.
func unescape(s string) (string, bool) {
	var b strings.Builder
	for {
		at := strings.IndexByte(s, '=')
		if at < 0 {
			b.WriteString(s)
			return b.String(), true
		}
		b.WriteString(s[:at])
		switch {
		case strings.HasPrefix(s[at:], "=2C"):
			b.WriteByte(',')
		case strings.HasPrefix(s[at:], "=3D"):
			b.WriteByte('=')
		default:
			return "", false
		}
		s = s[at+3:]
	}
}
