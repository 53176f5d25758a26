package acl

import (
	"fmt"
	"strings"
)

// Principal is who a connection speaks for, such as User:alice.
type Principal struct{ Type, Name string }

// Anonymous is a client that has not said who it is.
var Anonymous = Principal{"User", "ANONYMOUS"}

// NewUser is the principal of a user.
func NewUser(name string) Principal { return Principal{"User", name} }

func (p Principal) String() string { return p.Type + ":" + p.Name }

// ParsePrincipal reads TYPE:NAME.
func ParsePrincipal(s string) (Principal, error) {
	typ, name, ok := strings.Cut(s, ":")
	if !ok || typ == "" || name == "" {
		return Principal{}, fmt.Errorf("%q is no principal; write it as User:name", s)
	}
	return Principal{typ, name}, nil
}

// isWildcard says that p stands for everybody of its type.
func (p Principal) isWildcard() bool { return p.Name == "*" }

// covers says whether a binding for p is about who.
func (p Principal) covers(who Principal) bool {
	return p.Type == who.Type && (p.Name == who.Name || p.isWildcard())
}

// MarshalText and UnmarshalText write a principal as TYPE:NAME.
func (p Principal) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

func (p *Principal) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePrincipal(string(text))
	return err
}
