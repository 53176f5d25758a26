package auth

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Identity is who a client has proved to be.
type Identity struct {
	User    string
	Expires time.Time // of a token; zero: never
}

// Exchange is one authentication under way.
type Exchange interface {
	// Next takes the client's message and returns the server's. When done is true the client is who it says.
	Next(now time.Time, msg []byte) (reply []byte, done bool, err error)
	// Identity is valid when Next has said done.
	Identity() Identity
}

// ErrFailed is all that a client is told of why it was refused.
var ErrFailed = errors.New("authentication failed: invalid credentials")

// failure is a refusal with its reason, which only the log is told.
type failure struct{ reason string }

func (f *failure) Error() string { return ErrFailed.Error() + " (" + f.reason + ")" }
func (f *failure) Unwrap() error { return ErrFailed }

func failed(format string, args ...any) error { return &failure{fmt.Sprintf(format, args...)} }

// Users finds credentials.
type Users interface {
	// Credential is a user's under a SCRAM mechanism. Of a user who is not there it is one that no password fits, the same
	// at each call, and ok is false.
	Credential(user string, m Mechanism) (c Credential, ok bool)
}

// Server authenticates by the mechanisms that it offers.
type Server struct {
	mechanisms []Mechanism
	users      Users
	tokens     *TokenRules
	slots      chan struct{} // bounds how many passwords are hashed at once
}

// NewServer returns a server; tokens is for OAUTHBEARER.
func NewServer(mechanisms []Mechanism, users Users, tokens *TokenRules) *Server {
	return &Server{mechanisms: mechanisms, users: users, tokens: tokens, slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
}

// Mechanisms are those on offer.
func (s *Server) Mechanisms() []Mechanism { return s.mechanisms }

// Start begins an exchange; nil for a mechanism that is not on offer.
func (s *Server) Start(name string) (Mechanism, Exchange) {
	for _, m := range s.mechanisms {
		if string(m) != name {
			continue
		}
		switch m {
		case Plain:
			return m, &plainExchange{server: s}
		case OAuthBearer:
			return m, &bearerExchange{rules: s.tokens}
		}
		return m, newScram(m, s.users)
	}
	return "", nil
}
