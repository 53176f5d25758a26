package tier

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"github.com/streamflow/streamflow/logstore"
)

func finished(base, next int64) Entry {
	return Entry{State: CopyFinished, Kind: Raw, Key: "k", Base: base, Next: next, Size: 10, Tail: 1, LastEpoch: 3}
}

func TestManifestSurvives(t *testing.T) {
	m := &Manifest{Version: Version{Epoch: 7, Generation: 12}, Start: 5, Epochs: []logstore.EpochStart{{Epoch: 0, Start: 0}, {Epoch: 7, Start: 30}}}
	m.announce(Entry{Kind: Parquet, Key: "t/0/data/x", Base: 20, Next: 30})
	e := finished(0, 20)
	e.Key, e.CRC, e.MinTimestamp = "t/0/data/w", 0xfeedface, -1
	m.announce(Entry{Kind: Raw, Key: e.Key})
	m.finish(e)
	got, err := DecodeManifest(m.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Fatalf("%+v, want %+v", got, m)
	}
	if m.Next() != 20 || len(m.Entries) != 2 || m.Entries[0].Key != e.Key {
		t.Fatalf("next %d, %+v", m.Next(), m.Entries)
	}
}

func TestManifestRefuses(t *testing.T) {
	for name, list := range map[string][]Entry{
		"a gap":              {finished(0, 10), finished(11, 20)},
		"an overlap":         {finished(0, 10), finished(9, 20)},
		"nothing in it":      {finished(10, 10)},
		"no size":            {{State: CopyFinished, Kind: Raw, Next: 1}},
		"an unknown state":   {{State: 9, Kind: Raw}},
		"finished ones last": {{State: CopyStarted, Kind: Raw}, finished(0, 1)},
	} {
		m := &Manifest{Entries: list}
		if _, err := DecodeManifest(m.Encode()); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	good := (&Manifest{Entries: []Entry{finished(0, 10)}}).Encode()
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x40
		if _, err := DecodeManifest(bad); err == nil {
			t.Fatalf("a flipped bit at byte %d is not found", i)
		}
	}
}

// TestLineage: what an unclean election gave up leaves the archive; what the leader cannot know stays.
func TestLineage(t *testing.T) {
	for name, c := range map[string]struct {
		local int64
		epoch int32
		end   int64
		gone  bool
	}{
		"the leader has it":            {0, 3, 20, false},
		"its epoch ended before":       {0, 3, 15, true},
		"it never had the epoch":       {0, 2, 15, true},
		"it knows nothing":             {0, -1, -1, false},
		"its disk begins behind":       {20, 2, 15, false},
		"its log under an older epoch": {0, 2, 40, false},
	} {
		m := &Manifest{Entries: []Entry{finished(10, 20)}}
		if got := lineage(m, c.local, func(int32) (int32, int64) { return c.epoch, c.end }); got != c.gone {
			t.Errorf("%s: condemned %v", name, got)
		}
	}
}

func TestKeys(t *testing.T) {
	id := partitionID{uuid.New(), 12}
	v := Version{Epoch: 3, Generation: 44}
	if got, ok := writerOf(id.dataKey(99, v, Parquet)); !ok || got != v {
		t.Errorf("%s is of %v", id.dataKey(99, v, Parquet), got)
	}
	for _, bad := range []string{"", "x", "00000000000000000099", "00000000000000000099-1-2.log", id.manifestKey(v)} {
		if _, ok := writerOf(bad); ok {
			t.Errorf("%q is taken for data", bad)
		}
	}
	if !(Version{1, 9}).Before(Version{2, 1}) || !(Version{2, 1}).Before(Version{2, 2}) || (Version{2, 2}).Before(Version{2, 2}) {
		t.Error("order of versions")
	}
}

func FuzzManifest(f *testing.F) {
	f.Add((&Manifest{Version: Version{1, 2}, Epochs: []logstore.EpochStart{{Epoch: 1}}, Entries: []Entry{finished(0, 10)}}).Encode())
	f.Add((&Manifest{}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := DecodeManifest(b); err == nil && !bytes.Equal(m.Encode(), b) {
			t.Fatalf("%x does not survive", b)
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add((&Table{Blocks: []Block{{Base: 1, Next: 2, Bytes: 3}}, Aborted: []logstore.AbortedSpan{{ProducerID: 1, First: 2, Last: 3}}, Snapshot: []byte("s")}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := decodeTable(b); err == nil && !bytes.Equal(got.encode(), b) {
			t.Fatalf("%x does not survive", b)
		}
		_, _ = rawTable(b)
	})
}
