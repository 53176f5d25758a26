package pattern

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"
)

// example returns the bytes of the hex block of docs/format/pattern-state.md.
func example(t *testing.T) []byte {
	t.Helper()
	doc, err := os.ReadFile("../../docs/format/pattern-state.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```hex\n(.*?)```").FindSubmatch(doc)
	var digits strings.Builder
	for line := range strings.Lines(string(block[1])) {
		code, _, _ := strings.Cut(line, "|")
		digits.WriteString(strings.Join(strings.Fields(code), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTheDocumentedState: after the rows A, B, B, A of the pattern (A B+ C?) WITHIN 1 s.
func TestTheDocumentedState(t *testing.T) {
	n, err := Parse("A B+ C?")
	if err != nil {
		t.Fatal(err)
	}
	prog, err := Compile(n)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{times: []int64{1, 2, 3, 4}, can: [][]string{{"A"}, {"B"}, {"B"}, {"A", "B"}}}
	s := w.search(prog)
	s.Within = 1_000_000
	m := &Machine{End: 4}
	if err := s.Run([]*Machine{m}); err != nil {
		t.Fatal(err)
	}
	want := example(t)
	if got := s.AppendState(nil, m, m.Oldest()); string(got) != string(want) {
		t.Fatalf("written now:\n%s", hex.Dump(got))
	}
	again := &Machine{Next: 4, End: 4}
	if rest, err := s.RestoreState(again, want); err != nil || len(rest) != 0 {
		t.Fatal(rest, err)
	}
	if got := s.show(again); got != "0[A B B B] best A B B B, 3[A]" {
		t.Fatalf("read as %s", got)
	}
}
