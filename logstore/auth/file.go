package auth

import (
	"fmt"
	"strings"
)

// FileUsers are the users of a file: what is theirs under each mechanism.
type FileUsers map[string]map[Mechanism]Credential

// ParseUsers reads a users file: a line for each user and mechanism, name:credential or name:password. A credential is what
// Credential.Format writes; a password serves for both SCRAM mechanisms. Empty lines, and lines that begin with #, are
// skipped.
func ParseUsers(text string) (FileUsers, error) {
	users := FileUsers{}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || value == "" {
			return nil, fmt.Errorf("line %d is not name:credential or name:password", n)
		}
		if err := users.add(name, value); err != nil {
			return nil, fmt.Errorf("line %d, user %s: %w", n, name, err)
		}
	}
	return users, nil
}

func (u FileUsers) add(name, value string) error {
	if len(name) > MaxUserName {
		return fmt.Errorf("a name has at most %d bytes", MaxUserName)
	}
	if u[name] == nil {
		u[name] = map[Mechanism]Credential{}
	}
	if strings.HasPrefix(value, "SCRAM-SHA-") {
		m, c, err := ParseCredential(value)
		u[name][m] = c
		return err
	}
	for _, m := range []Mechanism{ScramSHA256, ScramSHA512} {
		c, err := NewCredential(m, value, DefaultIterations)
		if err != nil {
			return err
		}
		u[name][m] = c
	}
	return nil
}
