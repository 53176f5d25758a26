package state

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/executor/state/statetest"
)

// example returns the bytes of the n-th hex block of docs/format/state.md.
func example(t *testing.T, n int) []byte {
	t.Helper()
	doc, err := os.ReadFile("../../docs/format/state.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```hex\n(.*?)```").FindAllSubmatch(doc, -1)
	if n >= len(blocks) {
		t.Fatalf("docs/format/state.md has %d examples", len(blocks))
	}
	var digits strings.Builder
	for line := range strings.Lines(string(blocks[n][1])) {
		code, _, _ := strings.Cut(line, "|")
		digits.WriteString(strings.Join(strings.Fields(code), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheDocumentedDelta(t *testing.T) {
	piece := example(t, 0)
	if v, err := DeltaVersion(piece); err != nil || v != 7 {
		t.Fatal(v, err)
	}
	m := statetest.NewMap()
	m.Put(-1, 3, []byte("gone"), nil)
	m.Put(60_000_000, 513, []byte("BOS"), []byte{9})
	if err := applyDelta(piece, m); err != nil {
		t.Fatal(err)
	}
	if v, ok, _ := m.Get(60_000_000, 512, []byte("JFK")); !ok || string(v) != "\x2a" || m.Len() != 1 {
		t.Errorf("%q, %v, %d keys", v, ok, m.Len())
	}
	p := newPartition(&Store{}, Slot{"q", "op", 0, 1})
	p.Put(-1, 3, []byte("gone"), nil)
	p.Put(60_000_000, 513, []byte("BOS"), []byte{9})
	p.commit(6)
	p.begin()
	p.DropBucket(-1)
	p.Put(60_000_000, 512, []byte("JFK"), []byte{42})
	p.Delete(60_000_000, 513, []byte("BOS"))
	if pieces, err := p.Delta(); err != nil || len(pieces) != 1 || string(pieces[0]) != string(piece) {
		t.Errorf("written now:\n%s", hex.Dump(pieces[0]))
	}
}

func TestTheDocumentedSnapshotRecord(t *testing.T) {
	want := meta{version: 7, position: 1200, parts: 4, keys: map[int64]int64{-1: 3}}
	b := example(t, 1)
	if m, err := decodeMeta(b); err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("%+v, %v", m, err)
	}
	if string(encodeMeta(want)) != string(b) {
		t.Errorf("written now:\n%s", hex.Dump(encodeMeta(want)))
	}
	p := newPartition(&Store{}, Slot{"q", "op", 0, 1})
	if k := p.appendRow(-1, 512, []byte("JFK")); string(k) != string(example(t, 2)) {
		t.Errorf("row key now:\n%s", hex.Dump(k))
	}
}

func TestTheDocumentedKeptRecord(t *testing.T) {
	want := Kept{Version: 7, At: time.UnixMilli(1000), Positions: map[int]int64{0: 1200, 1: -1}}
	b := example(t, 3)
	if k, err := decodeKept(b); err != nil || !reflect.DeepEqual(k, want) {
		t.Errorf("%+v, %v", k, err)
	}
	if string(encodeKept(want)) != string(b) {
		t.Errorf("written now:\n%s", hex.Dump(encodeKept(want)))
	}
}

// TestTheFirstSnapshotRecord reads what releases before the second version of the record wrote.
func TestTheFirstSnapshotRecord(t *testing.T) {
	b, _ := hex.DecodeString("010700000000000001b0040000000000000400" + "75e9df59")
	if m, err := decodeMeta(b); err == nil {
		t.Errorf("a damaged record is read as %+v", m)
	}
	b, _ = hex.DecodeString("010700000000000000b0040000000000000400" + "75e9df59")
	if m, err := decodeMeta(b); err != nil || m.version != 7 || m.position != 1200 || m.parts != 4 || len(m.keys) != 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(encodeMeta(meta{version: 7, position: 1200, parts: 4, keys: map[int64]int64{-1: 3}}))
	f.Add(encodeKept(Kept{Version: 7, At: time.UnixMilli(1000), Positions: map[int]int64{1: -1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 4 { // a checksum that fits lets the rest be looked at
			b = binary.LittleEndian.AppendUint32(b[:len(b)-4:len(b)-4], crc32.Checksum(b[:len(b)-4], castagnoli))
		}
		if m, err := decodeMeta(b); err == nil {
			if again, err := decodeMeta(encodeMeta(m)); err != nil || !reflect.DeepEqual(again, m) {
				t.Fatalf("%+v came back as %+v, %v", m, again, err)
			}
		}
		if k, err := decodeKept(b); err == nil {
			if again, err := decodeKept(encodeKept(k)); err != nil || !reflect.DeepEqual(again, k) {
				t.Fatalf("%+v came back as %+v, %v", k, again, err)
			}
		}
	})
}

func FuzzDelta(f *testing.F) {
	f.Add([]byte{opBucket, 2, opPut, 3, 1, 'k', 2, 'v', 'w', opDelete, 3, 1, 'k', opDrop, 4})
	f.Fuzz(func(t *testing.T, body []byte) {
		w := deltaWriter{version: 1}
		w.start()
		w.buf = append(w.buf, body...)
		piece := w.finish()[0]
		if _, err := DeltaVersion(piece); err != nil {
			t.Fatal(err)
		}
		a, p := statetest.NewMap(), newPartition(&Store{}, Slot{"q", "op", 0, 1})
		p.begin()
		errA, errP := applyDelta(piece, a), applyDelta(piece, p)
		if errP != nil {
			return // also for a key group that does not exist, which the map does not mind
		}
		if errA != nil {
			t.Fatal(errA)
		}
		// What a delta did is in the delta of what it did.
		pieces, err := p.Delta()
		if err != nil {
			t.Fatal(err)
		}
		b := statetest.NewMap()
		for _, piece := range pieces {
			if err := applyDelta(piece, b); err != nil {
				t.Fatal(err)
			}
		}
		if a.Len() != b.Len() {
			t.Fatalf("%d keys, and %d by way of the delta", a.Len(), b.Len())
		}
	})
}
