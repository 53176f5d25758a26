package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore"
)

// replicaSum is one node's checksum of a partition.
type replicaSum struct {
	node string
	sum  logstore.RangeSum
	err  error
}

// verifyCluster compares the replicas of each partition by checksum, over the offsets that all of them have and none has
// compacted.
func verifyCluster(c *cli.Context) error {
	nodes := strings.Split(c.String("http"), ",")
	adm, err := admin(c.Context, c)
	if err != nil {
		return err
	}
	defer adm.Close()
	topics, err := adm.ListTopics(c.Context)
	if err != nil {
		return err
	}
	var rows [][]any
	differ, compared := 0, 0
	for _, t := range topics.Sorted() {
		if only := c.String("topic"); only != "" && only != t.Topic {
			continue
		}
		for _, p := range t.Partitions.Sorted() {
			row, same, n := comparePartition(c, nodes, t.Topic, p.Partition)
			if n > 1 {
				compared++
			}
			if !same {
				differ++
			}
			rows = append(rows, row)
		}
	}
	if err := term.Rows(os.Stdout, c.String("output"), []string{"topic", "partition", "replicas", "from", "to", "records", "agree", "detail"}, rows); err != nil {
		return err
	}
	if differ > 0 {
		return usererr.New("REPLICAS_DIFFER", "XX001", "%d partitions differ between their replicas, or cannot be read everywhere.", differ).
			WithFix("Run streamflow verify DIR on the nodes that are named, and restore or fetch again what is damaged.")
	}
	if compared == 0 {
		fmt.Fprintln(os.Stderr, "nothing was compared: no partition has two replicas on the nodes of --http")
	}
	return nil
}

// comparePartition asks every node what it has, then all of them about what they share.
func comparePartition(c *cli.Context, nodes []string, topic string, p int32) (row []any, same bool, replicas int) {
	first := askSums(c, nodes, topic, p, "?borders=1")
	var have []replicaSum
	from, to, detail := int64(0), int64(0), ""
	for _, r := range first {
		if ue, ok := usererr.As(r.err); ok && ue.Code == "UNKNOWN_PARTITION" {
			continue // no replica there
		}
		if r.err != nil {
			return []any{topic, p, len(nodes), "", "", "", false, fmt.Sprintf("%s: %v", r.node, r.err)}, false, 0
		}
		if len(have) == 0 {
			to = r.sum.To
		}
		from, to = max(from, r.sum.From, r.sum.CompactedTo), min(to, r.sum.To)
		have = append(have, r)
	}
	if len(have) < 2 || from >= to {
		return []any{topic, p, len(have), from, to, 0, true, "nothing to compare"}, true, len(have)
	}
	var names []string
	for _, r := range have {
		names = append(names, r.node)
	}
	second := askSums(c, names, topic, p, fmt.Sprintf("?from=%d&to=%d", from, to))
	same = true
	for _, r := range second {
		if r.err != nil || r.sum.XXH3 != second[0].sum.XXH3 || r.sum.Records != second[0].sum.Records {
			same = false
			detail += fmt.Sprintf("%s: %s of %d records, %v; ", r.node, r.sum.XXH3, r.sum.Records, r.err)
		}
	}
	if !same {
		detail = fmt.Sprintf("%s: %s of %d records; ", second[0].node, second[0].sum.XXH3, second[0].sum.Records) + detail
	}
	return []any{topic, p, len(have), from, to, second[0].sum.Records, same, detail}, same, len(have)
}

func askSums(c *cli.Context, nodes []string, topic string, p int32, query string) []replicaSum {
	list := make([]replicaSum, len(nodes))
	for i, n := range nodes {
		list[i].node = n
		list[i].err = getJSON(c.Context, n, fmt.Sprintf("/api/v1/topics/%s/partitions/%d/checksum%s", url.PathEscape(topic), p, query), &list[i].sum)
	}
	return list
}
