package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
)

func groupDescribe(c *cli.Context) error {
	name, err := oneArg(c, "group")
	if err != nil {
		return err
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	g, err := describeGroup(c.Context, adm, name)
	if err != nil {
		return err
	}
	if c.String("output") != "json" {
		fmt.Printf("group %s: %s, %d members, protocol %s%s, coordinator %d\n", name, g.state, len(g.members), g.protocol, withComma(g.assignor), g.coordinator)
	}
	if c.Bool("members") {
		return describeMembers(c, g)
	}
	return describeLag(c, adm, g)
}

func withComma(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}

func describeMembers(c *cli.Context, g groupView) error {
	var rows [][]any
	for _, m := range g.members {
		rows = append(rows, []any{m.id, m.instance, m.client, m.host, m.epoch, assignedText(m.assigned)})
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"member", "instance", "client", "host", "epoch", "assigned"}, rows)
}

// assignedText is a set as the --topic flags take it: t:0,1 u:3.
func assignedText(set kadm.TopicsSet) string {
	var topics []string
	for topic, parts := range set {
		var ids []int32
		for p := range parts {
			ids = append(ids, p)
		}
		slices.Sort(ids)
		topics = append(topics, fmt.Sprintf("%s:%s", topic, nodes("table", ids)))
	}
	slices.Sort(topics)
	return strings.Join(topics, " ")
}

// describeLag shows each partition that the group has an offset of or that a member reads. A lag counts offsets.
func describeLag(c *cli.Context, adm *kadm.Client, g groupView) error {
	commits, err := adm.FetchOffsets(c.Context, g.name)
	if err != nil {
		return groupError(g.name, err)
	}
	set, owner := kadm.TopicsSet{}, map[kadm.Partition]member{}
	commits.Each(func(o kadm.OffsetResponse) {
		if o.Err == nil && o.At >= 0 {
			set.Add(o.Topic, o.Partition)
		}
	})
	for _, m := range g.members {
		m.assigned.Each(func(topic string, p int32) {
			set.Add(topic, p)
			owner[kadm.Partition{Topic: topic, Partition: p}] = m
		})
	}
	ends := kadm.ListedOffsets{}
	if len(set) > 0 {
		if ends, err = adm.ListEndOffsets(c.Context, set.Topics()...); err != nil {
			return err
		}
	}
	var rows [][]any
	for _, tp := range inOrder(set) {
		end, ok := ends.Lookup(tp.Topic, tp.Partition)
		var at, endAt, lag any
		if ok && end.Err == nil {
			endAt = end.Offset
		}
		if o, found := commits.Lookup(tp.Topic, tp.Partition); found && o.At >= 0 {
			if at = o.At; endAt != nil {
				lag = max(0, end.Offset-o.At)
			}
		}
		m := owner[tp]
		rows = append(rows, []any{tp.Topic, tp.Partition, orDash(c, at), orDash(c, endAt), orDash(c, lag), m.id, m.client, m.host})
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"topic", "partition", "committed", "end", "lag", "member", "client", "host"}, rows)
}

// orDash is a value that may not be known: a dash for people, null in JSON.
func orDash(c *cli.Context, v any) any {
	if v == nil && c.String("output") != "json" {
		return "-"
	}
	return v
}
