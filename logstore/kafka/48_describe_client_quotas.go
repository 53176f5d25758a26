package kafka

import (
	"fmt"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/quota"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// describeClientQuotas lists the limits of the entities that a filter selects (KIP-546).
func (c *call) describeClientQuotas(req *kmsg.DescribeClientQuotasRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeClientQuotasResponse)
	err := c.mayHandleQuotas(acl.DescribeConfigs)
	var f quotaFilter
	if err == nil {
		f, err = newQuotaFilter(req)
	}
	if err != nil {
		resp.ErrorCode, resp.ErrorMessage = code(err), message(err)
		return resp, nil
	}
	for _, e := range c.opts.Quotas.Limits().Entries() {
		if f.selects(e.Entity) {
			resp.Entries = append(resp.Entries, quotaEntry(e))
		}
	}
	return resp, nil
}

// mayHandleQuotas says why the client may not look at, or change, quotas.
func (c *call) mayHandleQuotas(op acl.Operation) error {
	if !c.authorizeCluster(op) {
		return kerr.ClusterAuthorizationFailed
	}
	if c.opts.Quotas == nil {
		return fmt.Errorf("%w: no quotas are kept here", kerr.UnsupportedVersion)
	}
	return nil
}

// Names of an entity's parts.
const (
	entityUser   = "user"
	entityClient = "client-id"
	entityIP     = "ip"
)

var entityTypes = []string{entityUser, entityClient, entityIP}

// entityPart is the part of an entity with a name; nil for an unknown one.
func entityPart(e *quota.Entity, typ string) *quota.Part {
	switch typ {
	case entityUser:
		return &e.User
	case entityClient:
		return &e.Client
	case entityIP:
		return &e.IP
	}
	return nil
}

// quotaFilter selects entities: each named part must match, and in a strict filter there must be no other.
type quotaFilter struct {
	parts  map[string]kmsg.DescribeClientQuotasRequestComponent
	strict bool
}

func newQuotaFilter(req *kmsg.DescribeClientQuotasRequest) (quotaFilter, error) {
	f := quotaFilter{parts: map[string]kmsg.DescribeClientQuotasRequestComponent{}, strict: req.Strict}
	for _, p := range req.Components {
		_, twice := f.parts[p.EntityType]
		switch {
		case entityPart(&quota.Entity{}, p.EntityType) == nil:
			return f, withMessage(kerr.UnsupportedVersion, "entity type %q is unknown; there are user, client-id and ip", p.EntityType)
		case twice:
			return f, withMessage(kerr.InvalidRequest, "entity type %s is there twice", p.EntityType)
		case p.MatchType < kmsg.QuotasMatchTypeExact || p.MatchType > kmsg.QuotasMatchTypeAny:
			return f, withMessage(kerr.InvalidRequest, "match type %d is unknown", p.MatchType)
		case p.MatchType == kmsg.QuotasMatchTypeExact && p.Match == nil:
			return f, withMessage(kerr.InvalidRequest, "an exact match of %s wants a name", p.EntityType)
		}
		f.parts[p.EntityType] = p
	}
	return f, nil
}

func (f quotaFilter) selects(e quota.Entity) bool {
	for _, typ := range entityTypes {
		part := *entityPart(&e, typ)
		want, asked := f.parts[typ]
		switch {
		case !asked:
			if f.strict && part.Match != quota.Absent {
				return false
			}
		case part.Match == quota.Absent,
			want.MatchType == kmsg.QuotasMatchTypeExact && part != quota.Named(deref(want.Match)),
			want.MatchType == kmsg.QuotasMatchTypeDefault && part != quota.Rest:
			return false
		}
	}
	return true
}

func quotaEntry(e quota.Entry) kmsg.DescribeClientQuotasResponseEntry {
	r := kmsg.NewDescribeClientQuotasResponseEntry()
	for _, typ := range entityTypes {
		part := *entityPart(&e.Entity, typ)
		if part.Match == quota.Absent {
			continue
		}
		re := kmsg.NewDescribeClientQuotasResponseEntryEntity()
		re.Type = typ
		if part.Match == quota.Exact {
			re.Name = &part.Name
		}
		r.Entity = append(r.Entity, re)
	}
	for k, v := range e.Values {
		if v > 0 {
			rv := kmsg.NewDescribeClientQuotasResponseEntryValue()
			rv.Key, rv.Value = quota.Keys[k], v
			r.Values = append(r.Values, rv)
		}
	}
	return r
}
