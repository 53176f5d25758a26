package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// ask sends one request in one version and returns its response.
func ask[R kmsg.Response](t testing.TB, n *node, req kmsg.Request, version int16) R {
	t.Helper()
	resp, err := n.client().Broker(int(n.opts.NodeID)).Request(timeout(t, 10*time.Second), pinned{req, version})
	if err != nil {
		t.Fatal(err)
	}
	return resp.(R)
}

func producerEpoch(t *testing.T, cl *kgo.Client) int16 {
	t.Helper()
	_, epoch, err := cl.ProducerID(timeout(t, 5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return epoch
}

// TestTransactionVersions runs the same transactions as a client that announces partitions, and as one whose epoch grows with
// each end.
func TestTransactionVersions(t *testing.T) {
	for name, v := range map[string]struct {
		opts  []kgo.Opt
		grows int16
	}{
		"announced": {[]kgo.Opt{kgo.MaxVersions(kversion.V3_8_0())}, 0},
		"implicit":  {nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t)
			n.create("t", 2, nil)
			cl := n.client(append(v.opts, kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
			before := producerEpoch(t, cl)
			txn(t, cl, "t", kgo.TryCommit, "a1", "a2")
			txn(t, cl, "t", kgo.TryAbort, "b1", "b2")
			txn(t, cl, "t", kgo.TryCommit, "c1", "c2")
			if got := producerEpoch(t, cl) - before; got != v.grows {
				t.Errorf("the epoch grew by %d over three transactions, want %d", got, v.grows)
			}
			if got := committedValues(t, n, "t", 4); len(got) != 4 || got["b1"] != 0 {
				t.Errorf("committed: %v", got)
			}
			n.restart()
			txn(t, cl, "t", kgo.TryCommit, "d1", "d2")
			if got := committedValues(t, n, "t", 6); len(got) != 6 {
				t.Errorf("after a restart: %v", got)
			}
		})
	}
}

// rawTxn is a transactional producer by hand.
type rawTxn struct {
	t     *testing.T
	n     *node
	id    string
	pid   int64
	epoch int16
}

func newRawTxn(t *testing.T, n *node, id string) *rawTxn {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis, req.ProducerID, req.ProducerEpoch = &id, 60_000, -1, -1
	r := ask[*kmsg.InitProducerIDResponse](t, n, req, 5)
	if r.ErrorCode != 0 {
		t.Fatal(kerr.ErrorForCode(r.ErrorCode))
	}
	return &rawTxn{t, n, id, r.ProducerID, r.ProducerEpoch}
}

func (x *rawTxn) produce(version int16, epoch int16, seq int32) int16 {
	x.t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.TransactionID, req.Acks, req.TimeoutMillis = &x.id, -1, 5000
	rt := kmsg.NewProduceRequestTopic()
	topic, err := x.n.broker.Topic("t")
	if err != nil {
		x.t.Fatal(err)
	}
	rt.Topic, rt.TopicID = "t", topic.ID
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Records = recordBatch(x.pid, epoch, seq, attrTxn, "v")
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return ask[*kmsg.ProduceResponse](x.t, x.n, req, version).Topics[0].Partitions[0].ErrorCode
}

func (x *rawTxn) end(epoch int16, commit bool) *kmsg.EndTxnResponse {
	x.t.Helper()
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = x.id, x.pid, epoch, commit
	return ask[*kmsg.EndTxnResponse](x.t, x.n, req, 5)
}

func wantCode(t *testing.T, what string, got int16, want *kerr.Error) {
	t.Helper()
	wanted := int16(0)
	if want != nil {
		wanted = want.Code
	}
	if got != wanted {
		t.Errorf("%s: %v, want %v", what, kerr.ErrorForCode(got), want)
	}
}

func TestLateRequestsOfAnEndedTransaction(t *testing.T) {
	n := startNode(t)
	n.create("t", 1, nil)
	x := newRawTxn(t, n, "x")
	wantCode(t, "commit of nothing", x.end(0, true).ErrorCode, kerr.InvalidTxnState)
	wantCode(t, "announced is needed before version 12", x.produce(11, 0, 0), kerr.TransactionAbortable)
	wantCode(t, "announced is needed before version 12", x.produce(10, 0, 0), kerr.InvalidTxnState)
	wantCode(t, "implicit", x.produce(12, 0, 0), nil)
	wantCode(t, "by topic id", x.produce(13, 0, 1), nil)
	first := x.end(0, true)
	if first.ErrorCode != 0 || first.ProducerID != x.pid || first.ProducerEpoch != 1 {
		t.Fatalf("commit: %+v", first)
	}
	if again := x.end(0, true); again.ErrorCode != 0 || again.ProducerEpoch != 1 {
		t.Errorf("its answer was lost: %+v", again)
	}
	wantCode(t, "late batch", x.produce(12, 0, 2), kerr.InvalidProducerEpoch)
	wantCode(t, "late abort", x.end(0, false).ErrorCode, kerr.ProducerFenced)
	wantCode(t, "next transaction", x.produce(12, 1, 0), nil)
	if r := x.end(1, false); r.ErrorCode != 0 || r.ProducerEpoch != 2 {
		t.Errorf("abort: %+v", r)
	}
	if r := x.end(2, false); r.ErrorCode != 0 || r.ProducerEpoch != 3 {
		t.Errorf("abort of nothing: %+v", r)
	}
	if got := committedValues(t, n, "t", 2); got["v"] != 2 {
		t.Errorf("committed: %v", got)
	}
}

func TestTransactionsAreVerifiedInBatches(t *testing.T) {
	n := startNode(t)
	n.create("t", 2, nil)
	x := newRawTxn(t, n, "x")
	wantCode(t, "produce", x.produce(12, 0, 0), nil)
	question := func(verify bool, epoch int16) []int16 {
		req := kmsg.NewPtrAddPartitionsToTxnRequest()
		tx := kmsg.NewAddPartitionsToTxnRequestTransaction()
		tx.TransactionalID, tx.ProducerID, tx.ProducerEpoch, tx.VerifyOnly = "x", x.pid, epoch, verify
		topic := kmsg.NewAddPartitionsToTxnRequestTransactionTopic()
		topic.Topic, topic.Partitions = "t", []int32{0, 1}
		tx.Topics = append(tx.Topics, topic)
		req.Transactions = append(req.Transactions, tx)
		var codes []int16
		for _, p := range ask[*kmsg.AddPartitionsToTxnResponse](t, n, req, 5).Transactions[0].Topics[0].Partitions {
			codes = append(codes, p.ErrorCode)
		}
		return codes
	}
	got := question(true, 0)
	wantCode(t, "in it", got[0], nil)
	wantCode(t, "not in it", got[1], kerr.TransactionAbortable)
	wantCode(t, "another epoch", question(true, 5)[0], kerr.ProducerFenced)
	wantCode(t, "add", question(false, 0)[1], nil)
	wantCode(t, "in it now", question(true, 0)[1], nil)
}

func TestOffsetsByTopicID(t *testing.T) {
	n := startNode(t)
	n.create("t", 1, nil)
	topic, err := n.broker.Topic("t")
	if err != nil {
		t.Fatal(err)
	}
	commit := func(id [16]byte) int16 {
		req := kmsg.NewPtrOffsetCommitRequest()
		req.Group, req.Generation = "g", -1
		rt := kmsg.NewOffsetCommitRequestTopic()
		rt.TopicID = id
		rp := kmsg.NewOffsetCommitRequestTopicPartition()
		rp.Offset = 5
		rt.Partitions = append(rt.Partitions, rp)
		req.Topics = append(req.Topics, rt)
		r := ask[*kmsg.OffsetCommitResponse](t, n, req, 10)
		if r.Topics[0].TopicID != id {
			t.Errorf("answer for %x, want %x", r.Topics[0].TopicID, id)
		}
		return r.Topics[0].Partitions[0].ErrorCode
	}
	fetch := func(ids ...[16]byte) []kmsg.OffsetFetchResponseGroupTopic {
		req := kmsg.NewPtrOffsetFetchRequest()
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group = "g"
		for _, id := range ids {
			rt := kmsg.NewOffsetFetchRequestGroupTopic()
			rt.TopicID, rt.Partitions = id, []int32{0}
			g.Topics = append(g.Topics, rt)
		}
		req.Groups = append(req.Groups, g)
		return ask[*kmsg.OffsetFetchResponse](t, n, req, 10).Groups[0].Topics
	}
	wantCode(t, "commit", commit(topic.ID), nil)
	wantCode(t, "unknown id", commit([16]byte{1}), kerr.UnknownTopicID)
	got := fetch(topic.ID, [16]byte{1})
	if got[0].TopicID != topic.ID || got[0].Partitions[0].Offset != 5 || got[1].Partitions[0].Offset != -1 {
		t.Errorf("%+v", got)
	}
	wantCode(t, "unknown id", got[1].Partitions[0].ErrorCode, kerr.UnknownTopicID)
	if all := fetch(); len(all) != 1 || all[0].TopicID != topic.ID {
		t.Errorf("all of the group: %+v", all)
	}

	// A topic of the same name is another topic.
	if err := n.broker.DeleteTopic(context.Background(), "t"); err != nil {
		t.Fatal(err)
	}
	n.create("t", 1, nil)
	wantCode(t, "the topic before", commit(topic.ID), kerr.UnknownTopicID)
	x := newRawTxn(t, n, "x")
	wantCode(t, "produce", x.produce(13, 0, 0), nil)
	tc := kmsg.NewPtrTxnOffsetCommitRequest()
	tc.TransactionalID, tc.ProducerID, tc.Group, tc.Generation = "x", x.pid, "g", -1
	again, _ := n.broker.Topic("t")
	rt := kmsg.NewTxnOffsetCommitRequestTopic()
	rt.TopicID = again.ID
	rp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	rp.Offset = 9
	rt.Partitions = append(rt.Partitions, rp)
	tc.Topics = append(tc.Topics, rt)
	r := ask[*kmsg.TxnOffsetCommitResponse](t, n, tc, 6)
	wantCode(t, "offsets in a transaction, unannounced", r.Topics[0].Partitions[0].ErrorCode, nil)
	wantCode(t, "commit", x.end(0, true).ErrorCode, nil)
	if got := fetch(again.ID); got[0].Partitions[0].Offset != 9 {
		t.Errorf("%+v", got)
	}
}

func TestFeatures(t *testing.T) {
	n := startNode(t)
	finalized := func() map[string]int16 {
		out := map[string]int16{}
		for _, f := range ask[*kmsg.ApiVersionsResponse](t, n, kmsg.NewPtrApiVersionsRequest(), 4).FinalizedFeatures {
			out[f.Name] = f.MaxVersionLevel
		}
		return out
	}
	update := func(version int16, name string, level int16, kind int8) *kmsg.UpdateFeaturesResponse {
		req := kmsg.NewPtrUpdateFeaturesRequest()
		u := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		u.Feature, u.MaxVersionLevel, u.UpgradeType = name, level, kind
		req.FeatureUpdates = append(req.FeatureUpdates, u)
		return ask[*kmsg.UpdateFeaturesResponse](t, n, req, version)
	}
	if got := finalized(); got["transaction.version"] != 2 || got["group.version"] != 1 {
		t.Errorf("%v", got)
	}
	wantCode(t, "lower without saying so", update(2, "transaction.version", 1, featureUpgrade).ErrorCode, kerr.InvalidUpdateVersion)
	wantCode(t, "unknown", update(1, "metadata.version", 1, featureUpgrade).Results[0].ErrorCode, kerr.InvalidUpdateVersion)
	wantCode(t, "off", update(2, "transaction.version", 0, featureDowngrade).ErrorCode, nil)
	if got := finalized(); len(got) == 0 || got["transaction.version"] != 0 {
		t.Errorf("%v", got)
	}
	n.create("t", 2, nil)
	cl := n.client(kgo.TransactionalID("x"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	before := producerEpoch(t, cl)
	txn(t, cl, "t", kgo.TryCommit, "a1", "a2")
	if producerEpoch(t, cl) != before {
		t.Error("a client goes by what is finalized")
	}
	n.restart()
	if got := finalized(); got["transaction.version"] != 0 {
		t.Errorf("after a restart: %v", got)
	}
}

func TestListTransactionsFilters(t *testing.T) {
	n := startNode(t)
	n.create("t", 1, nil)
	open := newRawTxn(t, n, "orders-1")
	open.produce(12, 0, 0)
	done := newRawTxn(t, n, "orders-2")
	done.produce(12, 0, 0)
	done.end(0, true)
	newRawTxn(t, n, "other")
	list := func(change func(*kmsg.ListTransactionsRequest)) (string, *kmsg.ListTransactionsResponse) {
		req := kmsg.NewPtrListTransactionsRequest()
		req.DurationFilterMillis = -1
		change(req)
		r := ask[*kmsg.ListTransactionsResponse](t, n, req, 2)
		out := ""
		for _, s := range r.TransactionStates {
			out += s.TransactionalID + " " + s.TransactionState + ";"
		}
		return out, r
	}
	pattern, bad := "orders-.", "("
	for _, c := range []struct {
		change func(*kmsg.ListTransactionsRequest)
		want   string
	}{
		{func(*kmsg.ListTransactionsRequest) {}, "orders-1 Ongoing;orders-2 CompleteCommit;other Empty;"},
		{func(r *kmsg.ListTransactionsRequest) { r.StateFilters = []string{"CompleteCommit", "Strange"} }, "orders-2 CompleteCommit;"},
		{func(r *kmsg.ListTransactionsRequest) { r.ProducerIDFilters = []int64{open.pid} }, "orders-1 Ongoing;"},
		{func(r *kmsg.ListTransactionsRequest) { r.DurationFilterMillis = 0 }, "orders-1 Ongoing;"},
		{func(r *kmsg.ListTransactionsRequest) { r.DurationFilterMillis = 1_000_000 }, ""},
		{func(r *kmsg.ListTransactionsRequest) { r.TransactionalIDPattern = &pattern }, "orders-1 Ongoing;orders-2 CompleteCommit;"},
	} {
		if got, _ := list(c.change); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	_, r := list(func(r *kmsg.ListTransactionsRequest) { r.TransactionalIDPattern = &bad })
	wantCode(t, "no expression", r.ErrorCode, kerr.InvalidRegularExpression)
	_, r = list(func(r *kmsg.ListTransactionsRequest) { r.StateFilters = []string{"Strange"} })
	if len(r.UnknownStateFilters) != 1 {
		t.Errorf("%+v", r)
	}
}
