package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// describeACLs lists the bindings that a filter selects, by resource (KIP-140, KIP-290).
func (c *call) describeACLs(req *kmsg.DescribeACLsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeACLsResponse)
	f := acl.Filter{Type: acl.ResourceType(req.ResourceType), Name: deref(req.ResourceName), Pattern: acl.Pattern(req.ResourcePatternType),
		Principal: deref(req.Principal), Host: deref(req.Host), Operation: acl.Operation(req.Operation), Permission: acl.Permission(req.PermissionType)}
	err := c.mayHandleACLs(acl.Describe)
	if err == nil {
		err = validFilter(f)
	}
	if err != nil {
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		return resp, nil
	}
	for _, b := range c.opts.ACLs.List(f) {
		last := len(resp.Resources) - 1
		if last < 0 || !sameResource(&resp.Resources[last], b) {
			r := kmsg.NewDescribeACLsResponseResource()
			r.ResourceType, r.ResourceName, r.ResourcePatternType = kmsg.ACLResourceType(b.Type), b.Name, kmsg.ACLResourcePatternType(b.Pattern)
			resp.Resources = append(resp.Resources, r)
			last++
		}
		e := kmsg.NewDescribeACLsResponseResourceACL()
		e.Principal, e.Host, e.Operation, e.PermissionType = b.Principal.String(), b.Host, kmsg.ACLOperation(b.Operation), kmsg.ACLPermissionType(b.Permission)
		resp.Resources[last].ACLs = append(resp.Resources[last].ACLs, e)
	}
	return resp, nil
}

func sameResource(r *kmsg.DescribeACLsResponseResource, b acl.Binding) bool {
	return acl.ResourceType(r.ResourceType) == b.Type && r.ResourceName == b.Name && acl.Pattern(r.ResourcePatternType) == b.Pattern
}

// mayHandleACLs says why the client may not look at, or change, access control lists.
func (c *call) mayHandleACLs(op acl.Operation) error {
	switch {
	case !c.authorizeCluster(op):
		return kerr.ClusterAuthorizationFailed
	case c.opts.ACLs == nil || c.opts.Authorizer == nil:
		return withMessage(kerr.SecurityDisabled, "access control lists are not enforced here: security.acl.enabled is false")
	}
	return nil
}

// validFilter refuses what is unknown in a filter.
func validFilter(f acl.Filter) error {
	if err := f.Validate(); err != nil {
		return withMessage(kerr.InvalidRequest, "%v", err)
	}
	return nil
}
