package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestEveryAPIAsks sends each request that is served, in its first and its last version, as a user without any right: each
// names a topic, a group and a transactional id that are there, and each answer must be a refusal, or say nothing of them. A
// new API that forgets to ask fails here.
func TestEveryAPIAsks(t *testing.T) {
	n := startSecure(t)
	n.addUser("nobody")
	n.create("secret", 1, nil)
	n.openTxn("secret-tx", "secret")
	topic, err := n.broker.Topic("secret")
	if err != nil {
		t.Fatal(err)
	}
	cl := n.client(asUser("nobody", "nobody"), kgo.RequestRetries(0))
	for _, a := range apis {
		switch a.key {
		case kmsg.SASLHandshake, kmsg.SASLAuthenticate: // come before the question who it is
			continue
		}
		for _, version := range slices.Compact([]int16{a.min, a.max}) {
			t.Run(fmt.Sprintf("%s-%d", kmsg.NameForKey(int16(a.key)), version), func(t *testing.T) {
				req := kmsg.RequestForKey(int16(a.key))
				f := filler{topicID: topic.ID, version: version}
				f.fill(reflect.ValueOf(req).Elem(), "")
				tuneRequest(req)
				req.SetVersion(version)
				checkRefusal(t, rawRequest(t, cl, req), req)
			})
		}
	}
}

// openTxn leaves a transaction open.
func (n *node) openTxn(id, topic string) {
	n.t.Helper()
	cl := n.client(asUser("root", "root"), kgo.TransactionalID(id), kgo.DefaultProduceTopic(topic))
	if err := cl.BeginTransaction(); err != nil {
		n.t.Fatal(err)
	}
	if err := cl.ProduceSync(timeout(n.t, 10*time.Second), kgo.StringRecord("x")).FirstErr(); err != nil {
		n.t.Fatal(err)
	}
}

// rawRequest sends a request in its own version, to the broker there is.
func rawRequest(t *testing.T, cl *kgo.Client, req kmsg.Request) kmsg.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	resp, err := cl.Broker(0).Request(ctx, pinned{req, req.GetVersion()})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return resp
}

// filler puts names into a request.
type filler struct {
	topicID [16]byte
	version int16
}

func (f *filler) fill(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().Field(i).Name != "Version" && v.Type().Field(i).Name != "UnknownTags" {
				f.fill(v.Field(i), v.Type().Field(i).Name)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), name)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		setDefaults(v.Index(0))
		f.fill(v.Index(0), strings.TrimSuffix(name, "s"))
	case reflect.String:
		v.SetString(nameFor(name))
	case reflect.Array:
		if name == "TopicID" {
			v.Set(reflect.ValueOf(f.topicID))
		}
	}
}

// setDefaults calls the Default method that kmsg's structs have.
func setDefaults(v reflect.Value) {
	if d, ok := v.Addr().Interface().(interface{ Default() }); ok {
		d.Default()
	}
}

func nameFor(field string) string {
	switch {
	case strings.Contains(field, "Group"), field == "CoordinatorKey":
		return "secret-group"
	case strings.Contains(field, "Transactional"):
		return "secret-tx"
	case field == "Principal":
		return "User:x"
	case field == "Member" || field == "MemberID" || field == "InstanceID" || strings.Contains(field, "Filter"):
		return ""
	}
	return "secret"
}

// tuneRequest sets what a request needs beside names to come as far as the question.
func tuneRequest(req kmsg.Request) {
	switch r := req.(type) {
	case *kmsg.ProduceRequest:
		r.Acks, r.TransactionID = 1, nil
	case *kmsg.FetchRequest:
		r.ReplicaID, r.ReplicaState.ID, r.SessionEpoch, r.ForgottenTopics = -1, -1, -1, nil
	case *kmsg.ListOffsetsRequest:
		r.ReplicaID = -1
	case *kmsg.MetadataRequest:
		r.Topics[0].TopicID = [16]byte{}
	case *kmsg.DeleteTopicsRequest:
		r.Topics[0].TopicID = [16]byte{}
	case *kmsg.InitProducerIDRequest:
		r.TransactionTimeoutMillis = 1000
	case *kmsg.DescribeConfigsRequest:
		r.Resources[0].ResourceType = kmsg.ConfigResourceTypeTopic
	case *kmsg.AlterConfigsRequest:
		r.Resources[0].ResourceType = kmsg.ConfigResourceTypeTopic
	case *kmsg.IncrementalAlterConfigsRequest:
		r.Resources[0].ResourceType = kmsg.ConfigResourceTypeTopic
	case *kmsg.ListTransactionsRequest:
		r.StateFilters, r.ProducerIDFilters, r.TransactionalIDPattern, r.DurationFilterMillis = nil, nil, nil, -1
	case *kmsg.ListGroupsRequest:
		r.StatesFilter, r.TypesFilter = nil, nil
	case *kmsg.DescribeTopicPartitionsRequest:
		r.Cursor, r.ResponsePartitionLimit = nil, 100
	case *kmsg.AddPartitionsToTxnRequest:
		r.Transactions[0].VerifyOnly = false
	}
}

