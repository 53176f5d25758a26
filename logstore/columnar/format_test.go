package columnar

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/logstore/record"
)

// TestFormatExample compares the example of the format's description with what the code writes, and reads it back.
func TestFormatExample(t *testing.T) {
	doc, err := os.ReadFile("../../docs/format/arrow-batch.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```hex\n")
	block, _, _ := strings.Cut(rest, "```")
	want, err := hex.DecodeString(strings.Join(strings.Fields(block), ""))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := column.ParseDDL("n BIGINT")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := column.FromRows(schema, []any{int64(1)}, []any{int64(2)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Encode(nil, rows, Header{Producer: record.NoProducer, Timestamp: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, want) {
		t.Errorf("encoded as\n%s", dump(b))
	}
	got, err := Decode(schema, want, nil)
	if err != nil || got.N != 2 || got.Cols[0].I64[0] != 1 || got.Cols[0].I64[1] != 2 {
		t.Errorf("%v, %v", got, err)
	}
}

// dump is how the description shows bytes: the header in one line, then 16 a line.
func dump(b []byte) string {
	var s strings.Builder
	s.WriteString(hex.EncodeToString(b[:61]) + "\n")
	for rest := b[61:]; len(rest) > 0; rest = rest[min(16, len(rest)):] {
		s.WriteString(hex.EncodeToString(rest[:min(16, len(rest))]) + "\n")
	}
	return s.String()
}
