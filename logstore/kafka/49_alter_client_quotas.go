package kafka

import (
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/quota"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// alterClientQuotas sets and removes limits (KIP-546). An entry with which anything is wrong changes nothing; others do.
func (c *call) alterClientQuotas(req *kmsg.AlterClientQuotasRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.AlterClientQuotasResponse)
	refused := c.mayHandleQuotas(acl.AlterConfigs)
	var changes []quota.Change
	errs := make([]error, len(req.Entries))
	for i := range req.Entries {
		change, err := quotaChange(&req.Entries[i])
		if errs[i] = refused; refused == nil {
			errs[i] = err
		}
		if errs[i] == nil {
			changes = append(changes, change)
		}
	}
	var failed error
	if len(changes) > 0 && !req.ValidateOnly {
		if _, failed = c.broker.Meta().Apply(c.ctx, quota.MachineName, quota.Encode(changes)); failed == nil {
			c.log.Info("quotas changed", "principal", c.principal(), "host", c.conn.id.host, "changes", changes)
		}
	}
	for i, err := range errs {
		if err == nil {
			err = failed
		}
		resp.Entries = append(resp.Entries, alteredQuota(&req.Entries[i], err))
	}
	return resp, nil
}

func quotaChange(r *kmsg.AlterClientQuotasRequestEntry) (quota.Change, error) {
	change := quota.Change{Limits: map[string]float64{}}
	for _, e := range r.Entity {
		part := entityPart(&change.Entity, e.Type)
		switch {
		case part == nil:
			return change, withMessage(kerr.InvalidRequest, "entity type %q is unknown; there are user, client-id and ip", e.Type)
		case part.Match != quota.Absent:
			return change, withMessage(kerr.InvalidRequest, "entity type %s is there twice", e.Type)
		case e.Name == nil:
			*part = quota.Rest
		default:
			*part = quota.Named(*e.Name)
		}
	}
	for _, op := range r.Ops {
		if _, twice := change.Limits[op.Key]; twice {
			return change, withMessage(kerr.InvalidRequest, "%s is there twice", op.Key)
		}
		if change.Limits[op.Key] = op.Value; op.Remove {
			change.Limits[op.Key] = 0
		} else if op.Value == 0 {
			return change, withMessage(kerr.InvalidRequest, "%s must be more than 0", op.Key)
		}
	}
	if err := change.Validate(); err != nil {
		return change, withMessage(kerr.InvalidRequest, "%v", err)
	}
	return change, nil
}

func alteredQuota(asked *kmsg.AlterClientQuotasRequestEntry, err error) kmsg.AlterClientQuotasResponseEntry {
	r := kmsg.NewAlterClientQuotasResponseEntry()
	r.ErrorCode, r.ErrorMessage = code(err), message(err)
	for _, e := range asked.Entity {
		re := kmsg.NewAlterClientQuotasResponseEntryEntity()
		re.Type, re.Name = e.Type, e.Name
		r.Entity = append(r.Entity, re)
	}
	return r
}
