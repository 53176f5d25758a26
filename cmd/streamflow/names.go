package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
)

// nodes are ids as a table shows them: 1,2,3; JSON has them as a list.
func nodes(output string, ids []int32) any {
	if output == "json" {
		return append([]int32{}, ids...)
	}
	text := make([]string, len(ids))
	for i, id := range ids {
		text[i] = strconv.Itoa(int(id))
	}
	return strings.Join(text, ",")
}

// parseNodes reads 1,2,3.
func parseNodes(flag, s string) ([]int32, error) {
	var ids []int32
	for _, f := range strings.Split(s, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(f), 10, 32)
		if err != nil || n < 0 || slices.Contains(ids, int32(n)) {
			return nil, term.Usage("--%s takes node ids, each once, such as 1,2,3, not %q", flag, s)
		}
		ids = append(ids, int32(n))
	}
	return ids, nil
}

// parseTopics reads TOPIC or TOPIC:PARTITION,PARTITION; a topic without partitions stands for all of them.
func parseTopics(list []string) (kadm.TopicsSet, error) {
	set := kadm.TopicsSet{}
	for _, s := range list {
		topic, parts, chosen := strings.Cut(s, ":")
		if topic == "" {
			return nil, term.Usage("a topic is TOPIC or TOPIC:PARTITION,…, not %q", s)
		}
		set.Add(topic)
		if !chosen {
			continue
		}
		for _, f := range strings.Split(parts, ",") {
			p, err := strconv.ParseInt(f, 10, 32)
			if err != nil || p < 0 {
				return nil, term.Usage("a topic is TOPIC or TOPIC:PARTITION,…, not %q", s)
			}
			set.Add(topic, int32(p))
		}
	}
	return set, nil
}

// resolveTopics names every partition of topics that stand for all of theirs, and refuses what does not exist.
func resolveTopics(c *cli.Context, adm *kadm.Client, set kadm.TopicsSet) (kadm.TopicsSet, kadm.TopicDetails, error) {
	topics, err := adm.ListTopicsWithInternal(c.Context, set.Topics()...)
	if err != nil {
		return nil, nil, err
	}
	all := kadm.TopicsSet{}
	for topic, parts := range set {
		d := topics[topic]
		if d.Err != nil {
			return nil, nil, topicError(topic, d.Err)
		}
		if len(parts) == 0 {
			all.Add(topic, d.Partitions.Numbers()...)
		}
		for p := range parts {
			if _, ok := d.Partitions[p]; !ok {
				return nil, nil, usererr.New("UNKNOWN_PARTITION", "42P01", "Topic %s has no partition %d.", topic, p).WithFix("See streamflow topic describe %s.", topic)
			}
			all.Add(topic, p)
		}
	}
	return all, topics, nil
}

// inOrder are the pairs of a set, by topic and partition.
func inOrder(set kadm.TopicsSet) []kadm.Partition {
	list := make([]kadm.Partition, 0, len(set))
	for topic, parts := range set {
		for p := range parts {
			list = append(list, kadm.Partition{Topic: topic, Partition: p})
		}
	}
	slices.SortFunc(list, func(a, b kadm.Partition) int {
		if d := strings.Compare(a.Topic, b.Topic); d != 0 {
			return d
		}
		return int(a.Partition - b.Partition)
	})
	return list
}

// executeFlag is of commands that only tell what they would do until they are told to.
func executeFlag() cli.Flag {
	return &cli.BoolFlag{Name: "execute", Usage: "do it; without, only show what would be done"}
}

// dryRun says, after what would be done, that nothing has been done.
func dryRun(c *cli.Context) {
	if !c.Bool("execute") {
		fmt.Fprintln(os.Stderr, "nothing was changed; --execute does it")
	}
}

// commandName is a command as it is called: group list.
func commandName(c *cli.Context) string {
	return strings.TrimPrefix(c.Command.HelpName, c.App.Name+" ")
}
