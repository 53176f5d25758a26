package streamlog

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"
)

// The example in docs/format/idle-mark.md is what the code writes and reads.
func TestMarkExample(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/format/idle-mark.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(doc), "```")
	example, err := hex.DecodeString(strings.Join(strings.Fields(blocks[3]), ""))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	if column, clock, ok := decodeMark(example); !ok || column != "ts" || clock != at {
		t.Fatalf("example decodes to %q %d %v, want ts %d", column, clock, ok, at)
	}
	if got := hex.EncodeToString(encodeMark("ts", at)); got != hex.EncodeToString(example) {
		t.Fatalf("code writes %s", got)
	}
}

func FuzzMark(f *testing.F) {
	f.Add(encodeMark("ts", 5))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if column, clock, ok := decodeMark(b); ok {
			if again, c, ok := decodeMark(encodeMark(column, clock)); !ok || again != column || c != clock {
				t.Fatalf("%x does not survive", b)
			}
		}
	})
}
