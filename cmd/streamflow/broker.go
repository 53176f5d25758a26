package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
)

func brokerCommand() *cli.Command {
	out := term.OutputFlag("table or json")
	return &cli.Command{
		Name: "broker", Usage: "list, describe, empty and remove the brokers of a cluster",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "all brokers, and what each holds", Action: brokerList, Flags: []cli.Flag{bootstrapFlag(), out}},
			{Name: "describe", Usage: "a broker's configuration, or with --logs what its partitions take on disk", ArgsUsage: "ID", Action: brokerDescribe, Flags: []cli.Flag{bootstrapFlag(), out,
				&cli.BoolFlag{Name: "logs", Usage: "the partitions on its disk and their bytes"}}},
			{Name: "drain", Usage: "move everything off a broker: leaderships at once, then replicas; shows the moves until --execute", ArgsUsage: "ID", Action: brokerDrain, Flags: []cli.Flag{bootstrapFlag(), out, executeFlag(),
				&cli.BoolFlag{Name: "wait", Usage: "wait until it is empty"},
				&cli.BoolFlag{Name: "undo", Usage: "let it have partitions again"}}},
			{Name: "remove", Usage: "forget a broker that is empty and stopped for good", ArgsUsage: "ID", Action: brokerRemove, Flags: []cli.Flag{bootstrapFlag()}},
		},
	}
}

// brokerArg is a command's single argument, a broker's id.
func brokerArg(c *cli.Context) (int32, error) {
	s, err := oneArg(c, "broker id")
	if err != nil {
		return 0, err
	}
	id, err := strconv.ParseInt(s, 10, 32)
	if err != nil || id < 0 {
		return 0, term.Usage("%s takes a broker's id, not %q", commandName(c), s)
	}
	return int32(id), nil
}

// brokerRow is a broker as DescribeCluster tells of it.
type brokerRow struct {
	id     int32
	addr   string
	rack   string
	fenced bool
}

// clusterBrokers asks for all brokers, fenced ones too where the cluster tells of them.
func clusterBrokers(ctx context.Context, cl *kgo.Client) (list []brokerRow, controller int32, err error) {
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeFencedBrokers = true
	res, err := req.RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(res.ErrorCode)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("describe the cluster: %w", err)
	}
	for _, b := range res.Brokers {
		row := brokerRow{id: b.NodeID, addr: fmt.Sprintf("%s:%d", b.Host, b.Port), fenced: b.IsFenced}
		if b.Rack != nil {
			row.rack = *b.Rack
		}
		list = append(list, row)
	}
	slices.SortFunc(list, func(a, b brokerRow) int { return int(a.id - b.id) })
	return list, res.ControllerID, nil
}

func brokerList(c *cli.Context) error {
	cl, err := connect(c.Context, c)
	if err != nil {
		return err
	}
	defer cl.Close()
	list, controller, err := clusterBrokers(c.Context, cl)
	if err != nil {
		return err
	}
	topics, err := kadm.NewClient(cl).ListTopicsWithInternal(c.Context)
	if err != nil {
		return err
	}
	leads, holds, out := map[int32]int{}, map[int32]int{}, map[int32]int{}
	topics.EachPartition(func(p kadm.PartitionDetail) {
		leads[p.Leader]++
		for _, id := range p.Replicas {
			holds[id]++
			if !slices.Contains(p.ISR, id) {
				out[id]++
			}
		}
	})
	var rows [][]any
	for _, b := range list {
		state := "running"
		if b.fenced {
			state = "fenced"
		}
		rows = append(rows, []any{b.id, b.addr, b.rack, state, b.id == controller, leads[b.id], holds[b.id], out[b.id]})
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"id", "address", "rack", "state", "controller", "leads", "replicas", "out_of_sync"}, rows)
}

func brokerDescribe(c *cli.Context) error {
	id, err := brokerArg(c)
	if err != nil {
		return err
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	if c.Bool("logs") {
		return brokerLogs(c, adm, id)
	}
	res, err := adm.DescribeBrokerConfigs(c.Context, id)
	if err != nil {
		return brokerError(id, err)
	}
	var rows [][]any
	for _, r := range res {
		if r.Err != nil {
			return brokerError(id, r.Err)
		}
		for _, k := range r.Configs {
			rows = append(rows, []any{k.Key, k.MaybeValue(), sourceName(k.Source)})
		}
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"config", "value", "source"}, rows)
}

func brokerLogs(c *cli.Context, adm *kadm.Client, id int32) error {
	dirs, err := adm.DescribeBrokerLogDirs(c.Context, id, nil)
	if err != nil {
		return brokerError(id, err)
	}
	var rows [][]any
	for _, d := range dirs.Sorted() {
		if d.Err != nil {
			return brokerError(id, d.Err)
		}
		for _, p := range d.Topics.Sorted() {
			rows = append(rows, []any{d.Dir, p.Topic, p.Partition, p.Size, p.OffsetLag})
		}
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"dir", "topic", "partition", "bytes", "lag"}, rows)
}

