package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/tier"
)

func tierCommand() *cli.Command {
	out := term.OutputFlag("table or json")
	return &cli.Command{
		Name: "tier", Usage: "the cold tier: what it has of each topic, and whether that is sound",
		Subcommands: []*cli.Command{
			{Name: "status", Usage: "offsets in the cold tier and on the leader's disk", ArgsUsage: "[TOPIC…]", Action: tierStatus, Flags: []cli.Flag{bootstrapFlag(), out}},
			{Name: "verify", Usage: "read every object of the tier and compare it with its checksum; nodes may run", Action: tierVerify, Flags: []cli.Flag{out,
				&cli.StringFlag{Name: "config", Usage: "configuration `FILE` of a node, which says where the tier is"},
				&cli.StringFlag{Name: "data-dir", Usage: "its data directory"}}},
		},
	}
}

// tierStatus asks for the borders of each partition whose topic is given to the tier (KIP-405, KIP-1005).
func tierStatus(c *cli.Context) error {
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	names, err := tieredTopics(c, adm)
	if err != nil {
		return err
	}
	var columns []kadm.ListedOffsets
	for _, list := range []func(context.Context, ...string) (kadm.ListedOffsets, error){
		adm.ListStartOffsets, adm.ListLatestRemoteOffsets, adm.ListLocalLogStartOffsets, adm.ListEndOffsets,
	} {
		offsets := kadm.ListedOffsets{}
		if len(names) > 0 {
			if offsets, err = list(c.Context, names...); err != nil {
				return err
			}
		}
		columns = append(columns, offsets)
	}
	var rows [][]any
	for _, first := range columns[0].Offsets().Sorted() {
		row := []any{first.Topic, first.Partition}
		for _, offsets := range columns {
			o, _ := offsets.Lookup(first.Topic, first.Partition)
			if o.Err != nil {
				return topicError(first.Topic, o.Err)
			}
			row = append(row, o.Offset)
		}
		rows = append(rows, row)
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"topic", "partition", "start", "last in tier", "local start", "end"}, rows)
}

// tieredTopics are those of the topics asked for, or of all, that are given to the tier.
func tieredTopics(c *cli.Context, adm *kadm.Client) (names []string, err error) {
	topics, err := adm.ListTopics(c.Context, c.Args().Slice()...)
	if err != nil {
		return nil, err
	}
	for _, t := range topics.Sorted() {
		if t.Err != nil {
			return nil, topicError(t.Topic, t.Err)
		}
	}
	if len(topics) == 0 {
		return nil, nil
	}
	configs, err := adm.DescribeTopicConfigs(c.Context, topics.Names()...)
	if err != nil {
		return nil, err
	}
	for _, rc := range configs {
		if slices.ContainsFunc(rc.Configs, func(k kadm.Config) bool { return k.Key == "remote.storage.enable" && k.MaybeValue() == "true" }) {
			names = append(names, rc.Name)
		}
	}
	return names, nil
}

func tierVerify(c *cli.Context) error {
	if c.NArg() > 0 {
		return usage("tier verify takes no arguments, got %q", c.Args().First())
	}
	conf, err := nodeConfig(c)
	if err != nil {
		return err
	}
	conf.Tier.Enabled = true
	o, err := tierOptions(conf)
	if err != nil {
		return err
	}
	report, err := tier.Verify(c.Context, o.Store)
	if err != nil {
		return err
	}
	names := tier.TopicNames(filepath.Join(conf.DataDir, "tier-local"))
	var rows [][]any
	var damage []string
	for _, r := range report {
		name := names[r.Topic]
		if name == "" {
			name = r.Topic.String()
		}
		rows = append(rows, []any{name, r.Partition, r.Start, r.Next, r.Objects, r.Records, r.Bytes, r.Garbage, len(r.Damage)})
		for _, d := range r.Damage {
			damage = append(damage, d.Error())
		}
	}
	if err := term.Rows(os.Stdout, c.String("output"), []string{"topic", "partition", "start", "next", "objects", "records", "bytes", "garbage", "damaged"}, rows); err != nil {
		return err
	}
	if len(damage) > 0 {
		fmt.Fprintln(os.Stderr, strings.Join(damage, "\n"))
		return usererr.New("CORRUPT_OBJECT", "XX001", "%d objects of the cold tier are damaged.", len(damage)).WithFix("Restore them from a copy.")
	}
	return nil
}
