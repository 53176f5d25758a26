package broker

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/meta"
)

func run(t *testing.T, m meta.Machine, cmd any) ([]byte, error) {
	t.Helper()
	b, err := json.Marshal(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return m.Apply(b)
}

// copied restores m's snapshot into fresh, and fails unless that gives the same snapshot.
func copied(t *testing.T, m, fresh meta.Machine) {
	t.Helper()
	snap := m.Snapshot()
	if err := fresh.Restore(snap); err != nil {
		t.Fatal(err)
	}
	if again := fresh.Snapshot(); string(again) != string(snap) {
		t.Errorf("restored state differs:\n%s\n%s", again, snap)
	}
}

func userCode(err error) string {
	if ue, ok := usererr.As(err); ok {
		return ue.Code
	}
	return fmt.Sprint(err)
}

func TestTopicsMachine(t *testing.T) {
	m := newTopicsMachine()
	id := uuid.MustParse("6f1e6f0e-0d5c-4b5f-9d5b-000000000001")
	changed := m.watch()
	if _, err := run(t, m, topicCommand{Create: &Topic{Name: "orders", ID: id, Partitions: 2}}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("a creation was not announced")
	}
	if _, err := run(t, m, topicCommand{Create: &Topic{Name: "orders", Partitions: 2}}); userCode(err) != CodeTopicExists {
		t.Errorf("second creation: %v", err)
	}
	before, _ := m.get("orders")
	if _, err := run(t, m, topicCommand{Alter: &alterTopic{Name: "orders", Set: map[string]string{"retention.ms": "5"}}}); err != nil {
		t.Fatal(err)
	}
	if after, _ := m.get("orders"); after.Config("retention.ms") != "5" || before.Config("retention.ms") != "604800000" {
		t.Errorf("before %v, after %v: a change must make a new topic", before, after)
	}
	if _, err := run(t, m, topicCommand{Grow: &growTopic{"orders", 2}}); userCode(err) != CodeInvalidCount {
		t.Errorf("growth to the same: %v", err)
	}
	if _, err := run(t, m, topicCommand{Grow: &growTopic{"orders", 3}}); err != nil {
		t.Fatal(err)
	}
	if got := m.getByID(id); got == nil || got.Partitions != 3 {
		t.Errorf("by id: %+v", got)
	}
	copied(t, m, newTopicsMachine())
	_, err := run(t, m, topicCommand{Delete: "ordrs"})
	if ue, _ := usererr.As(err); ue == nil || ue.Code != CodeUnknownTopic || ue.Fix != `Did you mean "orders"?` {
		t.Errorf("unknown topic: %v", err)
	}
}

func TestDeletedNameIsNotFreeUntilForgotten(t *testing.T) {
	m := newTopicsMachine()
	create := topicCommand{Create: &Topic{Name: "t", ID: uuid.New(), Partitions: 1}}
	for _, c := range []topicCommand{create, {Delete: "t"}} {
		if _, err := run(t, m, c); err != nil {
			t.Fatal(err)
		}
	}
	restored := newTopicsMachine()
	copied(t, m, restored)
	if got := restored.pendingDeletes(); !reflect.DeepEqual(got, []string{"t"}) {
		t.Fatalf("pending deletions %v", got)
	}
	if _, err := run(t, restored, create); userCode(err) != CodeTopicBeingGone {
		t.Errorf("creation over files that are still there: %v", err)
	}
	for _, c := range []topicCommand{{Forget: "t"}, create} {
		if _, err := run(t, restored, c); err != nil {
			t.Error(err)
		}
	}
}

func TestOffsetsMachine(t *testing.T) {
	m := newOffsetsMachine()
	at := func(topic string, p int32, o int64) GroupOffset {
		return GroupOffset{topic, p, CommittedOffset{Offset: o, LeaderEpoch: -1, Metadata: "m"}}
	}
	for _, c := range []offsetCommand{
		{Group: "g", Commit: []GroupOffset{at("a", 0, 5), at("a", 1, 6), at("b", 0, 7)}},
		{Group: "g", Commit: []GroupOffset{at("a", 0, 9)}},
		{Group: "h", Commit: []GroupOffset{at("b", 0, 1)}},
		{Group: "g", Delete: []GroupOffset{{Topic: "a", Partition: 1}}},
	} {
		if _, err := run(t, m, c); err != nil {
			t.Fatal(err)
		}
	}
	if o, ok := m.get("g", "a", 0); !ok || o.Offset != 9 || o.Metadata != "m" {
		t.Errorf("%+v %v", o, ok)
	}
	if _, ok := m.get("g", "a", 1); ok {
		t.Error("a deleted offset is there")
	}
	copied(t, m, newOffsetsMachine())
	if _, err := run(t, m, offsetCommand{DropTopic: "b"}); err != nil {
		t.Fatal(err)
	}
	if got := m.names(); !reflect.DeepEqual(got, []string{"g"}) {
		t.Errorf("groups %v: h had offsets of the dropped topic only", got)
	}
	if _, err := run(t, m, offsetCommand{Group: "g", DropGroup: true}); err != nil || len(m.all("g")) != 0 {
		t.Errorf("%v %v", err, m.all("g"))
	}
}

func TestProducersMachineNeverRepeats(t *testing.T) {
	m := &producersMachine{}
	for _, want := range []string{"0", "10"} {
		if out, err := run(t, m, producerCommand{Reserve: 10}); err != nil || string(out) != want {
			t.Errorf("%s %v, want %s", out, err, want)
		}
	}
	fresh := &producersMachine{}
	copied(t, m, fresh)
	if out, _ := run(t, fresh, producerCommand{Reserve: 10}); string(out) != "20" {
		t.Errorf("after restore %s, want 20", out)
	}
}

func TestCatalogMachine(t *testing.T) {
	m := newCatalogMachine()
	put := func(kind, body string, replace bool) error {
		_, err := run(t, m, catalogCommand{Put: &Definition{Name: "n", Kind: kind, Body: json.RawMessage(body)}, Replace: replace})
		return err
	}
	if err := put("view", `{"sql":"select 1"}`, false); err != nil {
		t.Fatal(err)
	}
	if err := put("view", `{}`, false); userCode(err) != "TABLE_OR_VIEW_ALREADY_EXISTS" {
		t.Errorf("second creation: %v", err)
	}
	if err := put("table", `{}`, true); userCode(err) != "TABLE_OR_VIEW_ALREADY_EXISTS" {
		t.Errorf("a table in place of a view: %v", err)
	}
	if err := put("view", `{"sql":"select 2"}`, true); err != nil || string(m.defs["n"].Body) != `{"sql":"select 2"}` {
		t.Errorf("replacement: %v %s", err, m.defs["n"].Body)
	}
	copied(t, m, newCatalogMachine())
}

func FuzzMachineCommands(f *testing.F) {
	f.Add([]byte(`{"create":{"name":"t","partitions":1}}`))
	f.Add([]byte(`{"group":"g","commit":[{"topic":"t","p":0,"o":1}]}`))
	f.Add([]byte(`{"put":{"name":"n","kind":"view","body":{}}}`))
	f.Fuzz(func(t *testing.T, cmd []byte) {
		for _, m := range []meta.Machine{newTopicsMachine(), newOffsetsMachine(), newCatalogMachine(), &producersMachine{}, newTxnMachine(newOffsetsMachine())} {
			_, _ = m.Apply(cmd)
			if err := m.Restore(m.Snapshot()); err != nil {
				t.Errorf("%s: %q leaves a state that cannot be restored: %v", m.Name(), cmd, err)
			}
			_ = m.Restore(cmd)
		}
	})
}

// The state of a release that knew one node: its topics have no records, and all belong to that node.
func TestStateOfOneNodeIsRead(t *testing.T) {
	m := newTopicsMachine()
	if err := m.Restore([]byte(`{"topics":[{"name":"t","id":"6f1e6f0e-0d5c-4b5f-9d5b-000000000001","partitions":2,"configs":{"min.insync.replicas":"2"},"createdMs":1}],"deleting":["gone"]}`)); err != nil {
		t.Fatal(err)
	}
	topic, err := m.get("t")
	if err != nil {
		t.Fatal(err)
	}
	if r := m.recordOf(topic, 1); !r.equal(loneRecord(0)) {
		t.Errorf("%+v", r)
	}
	if _, err := run(t, m, topicCommand{Register: &registerBroker{ID: 0, Session: "s", Alone: true}}); err != nil {
		t.Fatal(err)
	}
	if s := string(m.Snapshot()); strings.Contains(s, "records") {
		t.Errorf("a node that is alone has no records: %s", s)
	}
}

func TestCoordinatorHashIsJavas(t *testing.T) {
	// "ab".hashCode() and so on, as Java has them; a smile is two UTF-16 units.
	for key, want := range map[string]int32{"": 0, "a": 97, "ab": 3105, "hello world": 1794106052, "polygenelubricants": math.MinInt32, "\U0001f600": 1772899} {
		if got := javaHash(key); got != want {
			t.Errorf("%q: %d, want %d", key, got, want)
		}
	}
	for key, want := range map[string]int32{"hello world": 2, "polygenelubricants": 0, "g": 3} {
		if got := coordinatorPartition(key, 50); got != want {
			t.Errorf("%q falls to partition %d, want %d", key, got, want)
		}
	}
}
