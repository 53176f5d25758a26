package main

import (
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
)

// addPartitions makes a topic wider. Keys then go to other partitions than before.
func addPartitions(c *cli.Context, name string) error {
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	res, err := adm.UpdatePartitions(c.Context, c.Int("partitions"), name)
	if err != nil {
		return topicError(name, err)
	}
	if r := res[name]; r.Err != nil && r.ErrMessage != "" {
		return term.Usage("topic %s: %s", name, r.ErrMessage)
	}
	return topicError(name, res[name].Err)
}

func topicDeleteRecords(c *cli.Context) error {
	arg, err := oneArg(c, "topic")
	if err != nil {
		return err
	}
	set, err := parseTopics([]string{arg})
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
	topic := set.Topics()[0]
	to, err := deleteBefore(c, adm, topic)
	if err != nil {
		return err
	}
	starts, err := adm.ListStartOffsets(c.Context, topic)
	if err != nil {
		return err
	}
	ends, err := adm.ListEndOffsets(c.Context, topic)
	if err != nil {
		return err
	}
	cuts, rows := kadm.Offsets{}, [][]any{}
	for _, tp := range inOrder(set) {
		start, end := starts[topic][tp.Partition].Offset, ends[topic][tp.Partition].Offset
		cut := min(max(to(tp.Partition), start), end)
		cuts.AddOffset(topic, tp.Partition, cut, -1)
		rows = append(rows, []any{tp.Partition, start, cut, cut - start, end - cut})
	}
	if c.Bool("execute") {
		res, err := adm.DeleteRecords(c.Context, cuts)
		if err == nil {
			err = res.Error()
		}
		if err != nil {
			return topicError(topic, err)
		}
	}
	defer dryRun(c)
	return term.Rows(os.Stdout, c.String("output"), []string{"partition", "from", "before", "deleted", "left"}, rows)
}

// deleteBefore reads --before: for each partition, the first offset that stays.
func deleteBefore(c *cli.Context, adm *kadm.Client, topic string) (func(partition int32) int64, error) {
	s := c.String("before")
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		return func(int32) int64 { return n }, nil
	}
	var offsets kadm.ListedOffsets
	if s == "end" {
		ends, err := adm.ListEndOffsets(c.Context, topic)
		if err != nil {
			return nil, err
		}
		offsets = ends
	} else {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return nil, term.Usage("--before takes an offset, a time such as 2001-01-01T00:00:00Z, or end, not %q", s)
		}
		if offsets, err = adm.ListOffsetsAfterMilli(c.Context, at.UnixMilli(), topic); err != nil {
			return nil, err
		}
	}
	return func(p int32) int64 { return offsets[topic][p].Offset }, nil
}
