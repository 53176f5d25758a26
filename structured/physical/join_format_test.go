package physical

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/executor/state/statetest"
)

// documented are the bytes of the hex blocks of docs/format/join-state.md.
func documented(t *testing.T) (out [][]byte) {
	t.Helper()
	doc, err := os.ReadFile("../../docs/format/join-state.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```hex\n(.*?)```").FindAllSubmatch(doc, -1) {
		var digits strings.Builder
		for line := range strings.Lines(string(block[1])) {
			code, _, _ := strings.Cut(line, "|")
			digits.WriteString(strings.Join(strings.Fields(code), ""))
		}
		b, err := hex.DecodeString(digits.String())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// TestTheDocumentedJoinState: the examples are what is written, and are read.
func TestTheDocumentedJoinState(t *testing.T) {
	schema, err := column.ParseDDL("k BIGINT, v STRING")
	if err != nil {
		t.Fatal(err)
	}
	side := newHeldSide(&JoinSide{In: schema, Keys: []int{0}, Part: []int{0}, Out: []int{0, 1}, Until: -1, Time: -1}, 0, nil, true)
	b, err := column.FromRows(schema, []any{int64(7), "tea"})
	if err != nil {
		t.Fatal(err)
	}
	rows := &joinRows{side: side, b: b, weights: []int64{2}, counts: []int64{3}, more: []int64{0}}
	rows.keys = keysOf(rows, []bool{false})
	state := statetest.NewMap()
	w := &holding{state: state, op: "j", h: side, cols: b.Cols}
	if err := w.add(never<<1, rows.keys, 0, 0, true); err != nil {
		t.Fatal(err)
	}
	if err := w.flush(rows.keys, 0); err != nil {
		t.Fatal(err)
	}
	table := &heldTable{state: state, op: "j"}
	if err := table.hold(rows); err != nil {
		t.Fatal(err)
	}
	asof := &streamAsofRun{s: &StreamAsof{}}
	asof.streamJoinRun = streamJoinRun{op: "j", state: state}
	if err := asof.keep(rows.keys, 0, []version{{60_000_000, column.AppendRow(nil, b.Cols, 0)}}); err != nil {
		t.Fatal(err)
	}
	docs := documented(t)
	if len(docs) != 3 {
		t.Fatalf("%d examples", len(docs))
	}
	for i, bucket := range []int64{never << 1, 0, versionsBucket} {
		got, ok, err := state.Get(bucket, rows.keys.kgs[0], rows.keys.key(0))
		if err != nil || !ok || string(got) != string(docs[i]) {
			t.Errorf("example %d is written\n% x\ndocumented\n% x", i, got, docs[i])
		}
	}
	if list, ok := decodeVersions(docs[2]); !ok || len(list) != 1 || list[0].at != 60_000_000 {
		t.Errorf("versions %v, %t", list, ok)
	}
	fetched, err := table.fetch(side, rows.keys, nil)
	if err != nil || fetched.weights[0] != 2 || fetched.counts[0] != 3 || texts([]*column.Batch{fetched.b})[0] != "7 tea" {
		t.Errorf("%+v, %v", fetched, err)
	}
}

// FuzzVersions: whatever bytes state has, versions are read or refused.
func FuzzVersions(f *testing.F) {
	f.Add([]byte{versionsTag, 2, 1, 'x', 4, 0})
	f.Fuzz(func(t *testing.T, v []byte) {
		list, ok := decodeVersions(v)
		n := 0
		for _, x := range list {
			n += len(x.row) + 2
		}
		if ok && n >= len(v) {
			t.Fatalf("%d bytes of versions in %d", n, len(v))
		}
	})
}
