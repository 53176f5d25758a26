package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
)

func groupCommand() *cli.Command {
	out := term.OutputFlag("table or json")
	return &cli.Command{
		Name: "group", Usage: "list, describe and delete consumer groups, and move their offsets",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "all groups", Action: groupList, Flags: []cli.Flag{bootstrapFlag(), out,
				&cli.StringSliceFlag{Name: "state", Usage: "only groups in this `STATE`, such as Stable or Empty; may be repeated"}}},
			{Name: "describe", Usage: "a group's offsets and how far they lag behind, or its members", ArgsUsage: "GROUP", Action: groupDescribe, Flags: []cli.Flag{bootstrapFlag(), out,
				&cli.BoolFlag{Name: "members", Usage: "the members and what they are assigned, instead of offsets"}}},
			{Name: "reset-offsets", Usage: "move the offsets of a group that has no members; shows what it would do until --execute", ArgsUsage: "GROUP", Action: groupReset, Flags: []cli.Flag{bootstrapFlag(), out,
				&cli.StringSliceFlag{Name: "topic", Usage: "`TOPIC` or TOPIC:PARTITION,…; may be repeated; all that the group has offsets of without"},
				&cli.BoolFlag{Name: "to-earliest", Usage: "to the beginning"},
				&cli.BoolFlag{Name: "to-latest", Usage: "to the end"},
				&cli.StringFlag{Name: "to-datetime", Usage: "to the first record at or after this `TIME` (RFC 3339)"},
				&cli.Int64Flag{Name: "to-offset", Usage: "to this `OFFSET`"},
				&cli.Int64Flag{Name: "shift-by", Usage: "by so many records from where it stands; a negative `N` goes back"},
				executeFlag()}},
			{Name: "delete", Usage: "delete groups that have no members, with their offsets", ArgsUsage: "GROUP…", Action: groupDelete, Flags: []cli.Flag{bootstrapFlag()}},
			{Name: "delete-offsets", Usage: "forget a group's offsets of topics that it does not read", ArgsUsage: "GROUP", Action: groupDeleteOffsets, Flags: []cli.Flag{bootstrapFlag(),
				&cli.StringSliceFlag{Name: "topic", Usage: "`TOPIC` or TOPIC:PARTITION,…; may be repeated", Required: true}}},
		},
	}
}

// member is one of a group, of either protocol.
type member struct {
	id, instance, client, host string
	epoch                      int32
	assigned                   kadm.TopicsSet
}

// groupView is a group of either protocol.
type groupView struct {
	name, protocol, state, assignor string
	coordinator                     int32
	members                         []member
}

// describeGroup asks by both protocols: a coordinator answers for a group of the other one that it does not know it.
func describeGroup(ctx context.Context, adm *kadm.Client, name string) (groupView, error) {
	next, err := adm.DescribeConsumerGroups(ctx, name)
	if g, ok := next[name]; err == nil && ok && g.Err == nil {
		return nextView(g), nil
	}
	classic, err := adm.DescribeGroups(ctx, name)
	if err != nil {
		return groupView{}, err
	}
	g := classic[name]
	if g.Err != nil || g.State == "Dead" && len(g.Members) == 0 {
		return groupView{}, groupError(name, cmp.Or[error](g.Err, kerr.GroupIDNotFound))
	}
	v := groupView{name: name, protocol: "classic", state: g.State, assignor: g.Protocol, coordinator: g.Coordinator.NodeID}
	for _, m := range g.Members {
		x := member{id: m.MemberID, client: m.ClientID, host: host(m.ClientHost), assigned: kadm.TopicsSet{}}
		if m.InstanceID != nil {
			x.instance = *m.InstanceID
		}
		if a, ok := m.Assigned.AsConsumer(); ok {
			for _, t := range a.Topics {
				x.assigned.Add(t.Topic, t.Partitions...)
			}
		}
		v.members = append(v.members, x)
	}
	return v, nil
}

func nextView(g kadm.DescribedConsumerGroup) groupView {
	v := groupView{name: g.Group, protocol: "consumer", state: g.State, assignor: g.AssignorName, coordinator: g.Coordinator.NodeID}
	for _, m := range g.Members {
		x := member{id: m.MemberID, client: m.ClientID, host: host(m.ClientHost), epoch: m.MemberEpoch, assigned: m.Assignment}
		if m.InstanceID != nil {
			x.instance = *m.InstanceID
		}
		v.members = append(v.members, x)
	}
	return v
}

// host is a member's host as Kafka writes it, without the slash.
func host(s string) string { return strings.TrimPrefix(s, "/") }

// groupError says of a refusal which group it was about, and what to do.
func groupError(group string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kerr.GroupIDNotFound):
		return usererr.New("UNKNOWN_GROUP", "42704", "There is no group %s.", group).WithFix("See streamflow group list.")
	case errors.Is(err, kerr.NonEmptyGroup), errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.GroupSubscribedToTopic):
		return usererr.New("GROUP_IN_USE", "55006", "Group %s has members.", group).WithFix("Stop its consumers first; streamflow group describe %s --members shows them.", group)
	}
	return usererr.New("GROUP_REFUSED", "58000", "%v", err).In("group " + group)
}

func groupList(c *cli.Context) error {
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	list, err := adm.ListGroups(c.Context, c.StringSlice("state")...)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, g := range list.Sorted() {
		protocol, members := g.ProtocolType, 0
		if v, err := describeGroup(c.Context, adm, g.Group); err == nil {
			protocol, members = v.protocol, len(v.members)
		}
		rows = append(rows, []any{g.Group, protocol, g.State, members, g.Coordinator})
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"group", "protocol", "state", "members", "coordinator"}, rows)
}

func groupDelete(c *cli.Context) error {
	if c.NArg() == 0 {
		return term.Usage("group delete takes at least one group")
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	res, err := adm.DeleteGroups(c.Context, c.Args().Slice()...)
	if err != nil {
		return err
	}
	for _, g := range slices.Compact(c.Args().Slice()) {
		if err := groupError(g, res[g].Err); err != nil {
			return err
		}
	}
	return nil
}

func groupDeleteOffsets(c *cli.Context) error {
	name, err := oneArg(c, "group")
	if err != nil {
		return err
	}
	set, err := parseTopics(c.StringSlice("topic"))
	if err != nil {
		return err
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	if set, _, err = resolveTopics(c, adm, set); err != nil {
		return err
	}
	res, err := adm.DeleteOffsets(c.Context, name, set)
	if err == nil {
		err = res.Error()
	}
	return groupError(name, err)
}