var refusals = []int16{kerr.TopicAuthorizationFailed.Code, kerr.GroupAuthorizationFailed.Code, kerr.ClusterAuthorizationFailed.Code, kerr.TransactionalIDAuthorizationFailed.Code}

// checkRefusal finds a refusal in an answer. Answers that Kafka filters instead must not have the names.
func checkRefusal(t *testing.T, resp kmsg.Response, req kmsg.Request) {
	t.Helper()
	refused, names := false, false
	walk(reflect.ValueOf(resp).Elem(), func(field string, v reflect.Value) {
		refused = refused || strings.HasSuffix(field, "ErrorCode") && v.Kind() == reflect.Int16 && slices.Contains(refusals, int16(v.Int()))
		names = names || v.Kind() == reflect.String && strings.HasPrefix(v.String(), "secret")
	})
	noPlace := req.GetVersion() == 0 && slices.Contains([]int16{int16(kmsg.DescribeLogDirs), int16(kmsg.ElectLeaders)}, req.Key())
	filtered := slices.Contains([]int16{int16(kmsg.ListGroups), int16(kmsg.ListTransactions), int16(kmsg.DescribeCluster)}, req.Key())
	switch {
	case noPlace || filtered:
		if names {
			t.Errorf("the answer has names: %+v", resp)
		}
	default:
		if !refused {
			t.Errorf("no refusal: %+v", resp)
		}
	}
}

func walk(v reflect.Value, visit func(string, reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				visit(f.Name, v.Field(i))
				walk(v.Field(i), visit)
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			visit("", v.Elem())
			walk(v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit("", v.Index(i))
			walk(v.Index(i), visit)
		}
	}
}

// BenchmarkAuthorize is what a produce or fetch request pays for each of its topics; none of it may be memory.
func BenchmarkAuthorize(b *testing.B) {
	m := acl.NewMachine()
	if _, err := m.Apply(acl.Command{Add: []acl.Binding{{Type: acl.Topic, Name: "ord", Pattern: acl.Prefixed, Principal: acl.NewUser("alice"), Host: "*", Operation: acl.Write, Permission: acl.Allow}}}.Encode()); err != nil {
		b.Fatal(err)
	}
	for name, a := range map[string]*acl.Authorizer{"none": nil, "cached": {Source: m}} {
		b.Run(name, func(b *testing.B) {
			c := &conn{s: &Server{opts: Options{Authorizer: a}}, id: identity{who: acl.NewUser("alice"), host: "10.0.0.1"}}
			b.ReportAllocs()
			for b.Loop() {
				if !c.authorize(acl.Write, acl.Topic, "orders") {
					b.Fatal("refused")
				}
			}
		})
	}
}

// TestAnswersAreForgotten changes the bindings under a connection that has asked before.
func TestAnswersAreForgotten(t *testing.T) {
	m := acl.NewMachine()
	write := acl.Binding{Type: acl.Topic, Name: "orders", Pattern: acl.Literal, Principal: acl.NewUser("alice"), Host: "*", Operation: acl.Write, Permission: acl.Allow}
	apply := func(c acl.Command) {
		if _, err := m.Apply(c.Encode()); err != nil {
			t.Fatal(err)
		}
	}
	s := &Server{opts: Options{Authorizer: &acl.Authorizer{Source: m}}, events: &events{log: quiet, now: time.Now}}
	c := &conn{s: s, id: identity{who: acl.NewUser("alice"), host: "10.0.0.1"}}
	ask := func() bool { return c.authorize(acl.Write, acl.Topic, "orders") }
	if ask() {
		t.Error("allowed without a binding")
	}
	if apply(acl.Command{Add: []acl.Binding{write}}); !ask() || !ask() {
		t.Error("refused with a binding")
	}
	if c.become(acl.NewUser("bob")); ask() {
		t.Error("bob has alice's right")
	}
	c.become(acl.NewUser("alice"))
	if apply(acl.Command{Remove: []acl.Filter{{Principal: "User:alice"}}}); ask() {
		t.Error("allowed after the binding is gone")
	}
	for i := range 3 * maxSeen {
		c.authorize(acl.Read, acl.Topic, fmt.Sprint(i))
	}
	if len(c.id.seen) > maxSeen {
		t.Errorf("%d answers are kept", len(c.id.seen))
	}
}

// TestEventsAreBounded refuses in a loop: the log gets a few lines, and how many were left out.
func TestEventsAreBounded(t *testing.T) {
	var out strings.Builder
	now := time.Unix(1000, 0)
	e := &events{log: slog.New(slog.NewTextHandler(&out, nil)), now: func() time.Time { return now }}
	for range 1000 {
		e.warn("refused")
	}
	now = now.Add(time.Second)
	e.warn("refused")
	if lines := strings.Count(out.String(), "\n"); lines != maxEvents+1 || !strings.Contains(out.String(), fmt.Sprintf("not_logged=%d", 1000-maxEvents)) {
		t.Errorf("%d lines:\n%s", lines, out.String())
	}
}
