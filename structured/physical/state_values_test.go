package physical

import (
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/executor/state/statetest"
)

// TestTheDocumentedSet reads the example of docs/format/state-values.md.
func TestTheDocumentedSet(t *testing.T) {
	doc, err := os.ReadFile("../../docs/format/state-values.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```hex\n(.*?)```").FindSubmatch(doc)
	var digits strings.Builder
	for line := range strings.Lines(string(block[1])) {
		code, _, _ := strings.Cut(line, "|")
		digits.WriteString(strings.Join(strings.Fields(code), ""))
	}
	head, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	st := statetest.NewMap()
	if err := st.Put(0, 0, append([]byte{setHead}, "owner"...), head); err != nil {
		t.Fatal(err)
	}
	s := &orderedSet{state: st, width: 1}
	if err := s.open(0, 0, []byte("owner")); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := s.visit(false, func(e setEntry) bool { got = append(got, fmt.Sprintf("%s %d", e.key, e.counts[0])); return true }); err != nil {
		t.Fatal(err)
	}
	equal(t, "entries", got, []string{"a 1", "b 3"})
}

// FuzzEventOverContext: what a window function kept of a partition, damaged, is an error and never a panic.
func FuzzEventOverContext(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 9, 3, 2, 0, 0})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 9, 3, 2, 1, 7, 1, 2, 0, 1})
	schema := mustDDL(f, "k INT, v STRING")
	f.Fuzz(func(t *testing.T, v []byte) {
		x := &eventOverRun{block: column.NewBatchBuilder(schema)}
		_ = x.loadContext(&overPart{}, v)
		_, _, _ = splitOrder(v)
		d := &StatefulDistinct{had: make([]int64, 3)}
		_ = d.decode("op", v)
		_, _ = snapshotCount(v)
	})
}
