package main

import (
	"errors"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
)

func topicCommand() *cli.Command {
	out := term.OutputFlag("table or json")
	return &cli.Command{
		Name: "topic", Usage: "create, list, describe, change and delete topics",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "all topics", Action: topicList, Flags: []cli.Flag{bootstrapFlag(), out,
				&cli.BoolFlag{Name: "internal", Usage: "the cluster's own topics too"}}},
			{Name: "create", Usage: "create a topic", ArgsUsage: "TOPIC", Action: topicCreate, Flags: []cli.Flag{bootstrapFlag(),
				&cli.IntFlag{Name: "partitions", Aliases: []string{"p"}, Value: -1, Usage: "number of partitions; the node's default without"},
				&cli.IntFlag{Name: "replication-factor", Aliases: []string{"r"}, Value: -1, Usage: "brokers that hold each partition; the cluster's default without"},
				&cli.StringSliceFlag{Name: "config", Usage: "`KEY=VALUE`, may be repeated"},
				&cli.StringFlag{Name: "schema", Usage: "columns as `DDL`: \"ts TIMESTAMP, amount DOUBLE\""},
				&cli.StringFlag{Name: "format", Usage: "json, arrow or raw"},
				&cli.BoolFlag{Name: "if-not-exists", Usage: "succeed when it is there already"}}},
			{Name: "describe", Usage: "partitions, replicas, offsets and configuration of a topic", ArgsUsage: "TOPIC", Flags: []cli.Flag{bootstrapFlag(), out}, Action: topicDescribe},
			{Name: "alter", Usage: "change a topic's configuration, or give it more partitions", ArgsUsage: "TOPIC", Action: topicAlter, Flags: []cli.Flag{bootstrapFlag(),
				&cli.IntFlag{Name: "partitions", Aliases: []string{"p"}, Usage: "so many partitions, more than there are"},
				&cli.StringSliceFlag{Name: "config", Usage: "`KEY=VALUE`, may be repeated; KEY= goes back to the default"}}},
			{Name: "seal", Usage: "end a topic: it takes no more records, and queries over it finish", ArgsUsage: "TOPIC", Flags: []cli.Flag{bootstrapFlag()}, Action: topicSeal},
			{Name: "delete-records", Usage: "delete the oldest records of a topic; shows what would go until --execute", ArgsUsage: "TOPIC[:PARTITION,…]", Action: topicDeleteRecords, Flags: []cli.Flag{bootstrapFlag(), out,
				&cli.StringFlag{Name: "before", Required: true, Usage: "an `OFFSET`, a time (RFC 3339), or end for all"}, executeFlag()}},
			topicSegmentsCommand(),
			{Name: "delete", Usage: "delete a topic and its records", ArgsUsage: "TOPIC", Flags: []cli.Flag{bootstrapFlag()}, Action: topicDelete},
		},
	}
}

// oneArg is a command's single argument.
func oneArg(c *cli.Context, what string) (string, error) {
	if c.NArg() != 1 {
		return "", term.Usage("%s takes one %s, got %d arguments", commandName(c), what, c.NArg())
	}
	return c.Args().First(), nil
}

// topicList counts offsets, not records: the marks that end transactions have offsets too.
func topicList(c *cli.Context) error {
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	list := adm.ListTopics
	if c.Bool("internal") {
		list = adm.ListTopicsWithInternal
	}
	topics, err := list(c.Context)
	if err != nil {
		return err
	}
	ends, err := adm.ListEndOffsets(c.Context, topics.Names()...)
	if err != nil {
		return err
	}
	starts, err := adm.ListStartOffsets(c.Context, topics.Names()...)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, t := range topics.Sorted() {
		var n int64
		replicas := 0
		for _, p := range t.Partitions {
			n += ends[t.Topic][p.Partition].Offset - starts[t.Topic][p.Partition].Offset
			replicas = max(replicas, len(p.Replicas))
		}
		rows = append(rows, []any{t.Topic, len(t.Partitions), replicas, n})
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"topic", "partitions", "replicas", "offsets"}, rows)
}

