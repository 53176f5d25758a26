package rpc

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestDocumentedQuestion(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/format/peer.md")
	if err != nil {
		t.Fatal(err)
	}
	want := appendFrame(nil, question, 7, questionHead(5*time.Second, "ping"), []byte("hi"))
	m := regexp.MustCompile("(?s)```question\n(.*?)```").FindSubmatch(doc)
	if m == nil {
		t.Fatalf("no example; its bytes should be\n% x", want)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(m[1])), ""))
	if err != nil {
		t.Fatal(err)
	}
	f, err := readFrame(bytes.NewReader(b))
	if err != nil || f.typ != question || f.id != 7 {
		t.Fatalf("%+v %v; its bytes should be\n% x", f, err, want)
	}
	patience, kind, body, err := splitQuestion(f.payload)
	if err != nil || patience != 5*time.Second || kind != "ping" || string(body) != "hi" {
		t.Errorf("%v %q %q %v", patience, kind, body, err)
	}
}
