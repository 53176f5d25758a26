package kafka

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

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