func topicCreate(c *cli.Context) error {
	name, err := oneArg(c, "topic")
	if err != nil {
		return err
	}
	configs, err := keyValues(c.StringSlice("config"))
	if err != nil {
		return err
	}
	for flag, key := range map[string]string{"schema": "streamflow.schema", "format": "streamflow.format"} {
		if v := c.String(flag); v != "" {
			configs[key] = &v
		}
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	res, err := adm.CreateTopic(c.Context, int32(c.Int("partitions")), int16(c.Int("replication-factor")), configs, name)
	if err == nil {
		err = res.Err
	}
	if c.Bool("if-not-exists") && errors.Is(err, kerr.TopicAlreadyExists) {
		return nil
	}
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return usererr.New("TOPIC_ALREADY_EXISTS", "42P07", "There is a topic %s already.", name).WithFix("Take another name, or --if-not-exists.")
	}
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		return topicError(name, err)
	}
	if err != nil && res.ErrMessage != "" {
		return term.Usage("topic %s: %s", name, res.ErrMessage)
	}
	return topicError(name, err)
}

// keyValues reads KEY=VALUE flags.
func keyValues(list []string) (map[string]*string, error) {
	out := map[string]*string{}
	for _, kv := range list {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return nil, term.Usage("--config takes KEY=VALUE, not %q", kv)
		}
		out[k] = &v
	}
	return out, nil
}

func topicDescribe(c *cli.Context) error {
	name, err := oneArg(c, "topic")
	if err != nil {
		return err
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	topics, err := adm.ListTopics(c.Context, name)
	if err == nil {
		err = topics[name].Err
	}
	if err != nil {
		return topicError(name, err)
	}
	if c.String("output") != "json" {
		if err := describeConfigs(c, adm, name); err != nil {
			return err
		}
	}
	starts, err := adm.ListStartOffsets(c.Context, name)
	if err != nil {
		return err
	}
	stable, err := adm.ListCommittedOffsets(c.Context, name)
	if err != nil {
		return err
	}
	ends, err := adm.ListEndOffsets(c.Context, name)
	if err != nil {
		return err
	}
	var rows [][]any
	out := c.String("output")
	for _, p := range topics[name].Partitions.Sorted() {
		rows = append(rows, []any{p.Partition, p.Leader, p.LeaderEpoch, nodes(out, p.Replicas), nodes(out, p.ISR), starts[name][p.Partition].Offset, stable[name][p.Partition].Offset, ends[name][p.Partition].Offset})
	}
	return term.Rows(os.Stdout, out, []string{"partition", "leader", "epoch", "replicas", "in_sync", "start", "stable", "end"}, rows)
}

func describeConfigs(c *cli.Context, adm *kadm.Client, name string) error {
	res, err := adm.DescribeTopicConfigs(c.Context, name)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, r := range res {
		for _, k := range r.Configs {
			rows = append(rows, []any{k.Key, k.MaybeValue(), sourceName(k.Source)})
		}
	}
	return term.Rows(os.Stdout, "table", []string{"config", "value", "source"}, rows)
}

// sourceName is where a config's value comes from.
func sourceName(s kmsg.ConfigSource) string { return strings.ToLower(s.String()) }

func topicAlter(c *cli.Context) error {
	name, err := oneArg(c, "topic")
	if err != nil {
		return err
	}
	configs, err := keyValues(c.StringSlice("config"))
	if err != nil {
		return err
	}
	if len(configs) == 0 && !c.IsSet("partitions") {
		return term.Usage("topic alter needs at least one --config KEY=VALUE, or --partitions")
	}
	if c.IsSet("partitions") {
		if err := addPartitions(c, name); err != nil {
			return err
		}
	}
	if len(configs) == 0 {
		return nil
	}
	return alter(c, name, configs)
}

func topicSeal(c *cli.Context) error {
	name, err := oneArg(c, "topic")
	if err != nil {
		return err
	}
	sealed := "true"
	return alter(c, name, map[string]*string{"streamflow.sealed": &sealed})
}

func alter(c *cli.Context, name string, configs map[string]*string) error {
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	var changes []kadm.AlterConfig
	for k, v := range configs {
		op := kadm.SetConfig
		if *v == "" {
			op = kadm.DeleteConfig
		}
		changes = append(changes, kadm.AlterConfig{Op: op, Name: k, Value: v})
	}
	res, err := adm.AlterTopicConfigs(c.Context, changes, name)
	if err != nil {
		return err
	}
	for _, r := range res {
		if r.Err != nil && r.ErrMessage != "" {
			return term.Usage("topic %s: %s", name, r.ErrMessage)
		}
		if r.Err != nil {
			return topicError(name, r.Err)
		}
	}
	return nil
}

func topicDelete(c *cli.Context) error {
	name, err := oneArg(c, "topic")
	if err != nil {
		return err
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	res, err := adm.DeleteTopic(c.Context, name)
	if err == nil {
		err = res.Err
	}
	return topicError(name, err)
}
