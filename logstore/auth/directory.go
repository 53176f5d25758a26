package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"
)

// Directory finds users: first those of the node's own file, then those in the metadata. It is a Users.
type Directory struct {
	machine *Machine
	file    atomic.Pointer[FileUsers]
	own     []byte // the decoys' secret while the metadata has none
}

// NewDirectory returns a directory over the users in the metadata.
func NewDirectory(m *Machine) *Directory {
	own := make([]byte, 32)
	_, _ = rand.Read(own) // never fails
	return &Directory{machine: m, own: own}
}

// SetFile replaces the users of the node's own file.
func (d *Directory) SetFile(users FileUsers) { d.file.Store(&users) }

// Credential implements Users.
func (d *Directory) Credential(user string, m Mechanism) (Credential, bool) {
	if f := d.file.Load(); f != nil {
		if creds, ok := (*f)[user]; ok {
			if c, ok := creds[m]; ok {
				return c, true
			}
			return d.decoy(user, m), false
		}
	}
	if c, ok := d.machine.Lookup(user, m); ok {
		return c, true
	}
	return d.decoy(user, m), false
}

// decoy is the credential of a user who is not there. Its salt is a function of the name, so that asking twice tells nothing,
// and its iterations are those of a user who is there.
func (d *Directory) decoy(user string, m Mechanism) Credential {
	secret := d.machine.secret()
	if secret == nil {
		secret = d.own
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(m))
	h.Write([]byte{0})
	h.Write([]byte(user))
	sum := h.Sum(nil)
	none := make([]byte, m.size())
	return Credential{Iterations: d.someIterations(binary.BigEndian.Uint32(sum[saltBytes:])), Salt: sum[:saltBytes], StoredKey: none, ServerKey: none}
}

func (d *Directory) someIterations(n uint32) int {
	entries := d.machine.Entries()
	if len(entries) == 0 {
		return DefaultIterations
	}
	return entries[int(n%uint32(len(entries)))].Credential.Iterations
}
