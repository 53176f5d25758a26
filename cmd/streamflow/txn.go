package main

import (
	"errors"
	"os"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
)

func txnCommand() *cli.Command {
	out := term.OutputFlag("table or json")
	return &cli.Command{
		Name: "txn", Usage: "list, describe and abort transactions",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "transactional ids and where their transactions stand", Action: txnList, Flags: []cli.Flag{bootstrapFlag(), out,
				&cli.StringSliceFlag{Name: "state", Usage: "only those in this `STATE`, such as Ongoing; may be repeated"},
				&cli.DurationFlag{Name: "older", Usage: "only transactions that began longer ago than this"}}},
			{Name: "describe", Usage: "a transactional id: producer, timeout, how long it is open, partitions", ArgsUsage: "TRANSACTIONAL-ID", Action: txnDescribe, Flags: []cli.Flag{bootstrapFlag(), out}},
			{Name: "hanging", Usage: "open transactions in partitions that no transactional id owns any more", Action: txnHanging, Flags: []cli.Flag{bootstrapFlag(), out,
				&cli.StringSliceFlag{Name: "topic", Usage: "`TOPIC` or TOPIC:PARTITION,…; may be repeated; all without"}}},
			{Name: "abort", Usage: "abort the open transaction of a transactional id and fence its producer, or a hanging one in a partition", ArgsUsage: "[TRANSACTIONAL-ID]", Action: txnAbort, Flags: []cli.Flag{bootstrapFlag(),
				&cli.StringFlag{Name: "topic", Usage: "of a hanging transaction, its `TOPIC:PARTITION`"},
				&cli.Int64Flag{Name: "producer-id", Value: -1, Usage: "of a hanging transaction, as txn hanging shows it"}}},
		},
	}
}

func txnList(c *cli.Context) error {
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	list, err := adm.ListTransactions(c.Context, nil, c.StringSlice("state"))
	if err != nil {
		return err
	}
	described := kadm.DescribedTransactions{}
	if len(list) > 0 {
		if described, err = adm.DescribeTransactions(c.Context, list.TransactionalIDs()...); err != nil {
			return err
		}
	}
	var rows [][]any
	for _, t := range list.Sorted() {
		d := described[t.TxnID]
		open := openFor(d)
		if c.Duration("older") > 0 && (open == nil || open.(time.Duration) < c.Duration("older")) {
			continue
		}
		rows = append(rows, []any{t.TxnID, t.State, t.ProducerID, d.ProducerEpoch, len(d.Topics.IntoList()), orDash(c, age(c, open)), t.Coordinator})
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"transactional_id", "state", "producer_id", "epoch", "topics", "open_for", "coordinator"}, rows)
}

// openFor is how long a transaction has been open, nil for none.
func openFor(d kadm.DescribedTransaction) any {
	if d.StartTimestamp <= 0 || d.Err != nil {
		return nil
	}
	return max(0, time.Since(time.UnixMilli(d.StartTimestamp)))
}

// age is a duration for people, and seconds in JSON.
func age(c *cli.Context, d any) any {
	if d == nil {
		return nil
	}
	if c.String("output") == "json" {
		return round(d.(time.Duration).Seconds())
	}
	return d.(time.Duration).Round(time.Second).String()
}

func txnDescribe(c *cli.Context) error {
	id, err := oneArg(c, "transactional id")
	if err != nil {
		return err
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	list, err := adm.DescribeTransactions(c.Context, id)
	if err != nil {
		return err
	}
	d := list[id]
	if d.Err != nil {
		return txnError(id, d.Err)
	}
	var started any
	if d.StartTimestamp > 0 {
		started = time.UnixMilli(d.StartTimestamp).UTC().Format(time.RFC3339)
	}
	parts := d.Topics
	if len(parts) == 0 {
		parts = nil
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"transactional_id", "state", "producer_id", "epoch", "timeout_ms", "started", "open_for", "partitions", "coordinator"},
		[][]any{{id, d.State, d.ProducerID, d.ProducerEpoch, d.TimeoutMillis, orDash(c, started), orDash(c, age(c, openFor(d))), assignedText(parts), d.Coordinator}})
}

func txnError(id string, err error) error {
	if errors.Is(err, kerr.TransactionalIDNotFound) {
		return usererr.New("UNKNOWN_TRANSACTIONAL_ID", "42704", "There is no transactional id %s.", id).WithFix("See streamflow txn list.")
	}
	if err == nil {
		return nil
	}
	return usererr.New("TRANSACTION_REFUSED", "58000", "%v", err).In("transactional id " + id)
}

// txnAbort aborts by the coordinator, which fences the producer, or where none knows of it, by a mark in the partition.
func txnAbort(c *cli.Context) error {
	if c.IsSet("topic") != c.IsSet("producer-id") {
		return term.Usage("a hanging transaction is named by --topic TOPIC:PARTITION and --producer-id")
	}
	if c.IsSet("topic") {
		return abortHanging(c)
	}
	id, err := oneArg(c, "transactional id")
	if err != nil {
		return err
	}
	cl, err := connect(c.Context, c)
	if err != nil {
		return err
	}
	defer cl.Close()
	list, err := kadm.NewClient(cl).DescribeTransactions(c.Context, id)
	if err != nil {
		return err
	}
	if err := list[id].Err; err != nil {
		return txnError(id, err)
	}
	// As the admin client of Kafka fences a producer: a new epoch for its id, before which the coordinator aborts what is open.
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = &id, 1
	for wait := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		res, err := req.RequestWith(c.Context, cl)
		if err != nil {
			return err
		}
		err = kerr.ErrorForCode(res.ErrorCode)
		if !errors.Is(err, kerr.ConcurrentTransactions) || time.Now().After(wait) {
			return txnError(id, err)
		}
	}
}

