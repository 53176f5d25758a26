package main

import (
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
)

// resetTargets are the flags of which reset-offsets takes exactly one.
var resetTargets = []string{"to-earliest", "to-latest", "to-datetime", "to-offset", "shift-by"}

func groupReset(c *cli.Context) error {
	name, err := oneArg(c, "group")
	if err != nil {
		return err
	}
	target, err := oneFlag(c, resetTargets)
	if err != nil {
		return err
	}
	var at time.Time
	if target == "to-datetime" {
		if at, err = time.Parse(time.RFC3339, c.String(target)); err != nil {
			return term.Usage("--to-datetime takes a time such as 2001-01-01T00:00:00Z, not %q", c.String(target))
		}
	}
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	if g, err := describeGroup(c.Context, adm, name); err == nil && len(g.members) > 0 {
		return usererr.New("GROUP_IN_USE", "55006", "Group %s has members.", name).WithFix("Stop its consumers first; streamflow group describe %s --members shows them.", name)
	}
	r := reset{c: c, adm: adm, group: name, target: target, at: at}
	return r.run()
}

// oneFlag is the one of the flags that is set.
func oneFlag(c *cli.Context, names []string) (string, error) {
	set := ""
	for _, n := range names {
		if !c.IsSet(n) {
			continue
		}
		if set != "" {
			return "", term.Usage("%s takes one of --%s and --%s, not both", commandName(c), set, n)
		}
		set = n
	}
	if set == "" {
		return "", term.Usage("%s needs one of --to-earliest, --to-latest, --to-datetime, --to-offset, --shift-by", commandName(c))
	}
	return set, nil
}

// reset moves a group's offsets.
type reset struct {
	c             *cli.Context
	adm           *kadm.Client
	group, target string
	at            time.Time
}

func (r *reset) run() error {
	commits, err := r.adm.FetchOffsets(r.c.Context, r.group)
	if err != nil {
		return groupError(r.group, err)
	}
	set, err := r.partitions(commits)
	if err != nil {
		return err
	}
	starts, err := r.adm.ListStartOffsets(r.c.Context, set.Topics()...)
	if err != nil {
		return err
	}
	ends, err := r.adm.ListCommittedOffsets(r.c.Context, set.Topics()...)
	if err != nil {
		return err
	}
	var later kadm.ListedOffsets
	if r.target == "to-datetime" {
		if later, err = r.adm.ListOffsetsAfterMilli(r.c.Context, r.at.UnixMilli(), set.Topics()...); err != nil {
			return err
		}
	}
	moved, rows := kadm.Offsets{}, [][]any{}
	for _, tp := range inOrder(set) {
		was := int64(-1)
		if o, ok := commits.Lookup(tp.Topic, tp.Partition); ok {
			was = o.At
		}
		start, end := starts[tp.Topic][tp.Partition], ends[tp.Topic][tp.Partition]
		if start.Err != nil || end.Err != nil {
			return topicError(tp.Topic, firstOf(start.Err, end.Err))
		}
		to := r.where(was, start.Offset, end.Offset, later[tp.Topic][tp.Partition].Offset)
		moved.AddOffset(tp.Topic, tp.Partition, to, -1)
		var from any
		if was >= 0 {
			from = was
		}
		rows = append(rows, []any{tp.Topic, tp.Partition, orDash(r.c, from), to, end.Offset - to})
	}
	if r.c.Bool("execute") {
		if err := r.adm.CommitAllOffsets(r.c.Context, r.group, moved); err != nil {
			return groupError(r.group, err)
		}
	}
	defer dryRun(r.c)
	return term.Rows(os.Stdout, r.c.String("output"), []string{"topic", "partition", "from", "to", "lag"}, rows)
}

// partitions are those named, or all that the group has an offset of.
func (r *reset) partitions(commits kadm.OffsetResponses) (kadm.TopicsSet, error) {
	set, err := parseTopics(r.c.StringSlice("topic"))
	if err != nil {
		return nil, err
	}
	if len(set) == 0 {
		commits.Each(func(o kadm.OffsetResponse) {
			if o.At >= 0 {
				set.Add(o.Topic, o.Partition)
			}
		})
	}
	if len(set) == 0 {
		return nil, usererr.New("NO_OFFSETS", "42704", "Group %s has no offsets.", r.group).WithFix("Name the topics with --topic.")
	}
	set, _, err = resolveTopics(r.c, r.adm, set)
	return set, err
}

// where an offset goes; never outside of what the partition holds.
func (r *reset) where(was, start, end, later int64) int64 {
	to := end
	switch r.target {
	case "to-earliest":
		to = start
	case "to-datetime":
		to = later
	case "to-offset":
		to = r.c.Int64("to-offset")
	case "shift-by":
		to = max(was, start) + r.c.Int64("shift-by")
	}
	return min(max(to, start), end)
}

func firstOf(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}
