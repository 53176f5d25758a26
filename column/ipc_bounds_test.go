package column

import (
	"encoding/binary"
	"runtime"
	"testing"
)

// A stream in which any number has been replaced by a huge or negative one is read or refused, without a panic and
// without allocating what it claims to hold.
func TestStreamsThatClaimTooMuch(t *testing.T) {
	schema, err := ParseDDL("a INT, s STRING, l ARRAY<INT>, m MAP<STRING, INT>, st STRUCT<x: INT, y: STRING>, n VOID")
	if err != nil {
		t.Fatal(err)
	}
	b, err := FromRows(schema, []any{int64(1), "a string that is not short", []any{int64(1), nil}, [2][]any{{"k"}, {int64(1)}}, []any{int64(1), "y"}, nil},
		[]any{nil, nil, nil, nil, nil, nil})
	if err != nil {
		t.Fatal(err)
	}
	sound := AppendIPCStream(nil, b, "UTC")
	if _, err := ReadIPCStream(sound); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	tries := 0
	for at := 0; at+4 <= len(sound); at += 4 {
		for _, claim := range []uint32{1 << 30, 1 << 20, 0xFFFFFFF0} {
			data := append([]byte{}, sound...)
			binary.LittleEndian.PutUint32(data[at:], claim)
			_, _ = ReadIPCStream(data)
			tries++
		}
	}
	runtime.ReadMemStats(&after)
	if mean := (after.TotalAlloc - before.TotalAlloc) / uint64(tries); mean > 1<<20 {
		t.Errorf("a stream of %d bytes makes the reader allocate %d bytes", len(sound), mean)
	}
}
