package kafka

import (
	"crypto/rand"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/auth"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// alterUserSCRAMCredentials sets and deletes credentials (KIP-554). The client sends the salted password; the server keeps what
// is made from it. A user of whom anything is wrong is not changed, others are.
func (c *call) alterUserSCRAMCredentials(req *kmsg.AlterUserSCRAMCredentialsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.AlterUserSCRAMCredentialsResponse)
	a := alteredUsers{errs: map[string]error{}, seen: map[userMechanism]bool{}}
	refused := c.mayHandleUsers(acl.Alter)
	for _, d := range req.Deletions {
		a.note(d.Name, refused, d.Mechanism)
		a.deletion(d, c)
	}
	for _, u := range req.Upsertions {
		a.note(u.Name, refused, u.Mechanism)
		a.upsertion(u)
	}
	cmd := a.command()
	if refused == nil && len(cmd.Set)+len(cmd.Delete) > 0 {
		if _, err := c.broker.Meta().Apply(c.ctx, auth.MachineName, cmd.Encode()); err != nil {
			a.failAll(err)
		} else {
			c.tellUsersChanged(cmd)
		}
	}
	for _, name := range a.names {
		r := kmsg.NewAlterUserSCRAMCredentialsResponseResult()
		r.User = name
		r.ErrorCode, r.ErrorMessage = code(a.errs[name]), message(a.errs[name])
		resp.Results = append(resp.Results, r)
	}
	return resp, nil
}

func (c *call) tellUsersChanged(cmd auth.Command) {
	for _, e := range cmd.Set {
		c.log.Info("user's credential set", "user", e.User, "mechanism", e.Mechanism, "principal", c.principal(), "host", c.conn.id.host)
	}
	for _, e := range cmd.Delete {
		c.log.Info("user's credential deleted", "user", e.User, "mechanism", e.Mechanism, "principal", c.principal(), "host", c.conn.id.host)
	}
}

type userMechanism struct {
	name string
	mech int8
}

// alteredUsers is a request's users, in order, with what is to be done and what is wrong.
type alteredUsers struct {
	names []string
	errs  map[string]error
	seen  map[userMechanism]bool
	cmd   auth.Command
}

// note takes a user in, and says what is wrong with naming it.
func (a *alteredUsers) note(name string, refused error, mech int8) {
	if _, known := a.errs[name]; !known {
		a.names = append(a.names, name)
		a.errs[name] = refused
	}
	key := userMechanism{name, mech}
	if a.seen[key] {
		a.fail(name, withMessage(kerr.DuplicateResource, "a credential of user %s is changed more than once", name))
	}
	a.seen[key] = true
	if name == "" {
		a.fail(name, withMessage(kerr.UnacceptableCredential, "a user's name must not be empty"))
	}
	if _, ok := auth.ScramByNumber(mech); !ok {
		a.fail(name, withMessage(kerr.UnsupportedSaslMechanism, "SCRAM mechanism %d is unknown", mech))
	}
}

// fail keeps a user's first error.
func (a *alteredUsers) fail(name string, err error) {
	if a.errs[name] == nil {
		a.errs[name] = err
	}
}

func (a *alteredUsers) deletion(d kmsg.AlterUserSCRAMCredentialsRequestDeletion, c *call) {
	m, ok := auth.ScramByNumber(d.Mechanism)
	if !ok || a.errs[d.Name] != nil {
		return
	}
	if _, there := c.opts.Users.Lookup(d.Name, m); !there {
		a.fail(d.Name, withMessage(kerr.ResourceNotFound, "user %s has no %s credential", d.Name, m))
		return
	}
	a.cmd.Delete = append(a.cmd.Delete, auth.Entry{User: d.Name, Mechanism: m})
}

func (a *alteredUsers) upsertion(u kmsg.AlterUserSCRAMCredentialsRequestUpsertion) {
	m, ok := auth.ScramByNumber(u.Mechanism)
	if !ok {
		return
	}
	e := auth.Entry{User: u.Name, Mechanism: m, Credential: auth.FromSaltedPassword(m, u.SaltedPassword, u.Salt, int(u.Iterations))}
	if err := e.Validate(); err != nil {
		a.fail(u.Name, withMessage(kerr.UnacceptableCredential, "%v", err))
		return
	}
	if len(u.SaltedPassword) == 0 {
		a.fail(u.Name, withMessage(kerr.UnacceptableCredential, "a salted password must not be empty"))
	}
	a.cmd.Set = append(a.cmd.Set, e)
}

// command is what is to be done for users with whom nothing is wrong.
func (a *alteredUsers) command() auth.Command {
	cmd := auth.Command{Decoy: make([]byte, 32)}
	_, _ = rand.Read(cmd.Decoy) // never fails
	for _, e := range a.cmd.Set {
		if a.errs[e.User] == nil {
			cmd.Set = append(cmd.Set, e)
		}
	}
	for _, e := range a.cmd.Delete {
		if a.errs[e.User] == nil {
			cmd.Delete = append(cmd.Delete, e)
		}
	}
	return cmd
}

func (a *alteredUsers) failAll(err error) {
	for _, name := range a.names {
		a.fail(name, err)
	}
}
