package main

import (
	"errors"
	"os"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
)

func partitionCommand() *cli.Command {
	out := term.OutputFlag("table or json")
	topics := &cli.StringSliceFlag{Name: "topic", Usage: "`TOPIC` or TOPIC:PARTITION,…; may be repeated; all without"}
	return &cli.Command{
		Name: "partition", Usage: "list partitions, move them, elect their leaders",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "leaders, replicas and who is in sync", Action: partitionList, Flags: []cli.Flag{bootstrapFlag(), out, topics,
				&cli.BoolFlag{Name: "under-replicated", Usage: "only those with replicas out of sync"},
				&cli.BoolFlag{Name: "unavailable", Usage: "only those without a leader"},
				&cli.BoolFlag{Name: "not-preferred", Usage: "only those whose leader is not the first of their replicas"},
				&cli.BoolFlag{Name: "moving", Usage: "only those that are being moved"}}},
			{Name: "reassign", Usage: "give partitions other replicas, or cancel that; shows the moves until --execute", ArgsUsage: "TOPIC[:PARTITION,…]", Action: partitionReassign, Flags: []cli.Flag{bootstrapFlag(), out,
				&cli.StringFlag{Name: "replicas", Usage: "`IDS` such as 1,2,3; the first one is the preferred leader"},
				&cli.BoolFlag{Name: "cancel", Usage: "cancel moves that have not ended"},
				&cli.BoolFlag{Name: "wait", Usage: "wait until the moves have ended"}, executeFlag()}},
			{Name: "elect-leader", Aliases: []string{"elect"}, Usage: "make the first replica the leader again, or with --unclean any that is alive", Action: partitionElect, Flags: []cli.Flag{bootstrapFlag(), out, topics,
				&cli.BoolFlag{Name: "unclean", Usage: "where no replica in sync is alive, take one that may lack acknowledged records; needs --topic"}}},
			{Name: "balance", Usage: "how evenly partitions lie on brokers, and the moves that would even them out", Action: partitionBalance, Flags: []cli.Flag{bootstrapFlag(), out,
				&cli.BoolFlag{Name: "moves", Usage: "show the moves instead of the report"},
				&cli.BoolFlag{Name: "wait", Usage: "wait until the moves have ended"}, executeFlag()}},
		},
	}
}

// chosenTopics are the partitions that --topic or the arguments name, or all.
func chosenTopics(c *cli.Context, adm *kadm.Client, names []string) (kadm.TopicsSet, kadm.TopicDetails, error) {
	set, err := parseTopics(names)
	if err != nil {
		return nil, nil, err
	}
	if len(set) == 0 {
		all, err := adm.ListTopicsWithInternal(c.Context)
		if err != nil {
			return nil, nil, err
		}
		return all.TopicsSet(), all, nil
	}
	return resolveTopics(c, adm, set)
}

func partitionList(c *cli.Context) error {
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	set, topics, err := chosenTopics(c, adm, c.StringSlice("topic"))
	if err != nil {
		return err
	}
	moving := kadm.ListPartitionReassignmentsResponses{}
	if c.Bool("moving") {
		if moving, err = adm.ListPartitionReassignments(c.Context, nil); err != nil {
			return movesError(err)
		}
	}
	out := c.String("output")
	var rows [][]any
	for _, tp := range inOrder(set) {
		p := topics[tp.Topic].Partitions[tp.Partition]
		m, moves := moving[tp.Topic][tp.Partition]
		switch {
		case c.Bool("under-replicated") && len(p.ISR) >= len(p.Replicas),
			c.Bool("unavailable") && p.Leader >= 0,
			c.Bool("not-preferred") && (len(p.Replicas) == 0 || p.Leader == p.Replicas[0]),
			c.Bool("moving") && !moves:
			continue
		}
		row := []any{tp.Topic, tp.Partition, p.Leader, p.LeaderEpoch, nodes(out, p.Replicas), nodes(out, p.ISR)}
		if c.Bool("moving") {
			row = append(row, nodes(out, m.AddingReplicas), nodes(out, m.RemovingReplicas))
		}
		rows = append(rows, row)
	}
	header := []string{"topic", "partition", "leader", "epoch", "replicas", "in_sync"}
	if c.Bool("moving") {
		header = append(header, "adding", "removing")
	}
	return term.Rows(os.Stdout, out, header, rows)
}

func partitionElect(c *cli.Context) error {
	how, unclean := kadm.ElectPreferredReplica, c.Bool("unclean")
	if unclean {
		how = kadm.ElectLiveReplica
		if !c.IsSet("topic") {
			return term.Usage("--unclean may lose acknowledged records: name the partitions with --topic")
		}
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	set, _, err := chosenTopics(c, adm, c.StringSlice("topic"))
	if err != nil {
		return err
	}
	res, err := adm.ElectLeaders(c.Context, how, set)
	if err != nil {
		return usererr.New("ELECTION_REFUSED", "58000", "%v", err)
	}
	failed := 0
	var rows [][]any
	for _, tp := range inOrder(set) {
		r, ok := res[tp.Topic][tp.Partition]
		switch {
		case !ok, errors.Is(r.Err, kerr.ElectionNotNeeded):
			continue
		case r.Err != nil:
			failed++
			rows = append(rows, []any{tp.Topic, tp.Partition, errorText(r.Err, r.ErrMessage)})
		default:
			rows = append(rows, []any{tp.Topic, tp.Partition, "elected"})
		}
	}
	if err := term.Rows(os.Stdout, c.String("output"), []string{"topic", "partition", "result"}, rows); err != nil {
		return err
	}
	if failed > 0 {
		return usererr.New("ELECTION_REFUSED", "58000", "%d of %d elections failed.", failed, len(rows))
	}
	return nil
}

// errorText is a refusal's own words, or its code.
func errorText(err error, message string) string {
	if message != "" {
		return message
	}
	return err.Error()
}