// brokerError says of a refusal which broker it was about.
func brokerError(id int32, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kerr.BrokerIDNotRegistered), errors.Is(err, kerr.BrokerNotAvailable), strings.HasPrefix(err.Error(), "unknown broker"):
		return usererr.New("UNKNOWN_BROKER", "42704", "There is no broker %d.", id).WithFix("See streamflow broker list.")
	}
	return usererr.New("BROKER_REFUSED", "58000", "%v", err).In(fmt.Sprintf("broker %d", id))
}

// drainingKey is the broker config that keeps partitions away from a broker.
const drainingKey = "streamflow.draining"

// brokerDrain shows the moves that the broker's partitions could make. The cluster makes its own, as brokers come and go
// while it empties the broker.
func brokerDrain(c *cli.Context) error {
	id, err := brokerArg(c)
	if err != nil {
		return err
	}
	cl, err := connect(c.Context, c)
	if err != nil {
		return err
	}
	defer cl.Close()
	if c.Bool("undo") {
		return setDraining(c, cl, id, "false")
	}
	p, err := planOf(c, cl)
	if err != nil {
		return err
	}
	moves, err := p.without(id)
	if err != nil {
		return err
	}
	if c.Bool("execute") {
		if err := setDraining(c, cl, id, "true"); err != nil {
			return err
		}
	}
	if err := printMoves(c, moves); err != nil {
		return err
	}
	dryRun(c)
	if !c.Bool("execute") || !c.Bool("wait") {
		return nil
	}
	return awaitEmpty(c, kadm.NewClient(cl), id)
}

// setDraining asks any broker that is there: the one to be emptied may have stopped already.
func setDraining(c *cli.Context, cl *kgo.Client, id int32, to string) error {
	list, controller, err := clusterBrokers(c.Context, cl)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(b brokerRow) bool { return b.id == id }) {
		return brokerError(id, kerr.BrokerIDNotRegistered)
	}
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(id))
	cfg := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	cfg.Name, cfg.Value = drainingKey, &to
	r.Configs = append(r.Configs, cfg)
	req.Resources = append(req.Resources, r)
	res, err := req.RequestWith(c.Context, cl.Broker(int(controller)))
	if err != nil {
		return brokerError(id, err)
	}
	for _, r := range res.Resources {
		if r.ErrorCode != 0 && r.ErrorMessage != nil && *r.ErrorMessage != "" {
			return usererr.New("BROKER_REFUSED", "58000", "%s", *r.ErrorMessage).In(fmt.Sprintf("broker %d", id))
		}
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return brokerError(id, err)
		}
	}
	return nil
}

// awaitEmpty waits until a broker has no replica, but of the cluster's own topics.
func awaitEmpty(c *cli.Context, adm *kadm.Client, id int32) error {
	for {
		topics, err := adm.ListTopics(c.Context)
		if err != nil {
			return err
		}
		left := 0
		topics.EachPartition(func(p kadm.PartitionDetail) {
			if slices.Contains(p.Replicas, id) {
				left++
			}
		})
		if left == 0 {
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-c.Context.Done():
			return c.Context.Err()
		}
	}
}

// awaitMoves waits until no partition is on its way any more.
func awaitMoves(c *cli.Context, adm *kadm.Client, moves []move) error {
	set := kadm.TopicsSet{}
	for _, m := range moves {
		set.Add(m.topic, m.partition)
	}
	for len(set) > 0 {
		list, err := adm.ListPartitionReassignments(c.Context, set)
		if err != nil {
			return err
		}
		if len(list.Sorted()) == 0 {
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-c.Context.Done():
			return c.Context.Err()
		}
	}
	return nil
}

func brokerRemove(c *cli.Context) error {
	id, err := brokerArg(c)
	if err != nil {
		return err
	}
	cl, err := connect(c.Context, c)
	if err != nil {
		return err
	}
	defer cl.Close()
	req := kmsg.NewPtrUnregisterBrokerRequest()
	req.BrokerID = id
	res, err := req.RequestWith(c.Context, cl)
	if err != nil {
		return brokerError(id, err)
	}
	if res.ErrorMessage != nil && res.ErrorCode != 0 && *res.ErrorMessage != "" {
		return usererr.New("BROKER_REFUSED", "58000", "%s", *res.ErrorMessage).In(fmt.Sprintf("broker %d", id))
	}
	return brokerError(id, kerr.ErrorForCode(res.ErrorCode))
}
