package kafka

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// sessionClient speaks one fetch session by hand.
type sessionClient struct {
	t         *testing.T
	cl        *kgo.Client
	id, epoch int32
	committed bool
}

// ask sends a fetch over the session: what it names are partition and offset of each topic.
func (s *sessionClient) ask(forget []int32, want ...[2]int64) *kmsg.FetchResponse {
	s.t.Helper()
	req := kmsg.NewPtrFetchRequest()
	req.SessionID, req.SessionEpoch, req.MaxBytes = s.id, s.epoch, 1<<20
	if s.committed {
		req.IsolationLevel = 1
	}
	if len(want) > 0 {
		rt := kmsg.NewFetchRequestTopic()
		rt.Topic = "t"
		for _, w := range want {
			rp := kmsg.NewFetchRequestTopicPartition()
			rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = int32(w[0]), w[1], 1<<20
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	if len(forget) > 0 {
		ft := kmsg.NewFetchRequestForgottenTopic()
		ft.Topic, ft.Partitions = "t", forget
		req.ForgottenTopics = append(req.ForgottenTopics, ft)
	}
	resp := s.send(req)
	if resp.ErrorCode == 0 {
		s.id = resp.SessionID
		s.epoch = nextEpoch(s.epoch)
	}
	return resp
}

func (s *sessionClient) send(req *kmsg.FetchRequest) *kmsg.FetchResponse {
	s.t.Helper()
	resp, err := s.cl.Broker(0).Request(timeout(s.t, 5*time.Second), pinned{req, 12})
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.(*kmsg.FetchResponse)
}

// pinned is a request that is sent in one version at most.
type pinned struct {
	kmsg.Request
	version int16
}

func (p pinned) MaxVersion() int16 { return p.version }

// said is what a response says of each partition: records, or an error.
func said(resp *kmsg.FetchResponse) string {
	out := ""
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			out += fmt.Sprintf("%d:", p.Partition)
			if p.ErrorCode != 0 {
				out += kerr.ErrorForCode(p.ErrorCode).(*kerr.Error).Message + " "
				continue
			}
			out += fmt.Sprintf("%d bytes to %d ", len(p.RecordBatches), p.HighWatermark)
		}
	}
	return out
}

