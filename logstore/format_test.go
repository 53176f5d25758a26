package logstore

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/logstore/segment"
	"github.com/streamflow/streamflow/logstore/wal"
)

// example is the text of a fenced example in docs/format/compaction.md.
func example(t *testing.T, name string) string {
	t.Helper()
	doc, err := os.ReadFile("../docs/format/compaction.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```" + name + "\n(.*?)```").FindSubmatch(doc)
	if m == nil {
		t.Fatalf("docs/format/compaction.md has no example %s", name)
	}
	return string(m[1])
}

func exampleBytes(t *testing.T, name string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(example(t, name)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFormatExamples decodes what docs/format/compaction.md shows, and makes it again.
func TestFormatExamples(t *testing.T) {
	text := example(t, "manifest")
	m, err := segment.DecodeManifest([]byte(text))
	if err != nil || m.CleanedTo != 60 || len(m.Sources) != 2 || m.Target.Bytes != 988 || m.Counts.Superseded != 48 || string(m.Encode()) != text {
		t.Errorf("manifest: %+v, %v", m, err)
	}
	line := example(t, "audit")
	o, err := DecodeOperation([]byte(line))
	if err != nil || o.Op != "compact" || o.Topic != "kv" || o.After[0].SHA256 != m.Target.SHA256 || string(o.encode()) != line {
		t.Errorf("audit: %+v, %v", o, err)
	}
	b := exampleBytes(t, "progress")
	to, ms, err := decodeCleaned(b)
	if err != nil || to != 60 || ms != 1_700_000_000_000 || string(encodeCleaned(to, ms)) != string(b) {
		t.Errorf("progress: %d, %d, %v", to, ms, err)
	}
	filler := record.Batch(exampleBytes(t, "filler"))
	if err := filler.Validate(); err != nil || filler.Count() != 0 || filler.LastOffset() != 19 || string(record.Filler(nil, 10, 19, 2)) != string(filler) {
		t.Errorf("filler: %v", err)
	}
	horizon := record.Batch(exampleBytes(t, "horizon"))
	at, ok := horizon.DeleteHorizon()
	it := horizon.Records()
	if err := horizon.Validate(); err != nil || !ok || at != 1_700_000_000_000 || !it.Next() || it.Timestamp != 1000 || string(it.Key) != "k" || it.Value != nil || it.Offset != 7 {
		t.Errorf("horizon: %d, %v, %+v, %v", at, ok, it.Record, err)
	}
	incarnation, err := decodeParked(exampleBytes(t, "parked"), func(typ wal.Type, ms int64, rest []byte) error {
		if typ != typeLogStart || ms != 1000 || (&reader{b: rest}).i64() != 9 {
			t.Errorf("parked: type %d, %d ms, %x", typ, ms, rest)
		}
		return nil
	})
	if err != nil || incarnation != 5 {
		t.Errorf("parked: %d, %v", incarnation, err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte("{}\ncrc32c 00000000\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := segment.DecodeManifest(b); err == nil {
			if again, err := segment.DecodeManifest(m.Encode()); err != nil || again.Target != m.Target {
				t.Fatalf("does not survive a round trip: %v", err)
			}
		}
	})
}

func FuzzOperation(f *testing.F) {
	f.Add(Operation{Version: auditVersion, Op: "compact"}.encode())
	f.Fuzz(func(t *testing.T, line []byte) {
		if o, err := DecodeOperation(line); err == nil {
			if _, err := DecodeOperation(o.encode()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzParked(f *testing.F) {
	f.Add(appendParked([]byte(parkedMagic+"12345678"), typeLogStart, 1, []byte("12345678")))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = decodeParked(b, func(wal.Type, int64, []byte) error { return nil })
	})
}

func FuzzFilter(f *testing.F) {
	b := record.NewBuilder(record.Snappy)
	b.Add(1, []byte("k"), []byte("v"))
	b.Add(2, []byte("l"), nil)
	batch, _ := b.Finish()
	f.Add([]byte(batch), uint8(1), int64(5))
	f.Fuzz(func(t *testing.T, data []byte, mask uint8, horizon int64) {
		b, _, err := record.Next(data)
		if err != nil || b.Validate() != nil || b.Attributes().IsArrow() {
			return
		}
		out, err := record.Filter(nil, b, max(horizon, -1), func(i int, _ *record.Record) bool { return mask>>(i%8)&1 == 1 })
		if err == nil && record.Batch(out).Validate() != nil {
			t.Fatalf("%x is filtered to %x: %v", data, out, record.Batch(out).Validate())
		}
	})
}