// hangingTxn is an open transaction of a partition.
type hangingTxn struct {
	kadm.DescribedProducer
	owner string // the transactional id that has this producer id; "" if none has
	why   string
}

func txnHanging(c *cli.Context) error {
	set, err := parseTopics(c.StringSlice("topic"))
	if err != nil {
		return err
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	list, err := findHanging(c, adm, set)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, h := range list {
		rows = append(rows, []any{h.Topic, h.Partition, h.ProducerID, h.ProducerEpoch, h.CurrentTxnStartOffset, time.UnixMilli(h.LastTimestamp).UTC().Format(time.RFC3339), h.owner, h.why})
	}
	return term.Rows(os.Stdout, c.String("output"), []string{"topic", "partition", "producer_id", "epoch", "start_offset", "last_write", "owner", "why"}, rows)
}

// findHanging compares what partitions hold open with what coordinators know. A transaction that moves on in between is looked
// at twice, so that it is not taken for a hanging one.
func findHanging(c *cli.Context, adm *kadm.Client, set kadm.TopicsSet) ([]hangingTxn, error) {
	if len(set) == 0 {
		all, err := adm.ListTopics(c.Context)
		if err != nil {
			return nil, err
		}
		for _, t := range all.Names() {
			set.Add(t)
		}
		if len(set) == 0 {
			return nil, nil
		}
	}
	set, _, err := resolveTopics(c, adm, set)
	if err != nil {
		return nil, err
	}
	first, err := hangingNow(c, adm, set)
	if err != nil || len(first) == 0 {
		return nil, err
	}
	time.Sleep(500 * time.Millisecond)
	again, err := hangingNow(c, adm, set)
	return slices.DeleteFunc(again, func(h hangingTxn) bool {
		return !slices.ContainsFunc(first, func(f hangingTxn) bool {
			return f.Topic == h.Topic && f.Partition == h.Partition && f.ProducerID == h.ProducerID && f.CurrentTxnStartOffset == h.CurrentTxnStartOffset
		})
	}), err
}

func hangingNow(c *cli.Context, adm *kadm.Client, set kadm.TopicsSet) ([]hangingTxn, error) {
	producers, err := adm.DescribeProducers(c.Context, set)
	if err != nil {
		return nil, err
	}
	var open []kadm.DescribedProducer
	for _, p := range producers.SortedProducers() {
		if p.CurrentTxnStartOffset >= 0 {
			open = append(open, p)
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	list, err := adm.ListTransactions(c.Context, nil, nil)
	if err != nil {
		return nil, err
	}
	described := kadm.DescribedTransactions{}
	if len(list) > 0 {
		if described, err = adm.DescribeTransactions(c.Context, list.TransactionalIDs()...); err != nil {
			return nil, err
		}
	}
	byProducer := map[int64]kadm.DescribedTransaction{}
	for _, d := range described {
		byProducer[d.ProducerID] = d
	}
	var out []hangingTxn
	for _, p := range open {
		d, known := byProducer[p.ProducerID]
		if why := hangs(p, d, known); why != "" {
			out = append(out, hangingTxn{p, d.TxnID, why})
		}
	}
	return out, nil
}

// hangs says why nobody will end a partition's open transaction; "" if somebody will.
func hangs(p kadm.DescribedProducer, d kadm.DescribedTransaction, known bool) string {
	switch {
	case !known:
		return "no transactional id has this producer id"
	case !d.Topics.Lookup(p.Topic, p.Partition):
		return "the transaction of its id does not have this partition"
	}
	return ""
}

// abortHanging writes the mark that a coordinator would write.
func abortHanging(c *cli.Context) error {
	set, err := parseTopics([]string{c.String("topic")})
	if err != nil {
		return err
	}
	list := inOrder(set)
	if len(list) != 1 {
		return term.Usage("--topic takes one TOPIC:PARTITION, not %q", c.String("topic"))
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	hanging, err := findHanging(c, adm, set)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(hanging, func(h hangingTxn) bool { return h.ProducerID == c.Int64("producer-id") })
	if at < 0 {
		return usererr.New("NOT_HANGING", "55000", "Producer %d has no hanging transaction in %s.", c.Int64("producer-id"), c.String("topic")).WithFix("See streamflow txn hanging.")
	}
	h := hanging[at]
	res, err := adm.WriteTxnMarkers(c.Context, kadm.TxnMarkers{ProducerID: h.ProducerID, ProducerEpoch: h.ProducerEpoch, CoordinatorEpoch: h.CoordinatorEpoch, Topics: set})
	if err != nil {
		return usererr.New("TRANSACTION_REFUSED", "58000", "%v", err).In(c.String("topic"))
	}
	res.EachPartition(func(p kadm.TxnMarkersPartitionResponse) {
		if p.Err != nil && err == nil {
			err = usererr.New("TRANSACTION_REFUSED", "58000", "%v", p.Err).In(c.String("topic"))
		}
	})
	return err
}
