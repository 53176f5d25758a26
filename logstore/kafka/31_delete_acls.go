package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// deleteACLs removes what each filter selects, all in one command.
func (c *call) deleteACLs(req *kmsg.DeleteACLsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DeleteACLsResponse)
	refused := c.mayHandleACLs(acl.Alter)
	var filters []acl.Filter
	for _, r := range req.Filters {
		f := acl.Filter{Type: acl.ResourceType(r.ResourceType), Name: deref(r.ResourceName), Pattern: acl.Pattern(r.ResourcePatternType),
			Principal: deref(r.Principal), Host: deref(r.Host), Operation: acl.Operation(r.Operation), Permission: acl.Permission(r.PermissionType)}
		filters = append(filters, f)
		if refused == nil {
			refused = validFilter(f)
		}
	}
	var removed [][]acl.Binding
	if refused == nil && len(filters) > 0 {
		var out []byte
		if out, refused = c.changeACLs(acl.Command{Remove: filters}); refused == nil {
			removed, refused = acl.DecodeRemoved(out)
		}
	}
	for i := range filters {
		r := kmsg.NewDeleteACLsResponseResult()
		if r.ErrorCode, r.ErrorMessage = code(refused), message(refused); refused == nil {
			r.MatchingACLs = removedACLs(removed[i])
		}
		resp.Results = append(resp.Results, r)
	}
	return resp, nil
}

func removedACLs(bindings []acl.Binding) []kmsg.DeleteACLsResponseResultMatchingACL {
	var out []kmsg.DeleteACLsResponseResultMatchingACL
	for _, b := range bindings {
		m := kmsg.NewDeleteACLsResponseResultMatchingACL()
		m.ResourceType, m.ResourceName, m.ResourcePatternType = kmsg.ACLResourceType(b.Type), b.Name, kmsg.ACLResourcePatternType(b.Pattern)
		m.Principal, m.Host, m.Operation, m.PermissionType = b.Principal.String(), b.Host, kmsg.ACLOperation(b.Operation), kmsg.ACLPermissionType(b.Permission)
		out = append(out, m)
	}
	return out
}
