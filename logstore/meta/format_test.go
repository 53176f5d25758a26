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
