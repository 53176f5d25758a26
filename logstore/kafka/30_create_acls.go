package kafka

import (
	"errors"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// createACLs adds the bindings that are sound, all in one command, and says of each other what it lacks.
func (c *call) createACLs(req *kmsg.CreateACLsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.CreateACLsResponse)
	refused := c.mayHandleACLs(acl.Alter)
	var add []acl.Binding
	errs := make([]error, len(req.Creations))
	for i := range req.Creations {
		b, err := newBinding(&req.Creations[i])
		if errs[i] = refused; refused == nil {
			errs[i] = err
		}
		if errs[i] == nil {
			add = append(add, b)
		}
	}
	var failed error
	if len(add) > 0 {
		_, failed = c.changeACLs(acl.Command{Add: add})
	}
	for _, err := range errs {
		r := kmsg.NewCreateACLsResponseResult()
		if err == nil {
			err = failed
		}
		r.ErrorCode, r.ErrorMessage = code(err), message(err)
		resp.Results = append(resp.Results, r)
	}
	return resp, nil
}

func newBinding(r *kmsg.CreateACLsRequestCreation) (acl.Binding, error) {
	b := acl.Binding{Type: acl.ResourceType(r.ResourceType), Name: r.ResourceName, Pattern: acl.Pattern(r.ResourcePatternType),
		Host: r.Host, Operation: acl.Operation(r.Operation), Permission: acl.Permission(r.PermissionType)}
	var err error
	if b.Principal, err = acl.ParsePrincipal(r.Principal); err == nil {
		err = b.Validate()
	}
	if err != nil {
		return b, withMessage(kerr.InvalidRequest, "%v", err)
	}
	return b, nil
}

func init() { meta.RegisterError("acl.too_many", acl.ErrTooMany) }

// changeACLs carries a command out, and logs that it was.
func (c *call) changeACLs(cmd acl.Command) ([]byte, error) {
	out, err := c.broker.Meta().Apply(c.ctx, acl.MachineName, cmd.Encode())
	if errors.Is(err, acl.ErrTooMany) {
		return nil, withMessage(kerr.PolicyViolation, "%v", err)
	}
	if err == nil {
		c.log.Info("access control lists changed", "principal", c.principal(), "host", c.conn.id.host, "added", cmd.Add, "removed", cmd.Remove)
	}
	return out, err
}
