package auth

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// MachineName names the machine in the metadata log.
const MachineName = "users"

// MaxUserName bounds a name, in bytes.
const MaxUserName = 256

// Machine is the users in the metadata log.
type Machine struct {
	mu    sync.RWMutex
	users map[string]map[Mechanism]Credential
	decoy []byte // what credentials of users who are not there are made from
}

// NewMachine returns a machine without users.
func NewMachine() *Machine { return &Machine{users: map[string]map[Mechanism]Credential{}} }

// Entry is one credential of one user.
type Entry struct {
	User       string     `json:"user"`
	Mechanism  Mechanism  `json:"mech"`
	Credential Credential `json:"cred,omitzero"`
}

// Command sets and deletes credentials. Decoy is a random proposal; the first one is kept for good.
type Command struct {
	Set    []Entry `json:"set,omitempty"`
	Delete []Entry `json:"delete,omitempty"`
	Decoy  []byte  `json:"decoy,omitempty"`
}

// Encode makes the command's bytes.
func (c Command) Encode() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic("BUG: users command does not encode: " + err.Error())
	}
	return b
}

// DecodeMissing reads a command's result: which of its deletions, by their place, found nothing.
func DecodeMissing(result []byte) ([]int, error) {
	var out []int
	if err := json.Unmarshal(result, &out); err != nil {
		return nil, fmt.Errorf("users: result: %w", err)
	}
	return out, nil
}

// Name implements meta.Machine, as do Apply, Snapshot and Restore.
func (*Machine) Name() string { return MachineName }

func (m *Machine) Apply(cmd []byte) ([]byte, error) {
	var c Command
	if err := json.Unmarshal(cmd, &c); err != nil {
		return nil, fmt.Errorf("users: command: %w", err)
	}
	for _, e := range c.Set {
		if err := e.Validate(); err != nil {
			return nil, fmt.Errorf("users: %w", err)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.decoy == nil {
		m.decoy = c.Decoy
	}
	for _, e := range c.Set {
		m.set(e)
	}
	missing := []int{}
	for i, e := range c.Delete {
		if _, ok := m.users[e.User][e.Mechanism]; !ok {
			missing = append(missing, i)
			continue
		}
		if delete(m.users[e.User], e.Mechanism); len(m.users[e.User]) == 0 {
			delete(m.users, e.User)
		}
	}
	return json.Marshal(missing)
}

// Validate says what is wrong with an entry that is to be set.
func (e Entry) Validate() error {
	if e.User == "" || len(e.User) > MaxUserName || strings.ContainsAny(e.User, "\x00\r\n") {
		return fmt.Errorf("a user's name has 1 to %d bytes and no control characters", MaxUserName)
	}
	if !e.Mechanism.IsScram() {
		return fmt.Errorf("%q is no SCRAM mechanism", e.Mechanism)
	}
	return e.Credential.validate(e.Mechanism)
}

func (m *Machine) set(e Entry) {
	if m.users[e.User] == nil {
		m.users[e.User] = map[Mechanism]Credential{}
	}
	m.users[e.User][e.Mechanism] = e.Credential
}

// Lookup is a user's credential.
func (m *Machine) Lookup(user string, mech Mechanism) (Credential, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	c, ok := m.users[user][mech]
	return c, ok
}

// Entries are all credentials, by user and mechanism.
func (m *Machine) Entries() []Entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.sorted()
}

func (m *Machine) sorted() []Entry {
	var out []Entry
	for user, creds := range m.users {
		for mech, c := range creds {
			out = append(out, Entry{user, mech, c})
		}
	}
	slices.SortFunc(out, func(a, b Entry) int {
		if a.User != b.User {
			return strings.Compare(a.User, b.User)
		}
		return strings.Compare(string(a.Mechanism), string(b.Mechanism))
	})
	return out
}

func (m *Machine) secret() []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.decoy
}

func (m *Machine) Snapshot() []byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return Command{Set: m.sorted(), Decoy: m.decoy}.Encode()
}

func (m *Machine) Restore(state []byte) error {
	var c Command
	if err := json.Unmarshal(state, &c); err != nil {
		return fmt.Errorf("users: state: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users, m.decoy = map[string]map[Mechanism]Credential{}, c.Decoy
	for _, e := range c.Set {
		m.set(e)
	}
	return nil
}
