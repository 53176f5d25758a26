package process

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"testing"
)

func newRules() (*State, Broadcast[string, int]) {
	s := &State{}
	return s, NewBroadcast[string, int](s, "rules")
}

// TestSharedFormat: the example of docs/format/process-state.md is what is written and read.
func TestSharedFormat(t *testing.T) {
	doc, err := os.ReadFile("../../docs/format/process-state.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```hex\n(.*?)```").FindAllSubmatch(doc, -1)
	digits := regexp.MustCompile(`(?m)\|.*$|\s`).ReplaceAll(blocks[1][1], nil)
	want, err := hex.DecodeString(string(digits))
	if err != nil {
		t.Fatal(err)
	}
	s, rules := newRules()
	if err := s.shared.Read(want); err != nil {
		t.Fatal(err)
	}
	if n, ok := rules.Get("total"); !ok || n != 100 || rules.Len() != 1 {
		t.Fatalf("read %d, %v", n, ok)
	}
	got, err := s.shared.Append(nil)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%v, written now:\n%s", err, hex.Dump(got))
	}
}

// TestSharedRollback: what broadcast rows change is taken back for the next key, until it is for good.
func TestSharedRollback(t *testing.T) {
	s, rules := newRules()
	sh := &s.shared
	sh.open = true
	sh.Keep(true)
	rules.Put("a", 1)
	sh.Keep(false)
	rules.Put("a", 2)
	rules.Put("b", 3)
	rules.Remove("a")
	sh.Rollback()
	if a, _ := rules.Get("a"); a != 1 || rules.Len() != 1 {
		t.Fatalf("a is %d, %d pairs", a, rules.Len())
	}
	sh.open = false
	defer func() {
		if recover() == nil {
			t.Fatal("a row of a key has changed broadcast state")
		}
	}()
	rules.Put("a", 5)
}

// FuzzSharedRead: damaged bytes are an error, and what is read is written again.
func FuzzSharedRead(f *testing.F) {
	s, rules := newRules()
	s.shared.open = true
	rules.Put("total", 100)
	b, err := s.shared.Append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{1, 200, 200})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, _ := newRules()
		if s.shared.Read(b) != nil {
			return
		}
		again, err := s.shared.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.shared.Read(again); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRegisterChecksInputs: a function without the method that its input needs is a mistake at registration.
func TestRegisterChecksInputs(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("registered without its method")
		}
	}()
	Register("no method", func() Function[int64, row, row] { return &counter{} }, WithBroadcast[row]())
}
