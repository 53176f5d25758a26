package kafka

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

type kadmOffsets = kadm.ListedOffsets

// versionsUpTo caps one key's version.
func versionsUpTo(key, v int16) *kversion.Versions {
	vs := kversion.Stable()
	vs.SetMaxKeyVersion(key, v)
	return vs
}

func text(s string) *string { return &s }

func TestTopicsByAdmin(t *testing.T) {
	n := startNode(t)
	adm, ctx := n.admin(), timeout(t, 10*time.Second)
	if _, err := adm.CreateTopic(ctx, 3, 1, map[string]*string{"retention.ms": text("1000")}, "orders"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		parts   int32
		rf      int16
		configs map[string]*string
		want    *kerr.Error
		message string
	}{
		"orders":  {3, 1, nil, kerr.TopicAlreadyExists, "exists"},
		"bad/":    {3, 1, nil, kerr.InvalidTopicException, "character"},
		"wide":    {3, 2, nil, kerr.InvalidReplicationFactor, "one broker"},
		"none":    {0, 1, nil, kerr.InvalidPartitions, "0 partitions"},
		"mistake": {3, 1, map[string]*string{"retention.msec": text("1")}, kerr.InvalidConfig, `"retention.ms"`},
	} {
		r, err := adm.CreateTopic(ctx, c.parts, c.rf, c.configs, name)
		if !errors.Is(err, c.want) || !strings.Contains(r.ErrMessage, c.message) {
			t.Errorf("%s: %v %q, want %v", name, err, r.ErrMessage, c.want)
		}
	}
	if _, err := adm.ValidateCreateTopics(ctx, 1, 1, nil, "tried"); err != nil {
		t.Error(err)
	}
	if _, err := adm.CreatePartitions(ctx, 2, "orders"); err != nil {
		t.Fatal(err)
	}
	topics, err := adm.ListTopics(ctx)
	if err != nil || len(topics) != 1 || len(topics["orders"].Partitions) != 5 {
		t.Errorf("%v %v", topics, err)
	}
	id := topics["orders"].ID
	if _, err := adm.DeleteTopic(ctx, "orders"); err != nil {
		t.Fatal(err)
	}
	if _, err := adm.DeleteTopic(ctx, "orders"); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("second deletion: %v", err)
	}
	if _, err := adm.CreateTopic(ctx, 1, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	topics, _ = n.admin().ListTopics(ctx) // a client of its own: metadata is cached
	if topics["orders"].ID == id || len(topics["orders"].Partitions) != 1 {
		t.Errorf("a topic made again should be a new one: %+v", topics["orders"])
	}
}

func TestDeletedTopicTakesItsRecordsAlong(t *testing.T) {
	n := startNode(t)
	fill(t, n, "t", 5)
	adm, ctx := n.admin(), timeout(t, 10*time.Second)
	if _, err := adm.DeleteTopic(ctx, "t"); err != nil {
		t.Fatal(err)
	}
	n.create("t", 1, nil)
	n.restart()
	end, err := n.admin().ListEndOffsets(ctx, "t")
	if err != nil || end["t"][0].Offset != 0 {
		t.Errorf("%+v %v", end, err)
	}
}

func TestConfigsByAdmin(t *testing.T) {
	n := startNode(t)
	n.create("t", 1, map[string]string{"retention.ms": "1000"})
	adm, ctx := n.admin(), timeout(t, 10*time.Second)
	value := func(key string) (string, kadm.Config) {
		rs, err := adm.DescribeTopicConfigs(ctx, "t")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range rs[0].Configs {
			if c.Key == key {
				return c.MaybeValue(), c
			}
		}
		return "absent", kadm.Config{}
	}
	if v, c := value("retention.ms"); v != "1000" || c.Source.String() != "DYNAMIC_TOPIC_CONFIG" {
		t.Errorf("%s %v", v, c)
	}
	if v, c := value("cleanup.policy"); v != "delete" || c.Source.String() != "DEFAULT_CONFIG" {
		t.Errorf("%s %v", v, c)
	}
	alter := func(op kadm.IncrementalOp, key, v string) error {
		rs, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: op, Name: key, Value: text(v)}}, "t")
		if err != nil {
			return err
		}
		return rs[0].Err
	}
	for _, a := range []struct {
		op        kadm.IncrementalOp
		key, v    string
		wantValue string
	}{
		{kadm.SetConfig, "retention.ms", "2000", "2000"},
		{kadm.AppendConfig, "cleanup.policy", "compact", "delete,compact"},
		{kadm.SubtractConfig, "cleanup.policy", "delete", "compact"},
		{kadm.DeleteConfig, "retention.ms", "", "604800000"},
	} {
		if err := alter(a.op, a.key, a.v); err != nil {
			t.Error(err)
		}
		if v, _ := value(a.key); v != a.wantValue {
			t.Errorf("%s is %s, want %s", a.key, v, a.wantValue)
		}
	}
	if err := alter(kadm.SetConfig, "retention.ms", "soon"); !errors.Is(err, kerr.InvalidConfig) {
		t.Errorf("bad value: %v", err)
	}
	if rs, err := adm.AlterTopicConfigsState(ctx, []kadm.AlterConfig{{Name: "segment.ms", Value: text("5000")}}, "t"); err != nil || rs[0].Err != nil {
		t.Errorf("%v %v", rs, err)
	}
	n.restart()
	adm = n.admin()
	if v, _ := value("segment.ms"); v != "5000" {
		t.Errorf("after restart segment.ms is %s", v)
	}
	if v, _ := value("cleanup.policy"); v != "delete" {
		t.Errorf("a full replacement left cleanup.policy %s", v)
	}
	bs, err := adm.DescribeBrokerConfigs(ctx, 0)
	if err != nil || len(bs[0].Configs) == 0 {
		t.Errorf("%v %v", bs, err)
	}
}

func TestClusterByAdmin(t *testing.T) {
	n := startNode(t)
	adm, ctx := n.admin(), timeout(t, 10*time.Second)
	m, err := adm.BrokerMetadata(ctx)
	if err != nil || len(m.Brokers) != 1 || m.Controller != 0 || m.Cluster != n.broker.ClusterID() {
		t.Errorf("%+v %v", m, err)
	}
	id := n.broker.ClusterID()
	n.restart()
	if n.broker.ClusterID() != id || len(id) != 22 {
		t.Errorf("cluster id %q became %q", id, n.broker.ClusterID())
	}
}

func TestAutoCreate(t *testing.T) {
	n := startNode(t)
	cl := n.client(kgo.AllowAutoTopicCreation())
	if err := cl.ProduceSync(timeout(t, 10*time.Second), &kgo.Record{Topic: "fresh", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if topic, err := n.broker.Topic("fresh"); err != nil || topic.Partitions != 4 {
		t.Errorf("%+v %v", topic, err)
	}
}

func TestDeleteRecords(t *testing.T) {
	n := startNode(t)
	fill(t, n, "t", 10)
	adm, ctx := n.admin(), timeout(t, 10*time.Second)
	var before kadm.Offsets
	before.Add(kadm.Offset{Topic: "t", Partition: 0, At: 4})
	rs, err := adm.DeleteRecords(ctx, before)
	if err != nil || rs["t"][0].LowWatermark != 4 {
		t.Fatalf("%+v %v", rs, err)
	}
	got := poll(t, n.client(kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), 6)
	if got[0].Offset != 4 {
		t.Errorf("first offset %d, want 4", got[0].Offset)
	}
}