func produceTo(t testing.TB, n *node, topic string, partition int32, value string) {
	t.Helper()
	cl := n.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer cl.Close()
	if err := cl.ProduceSync(timeout(t, 5*time.Second), &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func TestFetchSessionTellsWhatIsNew(t *testing.T) {
	n := startNode(t)
	n.create("t", 3, nil)
	produceTo(t, n, "t", 1, "x")
	s := &sessionClient{t: t, cl: n.client()}
	want := func(step, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", step, got, want)
		}
	}
	want("full", said(s.ask(nil, [2]int64{0, 0}, [2]int64{1, 0}, [2]int64{2, 0})), "0:0 bytes to 0 1:69 bytes to 1 2:0 bytes to 0 ")
	if s.id == 0 {
		t.Fatal("no session was made")
	}
	want("records are asked for again", said(s.ask(nil)), "1:69 bytes to 1 ")
	want("nothing is new", said(s.ask(nil, [2]int64{1, 1})), "")
	produceTo(t, n, "t", 2, "yy")
	want("one has records", said(s.ask(nil)), "2:70 bytes to 1 ")
	want("another position", said(s.ask(nil, [2]int64{2, 1}, [2]int64{1, 0})), "1:69 bytes to 1 ")
	want("out of range", said(s.ask(nil, [2]int64{1, 77})), "1:OFFSET_OUT_OF_RANGE ")
	want("still out of range", said(s.ask(nil)), "1:OFFSET_OUT_OF_RANGE ")
	want("forgotten", said(s.ask([]int32{1})), "")
	produceTo(t, n, "t", 1, "z")
	want("nothing of what was forgotten", said(s.ask(nil)), "")
	want("added", said(s.ask(nil, [2]int64{1, 1})), "1:69 bytes to 2 ")

	if err := n.broker.CreatePartitions(context.Background(), "t", 4); err != nil {
		t.Fatal(err)
	}
	want("a partition that came later", said(s.ask(nil, [2]int64{1, 2}, [2]int64{3, 0})), "3:0 bytes to 0 ")
	if err := n.broker.DeleteTopic(context.Background(), "t"); err != nil {
		t.Fatal(err)
	}
	if got := said(s.ask(nil)); got == "" {
		t.Error("nobody says that the topic is gone")
	}
}

func TestFetchSessionTakesTurns(t *testing.T) {
	n := startNode(t)
	n.create("t", 2, nil)
	for p := range int32(2) {
		produceTo(t, n, "t", p, "x")
	}
	s := &sessionClient{t: t, cl: n.client()}
	ask := func() string {
		req := kmsg.NewPtrFetchRequest()
		req.SessionID, req.SessionEpoch, req.MaxBytes = s.id, s.epoch, 60 // room for one
		s.epoch++
		return said(s.send(req))
	}
	s.ask(nil, [2]int64{0, 0}, [2]int64{1, 0})
	if a, b, c := ask(), ask(), ask(); a == b || a != c {
		t.Errorf("who gets the room: %q, %q, %q, want turns", a, b, c)
	}
}

func TestFetchSessionErrors(t *testing.T) {
	n := startNode(t, func(o *Options) { o.MaxFetchSessions = 1 })
	n.create("t", 1, nil)
	cl := n.client()
	s := &sessionClient{t: t, cl: cl}
	s.ask(nil, [2]int64{0, 0})
	s.ask(nil)
	epoch := s.epoch
	s.epoch = 7
	if r := s.ask(nil); r.ErrorCode != kerr.InvalidFetchSessionEpoch.Code || r.SessionID != 0 || len(r.Topics) != 0 {
		t.Errorf("a wrong epoch: %+v", r)
	}
	other := &sessionClient{t: t, cl: cl, id: s.id + 1, epoch: 1}
	if r := other.ask(nil); r.ErrorCode != kerr.FetchSessionIDNotFound.Code {
		t.Errorf("a session that is not there: %+v", r)
	}
	byID := kmsg.NewPtrFetchRequest()
	byID.SessionID, byID.SessionEpoch = s.id, epoch
	if r, err := cl.Broker(0).Request(timeout(t, 5*time.Second), pinned{byID, 13}); err != nil || r.(*kmsg.FetchResponse).ErrorCode != kerr.FetchSessionTopicIDError.Code {
		t.Errorf("topic ids in a session of names: %+v, %v", r, err)
	}
	full := &sessionClient{t: t, cl: cl}
	if r := full.ask(nil, [2]int64{0, 0}); r.ErrorCode != 0 || r.SessionID != 0 || said(r) == "" {
		t.Errorf("without room a full answer and no session: %+v", r)
	}
	s.epoch = epochFinal // the client ends it, and there is room
	s.ask(nil, [2]int64{0, 0})
	if again := full.ask(nil, [2]int64{0, 0}); n.server.sessions.len() != 0 && again.SessionID == 0 {
		t.Errorf("after the end of the other: %+v", again)
	}
}

func TestFetchSessionsAreEvicted(t *testing.T) {
	session := func(partitions int, follower bool) *fetchSession {
		s := &fetchSession{follower: follower, set: &fetchSet{}}
		for range partitions {
			s.set.add(&fetchPart{})
		}
		return s
	}
	c := newFetchSessions(2, 100)
	add := func(s *fetchSession, now int64) bool {
		ok := c.add(s, now)
		c.put(s)
		return ok
	}
	small, large := session(1, false), session(5, false)
	if !add(small, 0) || !add(large, 0) {
		t.Fatal("there is room for two")
	}
	if add(session(9, false), 50) {
		t.Error("both are too young to go")
	}
	for _, s := range []*fetchSession{small, large} { // used, so not stale
		if _, err := c.take(s.id, 1, false, 150); err != nil {
			t.Fatal(err)
		}
		c.put(s)
	}
	if add(session(1, false), 160) {
		t.Error("it is worth no more than those that are there")
	}
	if !add(session(3, false), 160) || !small.gone {
		t.Error("the smaller one goes")
	}
	if !add(session(1, true), 170) || !large.gone {
		t.Error("a follower's is worth more than a client's")
	}
	if !add(session(1, false), 1000) {
		t.Error("what was not used for long goes")
	}
	busy := session(1, false)
	c = newFetchSessions(1, 100)
	c.add(busy, 0)
	if add(session(9, true), 1000) {
		t.Error("what is in use stays")
	}
}

// TestFetchSessionReadsCommitted crosses sessions with transactions: what an open transaction holds back comes at its end.
func TestFetchSessionReadsCommitted(t *testing.T) {
	n := startNode(t)
	n.create("t", 2, nil)
	cl := n.client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := cl.ProduceSync(timeout(t, 5*time.Second), &kgo.Record{Topic: "t", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	s := &sessionClient{t: t, cl: n.client(), committed: true}
	s.ask(nil, [2]int64{0, 0}, [2]int64{1, 0})
	if got := said(s.ask(nil)); got != "" {
		t.Errorf("in the transaction: %q", got)
	}
	if err := cl.EndTransaction(timeout(t, 5*time.Second), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if got := said(s.ask(nil)); !strings.HasPrefix(got, "0:") {
		t.Errorf("after it: %q", got)
	}
}

// BenchmarkFetchOfManyPartitions is a consumer of 1,000 partitions of which one has records: a record is produced and
// consumed, one after another.
func BenchmarkFetchOfManyPartitions(b *testing.B) {
	for _, sessions := range []bool{false, true} {
		b.Run(fmt.Sprintf("sessions=%v", sessions), func(b *testing.B) {
			n := startNode(b)
			n.create("t", 1000, nil)
			opts := []kgo.Opt{kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
			if !sessions {
				opts = append(opts, kgo.DisableFetchSessions())
			}
			consumer := n.client(opts...)
			producer := n.client(kgo.DefaultProduceTopic("t"), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
			round := func() {
				if err := producer.ProduceSync(context.Background(), &kgo.Record{Partition: 7, Value: []byte("x")}).FirstErr(); err != nil {
					b.Fatal(err)
				}
				for got := 0; got < 1; {
					got += consumer.PollFetches(context.Background()).NumRecords()
				}
			}
			round()
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				round()
			}
		})
	}
}
