package column

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// The example of the format's description is what the code writes and reads.
func TestFormatExample(t *testing.T) {
	doc, err := os.ReadFile("../docs/format/batch-ipc.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```hex\n")
	block, _, _ := strings.Cut(rest, "```")
	var want []byte
	for line := range strings.Lines(block) {
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(line[4:]), " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, b...)
	}
	schema, _ := ParseDDL("n INT, s STRING")
	b, err := FromRows(schema, []any{int64(1), "short"}, []any{nil, "longer than twelve"})
	if err != nil {
		t.Fatal(err)
	}
	if got := EncodeBatch(nil, b); !bytes.Equal(got, want) {
		t.Errorf("encoded as\n%s", hex.Dump(got))
	}
	got, err := DecodeBatch(schema, want, nil)
	if err != nil {
		t.Fatal(err)
	}
	equalRows(t, rows(got), rows(b))
}
