package kafka

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestDescribeLogDirs(t *testing.T) {
	n := startNode(t)
	fillPartitions(t, n, "t", 2, 10)
	n.create("empty", 1, nil)
	dirs, err := n.admin().DescribeAllLogDirs(timeout(t, 5*time.Second), nil)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []string
	for _, d := range dirs[0] {
		if !strings.HasPrefix(d.Dir, n.dir) || d.Err != nil {
			t.Errorf("%+v", d)
		}
		for topic, ps := range d.Topics {
			for p, x := range ps {
				if (x.Size > 0) != (topic == "t") {
					t.Errorf("%s-%d: %+v", topic, p, x)
				}
				sizes = append(sizes, topic)
			}
		}
	}
	if len(sizes) != 3 {
		t.Errorf("%v", sizes)
	}
	req := kmsg.NewPtrDescribeLogDirsRequest()
	rt := kmsg.NewDescribeLogDirsRequestTopic()
	rt.Topic, rt.Partitions = "t", []int32{1, 7}
	req.Topics = append(req.Topics, rt)
	r := ask[*kmsg.DescribeLogDirsResponse](t, n, req, 4)
	if len(r.Dirs) != 1 || len(r.Dirs[0].Topics) != 1 || len(r.Dirs[0].Topics[0].Partitions) != 1 || r.Dirs[0].TotalBytes < r.Dirs[0].UsableBytes {
		t.Errorf("%+v", r)
	}
	move := func(dir, topic string) int16 {
		req := kmsg.NewPtrAlterReplicaLogDirsRequest()
		d := kmsg.NewAlterReplicaLogDirsRequestDir()
		d.Dir = dir
		dt := kmsg.NewAlterReplicaLogDirsRequestDirTopic()
		dt.Topic, dt.Partitions = topic, []int32{0}
		d.Topics = append(d.Topics, dt)
		req.Dirs = append(req.Dirs, d)
		return ask[*kmsg.AlterReplicaLogDirsResponse](t, n, req, 2).Topics[0].Partitions[0].ErrorCode
	}
	wantCode(t, "elsewhere", move("/elsewhere", "t"), kerr.LogDirNotFound)
	wantCode(t, "where it is", move(r.Dirs[0].Dir, "t"), nil)
	wantCode(t, "no topic", move(r.Dirs[0].Dir, "missing"), kerr.UnknownTopicOrPartition)
}

func TestDescribeTopicPartitionsInPages(t *testing.T) {
	n := startNode(t)
	n.create("a", 2, nil)
	n.create("b", 3, nil)
	var pages []string
	var cursor *kmsg.DescribeTopicPartitionsRequestCursor
	for range 10 {
		req := kmsg.NewPtrDescribeTopicPartitionsRequest()
		req.ResponsePartitionLimit, req.Cursor = 2, cursor
		for _, name := range []string{"b", "a", "missing"} {
			rt := kmsg.NewDescribeTopicPartitionsRequestTopic()
			rt.Topic = name
			req.Topics = append(req.Topics, rt)
		}
		r := ask[*kmsg.DescribeTopicPartitionsResponse](t, n, req, 0)
		page := ""
		for _, topic := range r.Topics {
			page += *topic.Topic
			if topic.ErrorCode != 0 {
				page += " " + kerr.ErrorForCode(topic.ErrorCode).(*kerr.Error).Message
			}
			for _, p := range topic.Partitions {
				page += fmt.Sprintf(" %d%v", p.Partition, p.Replicas)
			}
			page += "; "
		}
		pages = append(pages, page)
		if r.NextCursor == nil {
			break
		}
		cursor = &kmsg.DescribeTopicPartitionsRequestCursor{Topic: r.NextCursor.Topic, Partition: r.NextCursor.Partition}
	}
	want := "a 0[0] 1[0]; |b 0[0] 1[0]; |b 2[0]; missing UNKNOWN_TOPIC_OR_PARTITION; "
	if got := strings.Join(pages, "|"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	all := kmsg.NewPtrDescribeTopicPartitionsRequest()
	if r := ask[*kmsg.DescribeTopicPartitionsResponse](t, n, all, 0); len(r.Topics) != 2 || r.NextCursor != nil || r.Topics[1].AuthorizedOperations == noOperations {
		t.Errorf("%+v", r)
	}
}
