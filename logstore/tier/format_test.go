package tier

import (
	"bytes"
	"encoding/hex"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/streamflow/streamflow/logstore"
)

// examples are the hex blocks of docs/format/tier.md, in order.
func examples(t *testing.T) (out [][]byte) {
	t.Helper()
	doc, err := os.ReadFile("../../docs/format/tier.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(doc), "```hex\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		b, err := hex.DecodeString(strings.Join(strings.Fields(block), ""))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func hexLines(b []byte) string {
	var s strings.Builder
	for ; len(b) > 0; b = b[min(32, len(b)):] {
		s.WriteString(hex.EncodeToString(b[:min(32, len(b))]) + "\n")
	}
	return s.String()
}

// TestDocumentedExamples decodes the examples of the format's description, and writes them again.
func TestDocumentedExamples(t *testing.T) {
	topic := uuid.MustParse("91a4944d-cf23-4997-8c5d-10da583afd6e")
	m := &Manifest{
		Version: Version{Epoch: 3, Generation: 9}, Start: 1000, Epochs: []logstore.EpochStart{{Epoch: 3, Start: 0}},
		Entries: []Entry{{
			State: CopyFinished, Kind: Raw, Key: partitionID{topic, 0}.dataKey(1000, Version{3, 7}, Raw), Base: 1000, Next: 1003, Bytes: 80, Records: 3,
			MinTimestamp: -1, MaxTimestamp: 2000, Appended: 3000, LastEpoch: 3, Size: 225, Tail: 145, TailCRC: 0x01020304, CRC: 0x05060708,
		}},
	}
	table := &Table{
		Blocks:  []Block{{Base: 1000, Next: 1003, Pos: 0, Bytes: 80, Records: 3, MinTimestamp: -1, MaxTimestamp: 2000, CRC: 0x0a0b0c0d}},
		Aborted: []logstore.AbortedSpan{{ProducerID: 5, First: 1001, Last: 1002}},
	}
	docs := examples(t)
	if len(docs) != 2 {
		t.Fatalf("%d examples", len(docs))
	}
	if got := m.Encode(); !bytes.Equal(got, docs[0]) {
		t.Errorf("the manifest is\n%s", hexLines(got))
	}
	if got := table.encode(); !bytes.Equal(got, docs[1]) {
		t.Errorf("the table is\n%s", hexLines(got))
	}
	if got, err := DecodeManifest(docs[0]); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%+v, %v", got, err)
	}
	got, err := decodeTable(docs[1])
	if err != nil || !reflect.DeepEqual(got.Blocks, table.Blocks) || !reflect.DeepEqual(got.Aborted, table.Aborted) {
		t.Errorf("%+v, %v", got, err)
	}
}
