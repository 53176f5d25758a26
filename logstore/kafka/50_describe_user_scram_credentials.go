package kafka

import (
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/auth"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// describeUserSCRAMCredentials tells which users have which credentials, never their keys (KIP-554).
func (c *call) describeUserSCRAMCredentials(req *kmsg.DescribeUserSCRAMCredentialsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeUserSCRAMCredentialsResponse)
	if err := c.mayHandleUsers(acl.Describe); err != nil {
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		return resp, nil
	}
	all := map[string][]auth.Entry{}
	var names []string
	for _, e := range c.opts.Users.Entries() {
		if len(all[e.User]) == 0 {
			names = append(names, e.User)
		}
		all[e.User] = append(all[e.User], e)
	}
	asked := map[string]int{}
	if len(req.Users) > 0 {
		names = nil
		for _, u := range req.Users {
			if asked[u.Name]++; !slices.Contains(names, u.Name) {
				names = append(names, u.Name)
			}
		}
	}
	for _, name := range names {
		resp.Results = append(resp.Results, describedUser(name, all[name], asked[name]))
	}
	return resp, nil
}

func describedUser(name string, entries []auth.Entry, asked int) kmsg.DescribeUserSCRAMCredentialsResponseResult {
	r := kmsg.NewDescribeUserSCRAMCredentialsResponseResult()
	r.User = name
	var err error
	switch {
	case asked > 1:
		err = withMessage(kerr.DuplicateResource, "user %s is asked for more than once", name)
	case len(entries) == 0:
		err = withMessage(kerr.ResourceNotFound, "there is no user %s with credentials", name)
	}
	if r.ErrorCode, r.ErrorMessage = code(err), message(err); err != nil {
		return r
	}
	for _, e := range entries {
		i := kmsg.NewDescribeUserSCRAMCredentialsResponseResultCredentialInfo()
		i.Mechanism, i.Iterations = e.Mechanism.ScramNumber(), int32(e.Credential.Iterations)
		r.CredentialInfos = append(r.CredentialInfos, i)
	}
	return r
}

// mayHandleUsers says why the client may not look at, or change, users.
func (c *call) mayHandleUsers(op acl.Operation) error {
	if !c.authorizeCluster(op) {
		return kerr.ClusterAuthorizationFailed
	}
	if c.opts.Users == nil {
		return fmt.Errorf("%w: no users are kept here", kerr.SecurityDisabled)
	}
	return nil
}
