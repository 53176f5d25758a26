package streamflow

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/auth"
	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/streamflow/streamflow/logstore/quota"
)

// Security is what the metadata holds of users, their rights and their quotas. Protocol servers ask it.
type Security struct {
	ACLs   *acl.Machine
	Users  *auth.Machine
	Quotas *quota.Machine
}

func newSecurity() *Security {
	return &Security{ACLs: acl.NewMachine(), Users: auth.NewMachine(), Quotas: quota.NewMachine()}
}

func (s *Security) machines() []meta.Machine { return []meta.Machine{s.ACLs, s.Users, s.Quotas} }

// Security is the node's.
func (n *Node) Security() *Security { return n.security }
