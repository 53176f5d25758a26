package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/placement"
)

// move gives a partition other replicas; no replicas cancel one that is under way.
type move struct {
	topic     string
	partition int32
	from, to  []int32
}

// plan is where partitions lie, to be moved.
type plan struct {
	brokers []placement.Broker // that may hold partitions
	all     []placement.Partition
	leaders map[kadm.Partition]int32
}

// planOf reads where everything lies but the cluster's own topics, which it places itself.
func planOf(c *cli.Context, cl *kgo.Client) (*plan, error) {
	list, _, err := clusterBrokers(c.Context, cl)
	if err != nil {
		return nil, err
	}
	p := &plan{leaders: map[kadm.Partition]int32{}}
	for _, b := range list {
		if !b.fenced {
			p.brokers = append(p.brokers, placement.Broker{ID: b.id, Rack: b.rack})
		}
	}
	adm := kadm.NewClient(cl)
	topics, err := adm.ListTopics(c.Context)
	if err != nil {
		return nil, err
	}
	sizes, err := adm.DescribeAllLogDirs(c.Context, nil)
	if err != nil {
		sizes = nil // bytes are then not known, and partitions count alike
	}
	bytes := map[kadm.Partition]int64{}
	sizes.Each(func(d kadm.DescribedLogDir) {
		d.Topics.Each(func(l kadm.DescribedLogDirPartition) {
			tp := kadm.Partition{Topic: l.Topic, Partition: l.Partition}
			bytes[tp] = max(bytes[tp], l.Size)
		})
	})
	for _, tp := range inOrder(topics.TopicsSet()) {
		d := topics[tp.Topic].Partitions[tp.Partition]
		p.all = append(p.all, placement.Partition{Topic: tp.Topic, Partition: tp.Partition, Replicas: d.Replicas, Bytes: bytes[tp]})
		p.leaders[tp] = d.Leader
	}
	return p, nil
}

// without are the moves that empty a broker.
func (p *plan) without(id int32) ([]move, error) {
	rest := slices.DeleteFunc(slices.Clone(p.brokers), func(b placement.Broker) bool { return b.ID == id })
	ring := placement.NewRing(rest)
	var moves []move
	for _, x := range p.all {
		if !slices.Contains(x.Replicas, id) {
			continue
		}
		to := ring.Replace(placement.Key(x.Topic, x.Partition), x.Replicas, id)
		if len(to) < len(x.Replicas) {
			return nil, usererr.New("TOO_FEW_BROKERS", "55000", "Partition %d of topic %s has %d replicas, and without broker %d there are %d brokers.", x.Partition, x.Topic, len(x.Replicas), id, len(rest)).
				WithFix("Add a broker first, or give the partition fewer replicas: streamflow partition reassign.")
		}
		moves = append(moves, move{x.Topic, x.Partition, x.Replicas, to})
	}
	return moves, nil
}

func partitionReassign(c *cli.Context) error {
	if c.NArg() == 0 {
		return term.Usage("partition reassign takes TOPIC or TOPIC:PARTITION,…")
	}
	if c.IsSet("replicas") == c.Bool("cancel") {
		return term.Usage("partition reassign takes either --replicas or --cancel")
	}
	var to []int32
	var err error
	if c.IsSet("replicas") {
		if to, err = parseNodes("replicas", c.String("replicas")); err != nil {
			return err
		}
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	set, topics, err := chosenTopics(c, adm, c.Args().Slice())
	if err != nil {
		return err
	}
	var moves []move
	for _, tp := range inOrder(set) {
		from := topics[tp.Topic].Partitions[tp.Partition].Replicas
		if !c.Bool("cancel") && slices.Equal(from, to) {
			continue
		}
		moves = append(moves, move{tp.Topic, tp.Partition, from, to})
	}
	return carryOut(c, adm, moves)
}

// carryOut shows moves, and with --execute starts them.
func carryOut(c *cli.Context, adm *kadm.Client, moves []move) error {
	if c.Bool("execute") {
		if err := startMoves(c, adm, moves); err != nil {
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
	return awaitMoves(c, adm, moves)
}

func startMoves(c *cli.Context, adm *kadm.Client, moves []move) error {
	if len(moves) == 0 {
		return nil
	}
	req := kadm.AlterPartitionAssignmentsReq{}
	for _, m := range moves {
		req.Assign(m.topic, m.partition, m.to)
	}
	res, err := adm.AlterPartitionAssignments(c.Context, req)
	if err != nil {
		return movesError(err)
	}
	for _, r := range res.Sorted() {
		if r.Err != nil {
			return usererr.New("MOVE_REFUSED", "58000", "%s", errorText(r.Err, r.ErrMessage)).In(fmt.Sprintf("partition %d of topic %s", r.Partition, r.Topic))
		}
	}
	return nil
}

func movesError(err error) error { return usererr.New("MOVE_REFUSED", "58000", "%v", err) }

func printMoves(c *cli.Context, moves []move) error {
	out := c.String("output")
	var rows [][]any
	for _, m := range moves {
		to := nodes(out, m.to)
		if m.to == nil && out != "json" {
			to = "(cancelled)"
		}
		rows = append(rows, []any{m.topic, m.partition, nodes(out, m.from), to})
	}
	return term.Rows(os.Stdout, out, []string{"topic", "partition", "from", "to"}, rows)
}

func partitionBalance(c *cli.Context) error {
	cl, err := connect(c.Context, c)
	if err != nil {
		return err
	}
	defer cl.Close()
	p, err := planOf(c, cl)
	if err != nil {
		return err
	}
	if c.Bool("moves") || c.Bool("execute") {
		return carryOut(c, kadm.NewClient(cl), p.even())
	}
	ring := placement.NewRing(p.brokers)
	rep := ring.Balance(p.all, func(x placement.Partition) int32 {
		return p.leaders[kadm.Partition{Topic: x.Topic, Partition: x.Partition}]
	})
	var rows [][]any
	for _, b := range rep.Brokers {
		rows = append(rows, []any{b.ID, b.Replicas, b.Leaders, b.Bytes})
	}
	if err := term.Rows(os.Stdout, c.String("output"), []string{"broker", "replicas", "leaders", "bytes"}, rows); err != nil || c.String("output") == "json" {
		return err
	}
	fmt.Printf("most over mean: replicas %.2f, leaders %.2f, bytes %.2f\n", rep.Replicas.MaxMean, rep.Leaders.MaxMean, rep.Bytes.MaxMean)
	return nil
}

// even are the moves that give every broker its share: as if each that has less than its share had just come.
func (p *plan) even() []move {
	ring := placement.NewRing(p.brokers)
	now := slices.Clone(p.all)
	for _, b := range p.brokers {
		for _, m := range ring.Join(now, b.ID) {
			i := slices.IndexFunc(now, func(x placement.Partition) bool { return x.Topic == m.Topic && x.Partition == m.Partition })
			now[i].Replicas = m.Replicas
		}
	}
	var moves []move
	for i, x := range p.all {
		if !slices.Equal(x.Replicas, now[i].Replicas) {
			moves = append(moves, move{x.Topic, x.Partition, x.Replicas, now[i].Replicas})
		}
	}
	return moves
}
