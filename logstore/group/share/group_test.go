package share

import (
	"fmt"
	"testing"

	"github.com/streamflow/streamflow/logstore/group"
	"github.com/streamflow/streamflow/logstore/group/consumer"
)

func TestMembersShare(t *testing.T) {
	g := NewGroup(Config{SessionTimeout: 1000})
	topics := func(n int32) *consumer.Topics {
		return &consumer.Topics{ByName: map[string]consumer.Topic{"t": {ID: consumer.TopicID{1}, Partitions: n}}}
	}
	two := topics(2)
	beat := func(now int64, id string, epoch int32, ts *consumer.Topics) string {
		r := g.Heartbeat(now, Heartbeat{MemberID: id, Epoch: epoch, Names: []string{"t"}}, ts)
		if r.Code != group.OK {
			return r.Code.String()
		}
		s := fmt.Sprint("epoch ", r.Epoch)
		if r.Assignment != nil {
			for _, p := range *r.Assignment {
				s += fmt.Sprint(" ", p.Index)
			}
		}
		return s
	}
	for i, step := range []struct{ got, want string }{
		{beat(0, "a", 0, two), "epoch 1 0 1"},
		{beat(1, "b", 0, two), "epoch 2 1"},
		{beat(2, "a", 1, two), "epoch 2 0"},
		{beat(3, "c", 0, two), "epoch 3 0"}, // more members than partitions
		{beat(4, "a", 1, two), "epoch 3 0"}, // an answer was lost
		{beat(5, "a", 3, two), "epoch 3"},
		{beat(6, "a", 9, two), "FENCED_MEMBER_EPOCH"},
		{beat(7, "d", 3, two), "UNKNOWN_MEMBER_ID"},
		{beat(8, "a", 3, topics(4)), "epoch 4 0 3"},
		{beat(9, "c", -1, g.topics), "epoch -1"},
		{beat(10, "a", 4, g.topics), "epoch 5 0 2"},
	} {
		if step.got != step.want {
			t.Errorf("step %d: %s, want %s", i, step.got, step.want)
		}
	}
	if g.Tick(1001); len(g.members) != 1 || g.Deadline() != 1010 {
		t.Errorf("%+v", g.Describe())
	}
}
