package kafka

import (
	"slices"
	"strings"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c *call) listGroups(req *kmsg.ListGroupsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ListGroupsResponse)
	all := c.mayQuietly(acl.Describe, acl.Cluster, acl.ClusterName)
	for _, name := range c.groupNames() {
		if !all && !c.mayQuietly(acl.Describe, acl.Group, name) {
			continue
		}
		g := kmsg.NewListGroupsResponseGroup()
		g.Group, g.GroupType = name, "classic"
		d, err := c.groups.describe(name)
		if g.GroupState = d.state(); err != nil {
			continue // its coordinator lists it
		}
		switch {
		case d.classic != nil && d.classic.ProtocolType != "":
			g.ProtocolType = d.classic.ProtocolType
		case d.consumer != nil:
			g.ProtocolType, g.GroupType = "consumer", "consumer"
		case d.share != nil || c.broker.HasShareGroup(name):
			g.ProtocolType, g.GroupType = "share", "share"
		}
		if wanted(req.StatesFilter, g.GroupState) && wanted(req.TypesFilter, g.GroupType) {
			resp.Groups = append(resp.Groups, g)
		}
	}
	return resp, nil
}

func wanted(filter []string, v string) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f string) bool { return strings.EqualFold(f, v) })
}

// groupNames is every group that has a member or an offset, or had a member.
func (c *call) groupNames() []string {
	names := append(c.groups.names(), c.broker.GroupsWithOffsets()...)
	names = append(names, c.broker.ShareGroups()...)
	slices.Sort(names)
	return slices.Compact(names)
}
