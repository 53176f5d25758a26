package meta

import (
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

// example returns the bytes of a fenced example in docs/format/meta.md.
func example(t *testing.T, fence string) []byte {
	t.Helper()
	doc, err := os.ReadFile("../../docs/format/meta.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```" + fence + "\n(.*?)```").FindSubmatch(doc)
	if m == nil {
		t.Fatalf("no example %q", fence)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(m[1])), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDocumentedExamples(t *testing.T) {
	want := appendEntry(nil, []command{{"topics", []byte("create")}, {"offsets", nil}})
	if e, err := decodeEntry(example(t, "entry")); err != nil || fmt.Sprint(e.cmds) != "[{topics [99 114 101 97 116 101]} {offsets []}]" {
		t.Errorf("entry: %v %v; its bytes should be\n% x", e, err, want)
	}
	at := stamp{node: 3, epoch: 2, nonce: 7, seq: 9}
	want = appendStamped(nil, at, []command{{"topics", []byte("create")}})
	if e, err := decodeEntry(example(t, "stamped")); err != nil || e.at != at || len(e.cmds) != 1 || string(e.cmds[0].data) != "create" {
		t.Errorf("stamped entry: %v %v; its bytes should be\n% x", e, err, want)
	}
	s := newSessions(1)
	s.byNode[3] = &session{epoch: 2, nonce: 7, seq: 9, last: entryOutcome{index: 11, outcomes: []outcome{{result: []byte("ok")}}}}
	want, s = s.encode(12), newSessions(1)
	applied, err := s.restore(example(t, "group"))
	if got := s.byNode[3]; err != nil || applied != 12 || !got.is(at) || got.seq != 9 || got.last.index != 11 || string(got.last.outcomes[0].result) != "ok" {
		t.Errorf("group: %d %+v %v; its bytes should be\n% x", applied, got, err, want)
	}
	wantSnap := appendSnapshot(nil, []section{{"offsets", []byte("{}")}, {"producers", []byte("1000")}})
	if s, err := decodeSnapshot(example(t, "snapshot")); err != nil || len(s) != 2 || string(s[1].state) != "1000" {
		t.Errorf("snapshot: %v %v; its bytes should be\n% x", s, err, wantSnap)
	}
	wantRec := appendFrontRecord(nil, 3, []*raft.Log{{Index: 7, Term: 2, Data: []byte("hi")}})
	rec := frontRecord(example(t, "journal"))
	if rec == nil {
		t.Fatalf("journal: no sound record; its bytes should be\n% x", wantRec)
	}
	if logs, err := frontEntries(rec); err != nil || frontGen(rec) != 3 || len(logs) != 1 || logs[0].Index != 7 || logs[0].Term != 2 || string(logs[0].Data) != "hi" {
		t.Errorf("journal: %+v %v", logs, err)
	}
}
