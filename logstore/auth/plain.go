package auth

import (
	"bytes"
	"time"
)

// plainExchange is PLAIN: [authzid] NUL name NUL password.
type plainExchange struct {
	server *Server
	who    Identity
}

func (p *plainExchange) Next(_ time.Time, msg []byte) ([]byte, bool, error) {
	user, password, err := parsePlain(msg)
	if err != nil {
		return nil, false, err
	}
	p.server.slots <- struct{}{}
	defer func() { <-p.server.slots }()
	m, c, ok := p.credential(user)
	if fits := c.Verify(m, password); !fits || !ok {
		return nil, false, failed("user %q", user)
	}
	p.who.User = user
	return nil, true, nil
}

// credential is one of the user's, of the mechanism that takes less time if both are there.
func (p *plainExchange) credential(user string) (Mechanism, Credential, bool) {
	first, ok := p.server.users.Credential(user, ScramSHA256)
	if ok {
		return ScramSHA256, first, true
	}
	if c, ok := p.server.users.Credential(user, ScramSHA512); ok {
		return ScramSHA512, c, true
	}
	return ScramSHA256, first, false
}

func (p *plainExchange) Identity() Identity { return p.who }

func parsePlain(msg []byte) (user, password string, err error) {
	parts := bytes.Split(msg, []byte{0})
	if len(parts) != 3 {
		return "", "", failed("PLAIN message of %d parts", len(parts))
	}
	user, password = string(parts[1]), string(parts[2])
	if user == "" || password == "" {
		return "", "", failed("PLAIN without a name or a password")
	}
	if authzid := string(parts[0]); authzid != "" && authzid != user {
		return "", "", failed("user %q asks to be %q", user, authzid)
	}
	return user, password, nil
}
